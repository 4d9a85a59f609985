/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rows_binding.c - why a path is kept: a row of "bindings", whatever kind of binding it is. */
#include "surface/rows.h"

#include "base/clock.h"
#include "state/dialog.h"
#include "state/registration.h"
#include "state/subscription.h"
#include "surface/row.h"

static const char *const kind_names[] = {
	[BINDING_REGISTRATION] = "registration",
	[BINDING_SUBSCRIPTION] = "subscription",
	[BINDING_DIALOG] = "dialog",
	[BINDING_LINGERING] = "lingering",
	[BINDING_CONNECTION] = "connection",
};

_Static_assert(sizeof(kind_names) / sizeof(kind_names[0]) == BINDING_KIND_MAX,
	       "every kind of binding has a name");

/* The binding as what it is: one of these at most is not NULL. */
struct facets {
	const struct registration *registration;
	const struct subscription *subscription;
	const struct dialog *dialog;
};

static struct facets facets_of(const struct binding *binding)
{
	switch ((enum binding_kind)binding->kind) {
	case BINDING_REGISTRATION:
		return (struct facets){ .registration = registration_of(binding) };
	case BINDING_SUBSCRIPTION:
		return (struct facets){ .subscription = subscription_of(binding) };
	case BINDING_DIALOG:
	case BINDING_LINGERING:
		return (struct facets){ .dialog = dialog_of(binding) };
	default:
		return (struct facets){ NULL };
	}
}

/* What every kind but a connection has. */
static struct span call_id_of(const struct facets *facets)
{
	if (facets->registration)
		return facets->registration->call_id;
	if (facets->subscription)
		return facets->subscription->call_id;
	return facets->dialog ? facets->dialog->call_id : (struct span){ NULL, 0 };
}

static void put_registration(struct row *row, const struct registration *registration,
			     uint64_t now_ns)
{
	row_put_text(row, "instance", registration->instance);
	row_put_known(row, "reg_id", registration->reg_id);
	if (registration->accepted_ns)
		row_put_ms_between(row, "accepted_ago_ms", registration->accepted_ns, now_ns);
	else
		row_put_null(row, "accepted_ago_ms");
}

static void put_subscription(struct row *row, const struct subscription *subscription)
{
	row_put_text(row, "event", subscription->event);
	row_put_text(row, "event_id", subscription->event_id);
}

static void put_no_dialog(struct row *row)
{
	row_put_null(row, "early");
	row_put_null(row, "direction");
	row_put_null(row, "session_expires_s");
	row_put_null(row, "refresher");
}

static void put_dialog(struct row *row, const struct dialog *dialog)
{
	bool timed = dialog->session_expires != FACTS_UNSTATED;

	row_put_flag(row, "early", dialog->early);
	row_put_word(row, "direction", dialog->device_called ? "outgoing" : "incoming");
	if (timed) {
		row_put_number(row, "session_expires_s", dialog->session_expires);
		row_put_word(row, "refresher", dialog->device_refreshes ? "device" : "peer");
	} else {
		row_put_null(row, "session_expires_s");
		row_put_null(row, "refresher");
	}
}

json_t *rows_binding(const struct binding *binding, uint64_t now_ns)
{
	static const struct registration no_registration;
	static const struct subscription no_subscription;
	const struct facets facets = facets_of(binding);
	const struct flow *flow = &binding->path->flow;
	struct row row = row_begin();

	row_put_word(&row, "kind", kind_names[binding->kind]);
	row_put_flow(&row, "path", flow);
	row_put_address(&row, "remote", flow->remote_addr, flow->remote_port);
	row_put_text(&row, "aor", binding->aor);
	row_put_text(&row, "contact", binding->target);
	if (binding->ends_ns == CLOCK_NEVER)
		row_put_null(&row, "ends_in_ms");
	else
		row_put_ms_between(&row, "ends_in_ms", now_ns, binding->ends_ns);
	row_put_flag(&row, "behind_nat", binding->behind_nat);
	row_put_text(&row, "call_id", call_id_of(&facets));
	put_registration(&row, facets.registration ? facets.registration : &no_registration,
			 now_ns);
	put_subscription(&row, facets.subscription ? facets.subscription : &no_subscription);
	if (facets.dialog)
		put_dialog(&row, facets.dialog);
	else
		put_no_dialog(&row);
	return row_end(&row);
}
