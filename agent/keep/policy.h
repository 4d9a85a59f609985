/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * policy.h - what to do about a path that is due: a pure decision, and what that
 * decision makes of the path.
 *
 * policy_judge() reads the path, the kernel's entry and the time, and changes
 * nothing; so every rule about when a device is prompted stands, and is tested, in
 * one place.
 *
 *   no entry in the kernel           unknown, never idle (trap 11): look again later
 *   heard within the threshold       wait until last-seen + threshold
 *   exempt                           never prompted, and so never silent: a network that is
 *                                    ignored, or nat = auto and the device behind none
 *   quiet for the threshold, and     wait until then: whoever must refresh by then does, or
 *   no binding outlives what the     is gone
 *   NAT remembers
 *   quiet for the threshold          prompt
 *   prompt unanswered for 1 s, 2 s   the same prompt again (3 sendings in all)
 *   2 s after the last sending       silent: looked at every threshold, prompted
 *                                    once at growing distances (trap 15), of 10 minutes at most
 *
 * Where nobody could have seen the answer, for want of the programs or of the agent, the prompt
 * does not count as unanswered. Another one waits until that answer could have come (2 s); and
 * until a threshold is over, once the NAT has forgotten the device.
 *
 * What was accepted by the server need not be there: whoever can register can do so with the
 * source address of somebody else (trap 44). So a path has to earn its prompts:
 *
 *   not heard since it was opened    after the first two prompts distances of 10 minutes and
 *                                    more, up to an hour
 *   no prompt answered yet           what the device says of its own accord may be somebody
 *                                    else's: it is then prompted once, not 3 times, and what
 *                                    went unanswered before counts on; but each threshold over
 *                                    which it keeps its path itself makes up for one prompt
 *
 * A NAT is taken to remember a path for the threshold and a quarter of it, which is the time
 * for the answer: 24 s and 6 s. So what the session adds to the threshold only ever makes it
 * longer, and nothing that is computed prompts more often than was configured (trap 4).
 *
 * Where the method is CRLF no answer is expected: one sending every threshold, for as long as
 * the device was heard within two hours; that is twice the usual lifetime of a registration (RFC
 * 3261 section 10.2), so whoever is there has refreshed it. Then one in 10 minutes, even if the
 * registration lasts for a day. The path is silent unless the device speaks.
 *
 * A TCP connection is never prompted by us. The kernel probes it after a threshold, and again
 * every quarter of one; the answers are stamped like everything else:
 *
 *   heard since the first probe      live
 *   a probe unanswered               awaiting
 *   two probes unanswered            silent
 *
 * Anything the device sends counts, not only the answer to the prompt (trap 22);
 * only what the device sends counts (trap 1).
 */
#ifndef AGENT_KEEP_POLICY_H
#define AGENT_KEEP_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/counts.h"
#include "path_entry.h"
#include "state/path.h"

/* A path is due after so long without a packet from the device; RFC 5626 4.4.2 says 24-29 s. */
#define POLICY_THRESHOLD_DEFAULT_NS (24 * UINT64_C(1000000000))

/* Below this a threshold is obeyed with a warning (trap 4, RFC 8085 section 3.5). */
#define POLICY_THRESHOLD_POLITE_NS (15 * UINT64_C(1000000000))

/* Sendings of one prompt to a path that has been answering; a silent one gets 1, as does CRLF. */
#define POLICY_TRIES_MAX 3

/*
 * How long an answer is waited for: after the first of several sendings, and after
 * every other one. With the default threshold all three sendings leave within the
 * 30 s that a NAT may give (trap 2), unless the first had to wait for its turn
 * (keep/pacer.h): then at least the first two do.
 */
#define POLICY_REPEAT_FIRST_NS (1 * UINT64_C(1000000000))
#define POLICY_REPEAT_NEXT_NS (2 * UINT64_C(1000000000))

/* A silent path is prompted at least so often, or once per threshold if that is longer. */
#define POLICY_BACKOFF_MAX_NS (600 * UINT64_C(1000000000))

/* So often at least one that was not heard since it was opened. */
#define POLICY_UNHEARD_MAX_NS (3600 * UINT64_C(1000000000))

/* Where no answer is expected, prompts become rare when the device was not heard for so long. */
#define POLICY_CRLF_TRUST_NS (7200 * UINT64_C(1000000000))

struct policy {
	uint64_t coarse_lag_ns; /* see clock_coarse_lag_ns(): a stamp may be that much too old */
	/*
	 * The host was suspended until then, 0 for never: a device that has not been heard since is
	 * quiet (trap 12). Connections are probed by the kernel's own clock, which slept, too.
	 */
	uint64_t woke_ns;
};

enum policy_action {
	POLICY_WAIT, /* look again at again_ns */
	POLICY_PROMPT, /* a new prompt; look again at again_ns */
	POLICY_REPEAT, /* the outstanding prompt once more; look again at again_ns */
};

struct policy_verdict {
	enum policy_action action;
	uint64_t again_ns;
	enum path_health health; /* the path's from now on; a silent one is so until it is heard */
	bool answered; /* the outstanding prompt was answered, or made needless by traffic */
	bool unanswered; /* the outstanding prompt is given up */
	uint32_t avoided; /* prompts, one each threshold, that traffic has made needless since */
	uint64_t spared_ns; /* the path's from now on */
	enum path_note note; /* why */
};

/*
 * When the NAT of a path will have forgotten a device that was last heard at heard_ns: its
 * threshold later and a quarter of that, in which a prompt is answered. 24 s make 30 s.
 */
uint64_t policy_forgotten_ns(const struct path *path, uint64_t heard_ns);

/*
 * Judges a path at now_ns by its entry of sip_paths (NULL if the map has none) and, for a
 * TCP connection, of sip_connections (NULL if nothing is known of it). Whatever has ended
 * is off the path already.
 */
struct policy_verdict policy_judge(const struct policy *policy, const struct path *path,
				   const struct path_entry *entry,
				   const struct connection_entry *connection, uint64_t now_ns);

/*
 * Makes the path, and the counters, what a verdict says: last-seen, health, note, the
 * outstanding prompt's end, failures in a row, prompts avoided, and a newly seen
 * answer with its status and round-trip time. The entry is the one that was judged,
 * or NULL. Every verdict is applied, before prompter_begin() replaces the
 * prompt that it is about.
 *
 * An answer counts once, by its token, even if it came after its prompt was given
 * up. The round-trip time is taken from prompts that were sent once only, since
 * nobody knows which sending an answer belongs to (Karn's rule).
 */
void policy_apply(struct path *path, const struct path_entry *entry,
		  const struct policy_verdict *verdict, struct counts *counts);

#endif
