/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * world.h - everything around the pipeline, in simulated time: the kernel's map of
 * paths, the network, the devices and the SIP server.
 *
 * The pipeline itself is the real one; seam.h says where it meets this world. There is
 * one world at a time.
 */
#ifndef TESTS_SIM_WORLD_H
#define TESTS_SIM_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/counts.h"
#include "pipeline.h"
#include "seam.h"

#define WORLD_DEVICES_MAX 20000

#define WORLD_TICK_NS SEAM_TICK_NS

struct world_device {
	struct flow flow;
	char user[16];
	bool elsewhere; /* another host holds the local address of its flow */
	bool answers; /* it answers prompts, after rtt_ns */
	uint64_t rtt_ns;
	uint16_t status; /* of its answers */
	uint64_t talks_every_ns; /* it also speaks by itself this often; 0 for never */
	/* What the device has seen. */
	uint32_t prompts; /* datagrams, repeats included */
	uint64_t spoke_ns; /* when it last sent anything */
	uint64_t first_prompt_ns;
	uint64_t last_prompt_ns;
	uint64_t least_quiet_ns; /* the shortest silence that a first sending ended */
	uint64_t most_quiet_ns; /* and the longest */
	uint64_t last_token;
	uint64_t answer_due_ns, answer_token; /* an answer on its way; CLOCK_NEVER for none */
	uint64_t talk_due_ns;
};

struct world {
	uint64_t now_ns;
	struct counts counts;
	struct pipeline *pipeline;
	struct world_device devices[WORLD_DEVICES_MAX];
	size_t device_count;
	uint64_t datagrams; /* all that left */
	uint64_t per_10ms_most; /* the most that left within one 10 ms of the simulated clock */
	uint64_t slot, slot_datagrams;
	size_t map_room; /* entries that fit; the rest is refused with -E2BIG */
	size_t map_count;
	bool map_stuck; /* neither insertions nor deletions succeed */
	bool address_held; /* this host holds the local addresses */
	bool network_down; /* it takes datagrams and sends none of them */
	uint64_t room_per_10ms; /* it has room for so many datagrams, 0: for all; others it refuses */
	uint64_t refusals; /* for want of room */
	struct flow refused[WORLD_DEVICES_MAX];
	size_t refused_count;
	uint64_t holds_asked; /* how often that was asked before anything was to be sent */
	uint64_t late_ns; /* the agent is told of SIP messages so long after they went by */
	uint32_t cseq;
};

/* Begins a world at an arbitrary time; cmocka fails the test if it cannot. */
struct world *world_begin(uint64_t threshold_ns);
struct world *world_begin_small(uint64_t threshold_ns, uint32_t paths_max);
struct world *world_begin_capped(uint64_t threshold_ns, const struct caps_limits *caps);
struct world *world_begin_sharing(uint64_t threshold_ns, struct share *share);
void world_end(struct world *world);

/* A device number n with its own flow, which answers with 200 after 20 ms. */
struct world_device *world_device(struct world *world);

/*
 * The device's REGISTER, and the server's answer with this status and lifetime. If the
 * agent is told late, the device has not said anything now.
 */
void world_register(struct world *world, struct world_device *device, unsigned int status,
		    unsigned int expires_s);

/* A SIP message is seen going by, as the programs would report it. */
void world_see(struct world *world, const struct flow *flow, bool from_device, const char *message);

/* The device sends a packet of whatever kind. */
void world_speak(struct world *world, struct world_device *device);

/* Lets simulated time pass. */
void world_run(struct world *world, uint64_t duration_ns);

/* The path of a device, NULL if there is none. */
struct path *world_path(const struct world *world, const struct world_device *device);

/* Loses the device's entry of sip_paths. */
void world_lose_entry(struct world *world, const struct world_device *device);

#endif
