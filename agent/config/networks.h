/* SPDX-License-Identifier: GPL-2.0-or-later */
/* networks.h - remote networks as they are written, in a flag or as a section of the file. */
#ifndef AGENT_CONFIG_NETWORKS_H
#define AGENT_CONFIG_NETWORKS_H

#include "config/options.h"

/*
 * Reads "203.0.113.0/24" or "2001:db8::/32"; without a length it is one host. *out says
 * nothing of it yet. -EINVAL, and *mistake says why, if it is none, or has bits beyond its
 * length; *out is untouched then.
 */
int networks_read(struct span text, struct rules_network *out, struct text *mistake);

/* Writes what networks_read() reads, always with its length. */
void networks_write(struct text *out, const struct rules_network *network);

/*
 * The place of a network in *config, which it is put into if it is not there yet. NULL, and
 * *mistake says why, if there is no room.
 */
struct rules_network *networks_place(struct config *config, const struct rules_network *network,
				     struct text *mistake);

/* The "apply" of --network: "NET[,KEY=VALUE...]" into a struct config, all of it or nothing. */
int networks_apply(void *target, const struct option_value *value);

#endif
