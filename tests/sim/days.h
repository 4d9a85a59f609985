/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * days.h - thousands of phones for days of simulated time: they register, subscribe, call,
 * move, lose packets, die and come back, each by the rules of SIP and as chance will have it.
 *
 * Time goes from one event to the next. What a phone sends by itself is no event: it is
 * worked out when somebody looks. The SIP messages are real text, and so is the pipeline.
 * There is one such world at a time.
 */
#ifndef TESTS_SIM_DAYS_H
#define TESTS_SIM_DAYS_H

#include <stdbool.h>
#include <stdint.h>

#include "account.h"
#include "base/counts.h"

/*
 * How the world is peopled, and what happens in it. Those that have no threshold of their own
 * have the default one. Something that happens every 0 ns does not happen.
 */
struct days_options {
	uint32_t phones;
	uint32_t guests; /* of those: they never register, and call all the same */
	uint32_t mobile; /* of those: in the network with the mobile threshold */
	uint64_t threshold_ns, mobile_threshold_ns;
	unsigned int talkers_percent; /* those that speak by themselves, within their threshold */
	unsigned int short_percent; /* registered for 60..3600 s, the others for hours */
	unsigned int subscribers_percent;
	unsigned int loss_permille; /* of the prompts, and of the answers */
	uint64_t call_every_ns; /* each phone's calls, on the average; the others: everybody's */
	uint64_t move_every_ns; /* some NAT reboots */
	uint64_t outage_every_ns; /* a phone is dead for hours */
	uint64_t hush_every_ns; /* many phones fall silent at one moment, for half an hour */
	uint32_t hush_phones; /* so many */
	uint64_t stall_every_ns; /* the agent is not scheduled for 3 s */
	uint64_t suspend_every_ns; /* the host stands still for a minute */
	uint64_t seed;
};

/* What has happened. */
struct days_tally {
	uint64_t messages, duplicates;
	uint64_t registrations, refusals, removals, lapses;
	uint64_t subscriptions, calls, moves, outages, hushes, interruptions, wall_steps, audits;
	uint64_t clock_readings; /* how often somebody asked the C library what time it is */
};

struct days;

/* The seed of SIPPATH_SIM_SEED, or the one given; it is said. */
uint64_t days_seed(uint64_t otherwise);

struct days *days_begin(const struct days_options *options);
void days_run(struct days *days, uint64_t duration_ns);

/* Compares every path's bindings with what the server has granted; a difference is a breach. */
void days_audit(struct days *days);

const struct account *days_account(const struct days *days);
const struct days_tally *days_tally(const struct days *days);
const struct counts *days_counts(const struct days *days);

/* Says on TAP's comment lines what has happened. */
void days_say(const struct days *days);

void days_end(struct days *days);

#endif
