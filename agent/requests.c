/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "requests.h"

#include <stdlib.h>

#include "state/dialogs.h"

struct requests {
	struct transactions *invites;
	struct transactions *others;
	struct store *store;
};

static uint64_t write_down(void *context, const struct waiting *waiting)
{
	struct requests *requests = context;

	return store_put_request(requests->store, 0, waiting);
}

static void erase(void *context, uint64_t stored)
{
	struct requests *requests = context;

	store_delete(requests->store, stored);
}

struct requests *requests_new(size_t limit, struct store *store, struct counts *counts)
{
	struct requests *requests = calloc(1, sizeof(*requests));

	if (!requests)
		return NULL;
	requests->store = store;
	requests->invites = transactions_new(limit, DIALOG_INVITE_LIFETIME_NS, counts);
	requests->others = transactions_new(limit, TRANSACTION_LIFETIME_NS, counts);
	if (!requests->invites || !requests->others) {
		requests_free(requests);
		return NULL;
	}
	transactions_on_forget(requests->invites, erase, requests);
	transactions_on_forget(requests->others, erase, requests);
	return requests;
}

void requests_free(struct requests *requests)
{
	if (!requests)
		return;
	transactions_free(requests->invites);
	transactions_free(requests->others);
	free(requests);
}

static struct transactions *room_of(const struct requests *requests, enum sip_method method)
{
	return method == SIP_METHOD_INVITE ? requests->invites : requests->others;
}

int requests_remember(struct requests *requests, const struct sighting *sighting,
		      const struct facts *request)
{
	return transactions_remember(room_of(requests, request->method), &sighting->flow,
				     (enum sighting_direction)sighting->direction, request,
				     sighting->when_ns);
}

const struct transaction *requests_match(struct requests *requests, const struct sighting *sighting,
					 const struct facts *response)
{
	return transactions_match(room_of(requests, response->method), &sighting->flow,
				  (enum sighting_direction)sighting->direction, response);
}

/* An INVITE may be accepted more than once (trap 34); any other final answer is the last. */
static bool is_last_answer(const struct facts *response)
{
	return response->status >= (response->method == SIP_METHOD_INVITE ? 300 : 200);
}

void requests_answered(struct requests *requests, const struct transaction *request,
		       const struct facts *response, uint64_t now_ns)
{
	struct transactions *room = room_of(requests, response->method);

	if (is_last_answer(response))
		transactions_forget(room, request);
	else
		transactions_answered(room, request, response->status, now_ns);
}

void requests_expire(struct requests *requests, uint64_t now_ns)
{
	transactions_expire(requests->invites, now_ns);
	transactions_expire(requests->others, now_ns);
}

size_t requests_count(const struct requests *requests)
{
	return transactions_count(requests->invites) + transactions_count(requests->others);
}

void requests_note_anew(struct requests *requests)
{
	transactions_write_anew(requests->invites);
	transactions_write_anew(requests->others);
}

bool requests_note_on(struct requests *requests)
{
	bool invites = transactions_write_down(requests->invites, STORE_PUTS_AT_ONCE, write_down,
					       requests);
	bool others =
		transactions_write_down(requests->others, STORE_PUTS_AT_ONCE, write_down, requests);

	return invites && others;
}

bool requests_restore(struct requests *requests, uint64_t stored, const struct waiting *waiting)
{
	struct transactions *room = room_of(requests, waiting->facts->method);

	if (transactions_restore(room, stored, waiting) == 0)
		return true;
	store_delete(requests->store, stored);
	return false;
}
