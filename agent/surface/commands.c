/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "surface/commands.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "kernel/kernel_counts.h"
#include "surface/commands_parts.h"
#include "surface/row.h"
#include "surface/rows.h"

/* Room for "redis://[HOST]:PORT/DATABASE". */
#define CLUSTER_URL_MAX (sizeof(((struct redis_address *)0)->host) + 48)

enum command_result commands_with_row(const json_t *row, enum command_result result)
{
	return row ? result : COMMAND_NO_MEMORY;
}

enum command_result commands_refuse(struct progress *progress, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(progress->reason, sizeof(progress->reason), format, arguments);
	va_end(arguments);
	return COMMAND_REFUSED;
}

static json_t *row_of_ports(const struct control_options *options)
{
	json_t *array = json_array();

	for (size_t i = 0; i < options->port_count; i++) {
		if (json_array_append_new(array, json_integer(options->ports[i]))) {
			json_decref(array);
			return NULL;
		}
	}
	return array;
}

/* Without user and password: whoever may see the status need not know them. */
static void put_cluster(struct row *row, const struct redis_address *address)
{
	char buffer[CLUSTER_URL_MAX];
	struct text url = TEXT_OVER(buffer);
	bool ipv6;

	if (!address) {
		row_put_null(row, "cluster");
		return;
	}
	ipv6 = strchr(address->host, ':') != NULL;
	text_format(&url, "redis://%s%s%s:%u/%u", ipv6 ? "[" : "", address->host, ipv6 ? "]" : "",
		    address->port, address->database);
	row_put_text(row, "cluster", text_span(&url));
}

/* What an agent's part in the cluster is; null where it has none. */
static void put_membership(struct row *row, const struct control_options *options)
{
	const struct directory *directory = options->directory;

	put_cluster(row, options->cluster);
	row_put_text(row, "node", span_of(options->node));
	if (directory->is_reachable)
		row_put_flag(row, "reachable", directory->is_reachable(directory->context));
	else
		row_put_null(row, "reachable");
	if (directory->is_draining)
		row_put_flag(row, "draining", directory->is_draining(directory->context));
	else
		row_put_null(row, "draining");
}

static void put_keeping(struct row *row, const struct subject *subject)
{
	const struct control_options *options = &subject->options;
	const struct attach_interface *interfaces;
	size_t count;

	interfaces = attach_interfaces(options->attachment, &count);
	row_put(row, "interfaces", rows_interfaces(interfaces, count));
	row_put_flag(row, "watching", options->sees_packets(options->context));
	row_put_flag(row, "tcp_keepalive", options->sees_connections(options->context));
	row_put(row, "sip_ports", row_of_ports(options));
	row_put_number(row, "threshold_ms", keeper_threshold_ns(subject->keeper) / NS_PER_MS);
	row_put_number(row, "paths", keeper_kept(subject->keeper));
	row_put_number(row, "paths_max", attach_paths_max(options->attachment));
}

static void put_routing(struct row *row, const struct control_options *options, uint64_t now_ns)
{
	const struct control_routing routing = options->routing(options->context);

	put_cluster(row, options->cluster);
	row_put_number(row, "nodes", routing.nodes);
	row_put_number(row, "locations", routing.locations);
	row_put_flag(row, "following", routing.following);
	if (routing.following || routing.lost_ns == 0)
		row_put_null(row, "lost_ago_ms");
	else
		row_put_ms_between(row, "lost_ago_ms", routing.lost_ns, now_ns);
}

enum command_result commands_status(const struct subject *subject, struct progress *progress,
				    json_t **out)
{
	struct row row = row_begin();

	row_put_word(&row, "version", SIPPATH_VERSION);
	row_put_ms_between(&row, "uptime_ms", subject->started_ns, progress->now_ns);
	row_put_word(&row, "role", subject->keeper ? "agent" : "call-control");
	if (subject->keeper) {
		put_keeping(&row, subject);
		put_membership(&row, &subject->options);
	} else {
		put_routing(&row, &subject->options, progress->now_ns);
	}
	*out = row_end(&row);
	return commands_with_row(*out, COMMAND_LAST_ROW);
}

enum command_result commands_stats(const struct subject *subject, struct progress *progress,
				   json_t **row)
{
	uint64_t kernel[KERNEL_COUNTER_MAX] = { 0 };
	size_t kept = 0;
	int map, error;

	if (subject->keeper) {
		map = attach_map(subject->options.attachment, SIPPATH_MAP_COUNTERS);
		error = kernel_counts_read(map, kernel);
		if (error)
			return commands_refuse(progress, "cannot read " SIPPATH_MAP_COUNTERS ": %s",
					       strerror(-error));
		kept = keeper_kept(subject->keeper);
	}
	*row = rows_counts(kernel, subject->options.counts, kept);
	return commands_with_row(*row, COMMAND_LAST_ROW);
}

/* True for those about paths, which an agent alone keeps. */
static bool needs_agent(const struct command *command)
{
	static command_step *const steps[] = {
		commands_paths,  commands_path,   commands_bindings,
		commands_events, commands_prompt, commands_threshold
	};

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		if (command->step == steps[i])
			return true;
	}
	return false;
}

enum command_result commands_step(const struct command *command, const struct subject *subject,
				  struct progress *progress, json_t **row)
{
	if (!subject->keeper && needs_agent(command))
		return commands_refuse(progress, "this is a call control server: it keeps no "
						 "paths; ask an agent");
	return command->step(subject, progress, row);
}

#define COMMAND_ENTRY(name, argument, help) { #name, argument, commands_##name },

static const struct command commands[] = { CONTROL_COMMANDS(COMMAND_ENTRY) };

const struct command *commands_find(const char *name)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	}
	return NULL;
}
