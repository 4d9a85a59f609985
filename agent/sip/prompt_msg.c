/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sip/prompt_msg.h"

#include <errno.h>
#include <inttypes.h>

#include "base/address.h"
#include "kernel_abi.h"

/* What sets the methods apart; CRLF is no request and has no method of SIP. */
static const struct {
	const char *name;
	const char *sip_method;
	const char *headers;
} methods[PROMPT_METHOD_MAX] = {
	[PROMPT_OPTIONS] = { "options", "OPTIONS", "Accept: application/sdp\r\n" },
	[PROMPT_NOTIFY] = { "notify", "NOTIFY",
			    "Event: keep-alive\r\nSubscription-State: active\r\n" },
	[PROMPT_CRLF] = { .name = "crlf" },
};

const char *prompt_method_name(enum prompt_method method)
{
	return methods[method].name;
}

static bool can_be_request_uri(struct span target)
{
	for (size_t i = 0; i < target.length; i++)
		if (target.at[i] <= ' ' || target.at[i] > '~' || strchr("<>\"", target.at[i]))
			return false;
	/* Only the Via may carry the branch's prefix: the programs know a prompt by it. */
	return target.length > 0 && !memmem(target.at, target.length, SIPPATH_BRANCH_PREFIX,
					    strlen(SIPPATH_BRANCH_PREFIX));
}

/* Stands first: the kernel looks for the branch near the start of what leaves and comes back. */
static void write_via(const struct prompt_msg *prompt, struct text *out)
{
	text_add(out, SPAN("Via: SIP/2.0/UDP "));
	address_write_port(out, prompt->flow->local_addr, prompt->flow->local_port);
	text_format(out, ";branch=" SIPPATH_BRANCH_PREFIX "%0*" PRIx64 ";rport\r\n",
		    SIPPATH_TOKEN_DIGITS, prompt->token);
}

/* From tag and Call-ID are the token without the branch's prefix: as unique. */
static void write_dialog_identifiers(const struct prompt_msg *prompt, struct text *out)
{
	text_add(out, SPAN("From: <sip:sippath@"));
	address_write_host(out, prompt->flow->local_addr);
	text_format(out, ">;tag=%0*" PRIx64 "\r\nTo: <", SIPPATH_TOKEN_DIGITS, prompt->token);
	text_add(out, prompt->target);
	text_format(out, ">\r\nCall-ID: %0*" PRIx64 "@", SIPPATH_TOKEN_DIGITS, prompt->token);
	address_write_host(out, prompt->flow->local_addr);
	text_format(out, "\r\nCSeq: %" PRIu32 " %s\r\n", prompt->cseq,
		    methods[prompt->method].sip_method);
}

static void write_contact(const struct prompt_msg *prompt, struct text *out)
{
	text_add(out, SPAN("Contact: <sip:sippath@"));
	address_write_port(out, prompt->flow->local_addr, prompt->flow->local_port);
	text_add(out, SPAN(">\r\n"));
}

static void write_request(const struct prompt_msg *prompt, struct text *out)
{
	text_format(out, "%s ", methods[prompt->method].sip_method);
	text_add(out, prompt->target);
	text_add(out, SPAN(" SIP/2.0\r\n"));
	write_via(prompt, out);
	text_add(out, SPAN("Max-Forwards: 70\r\n"));
	write_dialog_identifiers(prompt, out);
	write_contact(prompt, out);
	text_add(out, span_of(methods[prompt->method].headers));
	text_add(out, SPAN("User-Agent: sippath\r\n"
			   "Content-Length: 0\r\n\r\n"));
}

int prompt_msg_write(const struct prompt_msg *prompt, struct text *out)
{
	if (prompt->flow->transport != FLOW_UDP)
		return -EINVAL;
	if (prompt->method == PROMPT_CRLF) {
		text_add(out, SPAN("\r\n\r\n"));
		return out->overflow ? -EMSGSIZE : 0;
	}
	if (!can_be_request_uri(prompt->target))
		return -EINVAL;
	if (prompt->target.length > PROMPT_MSG_TARGET_MAX)
		return -EMSGSIZE;
	write_request(prompt, out);
	return out->overflow ? -EMSGSIZE : 0;
}
