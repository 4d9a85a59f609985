/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as a SIP message: the reader, libosip2 under it, and the uses that the state rooms make
 * of what it read.
 */
#include "fuzz.h"

#include "base/text.h"
#include "sip/prompt_msg.h"
#include "sip/reader.h"
#include "sip/uri.h"
#include "state/contact.h"
#include "state/facts_copy.h"
#include "state/grant.h"
#include "state/uri.h"

/* An AOR stands as all that are equal to it are written, and so does a URI that was folded. */
static void use_uri(struct span uri, bool is_folded)
{
	char *out = fuzz_copy(uri), *again = fuzz_copy(uri);
	struct span folded = uri_fold(uri, out);

	fuzz_demand(folded.length <= uri.length);
	fuzz_demand(uri_equal(uri, folded));
	fuzz_demand(span_equal(uri_fold(folded, again), folded));
	fuzz_demand(!is_folded || span_equal(folded, uri));
	free(out);
	free(again);
}

/* How many lines a prompt to that target has; 0 if there is none. */
static size_t prompt_lines(struct span target)
{
	const struct flow flow = fuzz_flow(0);
	char buffer[PROMPT_MSG_MAX];
	struct text text = TEXT_OVER(buffer);
	const struct prompt_msg prompt = {
		.flow = &flow, .target = target, .token = 7, .cseq = 1, .method = PROMPT_OPTIONS
	};
	size_t lines = 0;

	if (prompt_msg_write(&prompt, &text))
		return 0;
	for (size_t i = 0; i < text.used; i++)
		lines += buffer[i] == '\n';
	return lines;
}

/* No text from outside begins a line of ours. */
static void prompt(struct span target)
{
	size_t lines = prompt_lines(target);

	fuzz_demand(lines == 0 || lines == prompt_lines(SPAN("sip:a@b")));
}

static void use_contacts(const struct facts *facts)
{
	for (uint32_t i = 0; i < facts->contact_count; i++) {
		const struct facts_contact *contact = &facts->contacts[i];

		use_uri(contact->uri, false);
		prompt(contact->uri);
		fuzz_demand(contact_same_binding(contact, contact));
		fuzz_demand(!contact_other_instance(contact, contact));
		for (uint32_t j = 0; j < i; j++)
			fuzz_demand(contact_same_binding(contact, &facts->contacts[j]) ==
				    contact_same_binding(&facts->contacts[j], contact));
	}
}

/* The message as the request and as its answer. */
static void grant(const struct facts *facts)
{
	const struct transaction request = { .flow = fuzz_flow(0), .facts = facts };
	uint32_t lifetimes_s[FACTS_CONTACTS_MAX];

	grant_lifetimes(&request, facts, lifetimes_s);
	for (uint32_t i = 0; i < facts->contact_count; i++)
		fuzz_demand(lifetimes_s[i] <= REGISTRATION_LIFETIME_MAX_S);
}

static void use(const struct facts *facts)
{
	void *memory = malloc(facts_copy_bytes(facts));
	const struct facts *copy;

	if (!memory)
		abort();
	copy = facts_copy(facts, memory);
	fuzz_touch_facts(copy);
	fuzz_demand(facts_copy_bytes(copy) == facts_copy_bytes(facts));
	use_uri(copy->aor, true);
	use_uri(copy->from_aor, true);
	use_contacts(copy);
	grant(copy);
	free(memory);
}

/* What may be relied on of every message that was read. */
static void check(const struct facts *facts)
{
	fuzz_touch_facts(facts);
	fuzz_demand(facts->method != SIP_METHOD_MALFORMED);
	fuzz_demand(facts->call_id.length > 0 && facts->aor.length > 0);
	fuzz_demand(facts->is_request ? facts->status == 0
				      : facts->status >= 100 && facts->status <= 699);
	fuzz_demand(facts->via_count > 0);
	fuzz_demand(facts->cseq <= INT32_MAX);
	fuzz_demand(!facts->contact_star || facts->contact_count == 0);
	fuzz_demand(!facts->is_request || facts->method != SIP_METHOD_REGISTER ||
		    !facts->from_aor.at);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span message = { (const char *)data, size };
	struct sip_reader *reader = sip_reader_new();
	enum sip_method method;
	struct facts facts;
	uint16_t status;
	int error;

	if (!reader)
		abort();
	method = sip_reader_peek(message, &status);
	error = sip_reader_read(reader, message, &facts);
	fuzz_demand(method != SIP_METHOD_MALFORMED || error);
	if (!error) {
		fuzz_demand(facts.method == method && facts.status == status);
		check(&facts);
		use(&facts);
	}
	sip_reader_free(reader);
	return 0;
}
