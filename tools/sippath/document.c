/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "document.h"

#include <stdio.h>

#include "client.h"
#include "say.h"

#define TITLE_WIDTH 15

struct document {
	bool json;
	document_writer *writer;
	enum exit_status status;
	bool printed;
};

static bool take_row(void *context, const json_t *row)
{
	struct document *document = context;

	if (document->json) {
		json_dumpf(row, stdout, DOCUMENT_FORMAT);
		putchar('\n');
	} else {
		document->status = document->writer(row);
	}
	document->printed = true;
	return true;
}

enum exit_status document_print(const struct invocation *invocation, const char *argument,
				const char *value, document_writer *writer)
{
	struct document document = { .json = invocation->json, .writer = writer };
	enum exit_status status;

	status = client_ask(invocation, argument, value, take_row, &document);
	if (status != STATUS_DONE)
		return status;
	if (!document.printed)
		return say(STATUS_FAILED, "the agent answered nothing: are the versions alike?");
	return document.status;
}

void document_write_fields(const json_t *row, const struct field *fields, size_t count)
{
	char buffer[FIELD_VALUE_MAX];

	for (size_t i = 0; i < count; i++)
		printf("%-*s %s\n", TITLE_WIDTH, fields[i].title,
		       field_value(row, &fields[i], buffer));
}
