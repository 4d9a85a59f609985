/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "state/hearsay.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/hash.h"
#include "state/dialogs.h"
#include "state/transactions.h"

/*
 * Places are taken in the order of a keyed hash, so nobody can choose whose, and what ends
 * first goes first. An INVITE that the server has sent is noted for minutes. At 1,000 calls
 * a second a set takes one in 65 s: of the calls that are answered after 30 s one note in
 * ten million is gone by then, after 100 s two in ten thousand. These are 4 MiB.
 */
#define ASKED_SETS 65536

/* What was told matters for the reaction time of a server only. */
#define TOLD_SETS 4096

#define SET_NOTES 8

/* A message as a keyed hash of what names it; the set that it is in is more of that hash. */
struct note {
	uint32_t name;
	uint32_t until_s; /* it is good before; 0 for an empty place */
};

struct set {
	struct note notes[SET_NOTES];
};

struct hearsay {
	struct hash_key key;
	struct set asked[ASKED_SETS];
	struct set told[TOLD_SETS];
};

/* What is hashed; the texts as hashes of their own, so that no two run into each other. */
struct identity {
	struct flow flow; /* all zero where the place does not matter */
	uint64_t call_id;
	uint64_t branch; /* 0 where it does not matter */
	uint32_t cseq;
	uint32_t method;
};

_Static_assert(sizeof(struct identity) == 64, "struct identity is hashed: no hidden padding");

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

static uint64_t hash_text(const struct hearsay *hearsay, struct span text)
{
	return hash_bytes(&hearsay->key, text.at, text.length);
}

/*
 * A call is answered from wherever the called one is: carriers answer from other addresses
 * than they are asked at, and a server takes that by its branch alone (RFC 3261 section
 * 17.1.3). Anybody else answers from where he was asked.
 */
static bool may_answer_elsewhere(enum sip_method method)
{
	return method == SIP_METHOD_INVITE || method == SIP_METHOD_UPDATE;
}

/* What the server's own Via makes of a request, and of the response to that very request. */
static uint64_t name_of_asked(const struct hearsay *hearsay, const struct flow *flow,
			      const struct facts *facts)
{
	struct identity identity = {
		.call_id = hash_text(hearsay, facts->call_id),
		.branch = hash_text(hearsay, facts->branch),
		.cseq = facts->cseq,
		.method = facts->method,
	};

	if (!may_answer_elsewhere(facts->method))
		identity.flow = *flow;
	return hash_bytes(&hearsay->key, &identity, sizeof(identity));
}

/* What a response keeps when it is passed on. */
static uint64_t name_of_told(const struct hearsay *hearsay, const struct facts *facts)
{
	struct identity identity = {
		.call_id = hash_text(hearsay, facts->call_id),
		.cseq = facts->cseq,
		.method = facts->method,
	};

	return hash_bytes(&hearsay->key, &identity, sizeof(identity));
}

static bool is_good(const struct note *note, uint64_t hash, uint64_t now_ns)
{
	return note->name == (uint32_t)(hash >> 32) && now_ns < note->until_s * NS_PER_S;
}

/* A note that is there already is good for longer; else what ends first makes room. */
static void note_down(struct set *set, uint64_t hash, uint64_t now_ns, uint64_t lifetime_ns)
{
	struct note *place = set->notes;

	for (size_t i = 0; i < SET_NOTES; i++) {
		if (is_good(&set->notes[i], hash, now_ns)) {
			place = &set->notes[i];
			break;
		}
		if (set->notes[i].until_s < place->until_s)
			place = &set->notes[i];
	}
	*place = (struct note){
		.name = (uint32_t)(hash >> 32),
		.until_s = (uint32_t)((now_ns + lifetime_ns + NS_PER_S - 1) / NS_PER_S),
	};
}

static bool is_noted(const struct set *set, uint64_t hash, uint64_t now_ns)
{
	for (size_t i = 0; i < SET_NOTES; i++)
		if (is_good(&set->notes[i], hash, now_ns))
			return true;
	return false;
}

void hearsay_asked(struct hearsay *hearsay, const struct flow *flow, const struct facts *request,
		   uint64_t now_ns)
{
	uint64_t hash = name_of_asked(hearsay, flow, request);
	uint64_t lifetime_ns = request->method == SIP_METHOD_INVITE ? DIALOG_INVITE_LIFETIME_NS
								    : TRANSACTION_LIFETIME_NS;

	note_down(&hearsay->asked[hash % ASKED_SETS], hash, now_ns, lifetime_ns);
}

/* A call may ring for as long as somebody says so (RFC 3261 section 16.7, timer C). */
static bool goes_on_ringing(const struct facts *response)
{
	return response->method == SIP_METHOD_INVITE && response->status > 100 &&
	       response->status < 200;
}

void hearsay_told(struct hearsay *hearsay, const struct flow *flow, const struct facts *response,
		  uint64_t now_ns)
{
	uint64_t hash = name_of_asked(hearsay, flow, response);
	struct set *asked = &hearsay->asked[hash % ASKED_SETS];

	if (is_noted(asked, hash, now_ns)) {
		if (goes_on_ringing(response))
			note_down(asked, hash, now_ns, DIALOG_INVITE_LIFETIME_NS);
		return;
	}
	hash = name_of_told(hearsay, response);
	note_down(&hearsay->told[hash % TOLD_SETS], hash, now_ns, TRANSACTION_LIFETIME_NS);
}

bool hearsay_doubts(const struct hearsay *hearsay, const struct facts *response, uint64_t now_ns)
{
	uint64_t hash = name_of_told(hearsay, response);

	return is_noted(&hearsay->told[hash % TOLD_SETS], hash, now_ns);
}
