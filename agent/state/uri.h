/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * uri.h - when two SIP URIs are one (RFC 3261 section 19.1.4, as far as registrars go).
 *
 * The user part counts exactly, everything else without regard to case; a port
 * that is missing equals none that is written. Parameters stand in the order in
 * which they were written: a registrar hands back what it was given. A ";" or "?"
 * in front of the "@" belongs to the user (trap 29).
 */
#ifndef AGENT_STATE_URI_H
#define AGENT_STATE_URI_H

#include <stdbool.h>

#include "base/span.h"

bool uri_equal(struct span a, struct span b);

/* Writes the form that all equal URIs share to "out", which has room for uri.length bytes. */
struct span uri_fold(struct span uri, char *out);

#endif
