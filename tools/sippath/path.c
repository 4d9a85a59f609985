/* SPDX-License-Identifier: GPL-2.0-or-later */
/* path.c - "sippath path FLOW": one path, its bindings and its entry in the kernel. */
#include <stdio.h>

#include "arguments.h"
#include "bindings.h"
#include "document.h"
#include "say.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct field path_fields[] = {
	{ "flow", "flow", FIELD_TEXT },
	{ "state", "state", FIELD_TEXT },
	{ "health", "health", FIELD_TEXT },
	{ "kept by", "kept_by", FIELD_TEXT },
	{ "why", "why", FIELD_WHY },
	{ "threshold", "threshold_ms", FIELD_MS },
	{ "behind a NAT", "behind_nat", FIELD_TEXT },
	{ "kept for", "opened_ago_ms", FIELD_MS },
	{ "idle", "idle_ms", FIELD_MS },
	{ "due in", "due_in_ms", FIELD_MS },
	{ "prompts sent", "prompts", FIELD_NUMBER },
	{ "answered", "answers", FIELD_NUMBER },
	{ "avoided", "avoided", FIELD_NUMBER },
	{ "last answer", "answer_status", FIELD_NUMBER },
	{ "round trip", "rtt_us", FIELD_US },
};

static const struct field entry_fields[] = {
	{ "  heard", "last_seen_ago_ms", FIELD_MS },
	{ "  packets in", "packets_in", FIELD_NUMBER },
	{ "  sent to", "last_sent_ago_ms", FIELD_MS },
	{ "  packets out", "packets_out", FIELD_NUMBER },
	{ "  prompted", "prompt_ago_ms", FIELD_MS },
	{ "  prompts", "prompts", FIELD_NUMBER },
	{ "  answered", "answer_ago_ms", FIELD_MS },
	{ "  answers", "answers", FIELD_NUMBER },
};

static enum exit_status write_path(const json_t *row)
{
	const json_t *entry = json_object_get(row, "entry");
	json_int_t omitted = json_integer_value(json_object_get(row, "bindings_omitted"));

	document_write_fields(row, path_fields, COUNT(path_fields));
	if (json_is_object(entry)) {
		puts("\nin the kernel, in sip_paths (times are ago)");
		document_write_fields(entry, entry_fields, COUNT(entry_fields));
	} else {
		puts("\nin the kernel there is no entry for it");
	}
	putchar('\n');
	if (bindings_print_array(json_object_get(row, "bindings")))
		return say(STATUS_FAILED, "out of memory");
	if (omitted > 0)
		printf("and %" JSON_INTEGER_FORMAT " more: see sippath bindings\n", omitted);
	return STATUS_DONE;
}

enum exit_status path_run(const struct invocation *invocation)
{
	char flow[ARGUMENT_MAX];
	enum exit_status status = arguments_join(invocation, flow);

	if (status != STATUS_DONE)
		return status;
	return document_print(invocation, "flow", flow, write_path);
}
