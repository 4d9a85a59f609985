/* SPDX-License-Identifier: GPL-2.0-or-later */
/* entries.h - the table behind options.c; nobody else includes it. */
#ifndef AGENT_CONFIG_ENTRIES_H
#define AGENT_CONFIG_ENTRIES_H

#include "config/options.h"

/* Sections of the file. */
#define ENTRIES_SECTION "agent"
#define ENTRIES_SECTION_DIALOGS "dialogs"
#define ENTRIES_SECTION_CLUSTER "cluster"
#define ENTRIES_SECTION_CALLS "call-control"

extern const struct option_entry entries[];
extern const size_t entries_count;

#endif
