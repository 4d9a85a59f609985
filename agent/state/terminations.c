/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "state/terminations.h"

#include <string.h>

#include "state/transactions.h"

/*
 * What is hashed; the texts as hashes of their own, so that no two run into each other. The
 * port is left out, since a NAT may change it.
 */
struct identity {
	uint8_t remote_addr[16];
	uint64_t call_id;
	uint64_t device_tag;
	uint64_t event;
	uint64_t event_id;
};

_Static_assert(sizeof(struct identity) == 48, "struct identity is hashed: no hidden padding");

int terminations_init(struct terminations *terminations)
{
	*terminations = (struct terminations){ 0 };
	return hash_key_make(&terminations->key);
}

static uint64_t name_of(const struct terminations *terminations, const struct flow *flow,
			struct span device_tag, const struct facts *facts)
{
	const struct hash_key *key = &terminations->key;
	struct identity identity = {
		.call_id = hash_bytes(key, facts->call_id.at, facts->call_id.length),
		.device_tag = hash_bytes(key, device_tag.at, device_tag.length),
		.event = hash_bytes(key, facts->event.at, facts->event.length),
		.event_id = hash_bytes(key, facts->event_id.at, facts->event_id.length),
	};

	memcpy(identity.remote_addr, flow->remote_addr, sizeof(identity.remote_addr));
	return hash_bytes(key, &identity, sizeof(identity));
}

static struct termination *find(struct terminations *terminations, uint64_t name, uint64_t now_ns)
{
	struct termination *set = terminations->sets[name % TERMINATIONS_SETS];

	for (size_t i = 0; i < TERMINATIONS_SET_NOTES; i++)
		if (set[i].name == name && now_ns < set[i].until_ns)
			return &set[i];
	return NULL;
}

/* Where the one with this name goes that is not there yet: what ends first makes room. */
static struct termination *find_place(struct terminations *terminations, uint64_t name)
{
	struct termination *set = terminations->sets[name % TERMINATIONS_SETS], *place = set;

	for (size_t i = 1; i < TERMINATIONS_SET_NOTES; i++)
		if (set[i].until_ns < place->until_ns)
			place = &set[i];
	*place = (struct termination){ .name = name };
	return place;
}

void terminations_note(struct terminations *terminations, const struct flow *flow,
		       struct span device_tag, const struct facts *facts, uint32_t cseq,
		       uint64_t seen_ns, uint64_t now_ns)
{
	uint64_t name = name_of(terminations, flow, device_tag, facts);
	struct termination *termination = find(terminations, name, now_ns);

	if (!termination)
		termination = find_place(terminations, name);
	termination->until_ns = now_ns + TRANSACTION_LIFETIME_NS;
	if (cseq > termination->cseq)
		termination->cseq = cseq;
	if (seen_ns > termination->seen_ns)
		termination->seen_ns = seen_ns;
}

bool terminations_cover(struct terminations *terminations, const struct flow *flow,
			struct span device_tag, const struct facts *subscribe, uint64_t seen_ns,
			uint64_t now_ns)
{
	uint64_t name = name_of(terminations, flow, device_tag, subscribe);
	struct termination *termination = find(terminations, name, now_ns);

	if (!termination)
		return false;
	if (subscribe->cseq <= termination->cseq)
		return true;
	if (seen_ns > termination->seen_ns)
		return false;
	termination->cseq = subscribe->cseq;
	return true;
}
