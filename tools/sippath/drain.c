/* SPDX-License-Identifier: GPL-2.0-or-later */
/* drain.c - "sippath drain [on|off]": says whether new calls come to this proxy, or sets it. */
#include <stdio.h>

#include "document.h"

static enum exit_status write_drain(const json_t *row)
{
	bool draining = json_is_true(json_object_get(row, "draining"));

	puts(draining ? "draining: no new calls come here, and paths are kept until they end"
		      : "serving: new calls come here");
	return STATUS_DONE;
}

enum exit_status drain_run(const struct invocation *invocation)
{
	return document_print(invocation, "value", invocation->arguments[0], write_drain);
}
