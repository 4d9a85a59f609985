/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * options.h - the one table of the agent's options: flags, configuration file,
 * defaults, errors and help all come from it.
 */
#ifndef AGENT_CONFIG_OPTIONS_H
#define AGENT_CONFIG_OPTIONS_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/span.h"
#include "base/text.h"
#include "config/config.h"

#define OPTIONS_MAX 64 /* the table has fewer entries */

/* The section of the keys of a network; in the file a network's name follows it. */
#define OPTIONS_NETWORK "network"

struct option_entry;

/* A written value on its way to where its entry says. */
struct option_value {
	const struct option_entry *entry;
	struct span text;
	struct text *mistake; /* for what "expected" of the entry does not say; empty */
};

struct option_entry {
	const char *flag; /* "sip-port": the flag without its dashes, NULL for a network's key */
	const char *section; /* "agent": where it stands in the file, NULL for a flag only */
	const char *key; /* "sip_port" */
	const char *value; /* "PORT[,PORT...]": what the help shows, NULL for a flag without one */
	const char *fallback; /* the default as text, NULL for none */
	const char *expected; /* "1 to 16 different ports, each 1 to 65535": for errors */
	const char *help;
	/*
	 * Puts a value into *target: a struct config, or a struct rules_network for a
	 * network's key. -errno, and *target untouched, if it is not what is expected.
	 */
	int (*apply)(void *target, const struct option_value *value);
	size_t offset; /* of the member in the target, for the generic apply functions */
	size_t given; /* of the target's bool that says that there is a value, 0 for none */
	const char *const *words; /* of a word, by its number; a NULL ends them */
	uint64_t lowest, highest; /* of a number, of a duration in ns, of the length of a text */
};

/* All options; *count gets their number. */
const struct option_entry *options_all(size_t *count);

/* The option of a flag, or of a section and key; NULL if there is none. */
const struct option_entry *options_find_flag(struct span flag);
const struct option_entry *options_find_key(const char *section, const char *key);

/*
 * Puts a written value into *target by its entry. If it is not what is expected: -errno,
 * and *mistake, empty before, says what was expected.
 */
int options_apply(void *target, const struct option_entry *entry, struct span text,
		  struct text *mistake);

/* Writes the answer to --help. */
void options_write_help(FILE *out);

#endif
