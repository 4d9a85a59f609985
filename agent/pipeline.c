/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pipeline.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "sip/reader.h"
#include "state/hearsay.h"
#include "state/registrations.h"
#include "state/transactions.h"

/* While requests wait for their answers they are looked through this often. */
#define TRANSACTION_ROUND_NS NS_PER_S

/* So long after the last sighting there is no backlog any more. */
#define BACKLOG_PAUSE_NS NS_PER_S

struct pipeline {
	struct counts *counts;
	struct sip_reader *reader;
	struct transactions *transactions;
	struct hearsay *hearsay;
	struct registrations *registrations;
	struct keeper *keeper;
	bool heard; /* a message has been seen since the last turn */
	uint64_t heard_ns; /* the last turn before which one had been */
	uint64_t latest_ns; /* when the newest message went by */
};

int pipeline_new(const struct pipeline_options *options, uint64_t now_ns, struct pipeline **out)
{
	const struct keeper_options *keeper = &options->keeper;
	struct pipeline *pipeline = calloc(1, sizeof(*pipeline));
	int error = -ENOMEM;

	if (!pipeline)
		return log_errno(ENOMEM, "out of memory");
	pipeline->counts = keeper->counts;
	pipeline->reader = sip_reader_new();
	pipeline->transactions = transactions_new(options->transactions_max, keeper->counts);
	pipeline->hearsay = hearsay_new();
	pipeline->registrations = registrations_new(
		(size_t)keeper->paths_max * REGISTRATIONS_PER_PATH, keeper->counts);
	if (pipeline->reader && pipeline->transactions && pipeline->hearsay &&
	    pipeline->registrations)
		error = keeper_new(keeper, now_ns, &pipeline->keeper);
	if (error) {
		pipeline_free(pipeline);
		return log_errno(-error, "cannot start keeping paths: %s", strerror(-error));
	}
	*out = pipeline;
	return 0;
}

void pipeline_free(struct pipeline *pipeline)
{
	if (!pipeline)
		return;
	keeper_free(pipeline->keeper);
	registrations_free(pipeline->registrations);
	hearsay_free(pipeline->hearsay);
	transactions_free(pipeline->transactions);
	sip_reader_free(pipeline->reader);
	free(pipeline);
}

static void apply_change(struct pipeline *pipeline, const struct binding_change *change,
			 uint64_t seen_ns, uint64_t now_ns)
{
	struct binding *binding = change->binding;

	switch (change->kind) {
	case BINDING_BEGINS:
	case BINDING_MOVED:
		if (keeper_join(pipeline->keeper, binding, &change->flow, seen_ns, now_ns))
			registrations_forget(pipeline->registrations, binding);
		break;
	case BINDING_RENEWED:
		keeper_renew(pipeline->keeper, binding);
		break;
	case BINDING_ENDS:
		keeper_leave(pipeline->keeper, binding, now_ns);
		registrations_forget(pipeline->registrations, binding);
		break;
	}
}

/* A request from a device: nothing is learnt before the server has answered it. */
static void remember_request(struct pipeline *pipeline, const struct sighting *sighting,
			     const struct facts *request)
{
	int error;

	if (request->via_count > 1) { /* trap 32: another proxy's path, not a device's */
		count_up(pipeline->counts, registers_relayed);
		return;
	}
	count_up(pipeline->counts, registers_seen);
	error = transactions_remember(pipeline->transactions, &sighting->flow, request,
				      sighting->when_ns);
	if (error == -E2BIG)
		count_up(pipeline->counts, registers_oversized);
	else if (error)
		count_up(pipeline->counts, registers_dropped);
}

/* The server's own 2xx: the only proof that a path deserves keeping. */
static void accept_request(struct pipeline *pipeline, const struct sighting *sighting,
			   const struct facts *response)
{
	struct binding_change changes[REGISTRATION_CHANGES_MAX];
	const struct transaction *request;
	size_t count;

	request = transactions_match(pipeline->transactions, &sighting->flow, response);
	if (!request) {
		count_up(pipeline->counts, messages_ignored);
		return;
	}
	if (hearsay_doubts(pipeline->hearsay, response, sighting->when_ns)) {
		count_up(pipeline->counts, registers_doubted);
		return;
	}
	count = registrations_accept(pipeline->registrations, request, response, sighting->when_ns,
				     changes);
	for (size_t i = 0; i < count; i++)
		apply_change(pipeline, &changes[i], request->seen_ns, sighting->when_ns);
	transactions_forget(pipeline->transactions, request);
}

/* What a device, or anybody else, says to the server. */
static void hear_remote(struct pipeline *pipeline, const struct sighting *sighting,
			const struct facts *facts)
{
	if (facts->is_request)
		remember_request(pipeline, sighting, facts);
	else
		hearsay_told(pipeline->hearsay, &sighting->flow, facts, sighting->when_ns);
}

/* What the server says. */
static void hear_server(struct pipeline *pipeline, const struct sighting *sighting,
			const struct facts *facts)
{
	if (facts->is_request)
		hearsay_asked(pipeline->hearsay, &sighting->flow, facts, sighting->when_ns);
	else
		accept_request(pipeline, sighting, facts);
}

/* The programs report requests, and the 2xx to them: anything else is left aside. */
static bool is_wanted(enum sip_method method, uint16_t status)
{
	return method == SIP_METHOD_REGISTER && (status == 0 || status / 100 == 2);
}

void pipeline_sighting(struct pipeline *pipeline, const struct sighting *sighting)
{
	struct span message = { (const char *)sighting->bytes, sighting->captured };
	enum sip_method method;
	struct facts facts;
	uint16_t status;

	pipeline->heard = true;
	pipeline->latest_ns = sighting->when_ns;
	method = sip_reader_peek(message, &status);
	if (method != SIP_METHOD_MALFORMED && !is_wanted(method, status))
		count_up(pipeline->counts, messages_ignored);
	else if (sip_reader_read(pipeline->reader, message, &facts))
		count_up(pipeline->counts, messages_malformed);
	else if (sighting->direction == SIGHTING_FROM_DEVICE)
		hear_remote(pipeline, sighting, &facts);
	else
		hear_server(pipeline, sighting, &facts);
}

/* While a backlog is read, requests grow old by its time: their answers are still in it. */
static void expire_requests(struct pipeline *pipeline, uint64_t now_ns)
{
	bool backlog;

	if (pipeline->heard)
		pipeline->heard_ns = now_ns;
	pipeline->heard = false;
	backlog = pipeline->heard_ns > 0 && now_ns - pipeline->heard_ns < BACKLOG_PAUSE_NS;
	transactions_expire(pipeline->transactions, backlog ? pipeline->latest_ns : now_ns);
}

uint64_t pipeline_turn(struct pipeline *pipeline, uint64_t now_ns)
{
	struct binding *expired;
	uint64_t next_ns;

	expire_requests(pipeline, now_ns);
	next_ns = keeper_turn(pipeline->keeper, now_ns, &expired);
	while (expired) {
		struct binding *binding = expired;

		expired = binding->next;
		registrations_forget(pipeline->registrations, binding);
	}
	if (transactions_count(pipeline->transactions) > 0 &&
	    next_ns > now_ns + TRANSACTION_ROUND_NS)
		next_ns = now_ns + TRANSACTION_ROUND_NS;
	return next_ns;
}

struct keeper *pipeline_keeper(const struct pipeline *pipeline)
{
	return pipeline->keeper;
}
