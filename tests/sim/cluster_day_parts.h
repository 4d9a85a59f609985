/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cluster_day_parts.h - what the parts of a day share; included by cluster_day*.c only. */
#ifndef TESTS_SIM_CLUSTER_DAY_PARTS_H
#define TESTS_SIM_CLUSTER_DAY_PARTS_H

#include "../unit/redis_world.h"
#include "agenda.h"
#include "cluster/follow.h"
#include "cluster/share.h"
#include "cluster/view.h"
#include "cluster_day.h"
#include "pipeline.h"

/* The port on the outside of its NAT tells which registration of the day a flow is of. */
#define CLUSTER_DAY_FIRST_PORT 20000

#define CLUSTER_DAY_NOWHERE SIZE_MAX

struct cluster_day_node {
	char name[16], uri[40];
	struct counts counts;
	struct share *share;
	struct pipeline *pipeline;
	uint64_t due_ns; /* of the pipeline; 0: at once */
	bool is_dead;
	bool is_joining; /* it was dead, and has not reached the cluster yet */
};

/* One registration of a device: most have one, some a second one through another node. */
struct cluster_day_phone {
	unsigned int device;
	unsigned int reg_id;
	bool has_instance; /* it is known by that and its reg-id, others by their Contact */
	size_t node; /* of the latest REGISTER */
	size_t call_node; /* CLUSTER_DAY_NOWHERE: it is in no call */
	uint64_t registered_ns;
	unsigned int register_cseq;
	unsigned int call_number;
	unsigned int turn; /* of the REGISTERs that are planned only the latest one counts */
	size_t sibling; /* the other registration of the device; CLUSTER_DAY_NOWHERE: none */
};

/* What Redis had to do, over all its restarts. */
struct cluster_day_cost {
	uint64_t scripts, commands, bytes_in, bytes_out;
};

struct cluster_day {
	struct cluster_day_options options;
	struct redis_world redis;
	bool redis_is_gone; /* killed or paused */
	uint64_t outage_ns; /* since when */
	struct cluster_day_cost cost;
	struct ev_loop *loop;
	ev_timer clock_tick;
	uint64_t now_ns; /* CLOCK_MONOTONIC of all nodes */
	uint64_t epoch_ms; /* the clock of the cluster when that is 0 */
	uint64_t random;
	uint32_t branch;
	struct agenda agenda;
	struct cluster_day_node nodes[CLUSTER_DAY_NODES];
	struct cluster_day_phone *phones;
	size_t phone_count;
	struct path_entry *entries; /* of each phone at each node */
	bool *present;
	struct view *view;
	struct follow *follow;
	struct counts counts; /* of call control */
	bool has_followed; /* everything was read once */
	uint64_t begun_ns, real_begun_ns;
	uint64_t died_ms; /* when a node died last, by the clock of the cluster */
	uint64_t marked_ms, marked_ns; /* after that; and the same in real time */
	uint64_t registers, moves, calls, deaths, choices, stranded;
};

/* A number below "limit", and a chance of so many in a hundred. */
uint64_t cluster_day_random(struct cluster_day *day, uint64_t limit);
bool cluster_day_chance(struct cluster_day *day, unsigned int percent);

/* The clock of the cluster. */
uint64_t cluster_day_ms(const struct cluster_day *day);

struct flow cluster_day_flow(size_t node, size_t phone);
size_t cluster_day_phone_of(const struct cluster_day *day, const struct flow *flow);
void cluster_day_write_aor(unsigned int device, char out[40]);

/* A prompt has come to a phone at the end of this flow. */
void cluster_day_prompt(struct cluster_day *day, size_t node, size_t phone);

/* The phones of a node's host notice, sooner or later, that it is dead. */
void cluster_day_desert(struct cluster_day *day, size_t node);

/* cluster_day_nodes.c */
void cluster_day_open_nodes(struct cluster_day *day);
void cluster_day_close_nodes(struct cluster_day *day);
void cluster_day_see(struct cluster_day *day, size_t node, size_t phone, bool from_device,
		     const char *message);
void cluster_day_answer_prompt(struct cluster_day *day, size_t node, size_t phone);

/* Does what is due at every node that lives, and returns when something is due next. */
uint64_t cluster_day_turn(struct cluster_day *day);

/*
 * True if everything that living nodes have reported is answered, and nothing has to be announced;
 * those that are joining count as well if all of them do.
 */
bool cluster_day_is_answered(struct cluster_day *day, bool all);

/* cluster_day_redis.c */
void cluster_day_open_redis(struct cluster_day *day);
void cluster_day_close_redis(struct cluster_day *day);
bool cluster_day_orders_are_read(struct cluster_day *day);

/* Runs the loop, and the nodes, until the condition holds; false if it does not. */
bool cluster_day_wait(struct cluster_day *day, bool (*holds)(struct cluster_day *day));

#endif
