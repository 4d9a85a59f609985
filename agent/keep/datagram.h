/* SPDX-License-Identifier: GPL-2.0-or-later */
/* datagram.h - an IP packet with one UDP datagram, as a raw socket wants it. */
#ifndef AGENT_KEEP_DATAGRAM_H
#define AGENT_KEEP_DATAGRAM_H

#include <stddef.h>
#include <stdint.h>

#include "base/span.h"
#include "flow.h"

#define DATAGRAM_HEADERS_MAX 48 /* IPv6 and UDP */

/*
 * Writes headers and payload of a packet from the flow's local to its remote side and
 * returns its length. "packet" has room for DATAGRAM_HEADERS_MAX more than the
 * payload, which is at most 65,487 bytes. Both sides of the flow are of one family.
 *
 * IPv4: the kernel fills in the header's checksum, and the identification, so that it
 * never meets one of the server's own packets. "Don't fragment" is not set: news of a
 * smaller MTU on the way would go to the SIP server's socket and not to us, so a
 * prompt that is too large for a tunnel must get through in pieces.
 */
size_t datagram_write(const struct flow *flow, struct span payload, uint8_t *packet);

#endif
