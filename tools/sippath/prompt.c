/* SPDX-License-Identifier: GPL-2.0-or-later */
/* prompt.c - "sippath prompt FLOW": prompts one path now. */
#include <stdio.h>

#include "arguments.h"
#include "document.h"

static enum exit_status write_prompt(const json_t *row)
{
	printf("prompted %s\n", json_string_value(json_object_get(row, "flow")));
	return STATUS_DONE;
}

enum exit_status prompt_run(const struct invocation *invocation)
{
	char flow[ARGUMENT_MAX];
	enum exit_status status = arguments_join(invocation, flow);

	if (status != STATUS_DONE)
		return status;
	return document_print(invocation, "flow", flow, write_prompt);
}
