/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * options.h - the one table of the agent's options: flags, configuration file and
 * help all come from it.
 */
#ifndef AGENT_CONFIG_OPTIONS_H
#define AGENT_CONFIG_OPTIONS_H

#include <stddef.h>
#include <stdint.h>

#include "base/span.h"
#include "config/config.h"

struct option_entry {
	const char *flag; /* "sip-port": the flag without its dashes */
	const char *section; /* "agent": where it stands in the file */
	const char *key; /* "sip_port" */
	const char *value; /* "PORT[,PORT...]": what the help shows */
	const char *fallback; /* the default as text, NULL for none */
	const char *expected; /* "1 to 16 ports, each 1..65535": for errors */
	const char *help;
	/* Puts a value into *config; -errno if it is not what is expected. */
	int (*apply)(struct config *config, const struct option_entry *entry, struct span value);
	size_t offset; /* of the member in struct config, for the generic apply functions */
	uint64_t lowest, highest;
};

/* All options; *count gets their number. */
const struct option_entry *options_all(size_t *count);

/* The option of a flag, or of a section and key; NULL if there is none. */
const struct option_entry *options_find_flag(const char *flag);
const struct option_entry *options_find_key(const char *section, const char *key);

#endif
