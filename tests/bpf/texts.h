/* SPDX-License-Identifier: GPL-2.0-or-later */
/* texts.h - payloads drawn by chance: SIP of all kinds, what is nearly SIP, and what is not. */
#ifndef TESTS_BPF_TEXTS_H
#define TESTS_BPF_TEXTS_H

#include <stddef.h>
#include <stdint.h>

#include "chance.h"

/* The token of a prompt: one of a few, so that answers find their prompts. */
uint64_t texts_token(struct chance *chance);

/* Draws a payload of at most "room" bytes, and returns its length. */
size_t texts_draw(struct chance *chance, char *bytes, size_t room);

#endif
