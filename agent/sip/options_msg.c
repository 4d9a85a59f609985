/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sip/options_msg.h"

#include <errno.h>
#include <inttypes.h>

#include "base/address.h"
#include "kernel_abi.h"

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
static void write_via(const struct options_msg *options, struct text *out)
{
	text_add(out, SPAN("Via: SIP/2.0/UDP "));
	address_write_port(out, options->flow->local_addr, options->flow->local_port);
	text_format(out, ";branch=" SIPPATH_BRANCH_PREFIX "%0*" PRIx64 ";rport\r\n",
		    SIPPATH_TOKEN_DIGITS, options->token);
}

/* From tag and Call-ID are the token without the branch's prefix: as unique. */
static void write_dialog_identifiers(const struct options_msg *options, struct text *out)
{
	text_add(out, SPAN("From: <sip:sippath@"));
	address_write_host(out, options->flow->local_addr);
	text_format(out, ">;tag=%0*" PRIx64 "\r\nTo: <", SIPPATH_TOKEN_DIGITS, options->token);
	text_add(out, options->target);
	text_format(out, ">\r\nCall-ID: %0*" PRIx64 "@", SIPPATH_TOKEN_DIGITS, options->token);
	address_write_host(out, options->flow->local_addr);
	text_format(out, "\r\nCSeq: %" PRIu32 " OPTIONS\r\n", options->cseq);
}

static void write_contact(const struct options_msg *options, struct text *out)
{
	text_add(out, SPAN("Contact: <sip:sippath@"));
	address_write_port(out, options->flow->local_addr, options->flow->local_port);
	text_add(out, SPAN(">\r\n"));
}

int options_msg_write(const struct options_msg *options, struct text *out)
{
	if (!can_be_request_uri(options->target) || options->flow->transport != FLOW_UDP)
		return -EINVAL;
	if (options->target.length > OPTIONS_MSG_TARGET_MAX)
		return -EMSGSIZE;
	text_add(out, SPAN("OPTIONS "));
	text_add(out, options->target);
	text_add(out, SPAN(" SIP/2.0\r\n"));
	write_via(options, out);
	text_add(out, SPAN("Max-Forwards: 70\r\n"));
	write_dialog_identifiers(options, out);
	write_contact(options, out);
	text_add(out, SPAN("Accept: application/sdp\r\n"
			   "User-Agent: sippath\r\n"
			   "Content-Length: 0\r\n\r\n"));
	return out->overflow ? -EMSGSIZE : 0;
}
