/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ledger.h"

#include <stdlib.h>

#include "kernel_abi.h"
#include "state/connections.h"
#include "state/dialogs.h"
#include "state/paths.h"
#include "state/registrations.h"
#include "state/subscriptions.h"

/* So many for each path, so that it is sip_paths that fills up first. */
#define DIALOGS_PER_PATH 4U
#define SUBSCRIPTIONS_PER_PATH 4U

_Static_assert(REGISTRATION_CHANGES_MAX <= LEDGER_CHANGES_MAX &&
		       DIALOG_CHANGES_MAX <= LEDGER_CHANGES_MAX,
	       "no room changes more bindings than there is space for");

struct ledger {
	struct registrations *registrations;
	struct subscriptions *subscriptions;
	struct dialogs *dialogs;
	struct connections *connections;
	struct store *store;
};

/* One walk through what is written down. */
struct recollection {
	struct ledger *ledger;
	uint64_t now_ns;
	ledger_handler *handler;
	void *context;
	int count;
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

size_t ledger_answered(struct ledger *ledger, const struct transaction *request,
		       const struct facts *response, uint64_t now_ns,
		       struct binding_change changes[LEDGER_CHANGES_MAX])
{
	switch (response->method) {
	case SIP_METHOD_REGISTER:
		return registrations_accept(ledger->registrations, request, response, now_ns,
					    changes);
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

size_t ledger_connected(struct ledger *ledger, const struct flow *flow, uint64_t opened_ns,
			struct binding_change *change)
{
	return connections_open(ledger->connections, flow, opened_ns, change);
}

void ledger_note(struct ledger *ledger, struct binding *binding)
{
	struct record record = {
		.flow = binding->path->flow,
		.ends_ns = binding->ends_ns,
		.kind = binding->kind,
		.expiry = binding->expiry,
		.behind_nat = binding->behind_nat,
		.aor = binding->aor,
		.target = binding->target,
	};
	uint64_t id;

	switch ((enum binding_kind)binding->kind) {
	case BINDING_REGISTRATION:
		registrations_write(binding, &record);
		break;
	case BINDING_SUBSCRIPTION:
		subscriptions_write(binding, &record);
		break;
	case BINDING_DIALOG:
	case BINDING_LINGERING:
		dialogs_write(binding, &record);
		break;
	default: /* the kernel remembers connections */
		return;
	}
	id = store_put(ledger->store, binding->stored, &record);
	if (id != 0)
		binding->stored = id;
}

void ledger_forget(struct ledger *ledger, struct binding *binding)
{
	store_delete(ledger->store, binding->stored);
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

static void note_all(struct ledger *ledger, const struct paths *paths)
{
	const struct path *path;
	uint32_t cursor = 0;

	while ((path = paths_walk(paths, &cursor))) {
		for (struct binding *binding = path->bindings; binding; binding = binding->next)
			ledger_note(ledger, binding);
	}
}

bool ledger_write_down(struct ledger *ledger, const struct paths *paths, uint64_t now_ns)
{
	if (store_begin_anew(ledger->store, now_ns))
		note_all(ledger, paths);
	store_flush(ledger->store);
	return !store_is_behind(ledger->store);
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

/* What has ended meanwhile, or finds no room, is not written down again; all else goes on. */
static void recall(void *context, uint64_t id, const struct record *record)
{
	struct recollection *recollection = context;
	struct ledger *ledger = recollection->ledger;
	struct binding_change change;

	if (record->ends_ns <= recollection->now_ns || !restore(ledger, record, &change))
		return;
	change.binding->stored = id;
	recollection->count++;
	recollection->handler(recollection->context, &change);
}

int ledger_recall(struct ledger *ledger, uint64_t now_ns, ledger_handler *handler, void *context)
{
	struct recollection recollection = {
		.ledger = ledger,
		.now_ns = now_ns,
		.handler = handler,
		.context = context,
	};
	int walked = ledger->store ? store_walk(ledger->store, recall, &recollection) : 0;

	return walked < 0 ? walked : recollection.count;
}
