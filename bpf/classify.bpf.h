/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * classify.bpf.h - what a payload's first bytes are: a request that the agent has to
 * know, a response and its status, or something else.
 */
#ifndef BPF_CLASSIFY_BPF_H
#define BPF_CLASSIFY_BPF_H

#include <linux/bpf.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>

#include "sighting.h"
#include "text.bpf.h"

/* The methods of which the agent learns: X(name). */
#define REPORTED_METHODS(X) X("REGISTER")

/* The first bytes of a payload. No SIP message is shorter. */
struct payload_start {
	char bytes[16];
};

/* True if a reported method stands at "at", and ends there. */
static __always_inline bool classify_method(const char *at)
{
#define IS_METHOD_(name) \
	if (text_starts_with(at, name) && !text_is_letter((at)[sizeof(name) - 1])) \
		return true;
	REPORTED_METHODS(IS_METHOD_)
#undef IS_METHOD_
	return false;
}

/* True if the message is a request that the agent has to know. */
static __always_inline bool classify_request(const struct payload_start *start)
{
	return classify_method(start->bytes);
}

/* The status code of a response, 100..699; 0 for anything else. */
static __always_inline __u16 classify_status(const struct payload_start *start)
{
	const char *at = start->bytes;

	if (!text_starts_with(at, "SIP/2.0 "))
		return 0;
	if (at[8] < '1' || at[8] > '6' || !text_is_digit(at[9]) || !text_is_digit(at[10]))
		return 0;
	if (at[11] != ' ' && at[11] != '\r')
		return 0;
	return (at[8] - '0') * 100 + (at[9] - '0') * 10 + (at[10] - '0');
}

#endif
