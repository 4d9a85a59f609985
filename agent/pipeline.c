/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pipeline.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "kernel_abi.h"
#include "ledger.h"
#include "pipeline_parts.h"
#include "sip/interest.h"
#include "sip/reader.h"
#include "sip/streams.h"
#include "state/connections.h"
#include "state/dialogs.h"
#include "state/hearsay.h"
#include "state/side.h"

/* While requests wait for their answers, or bindings to be written, there is a turn this often. */
#define WAITING_ROUND_NS NS_PER_S

/* So long after the last sighting there is no backlog any more. */
#define BACKLOG_PAUSE_NS NS_PER_S

static bool begin_rooms(struct pipeline *pipeline, const struct pipeline_options *options)
{
	struct counts *counts = options->keeper.counts;
	struct ledger_options ledger = {
		.paths_max = options->keeper.paths_max,
		.linger_ns = options->linger_ns,
		.dialog_max_ns = options->dialog_max_ns,
		.store = options->store,
		.share = options->share,
		.counts = counts,
	};

	pipeline->counts = counts;
	pipeline->streams = streams_new((size_t)2 * SIPPATH_CONNECTIONS_MAX, counts);
	pipeline->reader = sip_reader_new();
	pipeline->store = options->store;
	pipeline->requests = requests_new(options->transactions_max, options->store, counts);
	pipeline->hearsay = hearsay_new();
	pipeline->ledger = ledger_new(&ledger);
	return pipeline->streams && pipeline->reader && pipeline->requests && pipeline->hearsay &&
	       pipeline->ledger;
}

static void report_health(void *context, const struct path_event *event)
{
	struct pipeline *pipeline = context;

	ledger_report_path(pipeline->ledger, event->path, event->path->last_seen_ns,
			   event->when_ns);
}

int pipeline_new(const struct pipeline_options *options, uint64_t now_ns, struct pipeline **out)
{
	struct pipeline *pipeline = calloc(1, sizeof(*pipeline));
	int error = -ENOMEM;

	if (!pipeline)
		return log_errno(ENOMEM, "out of memory");
	if (begin_rooms(pipeline, options))
		error = keeper_new(&options->keeper, now_ns, &pipeline->keeper);
	if (error) {
		pipeline_free(pipeline);
		return log_errno(-error, "cannot start keeping paths: %s", strerror(-error));
	}
	pipeline->orders.keeper = pipeline->keeper;
	pipeline->orders.ledger = pipeline->ledger;
	keeper_on_health(pipeline->keeper, report_health, pipeline);
	*out = pipeline;
	return 0;
}

void pipeline_free(struct pipeline *pipeline)
{
	if (!pipeline)
		return;
	keeper_free(pipeline->keeper);
	ledger_free(pipeline->ledger);
	hearsay_free(pipeline->hearsay);
	requests_free(pipeline->requests);
	sip_reader_free(pipeline->reader);
	streams_free(pipeline->streams);
	free(pipeline);
}

void pipeline_apply(struct pipeline *pipeline, const struct binding_change *change,
		    uint64_t seen_ns, uint64_t now_ns)
{
	struct binding *binding = change->binding;

	switch (change->kind) {
	case BINDING_BEGINS:
	case BINDING_MOVED:
		if (keeper_join(pipeline->keeper, binding, &change->flow, change->reason, seen_ns,
				now_ns)) {
			ledger_forget(pipeline->ledger, binding);
			return;
		}
		break;
	case BINDING_RENEWED:
		keeper_renew(pipeline->keeper, binding);
		break;
	case BINDING_LINGERS:
		keeper_linger(pipeline->keeper, binding, change->ends_ns, change->reason, now_ns);
		break;
	case BINDING_ENDS:
		keeper_leave(pipeline->keeper, binding, change->reason, now_ns);
		ledger_forget(pipeline->ledger, binding);
		return;
	}
	if (change->reason == REASON_remembered)
		return; /* it is written down, and all is announced to the cluster */
	ledger_note(pipeline->ledger, binding);
	ledger_report(pipeline->ledger, binding, seen_ns, now_ns);
}

/*
 * Trap 32: what another proxy passes on is about no device's path, but it may renew a dialog
 * there.
 */
static bool is_of_use(const struct sighting *sighting, const struct facts *request)
{
	return !side_is_relayed((enum sighting_direction)sighting->direction, request) ||
	       (request->method != SIP_METHOD_REGISTER && request->to_tag.length > 0);
}

/* Nothing is learnt from these before they have been answered. */
static void remember_request(struct pipeline *pipeline, const struct sighting *sighting,
			     const struct facts *request)
{
	int error;

	if (!is_of_use(sighting, request)) {
		count_up(pipeline->counts, requests_relayed);
		return;
	}
	error = requests_remember(pipeline->requests, sighting, request);
	if (error == -E2BIG)
		count_up(pipeline->counts, requests_oversized);
	else if (error)
		count_up(pipeline->counts, requests_dropped);
}

/* NOTIFY, ACK and BYE tell something whether or not they are answered. */
static void take_request(struct pipeline *pipeline, const struct sighting *sighting,
			 const struct facts *request)
{
	struct binding_change change;

	if (ledger_told(pipeline->ledger, &sighting->flow,
			(enum sighting_direction)sighting->direction, request, sighting->when_ns,
			&change))
		pipeline_apply(pipeline, &change, sighting->when_ns, sighting->when_ns);
}

static void hear_request(struct pipeline *pipeline, const struct sighting *sighting,
			 const struct facts *request)
{
	if (sighting->direction == SIGHTING_TO_DEVICE)
		hearsay_asked(pipeline->hearsay, &sighting->flow, request, sighting->when_ns);
	switch (request->method) {
	case SIP_METHOD_REGISTER:
		if (sighting->direction == SIGHTING_FROM_DEVICE)
			count_up(pipeline->counts, registers_seen);
		remember_request(pipeline, sighting, request);
		break;
	case SIP_METHOD_SUBSCRIBE:
		count_up(pipeline->counts, subscribes_seen);
		remember_request(pipeline, sighting, request);
		break;
	case SIP_METHOD_INVITE:
	case SIP_METHOD_UPDATE:
		count_up(pipeline->counts, invites_seen);
		remember_request(pipeline, sighting, request);
		break;
	case SIP_METHOD_BYE:
		count_up(pipeline->counts, byes_seen);
		take_request(pipeline, sighting, request);
		break;
	default:
		take_request(pipeline, sighting, request);
		break;
	}
}

/*
 * A REGISTER that the server sends is about no device of its own (trap 32). It waits for its
 * answer only so that it is known to have been asked, also by an agent that starts meanwhile.
 */
static bool is_of_no_device(const struct transaction *request)
{
	return request->direction == SIGHTING_TO_DEVICE &&
	       request->facts->method == SIP_METHOD_REGISTER;
}

/*
 * An answer that the server sends is the proof that a device's path deserves keeping; one
 * that a device sends belongs to what the server has sent to that very path.
 */
static void hear_response(struct pipeline *pipeline, const struct sighting *sighting,
			  const struct facts *response)
{
	bool from_server = sighting->direction == SIGHTING_TO_DEVICE;
	struct binding_change changes[LEDGER_CHANGES_MAX];
	const struct transaction *request;
	uint64_t seen_ns;
	size_t count;

	if (!from_server)
		hearsay_told(pipeline->hearsay, &sighting->flow, response, sighting->when_ns);
	request = requests_match(pipeline->requests, sighting, response);
	if (!request) {
		count_up(pipeline->counts, messages_ignored);
		return;
	}
	if (from_server && hearsay_doubts(pipeline->hearsay, response, sighting->when_ns)) {
		count_up(pipeline->counts, answers_doubted);
		return;
	}
	seen_ns = from_server ? request->seen_ns : sighting->when_ns;
	count = is_of_no_device(request) ? 0
					 : ledger_answered(pipeline->ledger, request, response,
							   sighting->when_ns, changes);
	for (size_t i = 0; i < count; i++)
		pipeline_apply(pipeline, &changes[i], seen_ns, sighting->when_ns);
	requests_answered(pipeline->requests, request, response, sighting->when_ns);
}

static void hear_message(void *context, const struct sighting *sighting)
{
	struct span message = { (const char *)sighting->bytes, sighting->captured };
	struct pipeline *pipeline = context;
	enum sip_method method;
	struct facts facts;
	uint16_t status;

	method = sip_reader_peek(message, &status);
	if (method != SIP_METHOD_MALFORMED && !interest_in(method, status))
		count_up(pipeline->counts, messages_ignored);
	else if (sip_reader_read(pipeline->reader, message, &facts))
		count_up(pipeline->counts, messages_malformed);
	else if (facts.is_request)
		hear_request(pipeline, sighting, &facts);
	else
		hear_response(pipeline, sighting, &facts);
}

/* All that is known of the connection's path goes with it: the device must come back. */
static void disconnect(struct pipeline *pipeline, const struct flow *flow, uint64_t now_ns)
{
	struct binding *expired;

	streams_close(pipeline->streams, flow);
	keeper_drop(pipeline->keeper, flow, REASON_disconnected, now_ns, &expired);
	ledger_forget_all(pipeline->ledger, expired);
}

/*
 * When the connection of a flow was opened that stood at now_ns, 0 if the kernel does not say:
 * its entry may be that of a later one already. -ENOENT if none stands any more.
 */
static int find_opened(const struct pipeline *pipeline, const struct flow *flow, uint64_t now_ns,
		       uint64_t *opened_ns)
{
	struct connection_entry entry = { 0 };
	int error = keeper_read_connection(pipeline->keeper, flow, &entry);

	*opened_ns = entry.opened_ns < now_ns ? entry.opened_ns : now_ns;
	return error;
}

/*
 * That the one before has gone may never have been reported: then all that was its goes now. A
 * stream without one before is left alone: its first piece may come ahead of this.
 */
void pipeline_connection(struct pipeline *pipeline, const struct flow *flow, uint64_t now_ns)
{
	const struct path *path = paths_find(keeper_paths(pipeline->keeper), flow);
	struct binding_change change;
	uint64_t opened_ns;
	int error = find_opened(pipeline, flow, now_ns, &opened_ns);
	bool gone = error == -ENOENT;

	if (path && path->connection) {
		if (!gone && (error || !connections_replaced(path->connection, opened_ns)))
			return;
		disconnect(pipeline, flow, now_ns);
	}
	if (!gone && ledger_connected(pipeline->ledger, flow, opened_ns, &change))
		pipeline_apply(pipeline, &change, now_ns, now_ns);
}

/*
 * A backlog may tell of the one before that which stands: what was known of either goes, as what
 * is known of the newer one is in the backlog, too; the newer one itself stays.
 */
static void lose_connection(struct pipeline *pipeline, const struct flow *flow, uint64_t closed_ns)
{
	const struct path *path = paths_find(keeper_paths(pipeline->keeper), flow);
	uint64_t opened_ns = path && path->connection ? connections_opened_ns(path->connection) : 0;

	disconnect(pipeline, flow, closed_ns);
	if (opened_ns > closed_ns)
		pipeline_connection(pipeline, flow, opened_ns);
}

/*
 * The keeper has found connections gone, or replaced by others: those begin. False if there is
 * none among what has expired.
 */
static bool follow_connections(struct pipeline *pipeline, const struct binding *expired,
			       uint64_t now_ns)
{
	bool found = false;

	for (; expired; expired = expired->next) {
		if (expired->kind != BINDING_CONNECTION)
			continue;
		streams_close(pipeline->streams, connections_flow(expired));
		pipeline_connection(pipeline, connections_flow(expired), now_ns);
		found = true;
	}
	return found;
}

void pipeline_sighting(struct pipeline *pipeline, const struct sighting *sighting)
{
	pipeline->heard = true;
	pipeline->latest_ns = sighting->when_ns;
	switch ((enum sighting_kind)sighting->kind) {
	case SIGHTING_MESSAGE:
		hear_message(pipeline, sighting);
		break;
	case SIGHTING_SEGMENT:
		streams_segment(pipeline->streams, sighting, hear_message, pipeline);
		break;
	case SIGHTING_OPENED:
		pipeline_connection(pipeline, &sighting->flow, sighting->when_ns);
		break;
	case SIGHTING_CLOSED:
		lose_connection(pipeline, &sighting->flow, sighting->when_ns);
		break;
	}
}

/*
 * While a backlog is read, requests grow old by its time: their answers are still in it. Whether
 * there is one the first turns do not know, as nothing has been read yet.
 */
static void expire_requests(struct pipeline *pipeline, uint64_t now_ns)
{
	bool backlog;

	if (pipeline->heard)
		pipeline->heard_ns = now_ns;
	pipeline->heard = false;
	backlog = pipeline->heard_ns > 0 && now_ns - pipeline->heard_ns < BACKLOG_PAUSE_NS;
	requests_expire(pipeline->requests, backlog ? pipeline->latest_ns : now_ns);
}

void pipeline_order(struct pipeline *pipeline, const struct order *order, uint64_t accepted_ns,
		    uint64_t now_ns)
{
	orders_carry_out(&pipeline->orders, order, accepted_ns, now_ns);
}

static uint64_t earlier(uint64_t a_ns, uint64_t b_ns)
{
	return a_ns < b_ns ? a_ns : b_ns;
}

/* What was learnt outlives the agent from now on; when to be called again for the rest. */
static uint64_t write_down(struct pipeline *pipeline, uint64_t now_ns)
{
	bool requests, bindings;

	if (store_begin_anew(pipeline->store, now_ns)) {
		requests_note_anew(pipeline->requests);
		ledger_note_anew(pipeline->ledger);
	}
	requests = requests_note_on(pipeline->requests);
	bindings = ledger_note_on(pipeline->ledger, keeper_paths(pipeline->keeper));
	pipeline->noted = requests && bindings;
	if (pipeline->noted)
		store_complete(pipeline->store);
	store_flush(pipeline->store);
	if (!pipeline_is_safe(pipeline))
		return now_ns;
	return store_is_behind(pipeline->store) ? now_ns + WAITING_ROUND_NS : CLOCK_NEVER;
}

uint64_t pipeline_turn(struct pipeline *pipeline, uint64_t now_ns)
{
	struct binding *expired;
	uint64_t next_ns;

	expire_requests(pipeline, now_ns);
	next_ns = keeper_turn(pipeline->keeper, now_ns, &expired);
	if (follow_connections(pipeline, expired, now_ns))
		next_ns = now_ns;
	ledger_forget_all(pipeline->ledger, expired);
	next_ns = earlier(next_ns, orders_turn(&pipeline->orders, now_ns));
	next_ns = earlier(next_ns, write_down(pipeline, now_ns));
	if (ledger_announce(pipeline->ledger, keeper_paths(pipeline->keeper), now_ns))
		next_ns = now_ns;
	if (requests_count(pipeline->requests) > 0)
		next_ns = earlier(next_ns, now_ns + WAITING_ROUND_NS);
	return next_ns;
}

bool pipeline_is_safe(const struct pipeline *pipeline)
{
	return pipeline->noted && !store_is_incomplete(pipeline->store);
}

struct keeper *pipeline_keeper(const struct pipeline *pipeline)
{
	return pipeline->keeper;
}
