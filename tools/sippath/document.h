/* SPDX-License-Identifier: GPL-2.0-or-later */
/* document.h - prints the one row of a command that answers with one document. */
#ifndef SIPPATH_DOCUMENT_H
#define SIPPATH_DOCUMENT_H

#include <jansson.h>

#include "command.h"
#include "field.h"

/* How JSON is printed: nothing in a name steers the terminal that it may come to. */
#define DOCUMENT_FORMAT (JSON_COMPACT | JSON_ENSURE_ASCII)

/* Says the row to people; an error status after one line if that fails. */
typedef enum exit_status document_writer(const json_t *row);

/*
 * Asks for the row and prints it, as JSON or by the writer. "value" may be NULL, as
 * in client_ask().
 */
enum exit_status document_print(const struct invocation *invocation, const char *argument,
				const char *value, document_writer *writer);

/* Prints members, one on a line, their titles in front. */
void document_write_fields(const json_t *row, const struct field *fields, size_t count);

#endif
