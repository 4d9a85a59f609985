/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_suspend.c - the host was suspended under 100,000 paths: how the keeper begins again.
 *
 * The keeper is the real one. Its clock stands still while the host is suspended, that of the NATs
 * does not: "slept_ns" lies between them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "keep/keeper.h"
#include "keep/pacer.h"
#include "keep/wheel.h"
#include "seam.h"

#define PATHS 100000
#define PATHS_OF_ADDRESS 50000
#define FIRST_PORT 10000

#define START (1000 * NS_PER_S)
#define THRESHOLD (24 * NS_PER_S)
#define NAT_PATIENCE (30 * NS_PER_S)
#define STEP (5 * NS_PER_MS)

/* What the pacer gives so many paths: 1.4 times what they need (keep/pacer.h). */
#define PACED_PER_S (UINT64_C(7) * PATHS * NS_PER_S / THRESHOLD / 5)

struct phone {
	struct binding binding;
	struct path_entry entry;
	uint64_t spoke_ns; /* by the clock of the NATs */
	uint64_t most_quiet_ns; /* its longest silence until a prompt came, by that clock */
	unsigned int prompts;
	bool asked; /* it answers with the next step */
};

struct crowd {
	struct counts counts;
	struct keeper *keeper;
	uint64_t now_ns;
	uint64_t slept_ns; /* so far */
	uint64_t most_per_100ms; /* prompts */
	uint64_t slot, in_slot;
	uint32_t asked[PATHS]; /* who was since the last step */
	size_t asked_count;
	struct phone phones[PATHS];
};

static struct crowd *crowd;

static struct flow flow_of(size_t index)
{
	return (struct flow){
		.local_addr = { [10] = 0xff, [11] = 0xff, [12] = 192, 0, 2, 10 },
		.remote_addr = { [10] = 0xff,
				 [11] = 0xff,
				 [12] = 198,
				 51,
				 100,
				 (uint8_t)(1 + index / PATHS_OF_ADDRESS) },
		.local_port = 5060,
		.remote_port = (uint16_t)(FIRST_PORT + index % PATHS_OF_ADDRESS),
		.transport = FLOW_UDP,
	};
}

static size_t index_of(const struct flow *flow)
{
	return (size_t)(flow->remote_addr[15] - 1) * PATHS_OF_ADDRESS +
	       (size_t)(flow->remote_port - FIRST_PORT);
}

/* --- the kernel and the network --- */

static int read_entry(const struct flow *flow, struct path_entry *entry)
{
	*entry = crowd->phones[index_of(flow)].entry;
	return 0;
}

static int insert_entry(const struct flow *flow, uint64_t last_seen_ns)
{
	crowd->phones[index_of(flow)].entry = (struct path_entry){ .last_seen_ns = last_seen_ns };
	return 0;
}

static int erase_entry(const struct flow *flow)
{
	(void)flow;
	return 0;
}

static void erase_all(void)
{
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

static void count_prompt(void)
{
	uint64_t slot = crowd->now_ns / (100 * NS_PER_MS);

	if (slot != crowd->slot)
		crowd->in_slot = 0;
	crowd->slot = slot;
	if (++crowd->in_slot > crowd->most_per_100ms)
		crowd->most_per_100ms = crowd->in_slot;
}

static int send_prompt(const struct flow *flow, uint64_t token)
{
	size_t index = index_of(flow);
	struct phone *phone = &crowd->phones[index];
	uint64_t quiet_ns = crowd->now_ns + crowd->slept_ns - phone->spoke_ns;

	count_prompt();
	seam_stamp_prompt(&phone->entry, token, crowd->now_ns);
	if (quiet_ns > phone->most_quiet_ns)
		phone->most_quiet_ns = quiet_ns;
	phone->prompts++;
	if (!phone->asked)
		crowd->asked[crowd->asked_count++] = (uint32_t)index;
	phone->asked = true;
	return 0;
}

static void flush(void)
{
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

/* --- time --- */

static void speak(struct phone *phone)
{
	phone->entry.last_seen_ns = seam_coarse_ns(crowd->now_ns);
	phone->spoke_ns = crowd->now_ns + crowd->slept_ns;
	phone->asked = false;
}

static void answer_all(void)
{
	for (size_t i = 0; i < crowd->asked_count; i++) {
		struct phone *phone = &crowd->phones[crowd->asked[i]];

		seam_stamp_answer(&phone->entry, phone->entry.prompt_token, 200, crowd->now_ns);
		speak(phone);
	}
	crowd->asked_count = 0;
}

static void run(uint64_t duration_ns)
{
	uint64_t end_ns = crowd->now_ns + duration_ns;
	struct binding *expired;

	while (crowd->now_ns < end_ns) {
		keeper_turn(crowd->keeper, crowd->now_ns, &expired);
		assert_null(expired);
		crowd->now_ns += STEP;
		answer_all();
	}
}

/* The phones come one by one within a threshold, so they are due one by one. */
static void gather(void)
{
	uint64_t begin_ns = crowd->now_ns;

	for (size_t i = 0; i < PATHS; i++) {
		struct phone *phone = &crowd->phones[i];
		struct flow flow = flow_of(i);

		crowd->now_ns = begin_ns + THRESHOLD / PATHS * i;
		phone->binding =
			(struct binding){ .kind = BINDING_REGISTRATION, .ends_ns = CLOCK_NEVER };
		phone->entry.last_seen_ns = crowd->now_ns;
		assert_int_equal(keeper_join(crowd->keeper, &phone->binding, &flow,
					     REASON_registered, crowd->now_ns, crowd->now_ns),
				 0);
		speak(phone);
	}
}

static void forget_figures(void)
{
	crowd->most_per_100ms = 0;
	for (size_t i = 0; i < PATHS; i++) {
		crowd->phones[i].prompts = 0;
		crowd->phones[i].most_quiet_ns = 0;
	}
}

/* What the vigil does when it finds that the host was suspended. */
static void suspend(uint64_t sleep_ns)
{
	forget_figures();
	crowd->slept_ns += sleep_ns;
	keeper_wake(crowd->keeper, sleep_ns, crowd->now_ns);
}

static int set_up(void **state)
{
	struct keeper_options options = {
		.path_map = -1,
		.flow_map = -1,
		.connection_map = -1,
		.paths_max = PATHS,
		.defaults.threshold_ns = THRESHOLD,
		.coarse_lag_ns = SEAM_TICK_NS,
	};

	(void)state;
	crowd = calloc(1, sizeof(*crowd));
	assert_non_null(crowd);
	crowd->now_ns = START;
	seam_set(&seam);
	options.counts = &crowd->counts;
	options.wire = (struct wire *)(void *)crowd; /* only has to be there */
	assert_int_equal(keeper_new(&options, START, &crowd->keeper), 0);
	gather();
	run(THRESHOLD);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	keeper_free(crowd->keeper);
	seam_set(NULL);
	free(crowd);
	return 0;
}

static void assert_paced(void)
{
	assert_in_range(crowd->most_per_100ms, 1, PACED_PER_S / 10 * 102 / 100);
}

/* However recent its stamp is. The rest of a threshold passes before anybody is due again. */
static void trap_12_after_a_sleep_every_path_is_due_and_none_in_a_burst(void **state)
{
	(void)state;
	suspend(300 * NS_PER_S);
	run(THRESHOLD);
	assert_paced();
	for (size_t i = 0; i < PATHS; i++)
		assert_in_range(crowd->phones[i].prompts, 1, 2);
	forget_figures();
	run(THRESHOLD);
	assert_paced();
	for (size_t i = 0; i < PATHS; i++)
		assert_true(crowd->phones[i].most_quiet_ns < NAT_PATIENCE);
}

/*
 * What the NATs have not forgotten while the host slept they do not forget afterwards, but for
 * those that they were about to forget within the next fifth of a second.
 */
static void trap_12_after_a_short_sleep_nobody_is_forgotten(void **state)
{
	const uint64_t sleep_ns = 10 * NS_PER_S;
	uint64_t woken_ns = crowd->now_ns + crowd->slept_ns + sleep_ns;
	size_t doomed = 0, forgotten = 0;

	(void)state;
	for (size_t i = 0; i < PATHS; i++)
		doomed += woken_ns - crowd->phones[i].spoke_ns >= NAT_PATIENCE - NS_PER_S / 5;
	assert_in_range(doomed, PATHS / 10, PATHS / 4);
	suspend(sleep_ns);
	run(THRESHOLD);
	assert_paced();
	for (size_t i = 0; i < PATHS; i++)
		forgotten += crowd->phones[i].most_quiet_ns >= NAT_PATIENCE;
	assert_in_range(forgotten, 1, doomed);
}

/* One that comes upon another begins anew. */
static void trap_12_sleep_upon_sleep_is_no_burst(void **state)
{
	(void)state;
	for (int i = 0; i < 5; i++) {
		suspend(60 * NS_PER_S);
		run(NS_PER_S);
		assert_paced();
	}
	run(THRESHOLD);
	assert_paced();
	for (size_t i = 0; i < PATHS; i++)
		assert_true(crowd->phones[i].prompts > 0);
}

/* Nobody answers: the answers were lost with the sleep, not the phones. */
static void trap_12_what_was_asked_before_the_sleep_says_nothing(void **state)
{
	uint64_t silenced = crowd->counts.value[COUNT_paths_silenced];

	(void)state;
	for (size_t i = 0; i < PATHS / 100; i++) {
		struct path *path = crowd->phones[i].binding.path;

		assert_true(path->prompt.tries > 0 ||
			    keeper_prompt(crowd->keeper, path, crowd->now_ns) == 0);
		crowd->phones[i].asked = false;
	}
	crowd->asked_count = 0;
	suspend(300 * NS_PER_S);
	run(THRESHOLD);
	assert_int_equal(crowd->counts.value[COUNT_paths_silenced], silenced);
}

#define SUSPEND_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SUSPEND_TEST(trap_12_after_a_sleep_every_path_is_due_and_none_in_a_burst),
		SUSPEND_TEST(trap_12_after_a_short_sleep_nobody_is_forgotten),
		SUSPEND_TEST(trap_12_sleep_upon_sleep_is_no_burst),
		SUSPEND_TEST(trap_12_what_was_asked_before_the_sleep_says_nothing),
	};

	return cmocka_run_group_tests_name("suspend", tests, NULL, NULL);
}
