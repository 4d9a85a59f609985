/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mend_world.h - an agent from under which things are taken, and what attach_mend() makes of it. */
#ifndef TESTS_UNIT_MEND_WORLD_H
#define TESTS_UNIT_MEND_WORLD_H

#include "attach_world.h"

/* Mends, and catches what is said of it. */
static inline struct attach_repair mend(struct attachment *attachment)
{
	struct attach_repair repair;
	int memory, before = listen_begin(&memory), err = attach_mend(attachment, &repair);

	listen_end(memory, before);
	assert_int_equal(repair.count, 1);
	assert_int_equal(err, repair.found[0].error ? repair.found[0].error : repair.shared.error);
	return repair;
}

static inline void assert_well(struct attachment *attachment)
{
	struct attach_repair repair = mend(attachment);

	assert_int_equal(repair.found[0].missing, 0);
	assert_int_equal(repair.shared.missing, 0);
	assert_string_equal(said, "");
}

static inline void assert_mended(struct attachment *attachment, uint32_t parts,
				 uint32_t shared_parts)
{
	struct attach_repair repair = mend(attachment);

	assert_int_equal(repair.found[0].missing, parts);
	assert_int_equal(repair.found[0].mended, parts);
	assert_int_equal(repair.shared.missing, shared_parts);
	assert_int_equal(repair.shared.mended, shared_parts);
	assert_string_not_equal(said, "");
	assert_well(attachment);
}

/* Is left, and is said the first time only. */
static inline void assert_left(struct attachment *attachment, uint32_t parts, int error,
			       const char *why)
{
	struct attach_repair repair = mend(attachment);

	assert_int_equal(repair.found[0].missing & ~repair.found[0].mended, parts);
	assert_int_equal(repair.found[0].error, error);
	assert_said(why);
	repair = mend(attachment);
	assert_int_equal(repair.found[0].missing & ~repair.found[0].mended, parts);
	assert_string_equal(said, "");
}

static inline struct attachment *agent_of(const char *interface, enum attach_mode mode)
{
	const char *const interfaces[] = { interface };
	struct attach_options options = options_for(interfaces, 1);

	set_up("v0", "p0");
	set_up("v1", "p1");
	options.agent = true;
	options.mode = mode;
	return must_open(&options);
}

#endif
