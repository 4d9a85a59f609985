/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "seam.h"

#define MESSAGE_MAX 1500

/* The remote port leads from a flow to its device and its entry. */
#define FIRST_PORT 20000

static struct world *world;
static struct path_entry entries[WORLD_DEVICES_MAX];
static bool present[WORLD_DEVICES_MAX];
static uint64_t flow_seen_ns[WORLD_DEVICES_MAX]; /* of flows that are no path; 0 for unknown */

static size_t index_of(const struct flow *flow)
{
	size_t index = (size_t)(flow->remote_port - FIRST_PORT);

	assert_true(index < WORLD_DEVICES_MAX);
	return index;
}

/* --- the kernel's maps --- */

static int read_entry(const struct flow *flow, struct path_entry *entry)
{
	if (!present[index_of(flow)])
		return -ENOENT;
	*entry = entries[index_of(flow)];
	return 0;
}

static int insert_entry(const struct flow *flow, uint64_t last_seen_ns)
{
	size_t index = index_of(flow);

	if (present[index])
		return 0;
	if (world->map_stuck)
		return -ENOMEM;
	if (world->map_count == world->map_room)
		return -E2BIG;
	entries[index] = (struct path_entry){ .last_seen_ns = last_seen_ns };
	present[index] = true;
	world->map_count++;
	return 0;
}

static int erase_entry(const struct flow *flow)
{
	size_t index = index_of(flow);

	if (world->map_stuck)
		return -ENOMEM;
	if (present[index])
		world->map_count--;
	present[index] = false;
	return 0;
}

static void erase_all(void)
{
	memset(present, 0, sizeof(present));
	memset(flow_seen_ns, 0, sizeof(flow_seen_ns));
	world->map_count = 0;
}

static int flow_last_seen(const struct flow *flow, uint64_t *last_seen_ns)
{
	uint64_t seen_ns = flow_seen_ns[index_of(flow)];

	if (seen_ns == 0)
		return -ENOENT;
	*last_seen_ns = seen_ns;
	return 0;
}

/* --- the network --- */

static void count_datagram(void)
{
	uint64_t slot = world->now_ns / (10 * NS_PER_MS);

	world->datagrams++;
	if (slot != world->slot)
		world->slot_datagrams = 0;
	world->slot = slot;
	world->slot_datagrams++;
	if (world->slot_datagrams > world->per_10ms_most)
		world->per_10ms_most = world->slot_datagrams;
}

static void note_quiet(struct world_device *device)
{
	uint64_t quiet_ns = world->now_ns - device->spoke_ns;

	if (quiet_ns < device->least_quiet_ns)
		device->least_quiet_ns = quiet_ns;
	if (quiet_ns > device->most_quiet_ns)
		device->most_quiet_ns = quiet_ns;
}

static void receive_prompt(struct world_device *device, uint64_t token)
{
	if (device->prompts++ == 0)
		device->first_prompt_ns = world->now_ns;
	device->last_prompt_ns = world->now_ns;
	if (token != device->last_token)
		note_quiet(device);
	device->last_token = token;
	if (!device->answers)
		return;
	device->answer_due_ns = world->now_ns + device->rtt_ns;
	device->answer_token = token;
}

static bool is_held(const struct flow *flow)
{
	return world->address_held && !world->devices[index_of(flow)].elsewhere;
}

static bool holds(const struct flow *flow)
{
	world->holds_asked++;
	return is_held(flow);
}

/* True if this host's transmit queue has no room any more in these 10 ms. */
static bool is_full(void)
{
	bool same_slot = world->slot == world->now_ns / (10 * NS_PER_MS);

	if (world->room_per_10ms == 0 || !same_slot || world->slot_datagrams < world->room_per_10ms)
		return false;
	return true;
}

static int send_prompt(const struct flow *flow, uint64_t token)
{
	size_t index = index_of(flow);

	if (!is_held(flow))
		return -EADDRNOTAVAIL;
	assert_true(present[index]); /* nothing is prompted that is not a path */
	if (world->network_down || is_full()) {
		world->refusals++;
		world->refused[world->refused_count++] = *flow;
		return 0;
	}
	count_datagram();
	seam_stamp_prompt(&entries[index], token, world->now_ns);
	receive_prompt(&world->devices[index], token);
	return 0;
}

static void flush(void)
{
	while (world->refused_count > 0)
		seam_refuse(&world->refused[--world->refused_count], world->room_per_10ms > 0);
}

static const struct seam seam = {
	.read = read_entry,
	.insert = insert_entry,
	.erase = erase_entry,
	.erase_all = erase_all,
	.flow_last_seen = flow_last_seen,
	.holds = holds,
	.send = send_prompt,
	.flush = flush,
};

/* --- devices and the server --- */

static void stamp_heard(struct world_device *device)
{
	size_t index = index_of(&device->flow);
	struct path_entry *entry = &entries[index];

	device->spoke_ns = world->now_ns;
	if (!present[index]) {
		flow_seen_ns[index] = seam_coarse_ns(world->now_ns);
		return;
	}
	entry->last_seen_ns = seam_coarse_ns(world->now_ns);
	entry->packets_in++;
}

void world_speak(struct world *w, struct world_device *device)
{
	assert_ptr_equal(w, world);
	stamp_heard(device);
}

static void answer(struct world_device *device)
{
	device->answer_due_ns = CLOCK_NEVER;
	stamp_heard(device);
	seam_stamp_answer(&entries[index_of(&device->flow)], device->answer_token, device->status,
			  world->now_ns);
}

/* What the device does by now, and when it does something next. */
static uint64_t live(struct world_device *device)
{
	if (device->answer_due_ns <= world->now_ns)
		answer(device);
	if (device->talks_every_ns > 0 && device->talk_due_ns == CLOCK_NEVER)
		device->talk_due_ns = world->now_ns + device->talks_every_ns;
	if (device->talk_due_ns <= world->now_ns) {
		stamp_heard(device);
		device->talk_due_ns = world->now_ns + device->talks_every_ns;
	}
	return device->answer_due_ns < device->talk_due_ns ? device->answer_due_ns
							   : device->talk_due_ns;
}

static uint64_t next_event_ns(uint64_t end_ns)
{
	uint64_t next_ns = end_ns;

	for (size_t i = 0; i < world->device_count; i++) {
		uint64_t event_ns = live(&world->devices[i]);

		if (event_ns < next_ns)
			next_ns = event_ns;
	}
	return next_ns;
}

void world_run(struct world *w, uint64_t duration_ns)
{
	uint64_t end_ns = w->now_ns + duration_ns;

	assert_ptr_equal(w, world);
	for (;;) {
		uint64_t due_ns = pipeline_turn(w->pipeline, w->now_ns);
		uint64_t next_ns = next_event_ns(end_ns);

		if (w->now_ns >= end_ns)
			return;
		if (due_ns < next_ns) /* a lower bound only: time must go on */
			next_ns = due_ns > w->now_ns ? due_ns : w->now_ns + WORLD_TICK_NS / 4;
		w->now_ns = next_ns;
	}
}

void world_see(struct world *w, const struct flow *flow, bool from_device, const char *message)
{
	seam_see(w->pipeline, flow, w->now_ns - w->late_ns, from_device, message);
}

static void write_register(char message[MESSAGE_MAX], const char *first_line,
			   const struct world_device *device, unsigned int cseq,
			   unsigned int expires_s)
{
	snprintf(message, MESSAGE_MAX,
		 "%s\r\n"
		 "Via: SIP/2.0/UDP 192.168.0.9:5060;branch=z9hG4bKr%s%u;rport\r\n"
		 "From: <sip:%s@example.com>;tag=%s\r\n"
		 "To: <sip:%s@example.com>\r\n"
		 "Call-ID: %s@192.168.0.9\r\n"
		 "CSeq: %u REGISTER\r\n"
		 "Contact: <sip:%s@192.168.0.9:5060>;expires=%u\r\n"
		 "Content-Length: 0\r\n\r\n",
		 first_line, device->user, cseq, device->user, device->user, device->user,
		 device->user, cseq, device->user, expires_s);
}

void world_register(struct world *w, struct world_device *device, unsigned int status,
		    unsigned int expires_s)
{
	char message[MESSAGE_MAX], first_line[64];
	unsigned int cseq = ++w->cseq;

	if (w->late_ns == 0)
		stamp_heard(device);
	write_register(message, "REGISTER sip:example.com SIP/2.0", device, cseq, expires_s);
	world_see(w, &device->flow, true, message);
	snprintf(first_line, sizeof(first_line), "SIP/2.0 %u Whatever", status);
	write_register(message, first_line, device, cseq, expires_s);
	world_see(w, &device->flow, false, message);
}

struct world_device *world_device(struct world *w)
{
	struct world_device *device = &w->devices[w->device_count];

	assert_true(w->device_count < WORLD_DEVICES_MAX);
	*device = (struct world_device){
		.flow = {
			.local_addr = { [10] = 0xff, [11] = 0xff, [12] = 192, 0, 2, 10 },
			.remote_addr = { [10] = 0xff, [11] = 0xff, [12] = 198, 51, 100, 7 },
			.local_port = 5060,
			.remote_port = (uint16_t)(FIRST_PORT + w->device_count),
			.transport = FLOW_UDP,
		},
		.answers = true,
		.rtt_ns = 20 * NS_PER_MS,
		.status = 200,
		.spoke_ns = w->now_ns,
		.least_quiet_ns = CLOCK_NEVER,
		.answer_due_ns = CLOCK_NEVER,
		.talk_due_ns = CLOCK_NEVER,
	};
	snprintf(device->user, sizeof(device->user), "d%zu", w->device_count);
	w->device_count++;
	return device;
}

struct path *world_path(const struct world *w, const struct world_device *device)
{
	return paths_find(keeper_paths(pipeline_keeper(w->pipeline)), &device->flow);
}

void world_lose_entry(struct world *w, const struct world_device *device)
{
	assert_ptr_equal(w, world);
	erase_entry(&device->flow);
}

static struct world *begin(uint64_t threshold_ns, uint32_t paths_max,
			   const struct caps_limits *caps, struct share *share)
{
	struct pipeline_options options = {
		.keeper.path_map = -1,
		.keeper.flow_map = 0, /* anything but "none" */
		.keeper.connection_map = -1,
		.keeper.paths_max = paths_max,
		.keeper.defaults.threshold_ns = threshold_ns,
		.keeper.caps = *caps,
		.keeper.coarse_lag_ns = WORLD_TICK_NS,
		.share = share,
		.transactions_max = 64,
		.linger_ns = 32 * NS_PER_S,
		.dialog_max_ns = 4 * 3600 * NS_PER_S,
	};

	world = calloc(1, sizeof(*world));
	assert_non_null(world);
	world->now_ns = 12345 * NS_PER_S + 678;
	world->map_room = WORLD_DEVICES_MAX;
	world->address_held = true;
	seam_set(&seam);
	erase_all();
	options.keeper.counts = &world->counts;
	options.keeper.wire = (struct wire *)(void *)world; /* only has to be there */
	assert_int_equal(pipeline_new(&options, world->now_ns, &world->pipeline), 0);
	return world;
}

static const struct caps_limits uncapped = { 0 };

struct world *world_begin(uint64_t threshold_ns)
{
	return begin(threshold_ns, WORLD_DEVICES_MAX, &uncapped, NULL);
}

struct world *world_begin_small(uint64_t threshold_ns, uint32_t paths_max)
{
	return begin(threshold_ns, paths_max, &uncapped, NULL);
}

struct world *world_begin_capped(uint64_t threshold_ns, const struct caps_limits *caps)
{
	return begin(threshold_ns, WORLD_DEVICES_MAX, caps, NULL);
}

struct world *world_begin_sharing(uint64_t threshold_ns, struct share *share)
{
	return begin(threshold_ns, WORLD_DEVICES_MAX, &uncapped, share);
}

void world_end(struct world *w)
{
	pipeline_free(w->pipeline);
	seam_set(NULL);
	free(w);
	world = NULL;
}
