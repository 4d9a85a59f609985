/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz.h - what the targets have in common: how they take an input apart, and how they say that
 * something does not hold.
 *
 * A target is one file that defines LLVMFuzzerTestOneInput(). What a target keeps from one input
 * to the next must not change what the next one does: an input that fails must fail alone.
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/span.h"
#include "flow.h"
#include "sip/facts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Ends the process, and the fuzzer keeps the input, if the condition does not hold. */
#define fuzz_demand(condition) ((condition) ? (void)0 : fuzz_fail(__FILE__, __LINE__, #condition))

_Noreturn void fuzz_fail(const char *file, int line, const char *condition);

/* What is left of an input; numbers taken off its end are 0. */
struct fuzz_input {
	const uint8_t *at;
	size_t left;
};

uint8_t fuzz_byte(struct fuzz_input *input);
uint16_t fuzz_number(struct fuzz_input *input);

/* Takes so many bytes, or what there is of them. */
struct span fuzz_bytes(struct fuzz_input *input, size_t length);

/* Takes what stands before the separator, and that off as well; or all there is. */
struct span fuzz_piece(struct fuzz_input *input, const char *separator);

/* Looks at every byte of a span, so that one that leads elsewhere shows. */
void fuzz_touch(struct span span);

/* The same for all that a message says. */
void fuzz_touch_facts(const struct facts *facts);

/* The flow of a device: addresses, ports and transport vary with the number. */
struct flow fuzz_flow(uint8_t number);

/* A piece of memory of just that length, so that a step beyond its end shows; the caller's. */
char *fuzz_copy(struct span bytes);

#endif
