/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * apply.h - puts one written value into *config, a function for each kind of value.
 *
 * They are the "apply" of the option table: -errno, and *config untouched, if the
 * value is not what the entry expects.
 */
#ifndef AGENT_CONFIG_APPLY_H
#define AGENT_CONFIG_APPLY_H

#include "config/options.h"

/* A char array: lowest..highest bytes, terminated. */
int apply_text(struct config *config, const struct option_entry *entry, struct span value);

/* A uint32_t: decimal. */
int apply_number(struct config *config, const struct option_entry *entry, struct span value);

/* A uint32_t: decimal or, after "0x", hexadecimal. */
int apply_mark(struct config *config, const struct option_entry *entry, struct span value);

/* A uint64_t of nanoseconds: "24s", "500ms". */
int apply_duration(struct config *config, const struct option_entry *entry, struct span value);

/* Comma-separated lists: at least one item, none of them twice. */
int apply_interfaces(struct config *config, const struct option_entry *entry, struct span value);
int apply_ports(struct config *config, const struct option_entry *entry, struct span value);

/* One word of a few. */
int apply_mode(struct config *config, const struct option_entry *entry, struct span value);
int apply_log_level(struct config *config, const struct option_entry *entry, struct span value);

#endif
