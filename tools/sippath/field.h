/* SPDX-License-Identifier: GPL-2.0-or-later */
/* field.h - the value of a row's member, as people read it. */
#ifndef SIPPATH_FIELD_H
#define SIPPATH_FIELD_H

#include <jansson.h>
#include <stddef.h>

/* No value that has to be made is longer; what is longer is cut. */
#define FIELD_VALUE_MAX 256

/* How the value of a member is shown. */
enum field_kind {
	FIELD_TEXT, /* as it stands; yes or no */
	FIELD_NUMBER,
	FIELD_MS, /* milliseconds, as people say them */
	FIELD_US,
	FIELD_WHY, /* of a path: why it is or is not prompted, and whether it can be read */
	FIELD_ABOUT, /* of a binding: what its kind alone knows */
	FIELD_SERVICE, /* of a node: whether new calls go to it */
};

struct field {
	const char *title; /* of its column */
	const char *name; /* of the member; NULL if the kind needs several */
	enum field_kind kind;
};

/* The value as text, "-" if it is null or not there. "buffer" holds what has to be made. */
const char *field_value(const json_t *row, const struct field *field, char buffer[FIELD_VALUE_MAX]);

#endif
