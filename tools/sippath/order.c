/* SPDX-License-Identifier: GPL-2.0-or-later */
/* order.c - "sippath order NODE WHAT [FLOW]": tells a node of the set what to do. */
#include <stdio.h>

#include "arguments.h"
#include "document.h"

static enum exit_status write_order(const json_t *row)
{
	printf("told %s to %s\n", json_string_value(json_object_get(row, "node")),
	       json_string_value(json_object_get(row, "order")));
	return STATUS_DONE;
}

enum exit_status order_run(const struct invocation *invocation)
{
	char order[ARGUMENT_MAX];
	enum exit_status status = arguments_join(invocation, order);

	if (status != STATUS_DONE)
		return status;
	return document_print(invocation, "order", order, write_order);
}
