/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "state/facts_copy.h"

#include <string.h>

#include "state/span_pack.h"

static size_t contact_text_bytes(const struct facts_contact *contact)
{
	return contact->uri.length + contact->user.length + contact->host.length +
	       contact->instance.length;
}

size_t facts_copy_text_bytes(const struct facts *facts)
{
	size_t bytes = facts->call_id.length + facts->branch.length + facts->sent_by.length +
		       facts->from_tag.length + facts->to_tag.length + facts->aor.length +
		       facts->from_aor.length + facts->event.length + facts->event_id.length;

	for (uint32_t i = 0; i < facts->contact_count; i++)
		bytes += contact_text_bytes(&facts->contacts[i]);
	return bytes;
}

/* Without the contacts that there are not: they are nearly all of a struct facts. */
static size_t fixed_bytes(const struct facts *facts)
{
	return offsetof(struct facts, contacts) +
	       facts->contact_count * sizeof(struct facts_contact);
}

size_t facts_copy_bytes(const struct facts *facts)
{
	return fixed_bytes(facts) + facts_copy_text_bytes(facts);
}

const struct facts *facts_copy(const struct facts *facts, void *memory)
{
	struct facts *copy = memory;
	char *at = (char *)memory + fixed_bytes(facts);

	memcpy(memory, facts, fixed_bytes(facts));
	copy->call_id = span_pack(facts->call_id, &at);
	copy->branch = span_pack(facts->branch, &at);
	copy->sent_by = span_pack(facts->sent_by, &at);
	copy->from_tag = span_pack(facts->from_tag, &at);
	copy->to_tag = span_pack(facts->to_tag, &at);
	copy->aor = span_pack(facts->aor, &at);
	copy->from_aor = span_pack(facts->from_aor, &at);
	copy->event = span_pack(facts->event, &at);
	copy->event_id = span_pack(facts->event_id, &at);
	for (uint32_t i = 0; i < facts->contact_count; i++) {
		struct facts_contact *contact = &copy->contacts[i];

		contact->uri = span_pack(contact->uri, &at);
		contact->user = span_pack(contact->user, &at);
		contact->host = span_pack(contact->host, &at);
		contact->instance = span_pack(contact->instance, &at);
	}
	return copy;
}
