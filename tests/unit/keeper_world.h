/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * keeper_world.h - a keeper with one binding on one path, its kernel and its wire replaced by
 * what stands here. Include cmocka first, and include this in one file of a test.
 */
#ifndef TESTS_UNIT_KEEPER_WORLD_H
#define TESTS_UNIT_KEEPER_WORLD_H

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/clock.h"
#include "keep/keeper.h"
#include "kernel/connection_map.h"
#include "kernel/flow_map.h"
#include "kernel/path_map.h"

#define START (1000 * NS_PER_S)
#define HOUR (3600 * NS_PER_S)
#define THRESHOLD (24 * NS_PER_S)
#define DUE (START + THRESHOLD)
#define FORGOTTEN (DUE + THRESHOLD / 4)
#define PATHS_MAX 8
#define TICK (3 * NS_PER_MS) /* the wheel may be so late */

static struct path_entry entry; /* of the one path there is */
static bool has_entry;
static int connection_error; /* of reading sip_connections */
static uint64_t connection_opened_ns; /* what is read there */
static unsigned int sent;

/* --- in place of the kernel's maps and of keep/wire --- */

int path_map_read(int map_fd, const struct flow *flow, struct path_entry *out)
{
	(void)map_fd;
	(void)flow;
	if (!has_entry)
		return -ENOENT;
	*out = entry;
	return 0;
}

int path_map_insert(int map_fd, const struct flow *flow, uint64_t last_seen_ns)
{
	(void)map_fd;
	(void)flow;
	entry = (struct path_entry){ .last_seen_ns = last_seen_ns };
	has_entry = true;
	return 0;
}

int path_map_delete(int map_fd, const struct flow *flow)
{
	(void)map_fd;
	(void)flow;
	has_entry = false;
	return 0;
}

static struct flow swept; /* the one flow that a sweep asks about */
static bool swept_is_kept;

int path_map_sweep(int map_fd, bool (*keep)(void *context, const struct flow *flow), void *context)
{
	(void)map_fd;
	swept_is_kept = keep(context, &swept);
	return 0;
}

int flow_map_last_seen(int map_fd, const struct flow *flow, uint64_t *last_seen_ns)
{
	(void)map_fd;
	(void)flow;
	(void)last_seen_ns;
	return -ENOENT;
}

int connection_map_read(int map, const struct flow *flow, struct connection_entry *out)
{
	(void)map;
	(void)flow;
	if (connection_error)
		return connection_error;
	*out = (struct connection_entry){ .opened_ns = connection_opened_ns, .keepalive = 1 };
	return 0;
}

bool wire_holds(struct wire *wire, const struct flow *flow)
{
	(void)wire;
	(void)flow;
	return true;
}

int wire_queue(struct wire *wire, const struct flow *flow, struct span payload)
{
	(void)wire;
	(void)flow;
	(void)payload;
	sent++;
	return 0;
}

void wire_flush(struct wire *wire)
{
	(void)wire;
}

void wire_on_refusal(struct wire *wire, wire_refusal_handler *handler, void *context)
{
	(void)wire;
	(void)handler;
	(void)context;
}

void wire_addresses_changed(struct wire *wire)
{
	(void)wire;
}

/* --- a keeper with one binding on one path --- */

struct house {
	struct counts counts;
	struct keeper *keeper;
	struct binding binding;
	struct path *path;
	struct binding *expired;
	unsigned int events;
	struct path_event latest; /* but for its path */
};

static inline void note_event(void *context, const struct path_event *event)
{
	struct house *house = context;

	house->events++;
	house->latest = *event;
}

static uint64_t earlier_ns; /* when an agent before this one has heard the path; 0: never */

static inline void open_house(struct house *house, const char *flow_text, uint64_t ends_ns,
			      const struct rules_network *network)
{
	struct keeper_options options = {
		.path_map = -1,
		.flow_map = -1,
		.connection_map = 1,
		.wire = (struct wire *)(void *)house, /* only has to be there */
		.counts = &house->counts,
		.paths_max = PATHS_MAX,
		.defaults.threshold_ns = THRESHOLD,
		.networks = network,
		.network_count = network ? 1 : 0,
	};
	struct flow flow;

	*house = (struct house){ .binding = { .kind = BINDING_DIALOG, .ends_ns = ends_ns } };
	house->binding.expiry = REASON_dialog_too_long;
	sent = 0;
	connection_error = 0;
	connection_opened_ns = START;
	has_entry = earlier_ns > 0;
	entry = (struct path_entry){ .last_seen_ns = earlier_ns };
	assert_int_equal(keeper_new(&options, START, &house->keeper), 0);
	keeper_on_event(house->keeper, note_event, house);
	assert_int_equal(flow_read(span_of(flow_text), &flow), 0);
	assert_int_equal(keeper_join(house->keeper, &house->binding, &flow, REASON_dialog_confirmed,
				     START, START),
			 0);
	house->path = house->binding.path;
}

#define UDP_FLOW "udp 192.0.2.1:5060 198.51.100.7:40001"
#define TCP_FLOW "tcp 192.0.2.1:5060 198.51.100.7:40001"

/* Turns the keeper whenever it asks to be, and a last time at the end. */
static inline void turn_until(struct house *house, uint64_t from_ns, uint64_t until_ns)
{
	uint64_t now_ns = from_ns;

	while (now_ns < until_ns && !house->expired) {
		uint64_t next_ns = keeper_turn(house->keeper, now_ns, &house->expired);

		now_ns = next_ns > now_ns ? next_ns : now_ns + NS_PER_MS;
	}
	if (!house->expired)
		keeper_turn(house->keeper, until_ns, &house->expired);
}

#endif
