/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_cluster_day.c - a day of a hundred proxies: whatever fails, calls find every device. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/log.h"
#include "cluster_day.h"
#include "days.h"

#define MINUTE CLUSTER_DAY_MINUTE

/* What is reported meanwhile is late by as much: see the step of a day. */
#define PAUSE (CLUSTER_DAY_SECOND / 2)

/* What happens to Redis in an hour of the day, if anything. */
enum incident { NOTHING, WIPED, PAUSED };

static const enum incident incidents[24] = {
	[6] = WIPED,
	[11] = PAUSED,
	[18] = WIPED,
};

/* Meanwhile devices go on registering, and moving. */
static void meet(struct cluster_day *day, enum incident incident)
{
	if (incident == NOTHING)
		return;
	cluster_day_check(day); /* so it is known what call control knows last */
	if (incident == WIPED)
		cluster_day_kill_redis(day);
	else
		cluster_day_pause_redis(day);
	cluster_day_run(day, incident == WIPED ? 3 * MINUTE : PAUSE);
	cluster_day_wait_for_blindness(day);
	cluster_day_check_last_known(day);
	if (incident == WIPED)
		cluster_day_restart_redis(day);
	else
		cluster_day_resume_redis(day);
	cluster_day_check(day);
}

/*
 * The node that has died an hour ago is back before the next one dies. When it is looked at, some
 * devices of that one have registered elsewhere and some have not noticed yet.
 */
static void live_through_the_hour(struct cluster_day *day, unsigned int hour, size_t *dead)
{
	cluster_day_run(day, 10 * MINUTE);
	if (hour > 0)
		cluster_day_revive_node(day, *dead);
	meet(day, incidents[hour]);
	cluster_day_run(day, 20 * MINUTE);
	*dead = cluster_day_any_node(day);
	cluster_day_kill_node(day, *dead);
	cluster_day_run(day, 4 * MINUTE);
	cluster_day_check(day);
	cluster_day_run(day, 26 * MINUTE);
}

static void trap_30_a_day_of_a_hundred_proxies(void **state)
{
	struct cluster_day *day = *state = cluster_day_begin(&(struct cluster_day_options){
		.devices = 2000,
		.twofold_percent = 5,
		.elsewhere_percent = 10,
		.call_percent = 5,
		.renew_s = 1800,
		.expires_s = 3600,
		.seed = days_seed(20264),
	});
	size_t dead = 0;

	for (unsigned int hour = 0; hour < 24; hour++)
		live_through_the_hour(day, hour, &dead);
	cluster_day_revive_node(day, dead);
	cluster_day_check(day);
	cluster_day_say(day);
}

static int tear_down(void **state)
{
	cluster_day_end(*state);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(trap_30_a_day_of_a_hundred_proxies, tear_down),
	};

	log_set_level(LOG_LEVEL_ERROR);
	return cmocka_run_group_tests_name("a day of a cluster", tests, NULL, NULL);
}
