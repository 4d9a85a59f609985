/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/address.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "cluster/notation.h"
#include "cluster/share_redis_parts.h"
#include "state/uri.h"

/*
 * What is announced fills SHARE_WINDOW and no more; what changes meanwhile comes on top. What
 * comes beyond this is lost: Redis has not answered for seconds then, and will be told
 * everything anew once it does.
 */
#define REPORTS_MAX (64 * SHARE_WINDOW)

#define KEY_MAX (sizeof(NOTATION_AOR) + LOCATION_TEXT_MAX)

/* A location as words of a command. */
struct written {
	struct location location;
	struct text key, field, value, flow;
	char aor_room[LOCATION_TEXT_MAX]; /* not terminated */
	char device_room[LOCATION_TEXT_MAX + 32];
	char key_room[KEY_MAX];
	char field_room[NOTATION_MAX];
	char value_room[512];
	char flow_room[160];
};

/* A report that waits for its answer; all but put_ns is for the case that another node is ahead. */
struct outstanding {
	struct share_redis *share;
	uint64_t put_ns;
	uint64_t accepted_ns;
	size_t aor_length;
	size_t device_length;
	char texts[]; /* AOR, device */
};

/*
 * False if it is too long for the cluster. Whoever asks for an AOR asks for its folded form, which a
 * registration has already.
 */
static bool write_down(const struct share_redis *share, const struct record *record,
		       struct written *out)
{
	struct text device = TEXT_OVER(out->device_room);

	if (record->aor.length > LOCATION_TEXT_MAX)
		return false;
	out->location = (struct location){
		.node = share->self.name,
		.aor = uri_fold(record->aor, out->aor_room),
		.device = location_device(record, &device),
		.kind = record->kind,
		.flow = record->flow,
		.epoch = share->self.begun,
	};
	out->key = TEXT_OVER(out->key_room);
	out->field = TEXT_OVER(out->field_room);
	if (!out->location.device.at)
		return false;
	text_add(&out->key, SPAN(NOTATION_AOR));
	text_add(&out->key, out->location.aor);
	notation_write_field(&out->field, &out->location);
	return !out->key.overflow && !out->field.overflow;
}

static uint64_t to_ms(const struct share_redis *share, uint64_t at_ns)
{
	return share_clock_to_ms(&share->clock, at_ns);
}

/* As of now if it is not known when it was accepted, as of a subscription. */
static uint64_t accepted_ns(const struct record *record, uint64_t now_ns)
{
	return record->accepted_ns ? record->accepted_ns : now_ns;
}

static bool write_value(const struct share_redis *share, const struct share_report *report,
			uint64_t now_ns, struct written *out)
{
	const struct record *record = report->record;
	struct location *location = &out->location;

	location->health = report->health;
	location->accepted_ms = to_ms(share, accepted_ns(record, now_ns));
	location->ends_ms = to_ms(share, record->ends_ns);
	location->heard_ms = report->seen_ns ? to_ms(share, report->seen_ns) : 0;
	out->value = TEXT_OVER(out->value_room);
	out->flow = TEXT_OVER(out->flow_room);
	notation_write_value(&out->value, location);
	flow_write(&out->flow, &location->flow);
	return !out->value.overflow && !out->flow.overflow;
}

static bool is_shared(const struct record *record)
{
	return record->aor.length > 0 && record->kind != BINDING_CONNECTION;
}

static bool has_room(const struct share_redis *share)
{
	return share->asked_count - share->answered_count < REPORTS_MAX;
}

/* The answer to a report has come, or never will: the epoch cannot become whole then. */
static void answered(struct share_redis *share, const struct redisReply *reply)
{
	share->answered_count++;
	if (!reply)
		share_redis_void_epoch(share);
	if (!reply || reply->type != REDIS_REPLY_ERROR)
		return;
	share_redis_refused(share, reply);
	share_redis_void_epoch(share);
}

static void drop_answered(void *context, const struct redisReply *reply)
{
	struct share_redis *share = context;
	uint64_t removed;

	if (share->closing)
		return;
	answered(share, reply);
	if (!reply)
		return;
	if (!redis_reply_number(reply, 1, INT64_MAX, &removed))
		count_up(share->options.counts, shared_dropped);
	share_redis_progress(share);
}

static struct outstanding *remember(struct share_redis *share, const struct record *record,
				    const struct location *location, uint64_t now_ns)
{
	struct outstanding *made =
		malloc(sizeof(*made) + location->aor.length + location->device.length);

	if (!made)
		return NULL;
	made->share = share;
	made->put_ns = now_ns;
	made->accepted_ns = accepted_ns(record, now_ns);
	made->aor_length = location->aor.length;
	made->device_length = location->device.length;
	memcpy(made->texts, location->aor.at, made->aor_length);
	memcpy(made->texts + made->aor_length, location->device.at, made->device_length);
	return made;
}

/*
 * Another node's server has accepted the device later than ours had when this was reported; what
 * ours may have accepted since is another report.
 */
static void leave(const struct share_redis *share, const struct outstanding *of, struct span node)
{
	struct order order = {
		.kind = ORDER_leave,
		.issued_ms = share_redis_now_ms(share),
		.node = node,
		.aor = { of->texts, of->aor_length },
		.device = { of->texts + of->aor_length, of->device_length },
		.accepted_ms = to_ms(share, of->accepted_ns),
	};

	share->options.ordered(share->options.context, &order, of->accepted_ns);
}

/* How long it took until everybody could know. */
static void measure(struct share_redis *share, uint64_t put_ns)
{
	uint64_t lag_ms;

	if (share->options.clock_ms)
		return;
	lag_ms = (clock_now_ns() - put_ns) / NS_PER_MS;
	share->self.lag_ms = lag_ms < UINT32_MAX ? (uint32_t)lag_ms : UINT32_MAX;
}

static bool is_word(const struct redisReply *reply, struct span word)
{
	return span_equal(redis_reply_text(reply), word);
}

/* { "kept", garbage } or { "stale", node, accepted, garbage }; false if it is neither. */
static bool take_verdict(struct share_redis *share, const struct outstanding *of,
			 const struct redisReply *reply)
{
	uint64_t garbage, accepted_ms;

	if (reply->type != REDIS_REPLY_ARRAY || reply->elements < 2 ||
	    redis_reply_number(reply->element[reply->elements - 1], 0, INT64_MAX, &garbage))
		return false;
	count_many(share->options.counts, shared_garbage, garbage);
	if (reply->elements == 2 && is_word(reply->element[0], SPAN("kept"))) {
		count_up(share->options.counts, shared_written);
		measure(share, of->put_ns);
		return true;
	}
	if (reply->elements != 4 || !is_word(reply->element[0], SPAN("stale")) ||
	    redis_reply_number(reply->element[2], 0, INT64_MAX, &accepted_ms))
		return false;
	count_up(share->options.counts, shared_stale);
	leave(share, of, redis_reply_text(reply->element[1]));
	return true;
}

static void put_answered(void *context, const struct redisReply *reply)
{
	cleanup_free struct outstanding *of = context;
	struct share_redis *share = of->share;

	if (share->closing)
		return;
	answered(share, reply);
	if (!reply)
		return;
	if (reply->type != REDIS_REPLY_ERROR && !take_verdict(share, of, reply)) {
		redis_link_reset(share->reports, "what it answers to a report makes no sense");
		return;
	}
	share_redis_progress(share);
}

/* Whatever cannot be sent is lost, and the cluster is told everything anew. */
static void sent(struct share_redis *share, int error)
{
	if (error)
		share_redis_void_epoch(share);
	else
		share_redis_asked(share);
}

static int ask_to_put(struct share_redis *share, const struct written *written, uint64_t now_ns,
		      struct outstanding *of)
{
	const struct location *location = &written->location;
	char accepted_room[24], ends_room[24], now_room[24];
	struct text accepted = TEXT_OVER(accepted_room), ends = TEXT_OVER(ends_room);
	struct text now = TEXT_OVER(now_room);

	text_format(&accepted, "%" PRIu64, location->accepted_ms);
	text_format(&ends, "%" PRIu64, location->ends_ms);
	if (share->options.clock_ms)
		text_format(&now, "%" PRIu64, to_ms(share, now_ns));
	return redis_link_run(
		share->reports, REDIS_SCRIPT_PUT,
		(const struct span[]){
			text_span(&written->key),
			SPAN(NOTATION_CHANGES),
			SPAN(NOTATION_SEQUENCE),
			location->aor,
			{ written->field_room, 1 }, /* its kind */
			location->node,
			location->device,
			text_span(&written->value),
			text_span(&accepted),
			text_span(&ends),
			text_span(&now),
			text_span(&written->flow),
			share->options.move == SHARE_MOVE_STOP ? SPAN("stop") : SPAN("keep"),
		},
		3, 13, put_answered, of);
}

static void send_put(struct share_redis *share, const struct record *record,
		     const struct written *written, uint64_t now_ns)
{
	cleanup_free struct outstanding *of = NULL;
	int error;

	if (has_room(share))
		of = remember(share, record, &written->location, now_ns);
	error = of ? ask_to_put(share, written, now_ns, of) : -ENOSPC;
	if (!error)
		(void)take_ptr(of);
	sent(share, error);
}

static void send_drop(struct share_redis *share, const struct written *written)
{
	int error = -ENOSPC;

	if (has_room(share))
		error = redis_link_run(share->reports, REDIS_SCRIPT_DROP,
				       (const struct span[]){
					       text_span(&written->key),
					       SPAN(NOTATION_CHANGES),
					       SPAN(NOTATION_SEQUENCE),
					       written->location.aor,
					       text_span(&written->field),
				       },
				       3, 5, drop_answered, share);
	sent(share, error);
}

/* A simulation chooses both clocks: how far they are apart is known from each time it tells. */
static void follow_simulation(struct share_redis *share, uint64_t now_ns)
{
	if (share->options.clock_ms)
		share->clock.offset_ms = (int64_t)(share_redis_now_ms(share) - now_ns / NS_PER_MS);
}

void share_redis_put(struct share *base, const struct share_report *report, uint64_t now_ns)
{
	struct share_redis *share = share_redis_of(base);
	struct record begun = *report->record;
	struct written written;

	if (!share->in_reach || !is_shared(report->record))
		return;
	follow_simulation(share, now_ns);
	if (!write_down(share, report->record, &written) ||
	    !write_value(share, report, now_ns, &written)) {
		count_up(share->options.counts, shared_oversized);
		return;
	}
	send_put(share, report->record, &written, now_ns);
	/* It has been reported as a dialog, which is another field. */
	begun.kind = BINDING_DIALOG;
	if (report->record->kind == BINDING_LINGERING && write_down(share, &begun, &written))
		send_drop(share, &written);
}

void share_redis_drop(struct share *base, const struct record *record)
{
	struct share_redis *share = share_redis_of(base);
	struct written written;

	if (share->in_reach && is_shared(record) && write_down(share, record, &written))
		send_drop(share, &written);
}
