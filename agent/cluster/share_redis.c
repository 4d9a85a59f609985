/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "cluster/notation.h"
#include "cluster/share_redis_parts.h"

/*
 * A loss voids the epoch, and the next one begins a pause later, which doubles until an epoch
 * becomes whole: what goes on failing (Redis is full, or slower than we have changes to
 * report) must not be answered by announcing everything over and over.
 */
#define PAUSE_MIN_NS (1 * NS_PER_S)
#define PAUSE_MAX_NS (16 * NS_PER_S)

/* What was announced later than now was not announced by any clock that we could go on from. */
#define AHEAD_MAX_MS 5000

uint64_t share_redis_now_ms(const struct share_redis *share)
{
	if (share->options.clock_ms)
		return share->options.clock_ms(share->options.context);
	return share_clock_to_ms(&share->clock, clock_now_ns());
}

void share_redis_refused(struct share_redis *share, const struct redisReply *error)
{
	if (share->refused)
		return;
	share->refused = true;
	log_warning("redis refuses what node %s reports, so calls may not find its devices: %.200s",
		    share->options.node, error->str);
}

void share_redis_void_epoch(struct share_redis *share)
{
	share->void_epoch = true;
}

static size_t outstanding(const struct share_redis *share)
{
	return (size_t)(share->asked_count - share->answered_count);
}

static uint64_t epoch(const struct share *base)
{
	const struct share_redis *share = (const struct share_redis *)(const void *)base;

	return share->in_reach && share->self.whole != share->self.begun ? share->self.begun : 0;
}

static size_t room(const struct share *base)
{
	const struct share_redis *share = (const struct share_redis *)(const void *)base;

	/* Nothing that is announced in a void epoch helps: so its window drains. */
	if (!share->in_reach || share->void_epoch || outstanding(share) >= SHARE_WINDOW)
		return 0;
	return SHARE_WINDOW - outstanding(share);
}

static bool is_announcing(const struct share_redis *share)
{
	return epoch(&share->share) && !share->announced;
}

static void wake(struct share_redis *share)
{
	share->filled = false;
	share->options.wake(share->options.context);
}

static void become_whole(struct share_redis *share)
{
	share->self.whole = share->self.begun;
	share->pause_ns = PAUSE_MIN_NS;
	share->refused = false;
	count_up(share->options.counts, announcements);
	log_info("node %s has reported all that it keeps to the cluster", share->options.node);
	share_redis_beat(share);
}

void share_redis_asked(struct share_redis *share)
{
	share->asked_count++;
	if (outstanding(share) >= SHARE_WINDOW)
		share->filled = true;
}

void share_redis_progress(struct share_redis *share)
{
	if (share->void_epoch)
		return;
	if (epoch(&share->share) && share->announced &&
	    share->answered_count >= share->announced_at)
		become_whole(share);
	if (share->filled && outstanding(share) <= SHARE_WINDOW / 2)
		wake(share);
}

static void announced(struct share *base, uint64_t number)
{
	struct share_redis *share = share_redis_of(base);

	if (!is_announcing(share) || number != share->self.begun)
		return;
	share->announced = true;
	share->announced_at = share->asked_count;
	share_redis_progress(share);
}

/* Epochs are times, so they grow over restarts as well; not even a clock that goes back stops that. */
static void begin_epoch(struct share_redis *share, uint64_t now_ms, uint64_t now_ns)
{
	share->self.begun = now_ms > share->self.begun ? now_ms : share->self.begun + 1;
	share->announced = false;
	share->void_epoch = false;
	share->renew_ns = now_ns + share->pause_ns;
	share->pause_ns = share->pause_ns < PAUSE_MAX_NS / 2 ? 2 * share->pause_ns : PAUSE_MAX_NS;
	/* The stream of orders may have begun anew as well. */
	share->orders_read[0] = '\0';
	share_redis_beat(share);
	wake(share);
}

/* The node as it was before this run of its agent: what is void stays so, and a drained node drained. */
static void adopt(struct share_redis *share, const struct node *before, uint64_t now_ms)
{
	if (before->begun <= now_ms + AHEAD_MAX_MS) {
		share->self.begun = before->begun;
		share->self.whole = before->whole;
	} else {
		count_up(share->options.counts, shared_garbage);
		log_warning("redis has a time in the future as that of the last announcement of "
			    "node %s: it is not believed",
			    share->options.node);
	}
	if (!before->draining || share->drain_told)
		return;
	share->self.draining = true;
	log_info("node %s was draining and goes on draining", share->options.node);
}

static void meet_twin(struct share_redis *share, uint64_t now_ns)
{
	if (!share->twin_ns)
		log_error("another agent says that it is node %s: give each its own --node",
			  share->options.node);
	share->twin_ns = now_ns;
}

/* Not as soon as two beats of ours follow each other: it has announced, and taken back, in our name. */
static void miss_twin(struct share_redis *share, uint64_t now_ns)
{
	if (!share->twin_ns || now_ns - share->twin_ns < NODE_DEAD_NS)
		return;
	share->twin_ns = 0;
	log_info("no other agent says any more that it is node %s", share->options.node);
	share_redis_void_epoch(share);
}

/* Before the first beat of this run that was an earlier run, later it is none of ours. */
static void meet_other(struct share_redis *share, const struct node *other, uint64_t now_ms,
		       uint64_t now_ns)
{
	if (!share->met)
		adopt(share, other, now_ms);
	else if (other->beat_ms + NODE_DEAD_NS / NS_PER_MS > now_ms)
		meet_twin(share, now_ns);
	else
		share_redis_void_epoch(share);
}

/* What the cluster knew of this node before this beat: our last beat, or something has happened. */
static void look_back(struct share_redis *share, struct span previous, uint64_t now_ms,
		      uint64_t now_ns)
{
	struct node before;

	if (previous.length == 0) {
		/* Another one of our name may have taken itself out. */
		if (share->in_reach && !share->twin_ns)
			log_warning("redis has lost node %s: was it wiped? Everything is reported "
				    "to it anew",
				    share->options.node);
		share_redis_void_epoch(share);
	} else if (notation_read_node(share->self.name, previous, &before)) {
		count_up(share->options.counts, shared_garbage);
		share_redis_void_epoch(share);
	} else if (before.incarnation != share->self.incarnation) {
		meet_other(share, &before, now_ms, now_ns);
	} else {
		miss_twin(share, now_ns);
	}
}

static void learn_clock(struct share_redis *share, uint64_t now_ms, uint64_t sent_ns,
			uint64_t now_ns)
{
	int64_t step_ms;

	if (share->options.clock_ms)
		return;
	step_ms = share_clock_learn(&share->clock, now_ms, sent_ns, now_ns);
	if (!step_ms)
		return;
	log_warning("the clock of redis has stepped by %" PRId64 " ms: everything is reported anew",
		    step_ms);
	share_redis_void_epoch(share);
}

/* The beat has come to the cluster, and this is what it knew before. */
static void beaten(struct share_redis *share, uint64_t now_ms, struct span previous,
		   uint64_t now_ns)
{
	bool drained = outstanding(share) <= SHARE_WINDOW / 2;
	bool returned = !share->in_reach;

	look_back(share, previous, now_ms, now_ns);
	share->in_reach = true;
	share->met = true;
	if (returned || (share->void_epoch && drained && now_ns >= share->renew_ns))
		begin_epoch(share, now_ms, now_ns);
	else if (is_announcing(share) && room(&share->share) > 0)
		wake(share);
	share_redis_read_orders(share);
}

static void beat_answered(void *context, const struct redisReply *reply)
{
	struct share_redis *share = context;
	uint64_t sent_ns = share->beaten_ns, now_ns = clock_now_ns();
	uint64_t now_ms;

	share->beaten_ns = 0;
	if (!reply || share->closing)
		return;
	if (reply->type == REDIS_REPLY_ERROR) {
		share_redis_refused(share, reply);
		return;
	}
	if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2 ||
	    redis_reply_number(reply->element[0], 0, INT64_MAX, &now_ms)) {
		redis_link_reset(share->reports, "what it answers to a beat makes no sense");
		return;
	}
	learn_clock(share, now_ms, sent_ns, now_ns);
	beaten(share, now_ms, redis_reply_text(reply->element[1]), now_ns);
	if (share->beat_again)
		share_redis_beat(share);
}

static int send_beat(struct share_redis *share)
{
	char head_room[64], tail_room[NODE_URI_MAX + 128], now_room[24] = "";
	struct text head = TEXT_OVER(head_room), tail = TEXT_OVER(tail_room);
	struct text now = TEXT_OVER(now_room);

	notation_write_node_head(&head, &share->self);
	notation_write_node_tail(&tail, &share->self);
	if (share->options.clock_ms)
		text_format(&now, "%" PRIu64, share_redis_now_ms(share));
	return redis_link_run(share->reports, REDIS_SCRIPT_BEAT,
			      (const struct span[]){ SPAN(NOTATION_NODES), share->self.name,
						     text_span(&head), text_span(&tail),
						     text_span(&now) },
			      1, 5, beat_answered, share);
}

void share_redis_beat(struct share_redis *share)
{
	uint64_t now_ns;

	if (!redis_link_is_up(share->reports))
		return;
	share->beat_again = share->beaten_ns != 0;
	if (share->beat_again)
		return;
	share->self.paths = share->options.paths(share->options.context);
	now_ns = clock_now_ns();
	if (send_beat(share) == 0)
		share->beaten_ns = now_ns;
}

/* Other answers may come all the while, too slowly: to the others we are dead. */
static void lose_patience(struct share_redis *share)
{
	if (share->beaten_ns && clock_now_ns() - share->beaten_ns >= REDIS_LINK_PATIENCE_NS)
		redis_link_reset(share->reports, "it does not get round to a beat of ours");
}

void share_redis_set_draining(struct share_redis *share, bool draining)
{
	share->drain_told = true;
	if (share->self.draining == draining)
		return;
	share->self.draining = draining;
	log_info(draining ? "node %s is draining: no new calls are routed here"
			  : "node %s serves again: new calls are routed here",
		 share->options.node);
	share_redis_beat(share);
}

static void on_beat(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)loop;
	(void)events;
	lose_patience(timer->data);
	share_redis_beat(timer->data);
}

static void reports_up(void *context)
{
	share_redis_beat(context);
}

static void reports_down(void *context)
{
	struct share_redis *share = context;

	count_up(share->options.counts, cluster_losses);
	share->in_reach = false;
	share->refused = false;
	share_clock_doubt(&share->clock);
}

static void orders_up(void *context)
{
	share_redis_read_orders(context);
}

static void orders_down(void *context)
{
	(void)context;
}

/* The node stays in the set until it counts as dead: whoever starts again by then misses no call. */
static void close_share(struct share *base)
{
	struct share_redis *share = share_redis_of(base);

	share->closing = true;
	ev_timer_stop(share->options.loop, &share->beat);
	redis_link_close(share->orders);
	redis_link_close(share->reports);
	free(share);
}

static const struct share_operations operations = {
	.close = close_share,
	.put = share_redis_put,
	.drop = share_redis_drop,
	.epoch = epoch,
	.room = room,
	.announced = announced,
};

static struct share_redis *new_share(const struct share_options *options,
				     const struct hash_key *random)
{
	struct share_redis *share = calloc(1, sizeof(*share));

	if (!share)
		return NULL;
	share->share.operations = &operations;
	share->share.directory = share_redis_directory(share);
	share->options = *options;
	share->pause_ns = PAUSE_MIN_NS;
	share->self = (struct node){
		.name = span_of(options->node),
		.uri = span_of(options->uri),
		.incarnation = random->half[0],
	};
	ev_timer_init(&share->beat, on_beat, 0, (double)NODE_BEAT_NS / NS_PER_S);
	share->beat.data = share;
	return share;
}

static int open_reports(struct share_redis *share)
{
	struct redis_link_options options = {
		.loop = share->options.loop,
		.address = &share->options.address,
		.purpose = "reports",
		.up = reports_up,
		.down = reports_down,
		.context = share,
	};

	return redis_link_open(&options, &share->reports);
}

/* They are lost with the reports, as a rule, so that link does the logging. */
static int open_orders(struct share_redis *share)
{
	struct redis_link_options options = {
		.loop = share->options.loop,
		.address = &share->options.address,
		.up = orders_up,
		.down = orders_down,
		.context = share,
	};

	return redis_link_open(&options, &share->orders);
}

int share_redis_open(const struct share_options *options, struct share **out)
{
	cleanup_free struct share_redis *share = NULL;
	struct hash_key random;
	int error = hash_key_make(&random);

	if (error)
		return log_errno(-error, "no randomness to be had: %s", strerror(-error));
	share = new_share(options, &random);
	if (!share)
		return log_errno(ENOMEM, "out of memory");
	error = open_reports(share);
	if (error)
		return error;
	error = open_orders(share);
	if (error) {
		redis_link_close(share->reports);
		return error;
	}
	ev_timer_again(options->loop, &share->beat);
	*out = &take_ptr(share)->share;
	return 0;
}
