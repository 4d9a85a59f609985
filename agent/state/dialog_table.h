/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dialog_table.h - keeps legs of dialogs, and finds those of a Call-ID.
 *
 * A leg never changes its address, because its path links it in.
 */
#ifndef AGENT_STATE_DIALOG_TABLE_H
#define AGENT_STATE_DIALOG_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/hash.h"
#include "base/table.h"
#include "state/dialog.h"
#include "state/side.h"

/* Visible because it is a value that its owner embeds; only dialog_table.c touches its members. */
struct dialog_table {
	struct hash_key key;
	struct table by_call_id;
	size_t limit; /* of legs in all */
	size_t displaced; /* of these, no longer counted */
};

/* An empty table; -errno if there is no randomness. */
int dialog_table_init(struct dialog_table *table, size_t limit);

/* Frees every leg. */
void dialog_table_clear(struct dialog_table *table);

/* The legs of a Call-ID, one after the other, in no order; NULL at the end. */
struct dialog *dialog_table_first(const struct dialog_table *table, struct span call_id);
struct dialog *dialog_table_next(const struct dialog *dialog);

/*
 * The leg of a device that an answer to an initial INVITE is about: the one that the INVITE
 * of this name has made, or one on the flow that it went over; NULL if there is none.
 */
struct dialog *dialog_table_find_made(const struct dialog_table *table, struct span call_id,
				      const struct side *side, uint64_t invite,
				      const struct flow *flow);

/*
 * The leg of a device that an answer to a request inside of a dialog is about: the one on
 * the flow that the request went over, else the one that has moved there; NULL if there is
 * none.
 */
struct dialog *dialog_table_find_known(const struct dialog_table *table, struct span call_id,
				       const struct side *side, const struct flow *flow);

/* The leg of a device that is on this flow, or NULL. */
struct dialog *dialog_table_find_on(const struct dialog_table *table, struct span call_id,
				    const struct side *side, const struct flow *flow);

/*
 * The leg of a device that a BYE on this flow is about: the one on it, or else one that has
 * not ended, of a device whose NAT may have given it this flow; NULL if there is none.
 */
struct dialog *dialog_table_find_near(const struct dialog_table *table, struct span call_id,
				      const struct side *side, const struct flow *flow);

/*
 * A leg of a Call-ID that one which is accepted may take the place of: one that lingers, or
 * else one that rings; NULL if there is none.
 */
struct dialog *dialog_table_find_lesser(const struct dialog_table *table, struct span call_id);

/* True if there is room for another leg of this Call-ID. */
bool dialog_table_has_room(const struct dialog_table *table, struct span call_id);

/* Gives the place of a leg away, which is removed a little later. */
void dialog_table_displace(struct dialog_table *table, struct dialog *dialog);

/*
 * Adds the leg of a device with this Call-ID, its tags and its AOR; nothing else is known
 * of it. NULL without memory, or beyond a limit.
 */
struct dialog *dialog_table_add(struct dialog_table *table, struct span call_id,
				const struct side *side);

/* Takes out and frees a leg. */
void dialog_table_remove(struct dialog_table *table, struct dialog *dialog);

/* A name for what these bytes say; never 0. */
uint64_t dialog_table_name(const struct dialog_table *table, const void *bytes, size_t length);

/* True if the limit of legs in all is reached; displaced ones do not count. */
bool dialog_table_full(const struct dialog_table *table);

/* How many there are. */
size_t dialog_table_count(const struct dialog_table *table);

#endif
