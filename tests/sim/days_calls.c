/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * days_calls.c - calls between phones through the SIP server, which is a proxy: each call has
 * the caller's legs, one for each fork, and one leg of each phone that rings.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "days_call.h"
#include "state/dialogs.h"

#define CALLS_MAX 4096

/* --- what the server and the devices have agreed upon --- */

static void end_at(struct place place, uint64_t ends_ns)
{
	if (place.mapping && place.mapping->legs[place.index].ends_ns > ends_ns)
		place.mapping->legs[place.index].ends_ns = ends_ns;
}

/* Puts a leg to its mapping, or gives it a new end. */
static void keep(struct days *days, struct place *place, struct mapping *mapping, uint64_t lasts_ns)
{
	if (place->mapping != mapping) {
		end_at(*place, days->now_ns);
		*place = (struct place){ mapping, 0 };
		while (mapping->legs[place->index].ends_ns > days->now_ns) {
			place->index++;
			assert_true(place->index < LEGS_MAX);
		}
	}
	mapping->legs[place->index] = (struct leg){ days->now_ns + lasts_ns, false };
}

static bool is_kept(const struct days *days, struct place place)
{
	return place.mapping && place.mapping->legs[place.index].ends_ns > days->now_ns;
}

/* A leg has ended. */
static void linger(struct days *days, struct place place)
{
	if (is_kept(days, place))
		place.mapping->legs[place.index] =
			(struct leg){ days->now_ns + DAYS_LINGER_NS, true };
}

static uint64_t session_ns(const struct call *call)
{
	return call->session_s > 0 ? call->session_s * NS_PER_S : DAYS_DIALOG_MAX_NS;
}

/* --- what happens in a call --- */

static void ring(struct days *days, struct call *call, struct fork *fork)
{
	if (!fork->rung->alive)
		return;
	call_answer_server(days, call, fork, 180, NULL);
	keep(days, &fork->leg, fork->rung, DIALOG_EARLY_NS);
	call_answer_caller(days, call, fork, 180, NULL);
	keep(days, &fork->caller_leg, call->called_from, DIALOG_EARLY_NS);
}

static void invite(struct days *days, struct call *call)
{
	struct message request = call_initial(call, NULL, "INVITE", 0);

	days_see(days, call->called_from, true, &request);
	for (unsigned int i = 0; i < call->fork_count; i++) {
		call_relay(days, call, &call->forks[i], "INVITE");
		ring(days, call, &call->forks[i]);
	}
}

/* The server tells a phone that rings that it need not; the answer is 487. */
static void cancel(struct days *days, const struct call *call, const struct fork *fork)
{
	call_relay(days, call, fork, "CANCEL");
	if (!fork->rung->alive)
		return;
	call_answer_server(days, call, fork, 487, NULL);
	linger(days, fork->leg);
}

static void pick_up(struct days *days, struct call *call)
{
	struct fork *fork = &call->forks[0];
	char extra[64] = "";

	if (call->session_s > 0)
		snprintf(extra, sizeof(extra), "Session-Expires: %u;refresher=uac\r\n",
			 call->session_s);
	call_answer_server(days, call, fork, 200, extra);
	keep(days, &fork->leg, fork->rung, session_ns(call));
	call_answer_caller(days, call, fork, 200, extra);
	keep(days, &fork->caller_leg, call->called_from,
	     call_acknowledge(days, call, fork) ? session_ns(call) : DIALOG_ACK_NS);
	for (unsigned int i = 1; i < call->fork_count; i++) {
		end_at(call->forks[i].caller_leg, days->now_ns + DIALOG_FORK_NS);
		cancel(days, call, &call->forks[i]);
	}
}

/* Nobody takes the call: all that rang linger, and so does what the caller had of it. */
static void give_up(struct days *days, struct call *call)
{
	bool cancelled = call->fate == FATE_CANCELLED;
	unsigned int status = cancelled ? 487 : 486;
	struct message request = call_initial(call, NULL, "CANCEL", 0);

	if (cancelled)
		days_see(days, call->called_from, true, &request);
	for (unsigned int i = 0; i < call->fork_count; i++) {
		struct fork *fork = &call->forks[i];

		if (cancelled) {
			cancel(days, call, fork);
		} else if (fork->rung->alive) {
			call_answer_server(days, call, fork, status, NULL);
			linger(days, fork->leg);
		}
	}
	call_answer_caller(days, call, &call->forks[0], status, NULL);
	for (unsigned int i = 0; i < call->fork_count; i++)
		linger(days, call->forks[i].caller_leg);
}

/* A re-INVITE of one side, which may have moved; both legs are where their phones are now. */
static void refresh(struct days *days, struct call *call, bool by_caller)
{
	struct party one, other;
	struct message message;
	char extra[64];

	call_parties(call, by_caller, &one, &other);
	message = call_inside(days, call, &one, &other, "INVITE");
	days_see(days, one.phone->mapping, true, &message);
	message.relayed = true;
	days_see(days, other.phone->mapping, false, &message);

	snprintf(extra, sizeof(extra), "Session-Expires: %u;refresher=uac\r\n", call->session_s);
	message.status = 200;
	message.extra = extra;
	message.contact = other.phone->name;
	days_see(days, other.phone->mapping, true, &message);
	keep(days, other.leg, other.phone->mapping, session_ns(call));
	message.relayed = false;
	days_see(days, one.phone->mapping, false, &message);
	days_speak(days, one.phone->mapping); /* its ACK */
	keep(days, one.leg, one.phone->mapping, session_ns(call));
}

/* A BYE has come from a phone, or gone there: it counts where the leg is, but for the port. */
static void part(struct days *days, const struct party *party)
{
	const struct mapping *kept = party->leg->mapping, *there = party->phone->mapping;

	if (kept && memcmp(kept->flow.remote_addr, there->flow.remote_addr,
			   sizeof(there->flow.remote_addr)) == 0)
		linger(days, *party->leg);
}

static void hang_up(struct days *days, struct call *call, bool by_caller)
{
	struct party one, other;
	struct message bye;

	call_parties(call, by_caller, &one, &other);
	bye = call_inside(days, call, &one, &other, "BYE");
	days_see(days, one.phone->mapping, true, &bye);
	part(days, &one);
	bye.relayed = true;
	days_see(days, other.phone->mapping, false, &bye);
	if (other.phone->alive)
		days_speak(days, other.phone->mapping);
	part(days, &other);
}

/* --- how a call goes --- */

static uint64_t over(struct call *call)
{
	call->caller->busy = false;
	for (unsigned int i = 0; i < call->fork_count; i++)
		call->forks[i].phone->busy = false;
	call->stage = STAGE_FREE;
	return 0;
}

static bool is_where_it_was(const struct phone *phone, const struct mapping *mapping)
{
	return phone->alive && phone->mapping == mapping;
}

/* They have rung: what now? Returns in how long the next step is, 0: none. */
static uint64_t decide(struct days *days, struct call *call)
{
	bool there = is_where_it_was(call->caller, call->called_from);

	for (unsigned int i = 0; i < call->fork_count; i++)
		there &= is_where_it_was(call->forks[i].phone, call->forks[i].rung) &&
			 call->forks[i].leg.mapping;
	call->stage = STAGE_OVER;
	if (!there || call->fate == FATE_UNANSWERED)
		return DIALOG_INVITE_LIFETIME_NS;
	if (call->fate != FATE_ANSWERED) {
		give_up(days, call);
		return NS_PER_S;
	}
	pick_up(days, call);
	call->stage = STAGE_TALKING;
	return days_between(days, 5, 1800) * NS_PER_S;
}

static uint64_t talk(struct days *days, struct call *call)
{
	bool caller_there = call->caller->alive, callee_there = call->forks[0].phone->alive;
	bool by_caller = caller_there && (!callee_there || days_chance(days, 50));

	if (caller_there && callee_there && call->session_s > 0 && days_chance(days, 50)) {
		refresh(days, call, by_caller);
		return days_between(days, 5, 1800) * NS_PER_S;
	}
	if ((caller_there || callee_there) && !days_chance(days, 5)) /* or the BYE is lost */
		hang_up(days, call, by_caller);
	return over(call);
}

static void step(struct days *days, struct call *call)
{
	uint64_t next_ns;

	if (call->stage == STAGE_RINGING)
		next_ns = decide(days, call);
	else
		next_ns = call->stage == STAGE_TALKING ? talk(days, call) : over(call);
	if (next_ns > 0)
		days_plan(days, next_ns, HAPPENS_CALL_STEP, call->number);
}

/* Not in a call, and room for both legs of a forked one beside those that linger or hang about. */
static bool is_free(const struct days *days, const struct phone *phone)
{
	size_t free_legs = 0;

	for (size_t i = 0; i < LEGS_MAX; i++)
		free_legs += phone->mapping->legs[i].ends_ns <= days->now_ns;
	return !phone->busy && free_legs >= FORKS_MAX;
}

/* Some phone that the server knows, whether it is there or not; NULL if chance finds none. */
static struct phone *find_callee(struct days *days)
{
	struct phone *phone = &days->phones[days_between(days, 0, days->options.phones - 1)];

	return is_free(days, phone) && phone->mapping->registered_until_ns > days->now_ns ? phone
											  : NULL;
}

static struct call *free_call(const struct days *days)
{
	for (uint32_t i = 0; i < CALLS_MAX; i++)
		if (days->calls[i].stage == STAGE_FREE)
			return &days->calls[i];
	return NULL;
}

static void add_fork(struct call *call, struct phone *callee)
{
	struct fork *fork = &call->forks[call->fork_count];

	fork->phone = callee;
	fork->rung = callee->mapping;
	snprintf(fork->tag, sizeof(fork->tag), "b%u", call->fork_count++);
	callee->busy = true;
}

static void begin(struct days *days, struct call *call, struct phone *caller, struct phone *callee)
{
	static const enum fate fates[] = { FATE_REJECTED, FATE_CANCELLED, FATE_UNANSWERED };
	uint32_t number = (uint32_t)(call - days->calls);

	*call = (struct call){ .stage = STAGE_RINGING, .number = number, .caller = caller };
	call->fate = days_chance(days, 70) ? FATE_ANSWERED : fates[days_between(days, 0, 2)];
	call->called_from = caller->mapping;
	call->branch = days->branch + 1;
	days->branch += 1 + FORKS_MAX;
	call->cseq = 1;
	call->session_s = days_chance(days, 50) ? (unsigned int)days_between(days, 90, 1800) : 0;
	snprintf(call->call_id, sizeof(call->call_id), "call-%u", call->branch);
	caller->busy = true;
	add_fork(call, callee);
	callee = days_chance(days, 20) ? find_callee(days) : NULL;
	if (callee)
		add_fork(call, callee);
	days->tally.calls++;
	invite(days, call);
	days_plan(days, days_between(days, 1, 30) * NS_PER_S, HAPPENS_CALL_STEP, number);
}

static void try_to_call(struct days *days, struct phone *caller)
{
	struct phone *callee = find_callee(days);
	struct call *call = free_call(days);

	if (call && callee && callee != caller && caller->alive && is_free(days, caller))
		begin(days, call, caller, callee);
}

static void plan_call(struct days *days, uint32_t number)
{
	uint64_t every_ns = days->options.call_every_ns;

	if (every_ns > 0)
		days_plan(days, days_between(days, MINUTE_NS, 2 * every_ns), HAPPENS_CALL, number);
}

void days_make_calls(struct days *days)
{
	days->calls = calloc(CALLS_MAX, sizeof(*days->calls));
	assert_non_null(days->calls);
	for (uint32_t i = 0; i < days->options.phones; i++)
		plan_call(days, i);
}

void days_call_happens(struct days *days, enum happening kind, uint32_t subject)
{
	if (kind == HAPPENS_CALL_STEP) {
		step(days, &days->calls[subject]);
		return;
	}
	try_to_call(days, &days->phones[subject]);
	plan_call(days, subject);
}
