/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "keep/prompter.h"

#include "base/address.h"
#include "keep/rules.h"
#include "sip/prompt_msg.h"

#define CSEQ_MAX UINT64_C(0x7fffffff) /* RFC 3261 section 8.1.1.5: less than 2**31 */

/* What a token is the hash of; has no padding. */
struct token_source {
	uint64_t number;
	struct flow flow;
};

int prompter_init(struct prompter *prompter)
{
	struct hash_key key;
	int error = hash_key_make(&key);

	if (error)
		return error;
	*prompter = (struct prompter){ .key = key };
	return 0;
}

/* Zero means "none" wherever a token is kept, so it is no token. */
static uint64_t next_token(struct prompter *prompter, const struct flow *flow)
{
	struct token_source source = { .flow = *flow };
	uint64_t token;

	do {
		source.number = ++prompter->made;
		token = hash_bytes(&prompter->key, &source, sizeof(source));
	} while (token == 0);
	return token;
}

void prompter_begin(struct prompter *prompter, struct path *path, uint64_t now_ns)
{
	struct prompt *prompt = &path->prompt;

	prompt->token = next_token(prompter, &path->flow);
	prompt->cseq = (uint32_t)(prompter->made % CSEQ_MAX) + 1;
	prompt->first_ns = now_ns;
	prompt->sent_ns = now_ns;
	prompt->tries = 1;
}

void prompter_repeat(struct path *path, uint64_t now_ns)
{
	path->prompt.sent_ns = now_ns;
	path->prompt.tries++;
}

static int write_to(const struct path *path, struct span target, struct text *out)
{
	struct prompt_msg message = {
		.flow = &path->flow,
		.target = target,
		.token = path->prompt.token,
		.cseq = path->prompt.cseq,
		.method = path->rules->method,
	};

	return prompt_msg_write(&message, out);
}

int prompter_write(const struct path *path, struct text *out)
{
	char buffer[sizeof("sip:[]:65535") + 46]; /* INET6_ADDRSTRLEN */
	struct text address = TEXT_OVER(buffer);

	for (const struct binding *binding = path->bindings; binding; binding = binding->next)
		if (write_to(path, binding->target, out) == 0)
			return 0;

	text_add(&address, SPAN("sip:"));
	address_write_port(&address, path->flow.remote_addr, path->flow.remote_port);
	return write_to(path, text_span(&address), out);
}
