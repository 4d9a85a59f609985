/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * prompt_msg.h - what prompts a device: a request that it answers, or a mere keepalive.
 *
 * A request is complete and outside of any dialog (traps 16, 17, 20): its own branch,
 * Call-ID, CSeq and From tag, all made from the prompt's token. The Via stands
 * before every other header. Any final answer to it will do (trap 14): a NOTIFY that no
 * subscription asked for is answered with 481 or 489 at least (RFC 6665 section 4.1.3).
 */
#ifndef AGENT_SIP_PROMPT_MSG_H
#define AGENT_SIP_PROMPT_MSG_H

#include <stdint.h>

#include "base/span.h"
#include "base/text.h"
#include "flow.h"

/*
 * Longest target. It stands in the Request-URI, before the Via, and in To: so bounded,
 * the branch ends within the first 1023 bytes, where the programs look for it.
 */
#define PROMPT_MSG_TARGET_MAX 448

/* Enough for a request with the longest target and the longest addresses. */
#define PROMPT_MSG_MAX 1400

/* What a device is prompted with. */
enum prompt_method {
	PROMPT_OPTIONS, /* RFC 3261 section 11 */
	PROMPT_NOTIFY, /* NOTIFY with "Event: keep-alive", for devices that answer no OPTIONS */
	PROMPT_CRLF, /* a double CRLF (RFC 5626 section 4.4.1): no answer is expected over UDP */
	PROMPT_METHOD_MAX
};

/* "options", "notify", "crlf". */
const char *prompt_method_name(enum prompt_method method);

struct prompt_msg {
	const struct flow *flow; /* goes from its local to its remote side */
	struct span target; /* the device's Contact URI as it registered it: the Request-URI */
	uint64_t token; /* see SIPPATH_BRANCH_PREFIX */
	uint32_t cseq; /* 1..2^31-1 */
	enum prompt_method method;
};

/*
 * Appends the request, or for PROMPT_CRLF, which looks at the flow alone, "\r\n\r\n".
 * -EINVAL if the flow is not UDP, or if "target" is empty or has a byte that must not
 * stand in a Request-URI (blank, control, angle bracket, quote, not ASCII) or the prefix
 * of our branches: text from outside never writes a header or a token of ours; *out is
 * untouched then. -EMSGSIZE if the target is longer than PROMPT_MSG_TARGET_MAX (*out
 * untouched) or the request does not fit (out->overflow is set).
 */
int prompt_msg_write(const struct prompt_msg *prompt, struct text *out);

#endif
