/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pacer.h - spreads prompts, so that many paths due at one time make no burst (trap 9).
 *
 * The first sending of every prompt asks for its turn; repeats do not, since their
 * first sendings were spread already. Turns are at least 1/rate apart; the rate is 1.4 times
 * what the kept paths need on average, and at least PACER_RATE_FLOOR. Paths become due wheel
 * tick by wheel tick, so that within 10 ms there may be two ticks' more turns: twice the mean.
 *
 * No turn lies more than PACER_HORIZON_NS ahead, because a phone that is prompted too
 * late is lost, and a burst is only impolite: trap 2 comes before trap 9. With the
 * default threshold of 24 s the latest turn leaves 3 s of the 30 s that a NAT may give
 * to lateness and answer. Where more ask than fit, the turns go through the same window
 * once more, between those given before: it becomes denser evenly, and only as dense as
 * need be.
 *
 * A path whose turn is later is put back on the wheel for that time and is then judged
 * again, since it may have spoken meanwhile; path->turns says that it has
 * its turn and need not ask for another one. Turns that an agent has slept through come all at
 * one time. They are taken, because of trap 2, except by paths that have been quiet for longer
 * than a NAT remembers: they have nothing to lose, and ask once more.
 *
 * When the transmit queue of this host is full, turns are twice as far apart, four times if it
 * goes on, and as before once it has had room for a while: what comes in bursts finds no room.
 * The horizon stands all the same.
 */
#ifndef AGENT_KEEP_PACER_H
#define AGENT_KEEP_PACER_H

#include <stdint.h>

#include "base/clock.h"

#define PACER_RATE_FLOOR 500 /* prompts per second */
#define PACER_HORIZON_NS (3 * UINT64_C(1000000000)) /* the longest wait for a turn */
#define PACER_SLOWNESS_MAX 3 /* turns are at most so many times twice as far apart */
#define PACER_CROWDED_NS UINT64_C(1000000000) /* after so long without trouble half as far */

/*
 * All zero before its first pacer_set(). Visible because it is a value that its
 * owner embeds; only pacer.c touches its members.
 */
struct pacer {
	uint64_t next_ns; /* the next turn, unless it lies too far ahead */
	uint64_t gap_ns; /* between two turns, if there is room for what is sent */
	uint64_t crowded_ns; /* when there was last found to be none; 0 for never */
	unsigned int slowness; /* the distance doubled so often */
};

/* What a path with this threshold needs: prompts in a million seconds. */
#define PACER_DEMAND(threshold_ns) (NS_PER_S * 1000000 / (threshold_ns))

/* Sets the distance of turns for paths that together need so many prompts in a million seconds. */
void pacer_set(struct pacer *pacer, uint64_t demand);

/*
 * Reserves the next turn and returns its time: now_ns or earlier if the prompt may leave at
 * once, otherwise when it may, within PACER_HORIZON_NS. Unused turns are lost, except for
 * those of one wheel tick, because paths become due tick by tick.
 */
uint64_t pacer_reserve(struct pacer *pacer, uint64_t now_ns);

/*
 * What was sent at now_ns found no room in this host. What was sent at one time counts once,
 * however many datagrams it was.
 */
void pacer_slow(struct pacer *pacer, uint64_t now_ns);

/*
 * The turn of the n-th of many paths, from 0 on, that can all wait: one after the other from
 * now_ns on, without a horizon. Nothing is reserved.
 */
uint64_t pacer_place(const struct pacer *pacer, uint64_t now_ns, uint64_t n);

/* The same where they cannot wait beyond the horizon, and are "count" at most. */
uint64_t pacer_fit(const struct pacer *pacer, uint64_t now_ns, uint64_t n, uint64_t count);

#endif
