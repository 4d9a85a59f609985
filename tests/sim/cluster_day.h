/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cluster_day.h - a set of proxies in simulated time, and one real Redis server between them.
 *
 * Each node is a real pipeline with a real share, call control is a real view that follows the
 * changes; they are on one loop. Devices, the network and the kernel's maps are simulated, and so
 * are the clocks of bindings and of the cluster. Beats and connections go by real time, which is
 * waited for by conditions only. There is one day at a time.
 *
 *     cluster_day.c          the clock, the devices and what they do
 *     cluster_day_nodes.c    the nodes, and the kernel of each
 *     cluster_day_redis.c    the Redis server, its failures and its figures
 *     cluster_day_audit.c    what must be true at any time
 */
#ifndef TESTS_SIM_CLUSTER_DAY_H
#define TESTS_SIM_CLUSTER_DAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "state/record.h"

#define CLUSTER_DAY_NODES 100

#define CLUSTER_DAY_SECOND NS_PER_S
#define CLUSTER_DAY_MINUTE (60 * CLUSTER_DAY_SECOND)
#define CLUSTER_DAY_HOUR (60 * CLUSTER_DAY_MINUTE)

struct cluster_day;

struct cluster_day_options {
	unsigned int devices; /* of these, each with one registration or two */
	unsigned int twofold_percent; /* two reg-ids, through two nodes */
	unsigned int elsewhere_percent; /* of the re-registrations: through another node */
	unsigned int call_percent; /* of the re-registrations: a call follows */
	unsigned int renew_s; /* between two of a device's REGISTERs */
	unsigned int expires_s;
	uint64_t seed;
};

/* Begins a day with all nodes in the set and all devices registered; cmocka fails the test. */
struct cluster_day *cluster_day_begin(const struct cluster_day_options *options);
void cluster_day_end(struct cluster_day *day);

/*
 * Lets simulated time pass, a step at a time: while Redis is there, what was reported in one step is
 * answered before the next one begins.
 */
void cluster_day_run(struct cluster_day *day, uint64_t duration_ns);

/* Any node that lives. */
size_t cluster_day_any_node(struct cluster_day *day);

/*
 * A node's host stands still and cannot be reached, and its devices notice that sooner or
 * later; then it goes on with what it knew.
 */
void cluster_day_kill_node(struct cluster_day *day, size_t node);
void cluster_day_revive_node(struct cluster_day *day, size_t node);

/* Redis is killed, and started again empty; or it stands still, and goes on. */
void cluster_day_kill_redis(struct cluster_day *day);
void cluster_day_restart_redis(struct cluster_day *day);
void cluster_day_pause_redis(struct cluster_day *day);
void cluster_day_resume_redis(struct cluster_day *day);

/* Waits until call control knows that it cannot know what goes on. */
void cluster_day_wait_for_blindness(struct cluster_day *day);

/*
 * Waits until everything has been reported and told, call control has noticed who is dead, and
 * nothing is wrong; fails the test, and says what is wrong, if that takes too long:
 *
 *   - a device's registration is kept by the node of its latest REGISTER, and by no other one
 *   - nothing that living nodes keep is missing from the view, nor is there anything else of them
 *   - a call is routed through the nodes that the device is registered with, the latest one first,
 *     and not through a dead one
 */
void cluster_day_check(struct cluster_day *day);

/* The same of calls for devices that have not registered since, while Redis is not there. */
void cluster_day_check_last_known(struct cluster_day *day);

/* Says what happened, and what it cost, as comments; registrations by the hour. */
void cluster_day_say(struct cluster_day *day);

#endif
