/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * registration_table.h - keeps registrations, and finds those of an AOR.
 *
 * A registration never changes its address, because its path links it in. AORs
 * are handed in folded, see uri_fold().
 */
#ifndef AGENT_STATE_REGISTRATION_TABLE_H
#define AGENT_STATE_REGISTRATION_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/hash.h"
#include "base/table.h"
#include "sip/facts.h"
#include "state/registration.h"

/* Visible because it is a value that its owner embeds; only registration_table.c touches its members. */
struct registration_table {
	struct hash_key key;
	struct table by_aor;
	size_t limit; /* of registrations in all */
};

/* An empty table; -errno if there is no randomness. */
int registration_table_init(struct registration_table *table, size_t limit);

/* Frees every registration. */
void registration_table_clear(struct registration_table *table);

/* The registrations of an AOR, one after the other, in no order; NULL at the end. */
struct registration *registration_table_first(const struct registration_table *table,
					      struct span aor);
struct registration *registration_table_next(const struct registration *registration);

/*
 * Adds a registration of the AOR with what its Contact and the Call-ID say, and
 * zero else. NULL without memory, or beyond a limit.
 */
struct registration *registration_table_add(struct registration_table *table, struct span aor,
					    const struct facts_contact *contact,
					    struct span call_id);

/* Gives a registration another Contact and Call-ID; -ENOMEM changes nothing. */
int registration_table_rewrite(struct registration *registration,
			       const struct facts_contact *contact, struct span call_id);

/* Takes out and frees a registration. */
void registration_table_remove(struct registration_table *table, struct registration *registration);

/* True if the limit of registrations in all is reached. */
bool registration_table_full(const struct registration_table *table);

/* How many there are. */
size_t registration_table_count(const struct registration_table *table);

#endif
