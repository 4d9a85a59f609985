/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mutations.h - what bit errors, liars and other protocols make of a frame. */
#ifndef TESTS_BPF_MUTATIONS_H
#define TESTS_BPF_MUTATIONS_H

#include "chance.h"
#include "frame.h"

/*
 * Within these bounds the kernel runs both programs on a frame, and in one piece. A mutation
 * leaves no frame shorter, and makes none longer.
 */
#define MUTATIONS_LENGTH_MIN 15
#define MUTATIONS_LENGTH_MAX 3400

/* Changes the frame in one to three ways. */
void mutations_draw(struct chance *chance, struct frame *frame);

#endif
