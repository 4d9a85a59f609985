/* SPDX-License-Identifier: GPL-2.0-or-later */
/* threshold.c - "sippath threshold [TIME]": says the idle threshold, or sets it. */
#include <stdio.h>

#include "document.h"

static enum exit_status write_threshold(const json_t *row)
{
	static const struct field field = { "threshold", "threshold_ms", FIELD_MS };

	document_write_fields(row, &field, 1);
	return STATUS_DONE;
}

enum exit_status threshold_run(const struct invocation *invocation)
{
	return document_print(invocation, "value", invocation->arguments[0], write_threshold);
}
