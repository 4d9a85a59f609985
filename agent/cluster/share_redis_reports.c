/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/address.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "cluster/notation.h"
#include "cluster/share_redis_parts.h"

/*
 * What is announced fills SHARE_WINDOW and no more; what changes meanwhile, and the many
 * bindings of one trunk's path, come on top. What comes beyond this is lost: Redis has not
 * answered for seconds then, and will be told everything anew once it does.
 */
#define REPORTS_MAX (4 * SHARE_WINDOW)

#define KEY_MAX (sizeof(NOTATION_AOR) + LOCATION_TEXT_MAX)

/* A location as words of a command. */
struct written {
	struct location location;
	struct text key, field, value, flow;
	char device_room[LOCATION_TEXT_MAX + 32];
	char key_room[KEY_MAX];
	char field_room[NOTATION_MAX];
	char value_room[512];
	char flow_room[160];
};

/* A report that waits for its answer; the texts are for the case that another node is ahead. */
struct outstanding {
	struct share_redis *share;
	uint64_t put_ns;
	size_t aor_length;
	size_t device_length;
	char texts[]; /* AOR, device */
};

/* False if it is too long for the cluster. */
static bool write_down(const struct share_redis *share, const struct record *record,
		       struct written *out)
{
	struct text device = TEXT_OVER(out->device_room);

	out->location = (struct location){
		.node = share->self.name,
		.aor = record->aor,
		.device = location_device(record, &device),
		.kind = record->kind,
		.flow = record->flow,
		.epoch = share->self.begun,
	};
	out->key = TEXT_OVER(out->key_room);
	out->field = TEXT_OVER(out->field_room);
	if (!out->location.device.at || record->aor.length > LOCATION_TEXT_MAX)
		return false;
	text_add(&out->key, SPAN(NOTATION_AOR));
	text_add(&out->key, record->aor);
	notation_write_field(&out->field, &out->location);
	return !out->key.overflow && !out->field.overflow;
}

static uint64_t to_ms(const struct share_redis *share, uint64_t at_ns)
{
	return share_clock_to_ms(&share->clock, at_ns);
}

/*
 * A registration counts as of its acceptance; what else there is as of now, since it is not known
 * when it began.
 */
static bool write_value(const struct share_redis *share, const struct share_report *report,
			uint64_t now_ns, struct written *out)
{
	const struct record *record = report->record;
	struct location *location = &out->location;
	bool registered = record->kind == BINDING_REGISTRATION;

	location->health = report->health;
	location->accepted_ms = to_ms(share, registered ? record->accepted_ns : now_ns);
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
	if (!share_redis_number(reply, &removed) && removed > 0)
		count_up(share->options.counts, shared_dropped);
	share_redis_progress(share);
}

static struct outstanding *remember(struct share_redis *share, const struct location *location,
				    uint64_t now_ns)
{
	struct outstanding *made =
		malloc(sizeof(*made) + location->aor.length + location->device.length);

	if (!made)
		return NULL;
	made->share = share;
	made->put_ns = now_ns;
	made->aor_length = location->aor.length;
	made->device_length = location->device.length;
	memcpy(made->texts, location->aor.at, made->aor_length);
	memcpy(made->texts + made->aor_length, location->device.at, made->device_length);
	return made;
}

/* Another node's server has accepted the device later than ours. */
static void leave(const struct share_redis *share, const struct outstanding *of, struct span node,
		  uint64_t accepted_ms)
{
	struct order order = {
		.kind = ORDER_leave,
		.issued_ms = share_redis_now_ms(share),
		.node = node,
		.aor = { of->texts, of->aor_length },
		.device = { of->texts + of->aor_length, of->device_length },
		.accepted_ms = accepted_ms,
	};

	share->options.ordered(share->options.context, &order,
			       share_clock_to_ns(&share->clock, accepted_ms));
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
	return span_equal(share_redis_text(reply), word);
}

/* { "kept", garbage } or { "stale", node, accepted, garbage }; false if it is neither. */
static bool take_verdict(struct share_redis *share, const struct outstanding *of,
			 const struct redisReply *reply)
{
	uint64_t garbage, accepted_ms;

	if (reply->type != REDIS_REPLY_ARRAY || reply->elements < 2 ||
	    share_redis_number(reply->element[reply->elements - 1], &garbage))
		return false;
	count_many(share->options.counts, shared_garbage, garbage);
	if (reply->elements == 2 && is_word(reply->element[0], SPAN("kept"))) {
		count_up(share->options.counts, shared_written);
		measure(share, of->put_ns);
		return true;
	}
	if (reply->elements != 4 || !is_word(reply->element[0], SPAN("stale")) ||
	    share_redis_number(reply->element[2], &accepted_ms))
		return false;
	count_up(share->options.counts, shared_stale);
	leave(share, of, share_redis_text(reply->element[1]), accepted_ms);
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
		share->asked_count++;
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

static void send_put(struct share_redis *share, const struct written *written, uint64_t now_ns)
{
	cleanup_free struct outstanding *of = NULL;
	int error;

	if (has_room(share))
		of = remember(share, &written->location, now_ns);
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
	send_put(share, &written, now_ns);
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
