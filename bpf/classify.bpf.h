/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * classify.bpf.h - what a payload's first bytes are: a request that the agent has to
 * know, a response and its status, TLS or HTTP, or something else.
 */
#ifndef BPF_CLASSIFY_BPF_H
#define BPF_CLASSIFY_BPF_H

#include <linux/bpf.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>

#include "sighting.h"
#include "text.bpf.h"

/*
 * The methods of which the agent learns, either way: X(name, lowest, highest status of the
 * responses that it has to know). 1, 0 is none: such a request counts without its response.
 */
#define REPORTED_METHODS(X) \
	X("REGISTER", 200, 299) \
	X("SUBSCRIBE", 200, 499) \
	X("INVITE", 101, 699) \
	X("UPDATE", 200, 699) \
	X("NOTIFY", 1, 0) \
	X("ACK", 1, 0) \
	X("BYE", 1, 0)

#define METHOD_MAX 10 /* characters of the longest of them, and what ends it */

/* Content types of a TLS record, and its version: that of TLS 1.3 is 3.3 or 3.1. */
#define TLS_CHANGE_CIPHER_SPEC 0x14
#define TLS_APPLICATION_DATA 0x17
#define TLS_MAJOR_VERSION 3
#define TLS_MINOR_VERSION_MAX 4

#define OPAQUE_START_LENGTH 4 /* bytes that tell an opaque stream */

/* The first bytes of a payload. No SIP message is shorter. */
struct payload_start {
	char bytes[16];
};

#define FITS_(name, lowest, highest) \
	_Static_assert(sizeof(name) <= METHOD_MAX && METHOD_MAX <= sizeof(struct payload_start), \
		       "METHOD_MAX is too short or too long for " name);
REPORTED_METHODS(FITS_)
#undef FITS_

/*
 * True if a reported method stands at "at" and ends there, and if responses to it with this
 * status have to be known; 0 stands for the request. Reads METHOD_MAX bytes.
 */
static __always_inline bool classify_method(const char *at, __u16 status)
{
#define IS_METHOD_(name, lowest, highest) \
	if (text_starts_with(at, name) && !text_is_letter((at)[sizeof(name) - 1])) \
		return status == 0 || (status >= (lowest) && status <= (highest));
	REPORTED_METHODS(IS_METHOD_)
#undef IS_METHOD_
	return false;
}

/* True if the message is a request that the agent has to know. */
static __always_inline bool classify_request(const struct payload_start *start)
{
	return classify_method(start->bytes, 0);
}

/* True if responses with this status have to be known, of some method. */
static __always_inline bool classify_status_reported(__u16 status)
{
#define IS_REPORTED_(name, lowest, highest) \
	if (status >= (lowest) && status <= (highest)) \
		return true;
	REPORTED_METHODS(IS_REPORTED_)
#undef IS_REPORTED_
	return false;
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

/*
 * True if a piece of a stream begins as no SIP stream does that could be read: with a TLS
 * record of any version (RFC 8446 section 5.1), or with the request that opens a WebSocket
 * (RFC 6455 section 4.1), whose frames from the client are masked. Reads four bytes.
 */
static __always_inline bool classify_opaque(const __u8 *at)
{
	if (at[0] >= TLS_CHANGE_CIPHER_SPEC && at[0] <= TLS_APPLICATION_DATA &&
	    at[1] == TLS_MAJOR_VERSION && at[2] <= TLS_MINOR_VERSION_MAX)
		return true;
	return text_starts_with(at, "GET ");
}

#endif
