/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vigil.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "health/damage.h"
#include "health/growth.h"
#include "health/memory_watch.h"
#include "health/notify.h"
#include "kernel/kernel_counts.h"

/* So many thresholds without any packet are too many, and so is less than that never. */
#define SILENCE_THRESHOLDS 3
#define SILENCE_LEAST_NS (60 * NS_PER_S)

#define STATUS_MAX 256

struct vigil {
	struct vigil_options options;
	const struct counts *counts;
	struct troubles *troubles;
	struct notify *notify;
	ev_timer timer;
	struct clock_reading before; /* of the latest look */
	struct memory_watch memory;
	struct growth growth;
	uint64_t crossings; /* of the troubles, when they were last told */
	bool blind;
};

static void look_at_clocks(struct vigil *vigil, const struct clock_reading *reading)
{
	struct troubles *troubles = vigil->troubles;
	struct clocks_found found = clocks_compare(&vigil->before, reading, VIGIL_PERIOD_NS);

	vigil->before = *reading;
	if (found.stepped_ns)
		troubles_note(troubles, TROUBLE_clock_stepped, reading->now_ns, "by %+.1f s",
			      (double)found.stepped_ns / NS_PER_S);
	if (found.late_ns)
		troubles_note(troubles, TROUBLE_held_up, reading->now_ns, "for %.1f s",
			      (double)found.late_ns / NS_PER_S);
	if (!found.slept_ns)
		return;
	troubles_note(troubles, TROUBLE_host_suspended, reading->now_ns, "for %.1f s",
		      (double)found.slept_ns / NS_PER_S);
	if (vigil->options.keeper)
		keeper_wake(vigil->options.keeper, found.slept_ns, reading->now_ns);
}

static void look_at_memory(const struct vigil *vigil, uint64_t now_ns)
{
	struct memory_reading reading = memory_watch_read(&vigil->memory);

	if (memory_is_short(&reading))
		troubles_note(vigil->troubles, TROUBLE_memory_short, now_ns,
			      "%" PRIu64 " of %" PRIu64
			      " MiB are left to the host, and its cgroup has "
			      "%" PRIu64 " of %" PRIu64 " MiB; 0: no limit",
			      reading.host_available / 1024, reading.host_total / 1024,
			      reading.own_used / 1024, reading.own_limit / 1024);
}

/* Sets or clears a trouble that lasts. */
static void tell(struct vigil *vigil, enum trouble which, bool present, const char *detail,
		 uint64_t now_ns)
{
	if (present)
		troubles_set(vigil->troubles, which, now_ns, "%s", detail);
	else
		troubles_clear(vigil->troubles, which, now_ns);
}

static uint64_t silence_allowed(const struct keeper *keeper)
{
	uint64_t allowed_ns = SILENCE_THRESHOLDS * keeper_threshold_ns(keeper);

	return allowed_ns > SILENCE_LEAST_NS ? allowed_ns : SILENCE_LEAST_NS;
}

static void look_at_kernel_counters(struct vigil *vigil, uint64_t now_ns)
{
	const struct vigil_options *options = &vigil->options;
	uint64_t kernel[KERNEL_COUNTER_MAX];
	int error = kernel_counts_read(options->counter_map, kernel);

	if (error) {
		troubles_note(vigil->troubles, TROUBLE_maps_unreadable, now_ns,
			      SIPPATH_MAP_COUNTERS ": %s", strerror(-error));
		return;
	}
	growth_look_kernel(&vigil->growth, kernel, vigil->troubles, now_ns);
	growth_look_for_silence(&vigil->growth, silence_allowed(options->keeper),
				keeper_kept(options->keeper), vigil->troubles, now_ns);
}

static void look_at_keeping(struct vigil *vigil, uint64_t now_ns)
{
	const struct vigil_options *options = &vigil->options;

	look_at_kernel_counters(vigil, now_ns);
	tell(vigil, TROUBLE_store_behind, !options->store || store_is_behind(options->store),
	     options->store ? "it is tried again" : "--state-dir could not be used at the start",
	     now_ns);
	if (options->helper_lives)
		tell(vigil, TROUBLE_helper_gone, !options->helper_lives(options->context),
		     "it has ended", now_ns);
	options->mend(options->context, now_ns);
}

/* "all is well", or the names of what is wrong. */
static void tell_status(struct vigil *vigil)
{
	const struct troubles *troubles = vigil->troubles;
	char buffer[STATUS_MAX];
	struct text status = TEXT_OVER(buffer);

	if (troubles_crossings(troubles) == vigil->crossings)
		return;
	vigil->crossings = troubles_crossings(troubles);
	text_format(&status, "%s",
		    troubles_present(troubles) > 0 ? "see \"sippath check\":" : "all is well");
	for (enum trouble which = 0; which < TROUBLE_MAX; which++)
		if (troubles_look(troubles, which)->present)
			text_format(&status, " %s", trouble_name(which));
	notify_status(vigil->notify, buffer);
}

void vigil_look(struct vigil *vigil, const struct clock_reading *reading)
{
	const struct vigil_options *options = &vigil->options;
	uint64_t now_ns = reading->now_ns;

	troubles_turn(vigil->troubles, now_ns);
	look_at_clocks(vigil, reading);
	look_at_memory(vigil, now_ns);
	growth_look(&vigil->growth, vigil->counts, vigil->troubles, now_ns);
	if (options->in_reach)
		tell(vigil, TROUBLE_cluster_lost, !options->in_reach(options->context),
		     "what it knows may be old", now_ns);
	if (options->keeper)
		look_at_keeping(vigil, now_ns);
	if (options->looked)
		options->looked(options->context, now_ns);
	tell_status(vigil);
}

/*
 * Whoever was without sight begins again: no stamp of the time in between says anything, and
 * afterwards every path is looked at, each prompt in its turn (trap 11).
 */
static void set_blind(struct vigil *vigil, bool blind, uint64_t now_ns)
{
	if (vigil->blind != blind)
		keeper_set_blind(vigil->options.keeper, blind, now_ns);
	vigil->blind = blind;
}

void vigil_mended(struct vigil *vigil, const struct attach_repair *repair, uint64_t now_ns)
{
	struct damage damage = damage_assess(repair);

	damage_tell(repair, vigil->troubles, now_ns);
	if (damage.was_blind)
		set_blind(vigil, true, now_ns);
	set_blind(vigil, damage.is_blind, now_ns);
}

bool vigil_is_blind(const struct vigil *vigil)
{
	return vigil->blind;
}

static void on_time(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct clock_reading reading = clocks_read();

	(void)loop;
	(void)events;
	vigil_look(timer->data, &reading);
}

int vigil_open(struct counts *counts, struct vigil **out)
{
	struct vigil *vigil = calloc(1, sizeof(*vigil));
	int error;

	if (!vigil)
		return log_errno(ENOMEM, "out of memory");
	vigil->counts = counts;
	vigil->crossings = UINT64_MAX;
	vigil->memory = memory_watch_open();
	vigil->troubles = troubles_new(counts);
	error = vigil->troubles ? notify_open(&vigil->notify) : log_errno(ENOMEM, "out of memory");
	if (error)
		vigil_close(vigil);
	else
		*out = vigil;
	return error;
}

void vigil_close(struct vigil *vigil)
{
	notify_close(vigil->notify);
	troubles_free(vigil->troubles);
	memory_watch_close(&vigil->memory);
	free(vigil);
}

const struct troubles *vigil_troubles(const struct vigil *vigil)
{
	return vigil->troubles;
}

void vigil_watch(struct vigil *vigil, const struct vigil_options *options)
{
	const double period_s = (double)VIGIL_PERIOD_NS / NS_PER_S;

	vigil->options = *options;
	vigil->before = clocks_read();
	ev_timer_init(&vigil->timer, on_time, period_s, period_s);
	vigil->timer.data = vigil;
	ev_timer_start(options->loop, &vigil->timer);
}

void vigil_ready(struct vigil *vigil)
{
	vigil->before = clocks_read();
	notify_ready(vigil->notify, vigil->options.loop);
	tell_status(vigil);
}

void vigil_unwatch(struct vigil *vigil)
{
	ev_timer_stop(vigil->options.loop, &vigil->timer);
	notify_stopping(vigil->notify);
}
