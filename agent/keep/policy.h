/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * policy.h - what to do about a path that is due: a pure decision.
 *
 * It reads the path, the kernel's entry and the time, and changes nothing; so
 * every rule about when a device is prompted stands, and is tested, in one place.
 *
 *   heard within the threshold       wait until last-seen + threshold
 *   quiet for the threshold          prompt
 *   prompt unanswered for 1 s, 2 s   the same prompt again (3 sendings in all)
 *   2 s after the last sending       silent: looked at every threshold, prompted
 *                                    once at growing distances (trap 15)
 *
 * Anything the device sends counts, not only the answer to the prompt (trap 22);
 * only what the device sends counts (trap 1).
 */
#ifndef AGENT_KEEP_POLICY_H
#define AGENT_KEEP_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#include "path_entry.h"
#include "state/path.h"

/* A path is due after so long without a packet from the device; RFC 5626 4.4.2 says 24-29 s. */
#define POLICY_THRESHOLD_DEFAULT_NS (24 * UINT64_C(1000000000))

/* Below this a threshold is obeyed with a warning (trap 4, RFC 8085 section 3.5). */
#define POLICY_THRESHOLD_POLITE_NS (15 * UINT64_C(1000000000))

/* Sendings of one prompt to a path that has been answering; a silent one gets 1. */
#define POLICY_TRIES_MAX 3

/* A silent path is prompted at least so often. */
#define POLICY_BACKOFF_MAX_NS (600 * UINT64_C(1000000000))

struct policy {
	uint64_t threshold_ns;
	uint64_t coarse_lag_ns; /* see clock_coarse_lag_ns(): a stamp may be that much too old */
};

enum policy_action {
	POLICY_WAIT, /* look again at again_ns */
	POLICY_PROMPT, /* a new prompt; look again at again_ns */
	POLICY_REPEAT, /* the outstanding prompt once more; look again at again_ns */
};

struct policy_verdict {
	enum policy_action action;
	uint64_t again_ns;
	enum path_health health; /* the path's from now on */
	bool answered; /* the outstanding prompt was answered, or made needless by traffic */
	bool unanswered; /* the outstanding prompt is given up */
	bool avoided; /* the path was due, and traffic had made the prompt needless */
};

/* Judges a path at now_ns by its entry of sip_paths. */
struct policy_verdict policy_judge(const struct policy *policy, const struct path *path,
				   const struct path_entry *entry, uint64_t now_ns);

#endif
