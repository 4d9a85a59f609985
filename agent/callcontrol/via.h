/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * via.h - the topmost Via: reading it, writing down in it where its message came from, and finding
 * the way back that it tells (RFC 3261 section 18.2, RFC 3581).
 *
 * Included by message.c, reply.c and passing.c.
 */
#ifndef AGENT_CALLCONTROL_VIA_H
#define AGENT_CALLCONTROL_VIA_H

#include "base/text.h"
#include "callcontrol/message.h"
#include "flow.h"

/* The port of a Via, or of a URI, that names none. */
#define VIA_PORT_DEFAULT 5060

/* Reads one value of Via; -EBADMSG if it is none, *via is untouched then. */
int via_read(struct span value, struct message_via *via);

/*
 * Writes the value with "received" and "rport" as the flow has them: the source's port if rport
 * was asked for, its address if it was or if that is not sent-by's. What the sender claims to
 * be its source is left out.
 */
void via_write_stamped(const struct message_via *via, const struct flow *flow, struct text *out);

/*
 * Writes a whole line of Via that begins with the topmost value as via_write_stamped() does, the
 * other values of the line as they are; any other line as it is.
 */
void via_write_line(const struct message *message, const struct message_line *line,
		    const struct flow *flow, struct text *out);

/* The port that answers to a request from "flow" go to. */
uint16_t via_answer_port(const struct message_via *via, const struct flow *flow);

/*
 * The address and port that a stamped Via leads to; -EINVAL if the host is a name. "maddr" is
 * not heeded: it would let a stranger choose whom we write to.
 */
int via_target(const struct message_via *via, uint8_t address[16], uint16_t *port);

#endif
