/* SPDX-License-Identifier: GPL-2.0-or-later */
/* told.h - a share that writes down what the agent tells the cluster. */
#ifndef TESTS_SIM_TOLD_H
#define TESTS_SIM_TOLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cluster/share_parts.h"

#define TOLD_MAX 4096

/* What was told of one device, and still stands. */
struct told_location {
	char aor[64];
	char device[64];
	uint8_t kind;
	uint8_t health;
	uint64_t seen_ns;
	struct flow flow;
};

struct told {
	struct share share; /* first */
	struct told_location locations[TOLD_MAX];
	size_t count;
	uint64_t puts, drops;
	uint64_t epoch; /* that is wanted; 0 for none */
	uint64_t announced; /* the latest one that was told to the end */
	size_t room; /* for further reports */
};

/* One that has room for everything and wants nothing anew. */
void told_begin(struct told *told);

/* What stands of a kind and an AOR; NULL if nothing does. */
const struct told_location *told_of(const struct told *told, uint8_t kind, const char *aor);

#endif
