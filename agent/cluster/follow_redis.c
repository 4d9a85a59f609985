/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>

#include <hiredis/hiredis.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "cluster/follow_parts.h"
#include "cluster/notation.h"

/* The view is expired once in so many ticks: in a second. */
#define TICKS_PER_EXPIRY 2

void follow_judge(struct follow *follow)
{
	bool current = follow->is_whole && !follow->is_blind &&
		       redis_link_is_up(follow->listener) && redis_link_is_up(follow->reader);

	if (follow->is_current && !current)
		follow->stale_ns = clock_now_ns();
	follow->is_current = current;
}

void follow_refused(struct follow *follow, const char *what, const struct redisReply *reply)
{
	count_up(follow->options.counts, shared_garbage);
	if (!follow->is_refused)
		log_error("redis does not say %s: %s", what,
			  reply->type == REDIS_REPLY_ERROR ? reply->str
							   : "its answer makes no sense");
	follow->is_refused = true;
}

static void say_full(struct follow *follow)
{
	if (!follow->is_full)
		log_error("more than %zu locations are in the cluster: calls for the others are"
			  " not routed",
			  view_count(follow->options.view));
	follow->is_full = true;
}

static int give(struct follow *follow, const struct location *location, bool is_change)
{
	int error;

	error = is_change ? view_put(follow->options.view, location)
			  : view_read(follow->options.view, location);
	if (error == -ENOSPC)
		say_full(follow);
	if (is_change)
		follow->options.changed(follow->options.context, location);
	return error == -ENOMEM ? error : 0;
}

int follow_take(struct follow *follow, struct span aor, struct span field, struct span value,
		bool is_change)
{
	struct location location;

	if (aor.length > LOCATION_TEXT_MAX || notation_read_location(field, value, &location)) {
		count_up(follow->options.counts, shared_garbage);
		return 0;
	}
	location.aor = aor;
	return give(follow, &location, is_change);
}

static void reader_up(void *context)
{
	struct follow *follow = context;

	/* It may be another server: its clock and its changes are its own. */
	share_clock_doubt(&follow->clock);
	follow->reading.begun_ns = 0;
	follow->reading.is_wanted = true;
	follow->nodes.written = 0;
	follow_ask_nodes(follow);
	follow_begin_reading(follow);
}

static void reader_down(void *context)
{
	struct follow *follow = context;

	count_up(follow->options.counts, cluster_losses);
	follow->is_whole = false;
	follow->nodes.is_asked = false;
	follow_abandon_reading(follow);
	follow_set_blind(follow, true, clock_now_ns());
}

static void listener_up(void *context)
{
	follow_ask_changes(context);
	follow_judge(context);
}

/* Whatever is missed by that shows in the sequence of the changes. */
static void listener_down(void *context)
{
	struct follow *follow = context;

	follow->changes.is_asked = false;
	follow_judge(follow);
}

/* While the nodes cannot be read none of them can be seen to have died. */
static void go_blind(struct follow *follow, uint64_t now_ns)
{
	if (follow->nodes.is_asked && !follow->is_slow) {
		log_warning("redis is slow: proxies are taken to be as they were last");
		follow->is_slow = true;
	}
	follow_set_blind(follow, true, now_ns);
}

static void look(struct ev_loop *loop, ev_timer *tick, int events)
{
	struct follow *follow = tick->data;
	uint64_t now_ns = clock_now_ns();

	(void)loop;
	(void)events;
	if (!follow->is_blind && now_ns - follow->nodes.read_ns >= FOLLOW_BLIND_NS)
		go_blind(follow, now_ns);
	follow_ask_nodes(follow);
	follow_begin_reading(follow);
	follow_ask_changes(follow);
	if (follow->ticks++ % TICKS_PER_EXPIRY == 0)
		view_expire(follow->options.view, follow_clock_ms(follow));
}

static void start_tick(struct follow *follow)
{
	ev_timer_init(&follow->tick, look, FOLLOW_TICK_S, FOLLOW_TICK_S);
	/* After a pause of this process it goes blind before it takes a node for dead. */
	ev_set_priority(&follow->tick, EV_MAXPRI);
	follow->tick.data = follow;
	ev_timer_start(follow->options.loop, &follow->tick);
}

static int open_link(struct follow *follow, const char *purpose, void (*up)(void *context),
		     void (*down)(void *context), struct redis_link **out)
{
	struct redis_link_options options = {
		.loop = follow->options.loop,
		.address = &follow->options.address,
		.purpose = purpose,
		.up = up,
		.down = down,
		.context = follow,
	};

	return redis_link_open(&options, out);
}

int follow_redis_open(const struct follow_options *options, struct follow **out)
{
	struct follow *follow = calloc(1, sizeof(*follow));
	int error;

	if (!follow)
		return log_errno(ENOMEM, "no memory to follow the cluster");
	follow->options = *options;
	follow->directory = follow_make_directory(follow);
	follow->stale_ns = follow->nodes.read_ns = clock_now_ns();
	error = open_link(follow, "routing", reader_up, reader_down, &follow->reader);
	if (!error)
		error = open_link(follow, NULL, listener_up, listener_down, &follow->listener);
	if (error) {
		if (follow->reader)
			redis_link_close(follow->reader);
		free(follow);
		return error;
	}
	start_tick(follow);
	*out = follow;
	return 0;
}

void follow_close(struct follow *follow)
{
	if (!follow)
		return;
	follow->is_closing = true;
	questions_forget_all(&follow->orders);
	ev_timer_stop(follow->options.loop, &follow->tick);
	redis_link_close(follow->listener);
	redis_link_close(follow->reader);
	free(follow);
}

uint64_t follow_clock_ms(const struct follow *follow)
{
	if (follow->options.clock_ms)
		return follow->options.clock_ms(follow->options.context);
	if (!follow->knows_clock)
		return clock_wall_ns() / NS_PER_MS;
	return share_clock_to_ms(&follow->clock, clock_now_ns());
}

bool follow_is_current(const struct follow *follow, uint64_t *since_ns)
{
	if (!follow->is_current && since_ns)
		*since_ns = follow->stale_ns;
	return follow->is_current;
}

const struct directory *follow_directory(struct follow *follow)
{
	return &follow->directory;
}
