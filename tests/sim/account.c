/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "account.h"

#include <inttypes.h>
#include <stdio.h>

#define HORIZON_SLOTS (PACER_HORIZON_NS / ACCOUNT_SLOT_NS)
#define SECONDS(ns) ((double)(ns) / (double)NS_PER_S)

#define BREACH_TEXT_(name, text) [BREACH_##name] = (text),

static const char *const breach_texts[BREACH_MAX] = { BREACHES(BREACH_TEXT_) };

void account_breach(struct account *account, enum breach breach, uint64_t now_ns)
{
	if (account->breaches[breach]++ == 0)
		printf("# breach at %.3f s: %s\n", SECONDS(now_ns), breach_texts[breach]);
}

/* --- silence --- */

/* How long the answer takes if the first sendings, or their answers, are lost. */
static uint64_t answer_window_ns(const struct account_side *side)
{
	switch (side->prompt.losses) {
	case 0:
		return side->rtt_ns;
	case 1:
		return side->rtt_ns + POLICY_REPEAT_FIRST_NS;
	default:
		return side->rtt_ns + POLICY_REPEAT_FIRST_NS + POLICY_REPEAT_NEXT_NS;
	}
}

/* For how long nobody could do anything during a silence. */
static uint64_t interruption_ns(const struct account *account, uint64_t from_ns, uint64_t to_ns)
{
	if (from_ns >= account->resumed_ns || to_ns <= account->interrupted_ns)
		return 0;
	return account->resumed_ns - account->interrupted_ns;
}

static void note_late(struct account *account, const struct account_side *side, uint64_t late_ns,
		      uint64_t interruption)
{
	if (late_ns > account->latest_late_ns)
		account->latest_late_ns = late_ns;
	if (interruption == 0 && side->prompt.losses == 0 &&
	    late_ns > account->latest_late_lossless_ns)
		account->latest_late_lossless_ns = late_ns;
}

/* No binding outlives what the NAT remembers: a prompt would be pointless. */
static bool is_pointless(const struct account_side *side, uint64_t bound_until_ns)
{
	return bound_until_ns <= side->heard_ns + side->threshold_ns + side->threshold_ns / 4;
}

void account_look(struct account *account, const struct account_side *side, uint64_t bound_until_ns,
		  uint64_t now_ns)
{
	uint64_t from_ns = side->heard_ns;
	uint64_t to_ns = now_ns < bound_until_ns ? now_ns : bound_until_ns;
	uint64_t due_ns = from_ns + side->threshold_ns;
	uint64_t interruption = interruption_ns(account, from_ns, to_ns);
	uint64_t limit_ns = due_ns + ACCOUNT_LATENESS_NS + PACER_HORIZON_NS +
			    answer_window_ns(side) + interruption;

	if (side->excused || to_ns <= due_ns || is_pointless(side, bound_until_ns))
		return;
	note_late(account, side, to_ns - due_ns, interruption);
	if (to_ns > limit_ns)
		account_breach(account, BREACH_too_quiet, now_ns);
}

void account_heard(struct account *account, struct account_side *side, uint64_t bound_until_ns,
		   uint64_t now_ns)
{
	account_look(account, side, bound_until_ns, now_ns);
	side->heard_ns = now_ns;
	side->excused = false;
	side->prompt.losses = 0;
}

void account_lose(struct account *account, struct account_side *side)
{
	account->lost++;
	side->prompt.losses++;
	if (side->prompt.losses < ACCOUNT_SENDINGS_MAX || side->excused)
		return;
	side->excused = true;
	account->given_up++;
}

void account_interrupt(struct account *account, uint64_t from_ns, uint64_t now_ns, size_t missed)
{
	account->interrupted_ns = from_ns;
	account->resumed_ns = now_ns;
	account->missed = missed;
}

/* --- sendings --- */

void account_kept(struct account *account, size_t kept, uint64_t threshold_ns)
{
	double rate = 2 * (double)kept / SECONDS(threshold_ns);
	double least = PACER_RATE_FLOOR * SECONDS(ACCOUNT_SLOT_NS + 2 * WHEEL_TICK_NS) /
		       SECONDS(ACCOUNT_SLOT_NS);

	account->rate = rate > least ? rate : least;
}

static struct account_slot *slot_at(struct account *account, uint64_t slot)
{
	return &account->slots[slot % ACCOUNT_SLOTS];
}

/*
 * Twice the mean; of the floor, a turn may be taken one wheel tick late, and those of one tick
 * that nobody has taken are not lost. Turns that were missed because the agent stood still are
 * taken at once.
 */
static double calm_limit(const struct account *account, uint64_t slot)
{
	uint64_t resumed = account->resumed_ns / ACCOUNT_SLOT_NS;
	bool resumes = account->resumed_ns > 0 && (slot == resumed || slot == resumed + 1);

	return account->rate * SECONDS(ACCOUNT_SLOT_NS) + 1 +
	       (resumes ? (double)account->missed : 0);
}

/* Twice what leaves evenly within the fullest horizon that the slot is in. */
static double dense_limit(struct account *account, uint64_t slot, bool *late)
{
	uint64_t first = slot - HORIZON_SLOTS + 1;
	uint32_t sum = 0, most = 0;

	*late = false;
	for (uint64_t i = 0; i < 2 * HORIZON_SLOTS; i++) {
		sum += slot_at(account, first + i)->prompts;
		if (i >= HORIZON_SLOTS)
			sum -= slot_at(account, first + i - HORIZON_SLOTS)->prompts;
		if (sum > most)
			most = sum;
		*late |= slot_at(account, first + i)->late;
	}
	return 2.0 * most / (double)HORIZON_SLOTS;
}

/* Judges a slot when what came within one horizon after it is known, too. */
static void judge(struct account *account, uint64_t slot)
{
	uint32_t prompts = slot_at(account, slot)->prompts;
	bool late;

	if (prompts > account->most)
		account->most = prompts;
	if (prompts <= calm_limit(account, slot)) {
		if (prompts > account->most_calm)
			account->most_calm = prompts;
		return;
	}
	/* Denser than its rate is what the pacer may be only where somebody waits that long. */
	if (prompts > dense_limit(account, slot, &late) || !late)
		account_breach(account, BREACH_burst, slot * ACCOUNT_SLOT_NS);
}

static void advance(struct account *account, uint64_t slot)
{
	if (account->slot == 0)
		account->slot = slot;
	while (account->slot < slot) {
		account->slot++;
		*slot_at(account, account->slot) = (struct account_slot){ 0 };
		judge(account, account->slot - HORIZON_SLOTS - 1);
	}
}

static void note_departure(struct account *account, const struct account_side *side,
			   uint64_t now_ns)
{
	uint64_t waited_ns = now_ns - side->heard_ns - side->threshold_ns;
	struct account_slot *slot;

	advance(account, now_ns / ACCOUNT_SLOT_NS);
	slot = slot_at(account, account->slot);
	slot->prompts++;
	slot->late |= waited_ns >= PACER_HORIZON_NS - 10 * WHEEL_TICK_NS;
}

static bool is_outstanding(const struct account_side *side, uint64_t now_ns)
{
	return side->prompt.token != 0 && side->heard_ns < side->prompt.first_ns &&
	       now_ns < side->prompt.sent_ns + POLICY_REPEAT_NEXT_NS;
}

bool account_is_due(const struct account_side *side, uint64_t now_ns)
{
	return !side->excused && side->heard_ns + side->threshold_ns <= now_ns &&
	       !is_outstanding(side, now_ns);
}

static void begin_prompt(struct account *account, struct account_side *side, uint64_t token,
			 uint64_t now_ns)
{
	if (is_outstanding(side, now_ns))
		account_breach(account, BREACH_two_at_once, now_ns);
	if (now_ns < side->heard_ns + side->threshold_ns)
		account_breach(account, BREACH_too_early, now_ns);
	note_departure(account, side, now_ns);
	account->prompts++;
	side->prompt = (struct account_prompt){ .token = token, .first_ns = now_ns };
}

void account_send(struct account *account, struct account_side *side, uint64_t token, bool bound,
		  uint64_t now_ns)
{
	if (!bound)
		account_breach(account, BREACH_unbound, now_ns);
	if (token != side->prompt.token)
		begin_prompt(account, side, token, now_ns);
	else
		account->repeats++;
	side->prompt.sent_ns = now_ns;
	if (++side->prompt.sendings > ACCOUNT_SENDINGS_MAX)
		account_breach(account, BREACH_repeated_often, now_ns);
}

/* --- the report --- */

bool account_say(const struct account *account)
{
	uint64_t breaches = 0;

	for (size_t i = 0; i < BREACH_MAX; i++)
		breaches += account->breaches[i];
	printf("# prompts: %" PRIu64 ", repeats %" PRIu64 ", lost on the way %" PRIu64
	       ", never answered %" PRIu64 "\n",
	       account->prompts, account->repeats, account->lost, account->given_up);
	printf("# longest silence: the threshold and %.3f s; without losses and interruptions %.3f "
	       "s\n",
	       SECONDS(account->latest_late_ns), SECONDS(account->latest_late_lossless_ns));
	printf("# most prompts within 10 ms: %" PRIu32 ", where too many were due at once %" PRIu32
	       "; twice the mean, or the floor, is %.1f\n",
	       account->most_calm, account->most, account->rate * SECONDS(ACCOUNT_SLOT_NS));
	printf("# breaches: %" PRIu64 "\n", breaches);
	return breaches == 0;
}
