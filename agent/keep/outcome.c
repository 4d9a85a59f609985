/* SPDX-License-Identifier: GPL-2.0-or-later */
/* outcome.c - what a verdict of the policy makes of the path, and of the counters. */
#include "base/clock.h"
#include "keep/policy_parts.h"

static void note_round_trip(struct path *path, const struct path_entry *entry)
{
	uint64_t us;

	if (path->prompt.tries != 1 || entry->prompt_token != entry->answer_token ||
	    entry->answer_ns < entry->prompt_ns)
		return;
	us = (entry->answer_ns - entry->prompt_ns) / NS_PER_US;
	path->rtt_us = us == 0 ? 1 : us < UINT32_MAX ? (uint32_t)us : UINT32_MAX;
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

/* An answer has our token, so whoever is there has read the prompt. */
static bool has_proved(const struct path_entry *entry)
{
	return entry->answers > 0;
}

/*
 * What went unanswered does not matter any more once the device is heard again. What came may be
 * somebody else's on a path that has never answered: there each threshold over which the device
 * keeps its path itself makes up for one prompt.
 */
static void forgive(struct path *path, const struct path_entry *entry,
		    const struct policy_verdict *verdict)
{
	uint32_t kept = path->health == PATH_LIVE ? verdict->avoided : 0;
	struct prompt *prompt = &path->prompt;

	if (verdict->answered || !policy_expects_answers(path) || (entry && has_proved(entry)) ||
	    kept >= prompt->failures)
		prompt->failures = 0;
	else
		prompt->failures -= (uint8_t)kept;
}

void policy_apply(struct path *path, const struct path_entry *entry,
		  const struct policy_verdict *verdict, struct counts *counts)
{
	struct prompt *prompt = &path->prompt;

	if (entry) {
		path->spared_ns = verdict->spared_ns;
		note_answer(path, entry, counts);
		path->last_seen_ns = policy_heard_ns(path, entry);
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
		forgive(path, entry, verdict);
	note_health(path, verdict->health, counts);
	path->note = (uint8_t)verdict->note;
}
