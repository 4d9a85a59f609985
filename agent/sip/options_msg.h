/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * options_msg.h - the OPTIONS request that prompts a device (RFC 3261 section 11).
 *
 * A complete request outside of any dialog (traps 16, 17, 20): its own branch,
 * Call-ID, CSeq and From tag, all made from the prompt's token. The Via stands
 * before every other header.
 */
#ifndef AGENT_SIP_OPTIONS_MSG_H
#define AGENT_SIP_OPTIONS_MSG_H

#include <stdint.h>

#include "base/span.h"
#include "base/text.h"
#include "flow.h"

/*
 * Longest target. It stands in the Request-URI, before the Via, and in To: so bounded,
 * the branch ends within the first 1023 bytes, where the programs look for it.
 */
#define OPTIONS_MSG_TARGET_MAX 448

/* Enough for a request with the longest target and the longest addresses. */
#define OPTIONS_MSG_MAX 1400

struct options_msg {
	const struct flow *flow; /* goes from its local to its remote side */
	struct span target; /* the device's Contact URI as it registered it: the Request-URI */
	uint64_t token; /* see SIPPATH_BRANCH_PREFIX */
	uint32_t cseq; /* 1..2^31-1 */
};

/*
 * Appends the request. -EINVAL if the flow is not UDP, or if "target" is empty or has
 * a byte that must not stand in a Request-URI (blank, control, angle bracket, quote,
 * not ASCII) or the prefix of our branches: text from outside never writes a header
 * or a token of ours; *out is untouched then. -EMSGSIZE if it is longer than OPTIONS_MSG_TARGET_MAX (*out untouched) or the
 * request does not fit (out->overflow is set).
 */
int options_msg_write(const struct options_msg *options, struct text *out);

#endif
