/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "state/hearsay.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "base/hash.h"
#include "state/transactions.h"

/*
 * Whatever is noted matters for the reaction time of a server or a registrar only, but
 * places are taken in the order of a keyed hash: with so many sets, a place is far older
 * than that before it is taken again, and nobody can choose whose.
 */
#define SETS 8192
#define SET_PLACES 4

/* A message as a keyed hash of what names it. */
struct note {
	uint64_t name;
	uint64_t when_ns; /* 0 for an empty place */
};

struct hearsay {
	struct hash_key key;
	struct note asked[SETS][SET_PLACES];
	struct note told[SETS][SET_PLACES];
};

/* What is hashed; the Call-ID as a hash of its own, so that it runs into nothing. */
struct identity {
	struct flow flow; /* all zero where the place does not matter */
	uint64_t call_id;
	uint32_t cseq;
	uint32_t method;
};

_Static_assert(sizeof(struct identity) == 56, "struct identity is hashed: no hidden padding");

struct hearsay *hearsay_new(void)
{
	cleanup_free struct hearsay *hearsay = calloc(1, sizeof(*hearsay));

	if (!hearsay || hash_key_make(&hearsay->key))
		return NULL;
	return take_ptr(hearsay);
}

void hearsay_free(struct hearsay *hearsay)
{
	free(hearsay);
}

static uint64_t name_of(const struct hearsay *hearsay, const struct flow *flow,
			const struct facts *facts)
{
	struct identity identity = {
		.call_id = hash_bytes(&hearsay->key, facts->call_id.at, facts->call_id.length),
		.cseq = facts->cseq,
		.method = facts->method,
	};

	if (flow)
		identity.flow = *flow;
	return hash_bytes(&hearsay->key, &identity, sizeof(identity));
}

static void note_down(struct note sets[SETS][SET_PLACES], uint64_t name, uint64_t now_ns)
{
	struct note *set = sets[name % SETS], *oldest = set;

	for (size_t i = 1; i < SET_PLACES; i++)
		if (set[i].when_ns < oldest->when_ns)
			oldest = &set[i];
	*oldest = (struct note){ name, now_ns };
}

static bool is_noted(const struct note sets[SETS][SET_PLACES], uint64_t name, uint64_t now_ns)
{
	const struct note *set = sets[name % SETS];

	for (size_t i = 0; i < SET_PLACES; i++)
		if (set[i].when_ns > 0 && set[i].name == name &&
		    now_ns < set[i].when_ns + TRANSACTION_LIFETIME_NS)
			return true;
	return false;
}

void hearsay_asked(struct hearsay *hearsay, const struct flow *flow, const struct facts *request,
		   uint64_t now_ns)
{
	note_down(hearsay->asked, name_of(hearsay, flow, request), now_ns);
}

void hearsay_told(struct hearsay *hearsay, const struct flow *flow, const struct facts *response,
		  uint64_t now_ns)
{
	if (!is_noted(hearsay->asked, name_of(hearsay, flow, response), now_ns))
		note_down(hearsay->told, name_of(hearsay, NULL, response), now_ns);
}

bool hearsay_doubts(const struct hearsay *hearsay, const struct facts *response, uint64_t now_ns)
{
	return is_noted(hearsay->told, name_of(hearsay, NULL, response), now_ns);
}
