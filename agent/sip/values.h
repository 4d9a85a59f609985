/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * values.h - what header values are made of (RFC 3261 section 25.1): lists,
 * addresses, parameters.
 *
 * Included by reader.c, refinement.c, uri.c, start_line.c and call control. Quotes, angle
 * brackets and escapes are told apart here rather than by libosip2, which takes a ";" inside of quotes for
 * the next parameter and a "<" in a quoted parameter for the start of the URI.
 */
#ifndef AGENT_SIP_VALUES_H
#define AGENT_SIP_VALUES_H

#include <stdint.h>

#include "base/span.h"

/* From, To or one Contact. */
struct address_value {
	struct span uri; /* as written, without angle brackets */
	struct span parameters; /* of the header, from the first ";" on */
};

struct via_value {
	struct span transport; /* as written */
	struct span host; /* of sent-by, IPv6 without brackets */
	uint16_t port; /* of sent-by, 0 if it has none */
	struct span parameters;
};

struct cseq_value {
	uint32_t number; /* 0..2^31-1 */
	struct span method;
};

/* A token with parameters: Event, Subscription-State, Session-Expires. */
struct token_value {
	struct span token;
	struct span parameters;
};

/* One ";name=value". */
struct parameter_value {
	struct span whole; /* without the ";" and the blanks around it */
	struct span name;
	struct span value; /* without quotes; empty if it is set to nothing */
};

/*
 * Takes the next value off a comma-separated list: 1, or 0 at its end, or -EBADMSG
 * if it is empty or a quote or angle bracket is not closed.
 */
int value_next(struct span *list, struct span *value);

/* These return -EBADMSG for a value that is not what they read. */
int value_read_address(struct span value, struct address_value *out);
int value_read_via(struct span value, struct via_value *out);
int value_read_cseq(struct span value, struct cseq_value *out);
int value_read_token(struct span value, struct token_value *out);

/*
 * Takes the next parameter, which may be empty, off what begins with a ";": 1, or 0 at the
 * end, or -EBADMSG if a quote is not closed.
 */
int value_next_parameter(struct span *parameters, struct parameter_value *out);

/*
 * Finds a parameter by its name. *value is what it is set to, without quotes: empty if
 * that is nothing, absent if there is no such parameter. -EBADMSG if it is there
 * twice (RFC 3261 section 7.3.1) or a quote is not closed.
 */
int value_find_parameter(struct span parameters, struct span name, struct span *value);

/* True for a token, such as a method. */
bool value_is_token(struct span text);

/* True for a host name, an IPv4 address or an IPv6 address without brackets. */
bool value_is_host(struct span text);

#endif
