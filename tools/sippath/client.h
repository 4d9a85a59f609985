/* SPDX-License-Identifier: GPL-2.0-or-later */
/* client.h - asks the agent one thing and hands on the rows of its answer. */
#ifndef SIPPATH_CLIENT_H
#define SIPPATH_CLIENT_H

#include <jansson.h>

#include "command.h"

/* Called with each row as it comes; false ends the answer early, as if it had been whole. */
typedef bool client_row_handler(void *context, const json_t *row);

/*
 * Sends one request of include/control.h; "value" may be NULL for a command without
 * argument. STATUS_FAILED after one line on standard error: the agent cannot be
 * reached, refuses, or ends in the middle.
 */
enum exit_status client_ask(const struct invocation *invocation, const char *argument,
			    const char *value, client_row_handler *handler, void *context);

/*
 * The same for a command whose answer has no end: waits for rows, however long it takes,
 * until the handler or whoever reads our output has had enough.
 */
enum exit_status client_listen(const struct invocation *invocation, client_row_handler *handler,
			       void *context);

#endif
