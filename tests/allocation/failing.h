/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * failing.h - memory that runs out once, at each place in turn.
 *
 * A place is the function that allocates, and those that have called it. Each process lets one
 * allocation fail: the first that has not failed before in any of them, be it the first at its
 * place or a later one, where tables grow and something is there already.
 */
#ifndef TESTS_ALLOCATION_FAILING_H
#define TESTS_ALLOCATION_FAILING_H

#include <stdbool.h>
#include <stddef.h>

/*
 * From here on allocations fail in the processes that this one starts; -errno if they cannot.
 * Coarsely, a place is the function alone, whoever has called it: for tests that take long.
 */
int failing_begin(bool coarsely);

/* The next process has its failure before it. */
void failing_rearm(void);

/* True if an allocation has failed since. */
bool failing_happened(void);

/* How many allocations have failed in all. */
size_t failing_count(void);

/* Prints the callers of the allocation that failed last, each line after "before". */
void failing_say(const char *before);

#endif
