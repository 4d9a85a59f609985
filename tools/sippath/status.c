/* SPDX-License-Identifier: GPL-2.0-or-later */
/* status.c - "sippath status": what the agent watches and how it is; or call control. */
#include <stdio.h>
#include <string.h>

#include "document.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct field fields[] = {
	{ "version", "version", FIELD_TEXT },
	{ "running for", "uptime_ms", FIELD_MS },
	{ "threshold", "threshold_ms", FIELD_MS },
	{ "paths", "paths", FIELD_NUMBER },
	{ "paths at most", "paths_max", FIELD_NUMBER },
	{ "TCP keepalive", "tcp_keepalive", FIELD_TEXT },
};

static const struct field cluster_fields[] = {
	{ "cluster", "cluster", FIELD_TEXT },
	{ "node", "node", FIELD_TEXT },
	{ "in reach", "reachable", FIELD_TEXT },
	{ "draining", "draining", FIELD_TEXT },
};

static const struct field routing_fields[] = {
	{ "version", "version", FIELD_TEXT },      { "role", "role", FIELD_TEXT },
	{ "running for", "uptime_ms", FIELD_MS },  { "cluster", "cluster", FIELD_TEXT },
	{ "nodes", "nodes", FIELD_NUMBER },        { "locations", "locations", FIELD_NUMBER },
	{ "up to date", "following", FIELD_TEXT },
};

static const char *text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text ? text : "-";
}

static void write_ports(const json_t *ports)
{
	const json_t *port;
	size_t i;

	printf("%-15s", "SIP ports");
	json_array_foreach(ports, i, port)
		printf(" %" JSON_INTEGER_FORMAT, json_integer_value(port));
	putchar('\n');
}

static void write_interface(const json_t *interface)
{
	bool found = strcmp(text_of(interface, "attached"), "found") == 0;

	printf("%-15s %s: XDP %s, %s\n", "interface", text_of(interface, "name"),
	       text_of(interface, "mode"),
	       found ? "was attached before the agent started" : "attached by the agent");
}

static void write_agent(const json_t *row)
{
	const json_t *interface;
	size_t i;

	document_write_fields(row, fields, COUNT(fields));
	write_ports(json_object_get(row, "sip_ports"));
	json_array_foreach(json_object_get(row, "interfaces"), i, interface)
		write_interface(interface);
	if (json_is_string(json_object_get(row, "cluster")))
		document_write_fields(row, cluster_fields, COUNT(cluster_fields));
	if (json_is_false(json_object_get(row, "watching")))
		puts("Packets pass unseen, so nobody is prompted: see \"sippath check\".");
}

static void write_routing(const json_t *row)
{
	static const struct field lost = { "lost", "lost_ago_ms", FIELD_MS };
	char ago[FIELD_VALUE_MAX];

	document_write_fields(row, routing_fields, COUNT(routing_fields));
	if (json_is_true(json_object_get(row, "following")))
		return;
	if (json_is_integer(json_object_get(row, lost.name)))
		printf("The cluster got out of reach %s ago: calls are routed by what was known "
		       "then.\n",
		       field_value(row, &lost, ago));
	else
		puts("The cluster has not been read yet: nobody is known, so no calls are routed.");
}

static enum exit_status write_status(const json_t *row)
{
	if (strcmp(text_of(row, "role"), "call-control") == 0)
		write_routing(row);
	else
		write_agent(row);
	return STATUS_DONE;
}

enum exit_status status_run(const struct invocation *invocation)
{
	return document_print(invocation, NULL, NULL, write_status);
}
