/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fuzz.h"

#include <stdio.h>
#include <string.h>

#include "base/hash.h"

int __wrap_hash_key_make(struct hash_key *made);

/* In place of randomness: an input does the same each time. */
int __wrap_hash_key_make(struct hash_key *made)
{
	*made = (struct hash_key){ { 1, 2 } };
	return 0;
}

_Noreturn void fuzz_fail(const char *file, int line, const char *condition)
{
	fprintf(stderr, "%s:%d: this does not hold: %s\n", file, line, condition);
	abort();
}

uint8_t fuzz_byte(struct fuzz_input *input)
{
	if (input->left == 0)
		return 0;
	input->left--;
	return *input->at++;
}

uint16_t fuzz_number(struct fuzz_input *input)
{
	uint8_t high = fuzz_byte(input);

	return (uint16_t)(high << 8 | fuzz_byte(input));
}

struct span fuzz_bytes(struct fuzz_input *input, size_t length)
{
	struct span bytes = { (const char *)input->at, input->left };

	if (length < bytes.length)
		bytes.length = length;
	input->at += bytes.length;
	input->left -= bytes.length;
	return bytes;
}

struct span fuzz_piece(struct fuzz_input *input, const char *separator)
{
	size_t length = strlen(separator);
	const uint8_t *end = memmem(input->at, input->left, separator, length);
	struct span piece;

	if (!end)
		return fuzz_bytes(input, input->left);
	piece = fuzz_bytes(input, (size_t)(end - input->at));
	fuzz_bytes(input, length);
	return piece;
}

void fuzz_touch(struct span span)
{
	volatile char sum = 0;

	fuzz_demand(span.at || span.length == 0);
	for (size_t i = 0; i < span.length; i++)
		sum = (char)(sum ^ span.at[i]);
}

static void touch_contact(const struct facts_contact *contact)
{
	fuzz_demand(contact->uri.at);
	fuzz_touch(contact->uri);
	fuzz_touch(contact->user);
	fuzz_touch(contact->host);
	fuzz_touch(contact->instance);
}

void fuzz_touch_facts(const struct facts *facts)
{
	const struct span spans[] = {
		facts->call_id, facts->branch,   facts->sent_by, facts->from_tag, facts->to_tag,
		facts->aor,     facts->from_aor, facts->event,   facts->event_id,
	};

	for (size_t i = 0; i < sizeof(spans) / sizeof(spans[0]); i++)
		fuzz_touch(spans[i]);
	fuzz_demand(facts->contact_count <= FACTS_CONTACTS_MAX);
	for (uint32_t i = 0; i < facts->contact_count; i++)
		touch_contact(&facts->contacts[i]);
}

struct flow fuzz_flow(uint8_t number)
{
	struct flow flow = {
		.local_addr = { [10] = 0xff, [11] = 0xff, [12] = 192, 0, 2, 10 },
		.remote_addr = { [10] = 0xff, [11] = 0xff, [12] = 198, 51, 100, 7 },
		.local_port = 5060,
		.remote_port = (uint16_t)(40000 + number % 4),
		.transport = number & 8 ? FLOW_TCP : FLOW_UDP,
	};

	if (number & 4) /* the same device behind another address */
		flow.remote_addr[15] = 8;
	return flow;
}

char *fuzz_copy(struct span bytes)
{
	char *copy = malloc(bytes.length ? bytes.length : 1);

	if (!copy)
		abort();
	if (bytes.length > 0)
		memcpy(copy, bytes.at, bytes.length);
	return copy;
}
