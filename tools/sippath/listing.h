/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * listing.h - prints rows as they come: as a table for people, or as one JSON array.
 *
 * If the agent ends in the middle, the JSON array is left open on purpose: half
 * an answer must not pass for a whole one.
 */
#ifndef SIPPATH_LISTING_H
#define SIPPATH_LISTING_H

#include <jansson.h>

#include "command.h"
#include "field.h"
#include "table.h"

/* Asks for the rows of the command and prints them; "none" is said to people if there are none. */
enum exit_status listing_print(const struct invocation *invocation, const struct field *fields,
			       size_t count, const char *none);

/* Prints the elements of an array as a table; -ENOMEM. */
int listing_print_array(const json_t *array, const struct field *fields, size_t count);

#endif
