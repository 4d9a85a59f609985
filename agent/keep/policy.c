/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "keep/policy.h"

#include "base/clock.h"

/* One judgement's view of a path. */
struct view {
	const struct policy *policy;
	const struct path *path;
	const struct path_entry *entry;
	uint64_t now_ns;
	uint64_t heard_ns; /* the latest packet from the device, never later than now */
	uint64_t due_ns; /* when the device will have been quiet for the threshold */
};

/* Times saturate: what would lie beyond the end of time is never. */
static uint64_t plus(uint64_t a, uint64_t b)
{
	uint64_t sum;

	return __builtin_add_overflow(a, b, &sum) ? CLOCK_NEVER : sum;
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/*
 * When the device was heard last. The answer to the path's own prompt is stamped with the
 * precise clock, too, and so tells more than the coarse stamp of the same packet.
 */
static uint64_t heard(const struct path *path, const struct path_entry *entry)
{
	bool answered = path->prompt.token != 0 && entry->answer_token == path->prompt.token;

	return answered && entry->answer_ns > entry->last_seen_ns ? entry->answer_ns
								  : entry->last_seen_ns;
}

/* The coarse lag is added so that a stamp that is too old never makes a path due early. */
static uint64_t due_after(const struct policy *policy, uint64_t heard_ns)
{
	return plus(plus(heard_ns, policy->threshold_ns), policy->coarse_lag_ns);
}

static uint64_t since_opened(const struct path *path, uint64_t seen_ns)
{
	return seen_ns ? seen_ns : path->opened_ns;
}

static unsigned int tries_allowed(unsigned int failures)
{
	return failures == 0 ? POLICY_TRIES_MAX : 1;
}

/* How long an answer is waited for after so many sendings of a prompt. */
static uint64_t patience(unsigned int tries, unsigned int failures)
{
	bool first_of_several = tries == 1 && tries_allowed(failures) > 1;

	return first_of_several ? POLICY_REPEAT_FIRST_NS : POLICY_REPEAT_NEXT_NS;
}

/* The distance of prompts to a path that left so many of them unanswered. */
static uint64_t backoff(const struct policy *policy, unsigned int failures)
{
	uint64_t threshold = policy->threshold_ns;

	if (threshold >= POLICY_BACKOFF_MAX_NS)
		return threshold;
	if (failures >= 63 || threshold > POLICY_BACKOFF_MAX_NS >> failures)
		return POLICY_BACKOFF_MAX_NS;
	return threshold << failures;
}

/* A silent path is looked at every threshold, so that one that speaks again is noticed. */
static uint64_t silent_again(const struct view *view, unsigned int failures)
{
	const struct policy *policy = view->policy;

	return earlier(plus(view->path->prompt.sent_ns, backoff(policy, failures)),
		       plus(view->now_ns, policy->threshold_ns));
}

/* The latest stamp may be of a packet that came up to one lag after it. */
static bool heard_since_last_sending(const struct view *view)
{
	return plus(view->heard_ns, view->policy->coarse_lag_ns) > view->path->prompt.sent_ns;
}

/* When the path was last prompted, or a prompt was last counted as avoided. */
static uint64_t spared_until(const struct path *path)
{
	return path->spared_ns ? path->spared_ns : path->opened_ns;
}

/*
 * The prompts that one every threshold would have been by now, if the device has spoken
 * after the path had been scheduled, and that is why it is not idle now.
 */
static uint32_t prompts_avoided(const struct view *view)
{
	uint64_t known_ns = since_opened(view->path, view->path->last_seen_ns);
	uint64_t since_ns = spared_until(view->path);

	if (view->heard_ns <= known_ns || due_after(view->policy, known_ns) > view->now_ns ||
	    since_ns > view->now_ns)
		return 0;
	return (uint32_t)((view->now_ns - since_ns) / view->policy->threshold_ns);
}

static struct policy_verdict wait_until(uint64_t again_ns, enum path_health health)
{
	return (struct policy_verdict){
		.action = POLICY_WAIT,
		.again_ns = again_ns,
		.health = health,
	};
}

static struct policy_verdict prompt_now(const struct view *view, unsigned int failures)
{
	return (struct policy_verdict){
		.action = POLICY_PROMPT,
		.again_ns = plus(view->now_ns, patience(1, failures)),
		.health = failures == 0 ? PATH_AWAITING : PATH_SILENT,
	};
}

/* No prompt is outstanding; the last so many stayed unanswered. */
static struct policy_verdict judge_resting(const struct view *view, unsigned int failures)
{
	const struct prompt *prompt = &view->path->prompt;
	bool silent = failures > 0 && !heard_since_last_sending(view);

	if (view->now_ns < view->due_ns)
		return wait_until(view->due_ns, silent ? PATH_SILENT : PATH_LIVE);
	if (failures == 0 || view->now_ns >= plus(prompt->sent_ns, backoff(view->policy, failures)))
		return prompt_now(view, failures);
	return wait_until(silent_again(view, failures), PATH_SILENT);
}

/*
 * The token proves an answer. Other traffic proves itself only by a stamp after the
 * first sending: an equal or older one may be of a packet that came before it.
 */
static bool prompt_answered(const struct view *view)
{
	const struct prompt *prompt = &view->path->prompt;

	return view->entry->answer_token == prompt->token || view->heard_ns > prompt->first_ns;
}

/* A prompt is outstanding and nothing has been heard. */
static struct policy_verdict judge_unanswered(const struct view *view)
{
	const struct prompt *prompt = &view->path->prompt;
	unsigned int tries = prompt->tries, failures = prompt->failures;
	uint64_t patient_until = plus(prompt->sent_ns, patience(tries, failures));
	enum path_health health = failures == 0 ? PATH_AWAITING : PATH_SILENT;
	struct policy_verdict verdict;

	if (view->now_ns < patient_until)
		return wait_until(patient_until, health);
	if (tries >= tries_allowed(failures)) {
		verdict = wait_until(silent_again(view, failures + 1), PATH_SILENT);
		verdict.unanswered = true;
		return verdict;
	}
	verdict = wait_until(plus(view->now_ns, patience(tries + 1, failures)), health);
	verdict.action = POLICY_REPEAT;
	return verdict;
}

struct policy_verdict policy_judge(const struct policy *policy, const struct path *path,
				   const struct path_entry *entry, uint64_t now_ns)
{
	struct view view = { policy, path, entry, now_ns, 0, 0 };
	struct policy_verdict verdict;

	if (!entry)
		return wait_until(plus(now_ns, policy->threshold_ns), path->health);

	/* The time was read before the entry: a packet may have come in between. */
	view.heard_ns = earlier(since_opened(path, heard(path, entry)), now_ns);
	view.due_ns = due_after(policy, view.heard_ns);

	if (path->prompt.tries == 0) {
		verdict = judge_resting(&view, path->prompt.failures);
		verdict.avoided = verdict.action == POLICY_WAIT ? prompts_avoided(&view) : 0;
	} else if (prompt_answered(&view)) {
		verdict = judge_resting(&view, 0);
		verdict.answered = true;
	} else {
		verdict = judge_unanswered(&view);
	}
	verdict.spared_ns = verdict.action == POLICY_PROMPT
				    ? now_ns
				    : spared_until(path) + verdict.avoided * policy->threshold_ns;
	return verdict;
}

static void note_round_trip(struct path *path, const struct path_entry *entry)
{
	uint64_t us;

	if (path->prompt.tries != 1 || entry->prompt_token != entry->answer_token ||
	    entry->answer_ns < entry->prompt_ns)
		return;
	us = (entry->answer_ns - entry->prompt_ns) / NS_PER_US;
	path->rtt_us = us == 0 ? 1 : (uint32_t)earlier(us, UINT32_MAX);
}

/* Answers to prompts of an earlier life of the agent are not this path's. */
static void note_answer(struct path *path, const struct path_entry *entry, struct counts *counts)
{
	uint64_t token = entry->answer_token;

	if (token == 0 || token != path->prompt.token || token == path->answer_token)
		return;
	note_round_trip(path, entry);
	path->answer_token = token;
	path->answer_status = entry->answer_status;
	path->answers++;
	count_up(counts, prompts_answered);
}

static void note_health(struct path *path, enum path_health health, struct counts *counts)
{
	if (health == PATH_SILENT && path->health != PATH_SILENT)
		count_up(counts, paths_silenced);
	if (health != PATH_SILENT && path->health == PATH_SILENT)
		count_up(counts, paths_revived);
	path->health = (uint8_t)health;
}

void policy_apply(struct path *path, const struct path_entry *entry,
		  const struct policy_verdict *verdict, struct counts *counts)
{
	struct prompt *prompt = &path->prompt;

	if (entry) {
		path->spared_ns = verdict->spared_ns;
		note_answer(path, entry, counts);
		path->last_seen_ns = heard(path, entry);
	}
	path->avoided += verdict->avoided;
	count_many(counts, prompts_avoided, verdict->avoided);
	if (verdict->answered || verdict->unanswered)
		prompt->tries = 0;
	if (verdict->unanswered) {
		prompt->failures += prompt->failures < UINT8_MAX;
		count_up(counts, prompts_unanswered);
	}
	if (verdict->health != PATH_SILENT && prompt->tries == 0)
		prompt->failures = 0;
	note_health(path, verdict->health, counts);
}
