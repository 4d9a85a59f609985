/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * apply.h - puts one written value into its target, a function for each kind of value.
 *
 * They are the "apply" of the option table: -errno, and the target untouched, if the
 * value is not what the entry expects.
 */
#ifndef AGENT_CONFIG_APPLY_H
#define AGENT_CONFIG_APPLY_H

#include <stdbool.h>

#include "config/options.h"

/* A char array: lowest..highest bytes, terminated. */
int apply_text(void *target, const struct option_value *value);

/* A uint32_t: decimal. */
int apply_number(void *target, const struct option_value *value);

/* A uint32_t: decimal or, after "0x", hexadecimal. */
int apply_mark(void *target, const struct option_value *value);

/* A uint64_t of nanoseconds: "24s", "500ms". */
int apply_duration(void *target, const struct option_value *value);

/* An enum: one of the entry's words. */
int apply_word(void *target, const struct option_value *value);

/* A bool: "yes" or "no". */
int apply_yes_or_no(void *target, const struct option_value *value);

/* Comma-separated lists of a struct config: at least one item, none of them twice. */
int apply_interfaces(void *target, const struct option_value *value);
int apply_ports(void *target, const struct option_value *value);

/* Takes the next piece of a comma-separated list off *list; false when there is none left. */
bool apply_next_piece(struct span *list, struct span *piece);

#endif
