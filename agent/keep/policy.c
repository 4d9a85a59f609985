/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "keep/policy.h"

#include "base/clock.h"
#include "keep/policy_parts.h"
#include "keep/rules.h"

/* One judgement's view of a path. */
struct view {
	const struct policy *policy;
	const struct path *path;
	const struct path_entry *entry;
	uint64_t now_ns;
	uint64_t heard_ns; /* the latest packet from the device, never later than now */
	uint64_t due_ns; /* when the device will have been quiet for the threshold */
	enum path_note exempt; /* why it is not prompted at all; PATH_NOTE_prompted: it is */
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

/* When the path's latest prompt was answered; 0 if it was not. */
static uint64_t answered_at(const struct path *path, const struct path_entry *entry)
{
	bool answered = path->prompt.token != 0 && entry->answer_token == path->prompt.token;

	return answered ? entry->answer_ns : 0;
}

uint64_t policy_heard_ns(const struct path *path, const struct path_entry *entry)
{
	uint64_t answer_ns = answered_at(path, entry);

	return answer_ns > entry->last_seen_ns ? answer_ns : entry->last_seen_ns;
}

/* The coarse lag is added so that a stamp that is too old never makes a path due early. */
static uint64_t due_after(const struct policy *policy, const struct path *path, uint64_t heard_ns)
{
	return plus(plus(heard_ns, path->rules->threshold_ns), policy->coarse_lag_ns);
}

/* When a device that was last heard at heard_ns is quiet: after a sleep of the host at once. */
static uint64_t quiet_from(const struct policy *policy, const struct path *path, uint64_t heard_ns)
{
	uint64_t due_ns = due_after(policy, path, heard_ns);

	if (path->flow.transport == FLOW_TCP || heard_ns > policy->woke_ns)
		return due_ns;
	return earlier(due_ns, policy->woke_ns);
}

static uint64_t since_opened(const struct path *path, uint64_t seen_ns)
{
	return seen_ns ? seen_ns : path->opened_ns;
}

bool policy_expects_answers(const struct path *path)
{
	return path->rules->method != PROMPT_CRLF;
}

static unsigned int tries_allowed(const struct path *path, unsigned int failures)
{
	return failures == 0 && policy_expects_answers(path) ? POLICY_TRIES_MAX : 1;
}

/* How long an answer is waited for after so many sendings of a prompt. */
static uint64_t patience(const struct path *path, unsigned int tries, unsigned int failures)
{
	bool first_of_several = tries == 1 && tries_allowed(path, failures) > 1;

	return first_of_several ? POLICY_REPEAT_FIRST_NS : POLICY_REPEAT_NEXT_NS;
}

/* A time doubled so often, up to a limit. */
static uint64_t doubled(uint64_t time_ns, unsigned int times, uint64_t limit_ns)
{
	return times >= 63 || time_ns > limit_ns >> times ? limit_ns : time_ns << times;
}

/* The packet that made the server accept it came before the entry, and may have been forged. */
static bool is_unheard(const struct path_entry *entry)
{
	return entry->packets_in == 0;
}

static uint64_t backoff_without_answers(const struct view *view)
{
	bool trusted = view->now_ns < plus(view->heard_ns, POLICY_CRLF_TRUST_NS);

	return trusted ? view->path->rules->threshold_ns : POLICY_BACKOFF_MAX_NS;
}

/* The distance of prompts to a path that left so many of them unanswered. */
static uint64_t backoff(const struct view *view, unsigned int failures)
{
	uint64_t threshold = view->path->rules->threshold_ns, distance;

	if (!policy_expects_answers(view->path))
		distance = backoff_without_answers(view);
	else if (failures > 1 && is_unheard(view->entry))
		distance = doubled(POLICY_BACKOFF_MAX_NS, failures - 2, POLICY_UNHEARD_MAX_NS);
	else
		distance = doubled(threshold, failures, POLICY_BACKOFF_MAX_NS);
	return distance > threshold ? distance : threshold;
}

/* A silent path is looked at every threshold, so that one that speaks again is noticed. */
static uint64_t silent_again(const struct view *view, unsigned int failures)
{
	const struct path *path = view->path;

	return earlier(plus(path->prompt.sent_ns, backoff(view, failures)),
		       plus(view->now_ns, path->rules->threshold_ns));
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

	if (view->heard_ns <= known_ns ||
	    due_after(view->policy, view->path, known_ns) > view->now_ns || since_ns > view->now_ns)
		return 0;
	return (uint32_t)((view->now_ns - since_ns) / view->path->rules->threshold_ns);
}

/* Why a device is not prompted however quiet it is; PATH_NOTE_prompted if it is. */
static enum path_note exemption(const struct path *path, const struct connection_entry *connection)
{
	const struct path_rules *rules = path->rules;

	if (path->flow.transport == FLOW_TCP)
		return connection && connection->keepalive ? PATH_NOTE_kept_by_tcp
							   : PATH_NOTE_not_kept;
	if (rules->ignored)
		return PATH_NOTE_ignored;
	if (rules->nat == RULES_NAT_AUTO && path->nat_count == 0)
		return PATH_NOTE_not_behind_nat;
	return PATH_NOTE_prompted;
}

static enum path_note note_of_heard(const struct view *view)
{
	uint64_t answer_ns = answered_at(view->path, view->entry);

	return answer_ns > 0 && answer_ns >= view->heard_ns ? PATH_NOTE_answered : PATH_NOTE_talks;
}

/* Prompts that expect no answer do not become fewer at first for want of one. */
static enum path_note note_of_prompted(const struct view *view, unsigned int failures)
{
	bool rarer = failures > 0 && backoff(view, failures) > view->path->rules->threshold_ns;

	return rarer ? PATH_NOTE_backing_off : PATH_NOTE_prompted;
}

static struct policy_verdict wait_until(uint64_t again_ns, enum path_health health,
					enum path_note note)
{
	return (struct policy_verdict){
		.action = POLICY_WAIT,
		.again_ns = again_ns,
		.health = health,
		.note = note,
	};
}

static struct policy_verdict prompt_now(const struct view *view, unsigned int failures,
					enum path_health health)
{
	return (struct policy_verdict){
		.action = POLICY_PROMPT,
		.again_ns = plus(view->now_ns, patience(view->path, 1, failures)),
		.health = health == PATH_SILENT ? PATH_SILENT : PATH_AWAITING,
		.note = note_of_prompted(view, failures),
	};
}

uint64_t policy_forgotten_ns(const struct path *path, uint64_t heard_ns)
{
	uint64_t threshold = path->rules->threshold_ns;

	return plus(plus(heard_ns, threshold), threshold / 4);
}

/*
 * A prompt may have been forgotten whose answer nobody could have seen: for want of the programs,
 * or of the agent. It is not made anew before that could have come; and where the NAT has
 * forgotten the device anyway, not before a threshold is over, however often that happens.
 */
static uint64_t answerable_until(const struct view *view, uint64_t forgotten_ns)
{
	const struct path *path = view->path;
	uint64_t sent_ns = path->prompt.sent_ns;

	if (sent_ns == 0 || sent_ns <= view->policy->woke_ns)
		return 0;
	return plus(sent_ns, view->now_ns < forgotten_ns ? POLICY_REPEAT_NEXT_NS
							 : path->rules->threshold_ns);
}

/* No prompt is outstanding, and the device is quiet; the last so many stayed unanswered. */
static struct policy_verdict judge_quiet(const struct view *view, unsigned int failures,
					 enum path_health health)
{
	const struct path *path = view->path;
	uint64_t forgotten_ns = policy_forgotten_ns(path, view->heard_ns);
	uint64_t open_until_ns = answerable_until(view, forgotten_ns);

	if (view->now_ns < forgotten_ns && !path_outlives(path, forgotten_ns))
		return wait_until(forgotten_ns, health, PATH_NOTE_ends_soon);
	if (view->now_ns < open_until_ns)
		return wait_until(open_until_ns, health, note_of_prompted(view, failures));
	if (health != PATH_SILENT ||
	    view->now_ns >= plus(path->prompt.sent_ns, backoff(view, failures)))
		return prompt_now(view, failures, health);
	return wait_until(silent_again(view, failures), PATH_SILENT,
			  note_of_prompted(view, failures));
}

/* No prompt is outstanding; the last so many stayed unanswered. */
static struct policy_verdict judge_resting(const struct view *view, unsigned int failures)
{
	bool silent = failures > 0 && !heard_since_last_sending(view);
	enum path_health health = silent ? PATH_SILENT : PATH_LIVE;
	bool quiet = view->now_ns >= view->due_ns;
	uint64_t again_ns =
		quiet ? plus(view->now_ns, view->path->rules->threshold_ns) : view->due_ns;

	if (view->exempt != PATH_NOTE_prompted)
		return wait_until(again_ns, health, view->exempt);
	if (quiet)
		return judge_quiet(view, failures, health);
	return wait_until(again_ns, health,
			  silent ? note_of_prompted(view, failures) : note_of_heard(view));
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
	const struct path *path = view->path;
	const struct prompt *prompt = &path->prompt;
	unsigned int tries = prompt->tries, failures = prompt->failures;
	uint64_t patient_until = plus(prompt->sent_ns, patience(path, tries, failures));
	enum path_health health = path->health == PATH_SILENT ? PATH_SILENT : PATH_AWAITING;
	enum path_note note = note_of_prompted(view, failures);
	struct policy_verdict verdict;

	if (view->now_ns < patient_until)
		return wait_until(patient_until, health, note);
	if (tries >= tries_allowed(path, failures)) {
		verdict = wait_until(silent_again(view, failures + 1), PATH_SILENT,
				     note_of_prompted(view, failures + 1));
		verdict.unanswered = true;
		return verdict;
	}
	verdict = wait_until(plus(view->now_ns, patience(path, tries + 1, failures)), health, note);
	verdict.action = POLICY_REPEAT;
	return verdict;
}

/*
 * The kernel's timers are late by up to an eighth of what they wait for, and the answer
 * takes its time, too.
 */
static uint64_t probe_grace(uint64_t threshold_ns)
{
	return threshold_ns / 8 + NS_PER_S;
}

/* The kernel probes every quarter of the threshold, but not more often than once a second. */
static uint64_t probe_interval(uint64_t threshold_ns)
{
	return threshold_ns / 4 > NS_PER_S ? threshold_ns / 4 : NS_PER_S;
}

static struct policy_verdict judge_connection(const struct view *view)
{
	uint64_t threshold = view->path->rules->threshold_ns;
	uint64_t answered_by = plus(view->due_ns, probe_grace(threshold));
	uint64_t silent_from = plus(view->due_ns, 2 * probe_interval(threshold));

	if (view->now_ns < answered_by)
		return wait_until(answered_by, PATH_LIVE, view->exempt);
	if (view->now_ns < silent_from)
		return wait_until(silent_from, PATH_AWAITING, view->exempt);
	return wait_until(plus(view->now_ns, threshold), PATH_SILENT, view->exempt);
}

static struct policy_verdict judge(const struct view *view)
{
	const struct prompt *prompt = &view->path->prompt;
	struct policy_verdict verdict;

	if (view->path->flow.transport == FLOW_TCP)
		return judge_connection(view);
	if (prompt->tries == 0)
		return judge_resting(view, prompt->failures);
	if (!prompt_answered(view))
		return judge_unanswered(view);
	verdict = judge_resting(view, 0);
	verdict.answered = true;
	return verdict;
}

/* Counts what traffic has made needless. Where nothing would be prompted, nothing is. */
static void spare(const struct view *view, struct policy_verdict *verdict)
{
	const struct path *path = view->path;

	verdict->spared_ns = view->now_ns;
	if (verdict->action == POLICY_PROMPT || view->exempt != PATH_NOTE_prompted)
		return;
	if (verdict->action == POLICY_WAIT && path->prompt.tries == 0)
		verdict->avoided = prompts_avoided(view);
	verdict->spared_ns = spared_until(path) + verdict->avoided * path->rules->threshold_ns;
}

struct policy_verdict policy_judge(const struct policy *policy, const struct path *path,
				   const struct path_entry *entry,
				   const struct connection_entry *connection, uint64_t now_ns)
{
	struct view view = { .policy = policy, .path = path, .entry = entry, .now_ns = now_ns };
	struct policy_verdict verdict;

	if (!entry)
		return wait_until(plus(now_ns, path->rules->threshold_ns), path->health,
				  PATH_NOTE_unknown);

	/* The time was read before the entry: a packet may have come in between. */
	view.heard_ns = earlier(since_opened(path, policy_heard_ns(path, entry)), now_ns);
	view.due_ns = quiet_from(policy, path, view.heard_ns);
	view.exempt = exemption(path, connection);
	verdict = judge(&view);
	spare(&view, &verdict);
	return verdict;
}
