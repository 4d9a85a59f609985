/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>

#include <hiredis/hiredis.h>

#include "base/clock.h"
#include "base/number.h"
#include "cluster/follow_parts.h"
#include "cluster/notation.h"

/* So many changes are taken at once, and Redis waits so long for the first one. */
#define CHANGES_AT_ONCE "4000"
#define CHANGES_WAIT_MS "2000"

/* The fields of an entry; what it does not have is absent. */
struct change {
	struct span sequence;
	struct span aor;
	struct span field;
	struct span value; /* empty: the location is gone */
};

static void read_fields(const struct redisReply *fields, struct change *change)
{
	*change = (struct change){ 0 };
	for (size_t i = 0; i < redis_reply_pairs(fields); i++) {
		struct redis_pair pair = redis_reply_pair(fields, i);

		if (span_equal(pair.name, SPAN("n")))
			change->sequence = pair.value;
		else if (span_equal(pair.name, SPAN("a")))
			change->aor = pair.value;
		else if (span_equal(pair.name, SPAN("f")))
			change->field = pair.value;
		else if (span_equal(pair.name, SPAN("v")))
			change->value = pair.value;
	}
}

static int read_sequence(const struct change *change, uint64_t *sequence)
{
	return number_read(change->sequence, 1, UINT64_MAX - 1, sequence) ? -EBADMSG : 0;
}

static int take_drop(struct follow *follow, const struct change *change)
{
	struct location location;

	if (change->aor.length > LOCATION_TEXT_MAX ||
	    notation_read_field(change->field, &location)) {
		count_up(follow->options.counts, shared_garbage);
		return 0;
	}
	location.aor = change->aor;
	return view_drop(follow->options.view, &location);
}

static int take_change(struct follow *follow, const struct change *change)
{
	if (!change->aor.at || !change->field.at || !change->value.at) {
		count_up(follow->options.counts, shared_garbage);
		return 0;
	}
	if (change->value.length == 0)
		return take_drop(follow, change);
	return follow_take(follow, change->aor, change->field, change->value, true);
}

static void note_id(struct follow_changes *changes, struct span id)
{
	snprintf(changes->id, sizeof(changes->id), "%.*s", (int)id.length, id.at);
}

/* Why everything has to be read anew after this entry; NULL if it has not. */
static const char *take_entry(struct follow *follow, const struct redisReply *entry)
{
	struct follow_changes *changes = &follow->changes;
	struct change change;
	uint64_t sequence;
	bool follows;

	note_id(changes, redis_reply_id(entry));
	read_fields(redis_reply_fields(entry), &change);
	if (read_sequence(&change, &sequence)) {
		count_up(follow->options.counts, shared_garbage);
		return NULL;
	}
	follows = sequence == changes->sequence + 1;
	if (sequence <= changes->sequence)
		view_lose(follow->options.view, clock_now_ns());
	changes->sequence = sequence;
	if (take_change(follow, &change))
		return "one could not be kept in mind";
	return follows ? NULL : "some were cut off before they were read";
}

static void take_entries(struct follow *follow, const struct redisReply *entries)
{
	const char *missed = NULL;

	for (size_t i = 0; i < entries->elements; i++) {
		const char *why = take_entry(follow, entries->element[i]);

		missed = missed ? missed : why;
	}
	if (missed)
		follow_want_reading(follow, missed);
}

/*
 * Nothing came for as long as Redis waits: then nothing is missing either, unless there were
 * changes already when it was asked.
 */
static void take_none(struct follow *follow)
{
	if (follow->changes.sequence < follow->changes.target)
		follow_want_reading(follow, "their stream does not have them");
}

static void take_answer(struct follow *follow, const struct redisReply *reply)
{
	const struct redisReply *entries;

	if (reply->type == REDIS_REPLY_NIL) {
		take_none(follow);
		return;
	}
	entries = redis_reply_entries(reply);
	if (!entries)
		redis_link_reset(follow->listener, "what it sends as changes makes no sense");
	else
		take_entries(follow, entries);
}

static void changes_answered(void *context, const struct redisReply *reply)
{
	struct follow *follow = context;
	struct follow_changes *changes = &follow->changes;
	bool is_void = changes->is_moved;

	changes->is_asked = false;
	changes->is_moved = false;
	if (!reply || follow->is_closing)
		return;
	if (!is_void && reply->type == REDIS_REPLY_ERROR) {
		/* It may be there to stay: nothing is asked before the place is known anew. */
		follow_refused(follow, "what changes", reply);
		changes->is_placed = false;
		follow_want_reading(follow, "redis refuses them");
	} else if (!is_void) {
		take_answer(follow, reply);
	}
	follow_ask_changes(follow);
}

void follow_ask_changes(struct follow *follow)
{
	struct follow_changes *changes = &follow->changes;

	if (changes->is_asked || !changes->is_placed || !redis_link_is_up(follow->listener))
		return;
	changes->target = follow->nodes.written;
	changes->is_asked = redis_link_ask(follow->listener,
					   (const struct span[]){
						   SPAN("XREAD"),
						   SPAN("COUNT"),
						   SPAN(CHANGES_AT_ONCE),
						   SPAN("BLOCK"),
						   SPAN(CHANGES_WAIT_MS),
						   SPAN("STREAMS"),
						   SPAN(NOTATION_CHANGES),
						   span_of(changes->id),
					   },
					   8, true, changes_answered, follow) == 0;
}

void follow_place_changes(struct follow *follow, struct span id, uint64_t sequence)
{
	struct follow_changes *changes = &follow->changes;

	note_id(changes, id);
	changes->sequence = sequence;
	changes->is_placed = true;
	changes->is_moved = changes->is_asked;
	follow_ask_changes(follow);
}
