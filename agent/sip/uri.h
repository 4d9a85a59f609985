/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * uri.h - the parts of a URI that somebody needs.
 *
 * Included by reader.c. uri.c is the only file that includes libosip2.
 */
#ifndef AGENT_SIP_URI_H
#define AGENT_SIP_URI_H

#include <stdint.h>

#include "base/span.h"
#include "base/text.h"

struct uri {
	struct span scheme;
	struct span user; /* of a SIP or SIPS URI, without escapes; absent if there is none */
	struct span host; /* of a SIP or SIPS URI, in lower case, IPv6 without brackets */
	uint16_t port; /* 0 for none */
	struct span opaque; /* any other URI up to its parameters; absent in a SIP or SIPS URI */
};

/*
 * Reads a URI. Parts that do not stand in "text" as they are needed are appended to
 * "memory": if it has no room, its "overflow" says so and the URI must not be used.
 * -EBADMSG if it is no URI, or a SIP URI whose user, host or port cannot be read; -ENOMEM.
 */
int uri_read(struct span text, struct text *memory, struct uri *uri);

/*
 * Appends to "memory", and returns, the URI as an AOR that is compared byte by byte: scheme and
 * host in lower case, neither password nor port nor parameters nor headers, and "sip:" for
 * "sips:". RFC 3261 section 19.1.4 takes those that differ by port or scheme for two, but
 * somebody is the same one whichever way a call for him comes. Of any other URI all is in lower
 * case but what stands in front of an "@": uri_fold() of the state room changes nothing of any AOR.
 */
struct span uri_make_aor(const struct uri *uri, struct text *memory);

#endif
