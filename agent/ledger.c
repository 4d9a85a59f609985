/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ledger.h"

#include <stdlib.h>

#include "cluster/location.h"
#include "kernel_abi.h"
#include "reports.h"
#include "state/connections.h"
#include "state/dialogs.h"
#include "state/paths.h"
#include "state/record.h"
#include "state/registrations.h"
#include "state/subscriptions.h"
#include "state/uri.h"

/* So many for each path, so that it is sip_paths that fills up first. */
#define DIALOGS_PER_PATH 4U
#define SUBSCRIPTIONS_PER_PATH 4U

/* For the Contacts of one AOR; more of them than fit grow old in the cluster by themselves. */
#define RENAMED_BYTES 8192

_Static_assert(REGISTRATION_CHANGES_MAX <= LEDGER_CHANGES_MAX &&
		       DIALOG_CHANGES_MAX <= LEDGER_CHANGES_MAX,
	       "no room changes more bindings than there is space for");

struct ledger {
	struct registrations *registrations;
	struct subscriptions *subscriptions;
	struct dialogs *dialogs;
	struct connections *connections;
	struct store *store;
	bool noting; /* everything is written down anew */
	uint32_t noted; /* paths before this cursor have been */
	struct reports reports;
};

/* Registrations without an instance: a REGISTER may give them another Contact. */
struct renamed {
	struct registration *registrations[REGISTRATIONS_PER_AOR_MAX];
	struct span devices[REGISTRATIONS_PER_AOR_MAX]; /* as the cluster knows them */
	size_t count;
	char memory[RENAMED_BYTES];
};

struct ledger *ledger_new(const struct ledger_options *options)
{
	struct ledger *ledger = calloc(1, sizeof(*ledger));
	size_t paths_max = options->paths_max;
	struct dialogs_options dialogs = {
		.limit = paths_max * DIALOGS_PER_PATH,
		.linger_ns = options->linger_ns,
		.max_lifetime_ns = options->dialog_max_ns,
		.counts = options->counts,
	};

	if (!ledger)
		return NULL;
	ledger->store = options->store;
	ledger->reports.share = options->share;
	ledger->registrations =
		registrations_new(paths_max * REGISTRATIONS_PER_PATH, options->counts);
	ledger->subscriptions =
		subscriptions_new(paths_max * SUBSCRIPTIONS_PER_PATH, options->counts);
	ledger->dialogs = dialogs_new(&dialogs);
	ledger->connections = connections_new(SIPPATH_CONNECTIONS_MAX, options->counts);
	if (ledger->registrations && ledger->subscriptions && ledger->dialogs &&
	    ledger->connections)
		return ledger;
	ledger_free(ledger);
	return NULL;
}

void ledger_free(struct ledger *ledger)
{
	if (!ledger)
		return;
	connections_free(ledger->connections);
	dialogs_free(ledger->dialogs);
	subscriptions_free(ledger->subscriptions);
	registrations_free(ledger->registrations);
	free(ledger);
}

/* Under which name the cluster knows a registration; absent if that does not fit. */
static struct span device_of(const struct registration *registration, struct text *memory)
{
	struct record record;

	record_describe(&registration->binding, &record);
	return location_device(&record, memory);
}

static void list_renamable(const struct ledger *ledger, const struct facts *request,
			   struct renamed *renamed)
{
	struct text memory = TEXT_OVER(renamed->memory);
	struct registration *registration;
	char folded[TRANSACTION_BYTES_MAX];

	renamed->count = 0;
	if (request->aor.length > sizeof(folded))
		return;
	registration = registrations_first(ledger->registrations, uri_fold(request->aor, folded));
	for (; registration && renamed->count < REGISTRATIONS_PER_AOR_MAX;
	     registration = registrations_next(registration)) {
		struct span device = device_of(registration, &memory);

		if (registration->instance.length > 0 || !device.at)
			continue;
		renamed->registrations[renamed->count] = registration;
		renamed->devices[renamed->count++] = device;
	}
}

/* What was known under another name is over under that one. */
static void drop_old_names(struct ledger *ledger, const struct renamed *renamed)
{
	for (size_t i = 0; i < renamed->count; i++) {
		const struct registration *registration = renamed->registrations[i];
		struct record old = {
			.kind = BINDING_REGISTRATION,
			.aor = registration->binding.aor,
			.target = renamed->devices[i],
		};

		if (!span_equal(registration->binding.target, old.target))
			share_drop(ledger->reports.share, &old);
	}
}

static size_t registered(struct ledger *ledger, const struct transaction *request,
			 const struct facts *response, uint64_t now_ns,
			 struct binding_change changes[LEDGER_CHANGES_MAX])
{
	struct renamed renamed;
	size_t count;

	if (!ledger->reports.share)
		return registrations_accept(ledger->registrations, request, response, now_ns,
					    changes);
	list_renamable(ledger, request->facts, &renamed);
	count = registrations_accept(ledger->registrations, request, response, now_ns, changes);
	drop_old_names(ledger, &renamed);
	return count;
}

size_t ledger_answered(struct ledger *ledger, const struct transaction *request,
		       const struct facts *response, uint64_t now_ns,
		       struct binding_change changes[LEDGER_CHANGES_MAX])
{
	switch (response->method) {
	case SIP_METHOD_REGISTER:
		return registered(ledger, request, response, now_ns, changes);
	case SIP_METHOD_SUBSCRIBE:
		return subscriptions_answered(ledger->subscriptions, request, response, now_ns,
					      changes);
	default:
		return dialogs_answered(ledger->dialogs, request, response, now_ns, changes);
	}
}

size_t ledger_told(struct ledger *ledger, const struct flow *flow,
		   enum sighting_direction direction, const struct facts *request, uint64_t now_ns,
		   struct binding_change *change)
{
	switch (request->method) {
	case SIP_METHOD_NOTIFY:
		return subscriptions_notified(ledger->subscriptions, flow, direction, request,
					      now_ns, change);
	case SIP_METHOD_ACK:
		return dialogs_acknowledged(ledger->dialogs, flow, direction, request, change);
	default:
		return dialogs_bye(ledger->dialogs, flow, direction, request, now_ns, change);
	}
}

/* Redis has a time in whole milliseconds of its own clock, which is not known exactly. */
static bool is_about(uint64_t a_ns, uint64_t b_ns)
{
	return (a_ns > b_ns ? a_ns - b_ns : b_ns - a_ns) <= LEDGER_CLOCK_MARGIN_NS;
}

bool ledger_leave(struct ledger *ledger, struct span aor, struct span device, uint64_t accepted_ns,
		  struct binding_change *change)
{
	struct registration *registration = registrations_first(ledger->registrations, aor);
	char buffer[LOCATION_TEXT_MAX];

	for (; registration; registration = registrations_next(registration)) {
		struct text memory = TEXT_OVER(buffer);

		if (!span_equal(device_of(registration, &memory), device) ||
		    !is_about(registration->accepted_ns, accepted_ns))
			continue;
		*change = registrations_leave(ledger->registrations, registration);
		return true;
	}
	return false;
}

size_t ledger_connected(struct ledger *ledger, const struct flow *flow, uint64_t opened_ns,
			struct binding_change *change)
{
	return connections_open(ledger->connections, flow, opened_ns, change);
}

void ledger_note(struct ledger *ledger, struct binding *binding)
{
	struct record record;
	uint64_t id;

	if (!record_describe(binding, &record))
		return;
	id = store_put(ledger->store, binding->stored, &record);
	if (id != 0)
		binding->stored = id;
}

void ledger_report(struct ledger *ledger, const struct binding *binding, uint64_t heard_ns,
		   uint64_t now_ns)
{
	reports_put(&ledger->reports, binding, heard_ns, now_ns);
}

void ledger_report_path(struct ledger *ledger, const struct path *path, uint64_t heard_ns,
			uint64_t now_ns)
{
	reports_put_path(&ledger->reports, path, heard_ns, now_ns);
}

bool ledger_announce(struct ledger *ledger, const struct paths *paths, uint64_t now_ns)
{
	return reports_turn(&ledger->reports, paths, now_ns);
}

void ledger_forget(struct ledger *ledger, struct binding *binding)
{
	store_delete(ledger->store, binding->stored);
	reports_drop(&ledger->reports, binding);
	switch ((enum binding_kind)binding->kind) {
	case BINDING_REGISTRATION:
		registrations_forget(ledger->registrations, binding);
		break;
	case BINDING_SUBSCRIPTION:
		subscriptions_forget(ledger->subscriptions, binding);
		break;
	case BINDING_DIALOG:
	case BINDING_LINGERING:
		dialogs_forget(ledger->dialogs, binding);
		break;
	default:
		connections_forget(ledger->connections, binding);
		break;
	}
}

void ledger_forget_all(struct ledger *ledger, struct binding *bindings)
{
	while (bindings) {
		struct binding *binding = bindings;

		bindings = binding->next;
		ledger_forget(ledger, binding);
	}
}

void ledger_note_anew(struct ledger *ledger)
{
	ledger->noting = true;
	ledger->noted = 0;
}

/* What changes meanwhile is noted as it does: a binding that moves to where this has been, too. */
bool ledger_note_on(struct ledger *ledger, const struct paths *paths)
{
	size_t notes = 0;

	while (ledger->noting && notes < STORE_PUTS_AT_ONCE) {
		const struct path *path = paths_walk(paths, &ledger->noted);

		ledger->noting = path != NULL;
		for (struct binding *binding = path ? path->bindings : NULL; binding;
		     binding = binding->next, notes++)
			ledger_note(ledger, binding);
	}
	return !ledger->noting;
}

static bool restore(struct ledger *ledger, const struct record *record,
		    struct binding_change *change)
{
	switch ((enum binding_kind)record->kind) {
	case BINDING_REGISTRATION:
		return registrations_restore(ledger->registrations, record, change);
	case BINDING_SUBSCRIPTION:
		return subscriptions_restore(ledger->subscriptions, record, change);
	default:
		return dialogs_restore(ledger->dialogs, record, change);
	}
}

bool ledger_restore(struct ledger *ledger, uint64_t stored, const struct record *record,
		    uint64_t now_ns, struct binding_change *change)
{
	if (record->ends_ns <= now_ns || !restore(ledger, record, change)) {
		store_delete(ledger->store, stored);
		return false;
	}
	change->binding->stored = stored;
	return true;
}
