/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dialogs_parts.h - what the two halves of the dialogs share: dialogs.c has the room and
 * what needs no answer, dialogs_answered.c works in what is answered. Nobody else includes it.
 */
#ifndef AGENT_STATE_DIALOGS_PARTS_H
#define AGENT_STATE_DIALOGS_PARTS_H

#include "state/dialog_table.h"
#include "state/dialogs.h"

struct dialogs {
	struct dialog_table table;
	struct dialogs_options options;
	bool refusing; /* said once, until one fits again */
};

/* A new leg of a device with this Call-ID; NULL where one is refused. */
struct dialog *dialogs_add(struct dialogs *dialogs, struct span call_id, const struct side *side);

/* Counts a leg that is refused, and says so once if the limit of all is the reason. */
void dialogs_refuse(struct dialogs *dialogs);

/* Writes down how a leg ends. */
struct binding_change dialogs_end(const struct dialogs *dialogs, struct dialog *leg,
				  enum binding_reason reason, uint64_t now_ns);

/* Gives a leg the end that its session timer sets (RFC 4028, trap 35), counted from its newest request. */
void dialogs_time_session(const struct dialogs *dialogs, struct dialog *leg);

#endif
