/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * share_clock.h - how far the clock of the cluster is away from our monotonic one.
 *
 * Each beat tells what the Redis server's clock said at some time between our asking and its
 * answer. What is believed moves only if that contradicts it, or is more exact: so slow answers,
 * however many, take nothing from what quick ones have told.
 */
#ifndef AGENT_CLUSTER_SHARE_CLOCK_H
#define AGENT_CLUSTER_SHARE_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The clock has stepped if it is suddenly that far from where it was. */
#define SHARE_CLOCK_STEP_MS 1000

struct share_clock {
	int64_t offset_ms; /* cluster minus monotonic */
	int64_t round_ms; /* it is at most half of this wrong */
	bool learnt; /* from any server */
	bool sure; /* from the one that is connected now */
};

/*
 * The cluster's clock said "cluster_ms" between sent_ns and received_ns of ours. Returns by how many
 * ms the clock has stepped; 0 if it has not, or has not been known before.
 */
int64_t share_clock_learn(struct share_clock *clock, uint64_t cluster_ms, uint64_t sent_ns,
			  uint64_t received_ns);

/* The connection was lost: the next sample may be of another server's clock. */
void share_clock_doubt(struct share_clock *clock);

/* CLOCK_MONOTONIC as the clock of the cluster, and back; a time before either began is 0. */
uint64_t share_clock_to_ms(const struct share_clock *clock, uint64_t at_ns);
uint64_t share_clock_to_ns(const struct share_clock *clock, uint64_t at_ms);

#endif
