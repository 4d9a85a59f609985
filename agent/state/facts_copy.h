/* SPDX-License-Identifier: GPL-2.0-or-later */
/* facts_copy.h - copies facts, and the texts that they point to, into one piece of memory. */
#ifndef AGENT_STATE_FACTS_COPY_H
#define AGENT_STATE_FACTS_COPY_H

#include <stddef.h>

#include "sip/facts.h"

/* How many bytes of text the facts point to. */
size_t facts_copy_text_bytes(const struct facts *facts);

/* How many bytes a copy needs. */
size_t facts_copy_bytes(const struct facts *facts);

/*
 * Writes the copy to "memory", aligned as malloc() does, and returns it. The copy
 * ends after the contacts that there are: never assign it as a whole.
 */
const struct facts *facts_copy(const struct facts *facts, void *memory);

#endif
