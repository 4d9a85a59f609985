/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "crowd.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "seam.h"

/* The remote port of the first of those behind the one address. */
#define FIRST_PORT 20000

/* More answers than are on their way, and more datagrams than leave for one address in a second. */
#define QUEUE_SIZE (1U << 18)

/* Answers on their way: as all take the same time, in the order of their prompts. */
struct answer {
	uint64_t due_ns, token;
	size_t phone;
};

struct answers {
	struct answer ring[QUEUE_SIZE];
	size_t first, end;
};

/* When the datagrams of the last second left for the one address. */
struct window {
	uint64_t ring[QUEUE_SIZE];
	size_t first, end;
};

static struct crowd *crowd;
static struct answers *answers;
static struct window *window;
static uint64_t slot, slot_datagrams;

static struct flow flow_of(size_t index)
{
	struct flow flow = {
		.local_addr = { [10] = 0xff, [11] = 0xff, [12] = 192, 0, 2, 10 },
		.remote_addr = { [10] = 0xff, [11] = 0xff, [12] = 198, 51, 100, 7 },
		.local_port = 5060,
		.remote_port = (uint16_t)(FIRST_PORT + index),
		.transport = FLOW_UDP,
	};

	if (index < crowd->together)
		return flow;
	flow.remote_addr[12] = 10;
	flow.remote_addr[13] = (uint8_t)(index >> 16);
	flow.remote_addr[14] = (uint8_t)(index >> 8);
	flow.remote_addr[15] = (uint8_t)index;
	flow.remote_port = 5060;
	return flow;
}

static size_t index_of(const struct flow *flow)
{
	const uint8_t *address = flow->remote_addr;

	if (address[12] != 10)
		return (size_t)(flow->remote_port - FIRST_PORT);
	return (size_t)address[13] << 16 | (size_t)address[14] << 8 | address[15];
}

static struct crowd_phone *phone_of(const struct flow *flow)
{
	size_t index = index_of(flow);

	assert_true(index < crowd->phone_count);
	return &crowd->phones[index];
}

/* --- in place of the kernel's map and the network --- */

static int read_entry(const struct flow *flow, struct path_entry *entry)
{
	*entry = phone_of(flow)->entry;
	return entry->last_seen_ns ? 0 : -ENOENT;
}

static int insert_entry(const struct flow *flow, uint64_t last_seen_ns)
{
	phone_of(flow)->entry = (struct path_entry){ .last_seen_ns = last_seen_ns };
	return 0;
}

static int erase_entry(const struct flow *flow)
{
	phone_of(flow)->entry = (struct path_entry){ 0 };
	return 0;
}

static int flow_last_seen(const struct flow *flow, uint64_t *last_seen_ns)
{
	(void)flow;
	(void)last_seen_ns;
	return -ENOENT;
}

static bool holds(const struct flow *flow)
{
	(void)flow;
	return true;
}

static void count_in_window(void)
{
	while (window->first < window->end &&
	       window->ring[window->first % QUEUE_SIZE] + NS_PER_S <= crowd->now_ns)
		window->first++;
	window->ring[window->end++ % QUEUE_SIZE] = crowd->now_ns;
	assert_true(window->end - window->first < QUEUE_SIZE);
	if (window->end - window->first > crowd->together_most)
		crowd->together_most = window->end - window->first;
}

static void count_datagram(size_t index)
{
	uint64_t now_slot = crowd->now_ns / (10 * NS_PER_MS);

	crowd->datagrams++;
	slot_datagrams = now_slot == slot ? slot_datagrams + 1 : 1;
	slot = now_slot;
	if (slot_datagrams > crowd->per_10ms_most)
		crowd->per_10ms_most = slot_datagrams;
	if (index < crowd->together)
		count_in_window();
}

static int send_prompt(const struct flow *flow, uint64_t token)
{
	struct crowd_phone *phone = phone_of(flow);
	uint64_t quiet_ns = crowd->now_ns - phone->spoke_ns;

	count_datagram(index_of(flow));
	seam_stamp_prompt(&phone->entry, token, crowd->now_ns);
	phone->prompts++;
	if (quiet_ns > phone->most_quiet_ns)
		phone->most_quiet_ns = quiet_ns;
	if (crowd->mute)
		return 0;
	assert_true(answers->end - answers->first < QUEUE_SIZE);
	answers->ring[answers->end++ % QUEUE_SIZE] =
		(struct answer){ crowd->now_ns + CROWD_RTT_NS, token, index_of(flow) };
	return 0;
}

static void nothing(void)
{
}

static const struct seam seam = {
	.read = read_entry,
	.insert = insert_entry,
	.erase = erase_entry,
	.erase_all = nothing,
	.flow_last_seen = flow_last_seen,
	.holds = holds,
	.send = send_prompt,
	.flush = nothing,
};

static void let_answer(const struct answer *answer)
{
	struct crowd_phone *phone = &crowd->phones[answer->phone];

	phone->spoke_ns = crowd->now_ns;
	phone->entry.last_seen_ns = seam_coarse_ns(crowd->now_ns);
	phone->entry.packets_in++;
	seam_stamp_answer(&phone->entry, answer->token, 200, crowd->now_ns);
}

/* Delivers what has arrived by now; returns when the next answer does. */
static uint64_t deliver(void)
{
	while (answers->first < answers->end) {
		const struct answer *answer = &answers->ring[answers->first % QUEUE_SIZE];

		if (answer->due_ns > crowd->now_ns)
			return answer->due_ns;
		let_answer(answer);
		answers->first++;
	}
	return CLOCK_NEVER;
}

void crowd_run(struct crowd *c, uint64_t duration_ns)
{
	uint64_t end_ns = c->now_ns + duration_ns;
	struct binding *expired;

	assert_ptr_equal(c, crowd);
	while (c->now_ns < end_ns) {
		uint64_t answer_ns = deliver();
		uint64_t next_ns = keeper_turn(c->keeper, c->now_ns, &expired);

		assert_null(expired);
		if (next_ns <= c->now_ns) /* a lower bound only: time must go on */
			next_ns = c->now_ns + SEAM_TICK_NS / 4;
		if (answer_ns < next_ns)
			next_ns = answer_ns;
		c->now_ns = next_ns < end_ns ? next_ns : end_ns;
	}
}

void crowd_measure_anew(struct crowd *c)
{
	c->datagrams = 0;
	c->per_10ms_most = 0;
	c->together_most = 0;
	for (size_t i = 0; i < c->phone_count; i++)
		c->phones[i].most_quiet_ns = 0;
}

/* Coprime to any number of phones that is round: neighbours were not heard at about one time. */
#define STRIDE 7919

static void join(size_t index, uint64_t spread_ns)
{
	size_t place = index * STRIDE % crowd->phone_count;
	struct crowd_phone *phone = &crowd->phones[index];
	uint64_t seen_ns = crowd->now_ns - spread_ns / crowd->phone_count * place;
	struct flow flow = flow_of(index);

	phone->binding = (struct binding){ .kind = BINDING_REGISTRATION, .ends_ns = CLOCK_NEVER };
	phone->spoke_ns = seen_ns;
	assert_int_equal(keeper_join(crowd->keeper, &phone->binding, &flow, REASON_registered,
				     seen_ns, crowd->now_ns),
			 0);
}

static void begin_keeper(const struct caps_limits *caps)
{
	struct keeper_options keeper = {
		.path_map = -1,
		.flow_map = -1,
		.connection_map = -1,
		.wire = (struct wire *)(void *)crowd, /* only has to be there */
		.counts = &crowd->counts,
		.paths_max = CROWD_MAX,
		.defaults.threshold_ns = crowd->threshold_ns,
		.coarse_lag_ns = SEAM_TICK_NS,
		.caps = *caps,
	};

	assert_int_equal(keeper_new(&keeper, crowd->now_ns, &crowd->keeper), 0);
}

struct crowd *crowd_begin(const struct crowd_options *options)
{
	crowd = calloc(1, sizeof(*crowd));
	answers = calloc(1, sizeof(*answers));
	window = calloc(1, sizeof(*window));
	assert_true(crowd && answers && window);
	crowd->now_ns = 12345 * NS_PER_S + 678;
	crowd->phone_count = options->phones;
	crowd->together = options->together;
	crowd->threshold_ns = options->threshold_ns;
	seam_set(&seam);
	begin_keeper(&options->caps);
	for (size_t i = 0; i < options->phones; i++)
		join(i, options->spread_ns);
	return crowd;
}

/* As the pipeline recalls bindings: heard a threshold ago, unless sip_paths knows better. */
void crowd_restart(struct crowd *c)
{
	keeper_free(c->keeper);
	begin_keeper(&(struct caps_limits){ 0 });
	for (size_t i = 0; i < c->phone_count; i++) {
		struct flow flow = flow_of(i);

		assert_int_equal(keeper_join(c->keeper, &c->phones[i].binding, &flow,
					     REASON_registered, c->now_ns - c->threshold_ns,
					     c->now_ns),
				 0);
	}
}

void crowd_end(struct crowd *c)
{
	keeper_free(c->keeper);
	seam_set(NULL);
	free(window);
	free(answers);
	free(crowd);
	crowd = NULL;
}
