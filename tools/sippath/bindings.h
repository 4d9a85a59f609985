/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bindings.h - how bindings are shown, alone or below their path. */
#ifndef SIPPATH_BINDINGS_H
#define SIPPATH_BINDINGS_H

#include <jansson.h>

/* Prints an array of bindings as a table; -ENOMEM. */
int bindings_print_array(const json_t *bindings);

#endif
