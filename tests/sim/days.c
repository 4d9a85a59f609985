/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "days.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "days_parts.h"

#define STALL_NS (3 * NS_PER_S)
#define SUSPENSION_NS MINUTE_NS
#define LOOK_EVERY_NS (5 * MINUTE_NS)

/* --- chance: the SplitMix64 generator --- */

static uint64_t next_random(struct days *d)
{
	uint64_t z = d->random += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

uint64_t days_between(struct days *d, uint64_t from, uint64_t to)
{
	return from + next_random(d) % (to - from + 1);
}

bool days_chance(struct days *d, unsigned int percent)
{
	return days_between(d, 1, 100) <= percent;
}

uint64_t days_seed(uint64_t otherwise)
{
	const char *given = getenv("SIPPATH_SIM_SEED");
	uint64_t seed = given ? strtoull(given, NULL, 0) : otherwise;

	printf("# seed: %" PRIu64 " (SIPPATH_SIM_SEED sets another one)\n", seed);
	return seed;
}

void days_plan(struct days *d, uint64_t in_ns, enum happening kind, uint32_t subject)
{
	agenda_add(&d->agenda, d->now_ns + in_ns, kind, subject);
}

/* --- the agent and its host stand still --- */

static size_t count_due(const struct days *days)
{
	size_t count = 0;

	for (uint32_t i = 0; i < days->mapping_count; i++) {
		const struct mapping *mapping = &days->mappings[i];

		count += days_bound_until(mapping) > days->now_ns &&
			 account_is_due(&mapping->side, days->now_ns);
	}
	return count;
}

static void settle_all(struct days *days)
{
	for (uint32_t i = 0; i < days->mapping_count; i++)
		days_settle(days, &days->mappings[i]);
}

/* The agent is not scheduled; the kernel goes on stamping, and keeps what is to be read. */
static void stall(struct days *days)
{
	settle_all(days);
	days->missed = count_due(days);
	days->stalled_until_ns = days->now_ns + STALL_NS;
}

static void resume(struct days *days)
{
	uint64_t from_ns = days->stalled_until_ns - STALL_NS;

	days->stalled_until_ns = 0;
	account_interrupt(&days->account, from_ns, days->now_ns, days->missed);
	days_read_backlog(days);
}

/* What is on its way to the host comes to nothing. */
static void lose_answers(struct days *days)
{
	for (uint32_t i = 0; i < days->mapping_count; i++) {
		struct mapping *mapping = &days->mappings[i];

		if (mapping->answer_due_ns == CLOCK_NEVER)
			continue;
		mapping->answer_due_ns = CLOCK_NEVER;
		account_lose(&days->account, &mapping->side);
	}
}

/* The whole host stands still, and the monotonic clock jumps: what is sent to it is lost. */
static void suspend(struct days *days)
{
	settle_all(days);
	days->missed = count_due(days);
	days->deaf_from_ns = days->now_ns;
	days->now_ns += SUSPENSION_NS;
	days->deaf_until_ns = days->now_ns;
	lose_answers(days);
	account_interrupt(&days->account, days->deaf_from_ns, days->now_ns, days->missed);
	pipeline_turn(days->pipeline, days->now_ns);
}

static void interrupt(struct days *days, enum happening kind)
{
	bool is_stall = kind == HAPPENS_STALL;

	days->tally.interruptions++;
	if (is_stall)
		stall(days);
	else
		suspend(days);
	days_plan(days, is_stall ? days->options.stall_every_ns : days->options.suspend_every_ns,
		  kind, 0);
}

static void step_wall_clock(struct days *days)
{
	int64_t step_s = (int64_t)days_between(days, 0, 2 * 86400) - 86400;

	days->tally.wall_steps++;
	seam_step_wall_clock(step_s * (int64_t)NS_PER_S);
	days_plan(days, HOUR_NS, HAPPENS_WALL_STEP, 0);
}

/* --- looking at what the agent has made of it --- */

static void look(struct days *days)
{
	for (uint32_t i = 0; i < days->mapping_count; i++) {
		struct mapping *mapping = &days->mappings[i];

		days_settle(days, mapping);
		account_look(&days->account, &mapping->side, days_bound_until(mapping),
			     days->now_ns);
	}
	days_plan(days, LOOK_EVERY_NS, HAPPENS_LOOK, 0);
}

static void count_granted(const struct days *days, const struct mapping *mapping,
			  uint32_t counts[BINDING_KIND_MAX])
{
	counts[BINDING_REGISTRATION] = mapping->registered_until_ns > days->now_ns;
	counts[BINDING_SUBSCRIPTION] = mapping->subscribed_until_ns > days->now_ns;
	for (size_t i = 0; i < LEGS_MAX; i++) {
		const struct leg *leg = &mapping->legs[i];

		if (leg->ends_ns > days->now_ns)
			counts[leg->lingering ? BINDING_LINGERING : BINDING_DIALOG]++;
	}
}

/* Those that are over by now, and only wait for the wheel's tick, are none. */
static void count_kept(const struct days *days, const struct mapping *mapping,
		       uint32_t counts[BINDING_KIND_MAX])
{
	const struct paths *paths = keeper_paths(pipeline_keeper(days->pipeline));
	const struct path *path = paths_find(paths, &mapping->flow);
	const struct binding *binding;

	for (binding = path ? path->bindings : NULL; binding; binding = binding->next)
		counts[binding->kind] += binding->ends_ns > days->now_ns;
}

void days_audit(struct days *days)
{
	days->tally.audits++;
	for (uint32_t i = 0; i < days->mapping_count; i++) {
		uint32_t granted[BINDING_KIND_MAX] = { 0 }, kept[BINDING_KIND_MAX] = { 0 };

		count_granted(days, &days->mappings[i], granted);
		count_kept(days, &days->mappings[i], kept);
		for (size_t kind = 0; kind < BINDING_KIND_MAX; kind++)
			if (granted[kind] != kept[kind])
				account_breach(&days->account, BREACH_miscounted, days->now_ns);
	}
}

/* --- time --- */

static void happen(struct days *days, struct agenda_item item)
{
	enum happening kind = (enum happening)item.kind;

	switch (kind) {
	case HAPPENS_CALL:
	case HAPPENS_CALL_STEP:
		days_call_happens(days, kind, item.subject);
		break;
	case HAPPENS_STALL:
	case HAPPENS_SUSPENSION:
		interrupt(days, kind);
		break;
	case HAPPENS_WALL_STEP:
		step_wall_clock(days);
		break;
	case HAPPENS_LOOK:
		look(days);
		break;
	case HAPPENS_AUDIT:
		if (days->stalled_until_ns == 0)
			days_audit(days);
		days_plan(days, HOUR_NS, kind, 0);
		break;
	default:
		days_phone_happens(days, kind, item.subject);
		break;
	}
}

/* Lets the agent run, unless it is stalled; returns when it wants to run again. */
static uint64_t run_agent(struct days *days)
{
	uint64_t due_ns;

	if (days->stalled_until_ns > days->now_ns)
		return days->stalled_until_ns;
	if (days->stalled_until_ns > 0)
		resume(days);
	due_ns = pipeline_turn(days->pipeline, days->now_ns);
	/* It is a lower bound only: time must go on. */
	return due_ns > days->now_ns ? due_ns : days->now_ns + SEAM_TICK_NS / 4;
}

void days_run(struct days *days, uint64_t duration_ns)
{
	uint64_t end_ns = days->now_ns + duration_ns, due_ns, next_ns;

	seam_watch_clocks(true);
	for (;;) {
		while (agenda_next_ns(&days->agenda) <= days->now_ns)
			happen(days, agenda_take(&days->agenda));
		due_ns = run_agent(days);
		next_ns = agenda_next_ns(&days->agenda);
		if (due_ns < next_ns)
			next_ns = due_ns;
		if (next_ns > end_ns && days->stalled_until_ns == 0)
			break;
		days->now_ns = next_ns;
	}
	days->tally.clock_readings = seam_clock_readings();
	seam_watch_clocks(false);
}

/* --- beginning, end, report --- */

static void plan_if(struct days *days, uint64_t every_ns, enum happening kind)
{
	if (every_ns > 0)
		days_plan(days, every_ns, kind, 0);
}

static void plan_all(struct days *days)
{
	const struct days_options *options = &days->options;

	plan_if(days, options->move_every_ns, HAPPENS_MOVE);
	plan_if(days, options->outage_every_ns, HAPPENS_OUTAGE);
	plan_if(days, options->hush_every_ns, HAPPENS_HUSH);
	plan_if(days, options->stall_every_ns, HAPPENS_STALL);
	plan_if(days, options->suspend_every_ns, HAPPENS_SUSPENSION);
	plan_if(days, HOUR_NS / 2, HAPPENS_WALL_STEP);
	plan_if(days, HOUR_NS, HAPPENS_AUDIT);
	plan_if(days, LOOK_EVERY_NS, HAPPENS_LOOK);
}

static void begin_pipeline(struct days *days)
{
	const struct days_options *options = &days->options;
	struct rules_network mobile = {
		.address = { [10] = 0xff, [11] = 0xff, [12] = 100, 64 },
		.prefix = 96 + 16,
		.has_threshold = true,
		.own.threshold_ns = options->mobile_threshold_ns,
	};
	struct pipeline_options pipeline = {
		.keeper.path_map = -1,
		.keeper.connection_map = -1,
		.keeper.wire = (struct wire *)(void *)days, /* only has to be there */
		.keeper.counts = &days->counts,
		.keeper.paths_max = DAYS_MAPPINGS_MAX,
		.keeper.defaults.threshold_ns = options->threshold_ns,
		.keeper.networks = &mobile,
		.keeper.network_count = options->mobile > 0,
		.keeper.coarse_lag_ns = SEAM_TICK_NS,
		.transactions_max = options->phones,
		.linger_ns = DAYS_LINGER_NS,
		.dialog_max_ns = DAYS_DIALOG_MAX_NS,
	};

	assert_int_equal(pipeline_new(&pipeline, days->now_ns, &days->pipeline), 0);
}

struct days *days_begin(const struct days_options *options)
{
	struct days *days = calloc(1, sizeof(*days));

	assert_non_null(days);
	days->options = *options;
	days->random = options->seed;
	days->now_ns = 12345 * NS_PER_S + 678;
	days->began_ns = days->now_ns;
	days->mappings = calloc(DAYS_MAPPINGS_MAX, sizeof(*days->mappings));
	assert_non_null(days->mappings);
	days_connect(days);
	begin_pipeline(days);
	account_kept(&days->account, options->phones, options->threshold_ns);
	days_make_phones(days);
	days_make_calls(days);
	plan_all(days);
	return days;
}

void days_end(struct days *days)
{
	pipeline_free(days->pipeline);
	days_connect(NULL);
	agenda_clear(&days->agenda);
	free(days->backlog);
	free(days->calls);
	free(days->phones);
	free(days->mappings);
	free(days);
}

const struct account *days_account(const struct days *days)
{
	return &days->account;
}

const struct days_tally *days_tally(const struct days *days)
{
	return &days->tally;
}

const struct counts *days_counts(const struct days *days)
{
	return &days->counts;
}

void days_say(const struct days *days)
{
	const struct days_tally *tally = &days->tally;
	uint64_t avoided = days->counts.value[COUNT_prompts_avoided];

	printf("# %" PRIu32 " phones, %" PRIu32 " of them with a threshold of %" PRIu64
	       " s, the others of %" PRIu64 " s\n",
	       days->options.phones, days->options.mobile,
	       days->options.mobile_threshold_ns / NS_PER_S, days->options.threshold_ns / NS_PER_S);
	printf("# %.1f hours, %" PRIu64 " SIP messages, %" PRIu64 " of them twice\n",
	       (double)(days->now_ns - days->began_ns) / (double)HOUR_NS, tally->messages,
	       tally->duplicates);
	printf("# registrations: %" PRIu64 ", refused %" PRIu64 ", removed %" PRIu64
	       ", not refreshed %" PRIu64 "; subscriptions: %" PRIu64 "\n",
	       tally->registrations, tally->refusals, tally->removals, tally->lapses,
	       tally->subscriptions);
	printf("# calls: %" PRIu64 ", moves %" PRIu64 ", outages %" PRIu64 ", masses %" PRIu64
	       ", interruptions %" PRIu64 ", steps of the wall clock %" PRIu64 "\n",
	       tally->calls, tally->moves, tally->outages, tally->hushes, tally->interruptions,
	       tally->wall_steps);
	printf("# prompts avoided: %" PRIu64 "\n", avoided);
}
