/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pipeline.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "sip/reader.h"
#include "state/registrations.h"
#include "state/transactions.h"

/* While requests wait for their answers they are looked through this often. */
#define TRANSACTION_ROUND_NS NS_PER_S

struct pipeline {
	struct counts *counts;
	struct sip_reader *reader;
	struct transactions *transactions;
	struct registrations *registrations;
	struct keeper *keeper;
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
	pipeline->registrations = registrations_new(keeper->paths_max, keeper->counts);
	if (pipeline->reader && pipeline->transactions && pipeline->registrations)
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
			     const struct facts *facts)
{
	int error;

	if (facts->method != SIP_METHOD_REGISTER) {
		count_up(pipeline->counts, messages_ignored);
		return;
	}
	if (facts->via_count > 1) { /* trap 32: another proxy's path, not a device's */
		count_up(pipeline->counts, registers_relayed);
		return;
	}
	count_up(pipeline->counts, registers_seen);
	error = transactions_remember(pipeline->transactions, &sighting->flow, facts,
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
	if (!request || response->status < 200 || response->status > 299) {
		count_up(pipeline->counts, messages_ignored);
		return;
	}
	count = registrations_accept(pipeline->registrations, request, response, sighting->when_ns,
				     changes);
	for (size_t i = 0; i < count; i++)
		apply_change(pipeline, &changes[i], request->seen_ns, sighting->when_ns);
	transactions_forget(pipeline->transactions, request);
}

void pipeline_sighting(struct pipeline *pipeline, const struct sighting *sighting)
{
	struct span message = { (const char *)sighting->bytes, sighting->captured };
	struct facts facts;
	uint16_t status;

	if (sip_reader_peek(message, &status) == SIP_METHOD_OTHER)
		count_up(pipeline->counts, messages_ignored);
	else if (sip_reader_read(pipeline->reader, message, &facts))
		count_up(pipeline->counts, messages_malformed);
	else if (facts.is_request && sighting->direction == SIGHTING_FROM_DEVICE)
		remember_request(pipeline, sighting, &facts);
	else if (!facts.is_request && sighting->direction == SIGHTING_TO_DEVICE)
		accept_request(pipeline, sighting, &facts);
	else
		count_up(pipeline->counts, messages_ignored);
}

uint64_t pipeline_turn(struct pipeline *pipeline, uint64_t now_ns)
{
	struct binding *expired;
	uint64_t next_ns;

	transactions_expire(pipeline->transactions, now_ns);
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
