/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * account.h - a world's own account of what the agent must never do.
 *
 * It knows nothing of the agent's counters: it sees each prompt leave, and each packet that
 * a device's mapping lets through. A breach is counted, and the first of each kind is said.
 */
#ifndef TESTS_SIM_ACCOUNT_H
#define TESTS_SIM_ACCOUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "keep/pacer.h"
#include "keep/policy.h"
#include "keep/wheel.h"
#include "seam.h"

/* X(name, what has happened) */
#define BREACHES(X) \
	X(too_quiet, "a path was quiet for longer than its threshold and the answer window") \
	X(unbound, "a prompt went to a path without a binding") \
	X(unopened, "a prompt went to a flow that sip_paths does not have") \
	X(two_at_once, "a prompt was sent while another one was outstanding on its path") \
	X(repeated_often, "a prompt was sent more than three times") \
	X(too_early, "a path was prompted before its threshold") \
	X(burst, "more prompts left within 10 ms than the pacer promises") \
	X(miscounted, "the agent's bindings are not those that the server has granted")

#define BREACH_ENUM_(name, text) BREACH_##name,

enum breach { BREACHES(BREACH_ENUM_) BREACH_MAX };

#undef BREACH_ENUM_

/* No prompt is sent more often: said here again, so that the agent cannot change it alone. */
#define ACCOUNT_SENDINGS_MAX 3

/* A stamp may be one kernel tick old, and a path is looked at one wheel tick late. */
#define ACCOUNT_LATENESS_NS (2 * SEAM_TICK_NS + 2 * WHEEL_TICK_NS)

/* The latest prompt on a mapping, and the losses it met. */
struct account_prompt {
	uint64_t token, first_ns, sent_ns;
	unsigned int sendings, losses;
};

/* What the account knows of a mapping of some device's NAT. */
struct account_side {
	uint64_t threshold_ns;
	uint64_t rtt_ns; /* of its device */
	uint64_t heard_ns; /* when the device was heard last */
	bool excused; /* nothing can come until the device speaks: it is dead, or gave no answer */
	struct account_prompt prompt;
};

/* What left within 10 ms; so many of these are remembered, which is more than three horizons. */
#define ACCOUNT_SLOT_NS (10 * NS_PER_MS)
#define ACCOUNT_SLOTS 1024

struct account_slot {
	uint32_t prompts; /* first sendings */
	bool late; /* one of them had waited for as long as the pacer lets anybody wait */
};

struct account {
	uint64_t breaches[BREACH_MAX];
	uint64_t prompts, repeats, lost, given_up;
	uint64_t latest_late_ns; /* by how much the longest silence was longer than its threshold */
	uint64_t latest_late_lossless_ns; /* of those that met no loss and no interruption */
	uint64_t interrupted_ns, resumed_ns; /* when the agent or its host last stood still */
	size_t missed; /* paths that were due before, and may have missed their turns */
	double rate; /* prompts per second that the pacer may send */
	struct account_slot slots[ACCOUNT_SLOTS];
	uint64_t slot; /* the latest one */
	uint32_t most_calm, most; /* within any 10 ms: while the horizon sufficed, and ever */
};

/* Counts a breach, and says the first of its kind. */
void account_breach(struct account *account, enum breach breach, uint64_t now_ns);

/*
 * The device was heard at now_ns, or is only looked at. "bound_until" is when the last of the
 * bindings ends that the mapping has, or has had since the device was heard.
 */
void account_heard(struct account *account, struct account_side *side, uint64_t bound_until_ns,
		   uint64_t now_ns);
void account_look(struct account *account, const struct account_side *side, uint64_t bound_until_ns,
		  uint64_t now_ns);

/* A prompt leaves; "bound" if the mapping has a binding now. */
void account_send(struct account *account, struct account_side *side, uint64_t token, bool bound,
		  uint64_t now_ns);

/* The prompt, or its answer, is lost on the way. */
void account_lose(struct account *account, struct account_side *side);

/* The agent or its host stood still until now_ns; so many paths were due before that. */
void account_interrupt(struct account *account, uint64_t from_ns, uint64_t now_ns, size_t missed);

/* True if the device was quiet for its threshold, and no prompt is outstanding. */
bool account_is_due(const struct account_side *side, uint64_t now_ns);

/* So many paths are kept, each due once per threshold: what the pacer may make of it. */
void account_kept(struct account *account, size_t kept, uint64_t threshold_ns);

/* Says on TAP's comment lines what has been; true if nothing was breached. */
bool account_say(const struct account *account);

#endif
