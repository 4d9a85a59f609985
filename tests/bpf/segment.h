/* SPDX-License-Identifier: GPL-2.0-or-later */
/* segment.h - TCP segments for the programs. */
#ifndef TESTS_BPF_SEGMENT_H
#define TESTS_BPF_SEGMENT_H

#include <linux/bpf.h>
#include <linux/pkt_cls.h>

#include "kernel.h"

#define SEQUENCE 0xfffffff0 /* wraps around within any message */

/* A TCP segment from the device. */
static inline struct frame_plan segment_plan(struct flow flow)
{
	struct frame_plan plan = frame_plan(frame_tcp(flow), SIGHTING_FROM_DEVICE);

	plan.tcp_sequence = SEQUENCE;
	return plan;
}

/* Sends it the way the plan says, with the verdict that everything passes. */
static inline void pass(struct kernel *kernel, const struct frame_plan *plan, const void *payload,
			size_t length)
{
	static struct frame frame;

	frame_build(&frame, plan, payload, length);
	if (plan->direction == SIGHTING_FROM_DEVICE)
		assert_int_equal(kernel_ingress(kernel, &frame), XDP_PASS);
	else
		assert_int_equal(kernel_egress(kernel, &frame, SIPPATH_MARK_DEFAULT),
				 TC_ACT_UNSPEC);
}

#endif
