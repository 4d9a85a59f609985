/* SPDX-License-Identifier: GPL-2.0-or-later */
/* warden_world.h - what a warden would do to the kernel, noted instead, for test_warden.c. */
#ifndef TESTS_UNIT_WARDEN_WORLD_H
#define TESTS_UNIT_WARDEN_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <errno.h>
#include <sys/types.h>
#include <unistd.h>

#include "base/clock.h"
#include "kernel/attach.h"
#include "kernel/connection_hook.h"
#include "kernel/keepalive.h"

#define PROGRAM 4711

struct attachment {
	int nothing;
};

/* What the warden has done, and what it is to meet. */
static struct notes {
	pid_t mended_by;
	uint64_t threshold_ns;
	unsigned int mended, visited, kept, closed, left;
	uint64_t mended_ns[3]; /* when, the first few times */
	volatile bool held_up; /* until it is told otherwise */
} * notes;

static struct attachment attachment;

int attach_mend(struct attachment *ours, struct attach_repair *out)
{
	assert_ptr_equal(ours, &attachment);
	while (notes->held_up)
		usleep(1000);
	memset(out, 0, sizeof(*out));
	out->count = 1;
	out->interfaces[0].ingress_id = PROGRAM;
	notes->mended_by = getpid();
	if (notes->mended < sizeof(notes->mended_ns) / sizeof(notes->mended_ns[0]))
		notes->mended_ns[notes->mended] = clock_now_ns();
	notes->mended++;
	return 0;
}

void attach_keep(struct attachment *ours)
{
	assert_ptr_equal(ours, &attachment);
	notes->kept++;
}

void attach_close(struct attachment *ours)
{
	(void)ours;
	notes->closed++;
}

void attach_leave(struct attachment *ours)
{
	(void)ours;
	notes->left++;
}

const struct connection_hook *attach_connection_hook(const struct attachment *ours)
{
	(void)ours;
	return NULL;
}

int connection_hook_visit(const struct connection_hook *hook)
{
	(void)hook;
	notes->visited++;
	return -ESRCH;
}

bool keepalive_works(const struct attachment *ours)
{
	(void)ours;
	return true;
}

int keepalive_set(struct attachment *ours, uint64_t threshold_ns)
{
	(void)ours;
	notes->threshold_ns = threshold_ns;
	return 0;
}

#endif
