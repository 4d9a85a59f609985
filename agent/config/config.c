/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/number.h"
#include "config/file.h"
#include "config/networks.h"
#include "config/options.h"
#include "keep/policy.h"

#define MISTAKE_MAX 512 /* room to say what is wrong with a value */

static void apply_fallbacks(struct config *config)
{
	const struct option_entry *entries;
	char buffer[MISTAKE_MAX];
	struct text mistake = TEXT_OVER(buffer);
	size_t count;

	entries = options_all(&count);
	for (size_t i = 0; i < count; i++) {
		if (entries[i].fallback &&
		    options_apply(config, &entries[i], span_of(entries[i].fallback), &mistake))
			abort(); /* the table contradicts itself */
	}
}

/* A flag that takes no value has an answer instead. */
static enum config_result answer(const struct option_entry *entry)
{
	if (strcmp(entry->flag, "help") == 0)
		options_write_help(stdout);
	else
		puts("sippathd " SIPPATH_VERSION);
	return CONFIG_DONE;
}

static enum config_result apply_flag(struct config *config, const struct option_entry *entry,
				     struct span value)
{
	char buffer[MISTAKE_MAX];
	struct text mistake = TEXT_OVER(buffer);

	if (options_apply(config, entry, value, &mistake) == 0)
		return CONFIG_RUN;
	log_error("--%s: %s", entry->flag, buffer);
	return CONFIG_USAGE;
}

/* Reads the flag at argv[*at], moving *at onto its value if that stands in the next argument. */
static enum config_result read_flag(int argc, char **argv, int *at, struct config *config)
{
	const char *argument = argv[*at];
	const struct option_entry *entry;
	const char *equals;
	struct span name;

	if (strncmp(argument, "--", 2) != 0) {
		log_error("\"%s\" is not expected here: see --help", argument);
		return CONFIG_USAGE;
	}
	equals = strchr(argument, '=');
	name = span_of(argument + 2);
	if (equals)
		name.length = (size_t)(equals - name.at);
	entry = options_find_flag(name);
	if (!entry) {
		log_error("--%.*s: there is no such flag: see --help", (int)name.length, name.at);
		return CONFIG_USAGE;
	}
	if (!entry->value && equals) {
		log_error("--%s: expected no value", entry->flag);
		return CONFIG_USAGE;
	}
	if (!entry->value)
		return answer(entry);
	if (equals)
		return apply_flag(config, entry, span_of(equals + 1));
	if (*at + 1 == argc || strncmp(argv[*at + 1], "--", 2) == 0) {
		log_error("--%s: a value is missing: expected %s", entry->flag, entry->expected);
		return CONFIG_USAGE;
	}
	return apply_flag(config, entry, span_of(argv[++*at]));
}

static enum config_result read_flags(int argc, char **argv, struct config *config)
{
	enum config_result result = CONFIG_RUN;

	for (int at = 1; at < argc && result == CONFIG_RUN; at++)
		result = read_flag(argc, argv, &at, config);
	return result;
}

/* The file that --config names must be there, the default one need not. */
static enum config_result read_file(struct config *config)
{
	bool named = config->file[0] != '\0';
	const char *path = named ? config->file : CONFIG_FILE_DEFAULT;
	int error = config_read_file(path, config);

	if (error == -ENOENT && !named)
		return CONFIG_RUN;
	if (error == -ENOENT)
		log_error("--config: there is no file %s", path);
	if (error)
		return CONFIG_BAD;
	if (!named)
		strcpy(config->file, CONFIG_FILE_DEFAULT);
	return CONFIG_RUN;
}

/* A node has its host's name unless it is told otherwise. */
static bool name_node(struct config *config)
{
	char name[NODE_NAME_MAX + 1] = "";

	if (config->node[0] != '\0')
		return true;
	if (gethostname(name, sizeof(name) - 1) || !node_name_is_good(span_of(name)))
		return false;
	strcpy(config->node, name);
	return true;
}

static bool misses_interface(const struct config *config)
{
	if (config->interface_count > 0)
		return false;
	log_error("--interface is missing: name the interfaces that SIP comes in on, "
		  "such as --interface eth0");
	return true;
}

static bool misses_node(struct config *config)
{
	if (!config->in_cluster)
		return false;
	if (!name_node(config)) {
		log_error("--node is missing: the host's name is none for a node: give it one");
		return true;
	}
	if (config->node_uri[0] != '\0')
		return false;
	log_error("--node-uri is missing: say where calls for this proxy go, "
		  "such as --node-uri sip:192.0.2.11:5060");
	return true;
}

static bool misses_calls(const struct config *config)
{
	if (!config->in_cluster)
		log_error("--cluster is missing: name the Redis server that the proxies share, "
			  "such as --cluster redis://192.0.2.6");
	else if (config->listen_count == 0)
		log_error("--listen is missing: say where calls come in, "
			  "such as --listen udp:192.0.2.5:5060");
	else
		return false;
	return true;
}

static bool misses_something(struct config *config, enum config_use use)
{
	switch (use) {
	case CONFIG_FOR_CALLS:
		return misses_calls(config);
	case CONFIG_FOR_PATHS:
		return misses_interface(config) || misses_node(config);
	default:
		return misses_interface(config);
	}
}

enum config_result config_read(int argc, char **argv, enum config_use use, struct config *config)
{
	enum config_result result;

	memset(config, 0, sizeof(*config));
	apply_fallbacks(config);

	/* Twice: first to learn of --config and of mistakes, then to beat the file. */
	result = read_flags(argc, argv, config);
	if (result == CONFIG_RUN)
		result = read_file(config);
	if (result == CONFIG_RUN)
		result = read_flags(argc, argv, config);
	if (result != CONFIG_RUN)
		return result;

	if (misses_something(config, use))
		return CONFIG_USAGE;
	for (size_t i = 0; i < config->interface_count; i++)
		config->interfaces[i] = config->interface_names[i];
	return CONFIG_RUN;
}

/* Warns of a threshold that is shorter than what is polite. */
static void warn_of(const char *whose, uint64_t threshold_ns)
{
	char written[NUMBER_DURATION_MAX];

	if (threshold_ns >= POLICY_THRESHOLD_POLITE_NS)
		return;
	number_write_duration(threshold_ns, written);
	log_warning("%s: a threshold of %s is obeyed, but some devices and networks ban whoever "
		    "prompts more often than every %u s (RFC 8085 section 3.5)",
		    whose, written, (unsigned int)(POLICY_THRESHOLD_POLITE_NS / NS_PER_S));
}

void config_warn(const struct config *config)
{
	warn_of("threshold", config->defaults.threshold_ns);
	for (size_t i = 0; i < config->network_count; i++) {
		const struct rules_network *network = &config->networks[i];
		char buffer[80];
		struct text name = TEXT_OVER(buffer);

		if (!network->has_threshold || network->own.ignored)
			continue;
		text_format(&name, "network ");
		networks_write(&name, network);
		warn_of(buffer, network->own.threshold_ns);
	}
}
