/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_clocks.c - what the clocks tell, and what memory does: the host, as the agent finds it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "health/clocks.h"
#include "health/memory_watch.h"

static const struct clock_reading before = {
	.now_ns = 5000 * NS_PER_S,
	.boot_ns = 7000 * NS_PER_S,
	.wall_ns = UINT64_C(1700000000) * NS_PER_S,
};

/* All clocks go on by this; then the host sleeps, and the wall clock is set. */
static struct clocks_found after(uint64_t ran_ns, uint64_t slept_ns, int64_t stepped_ns)
{
	struct clock_reading reading = {
		.now_ns = before.now_ns + ran_ns,
		.boot_ns = before.boot_ns + ran_ns + slept_ns,
		.wall_ns = before.wall_ns + ran_ns + slept_ns + (uint64_t)stepped_ns,
	};

	return clocks_compare(&before, &reading, NS_PER_S);
}

static void assert_found(struct clocks_found found, int64_t stepped_ns, uint64_t slept_ns,
			 uint64_t late_ns)
{
	assert_int_equal(found.stepped_ns, stepped_ns);
	assert_int_equal(found.slept_ns, slept_ns);
	assert_int_equal(found.late_ns, late_ns);
}

static void an_ordinary_second_tells_nothing(void **state)
{
	(void)state;
	assert_found(after(NS_PER_S, 0, 0), 0, 0, 0);
	assert_found(after(NS_PER_S + NS_PER_S / 10, 1000, (int64_t)NS_PER_MS), 0, 0, 0);
	assert_found(after(0, 0, 0), 0, 0, 0);
}

static void trap_12_a_step_of_the_wall_clock_is_one_either_way(void **state)
{
	const int64_t step_ns = (int64_t)(3600 * NS_PER_S);

	(void)state;
	assert_found(after(NS_PER_S, 0, step_ns), step_ns, 0, 0);
	assert_found(after(NS_PER_S, 0, -step_ns), -step_ns, 0, 0);
	assert_found(after(NS_PER_S, 0, (int64_t)CLOCKS_STEP_NS), 0, 0, 0);
	assert_found(after(NS_PER_S, 0, (int64_t)CLOCKS_STEP_NS + 1), (int64_t)CLOCKS_STEP_NS + 1,
		     0, 0);
}

static void trap_12_a_sleep_of_the_host_is_no_step(void **state)
{
	(void)state;
	assert_found(after(NS_PER_S, 60 * NS_PER_S, 0), 0, 60 * NS_PER_S, 0);
	assert_found(after(NS_PER_S, CLOCKS_SLEEP_NS, 0), 0, 0, 0);
	assert_found(after(NS_PER_S, CLOCKS_SLEEP_NS + 1, 0), 0, CLOCKS_SLEEP_NS + 1, 0);
}

static void whoever_is_not_let_run_is_late(void **state)
{
	(void)state;
	assert_found(after(10 * NS_PER_S, 0, 0), 0, 0, 9 * NS_PER_S);
	assert_found(after(NS_PER_S + CLOCKS_DELAY_NS, 0, 0), 0, 0, 0);
}

static void this_host_s_clocks_go_on_together(void **state)
{
	struct clock_reading first = clocks_read(), second = clocks_read();

	(void)state;
	assert_true(first.now_ns > 0 && first.boot_ns >= first.now_ns);
	assert_found(clocks_compare(&first, &second, NS_PER_S), 0, 0, 0);
}

static void figures_are_found_by_their_whole_name(void **state)
{
	static const char text[] = "MemTotal:       2048000 kB\n"
				   "MemFree:         100 kB\n"
				   "MemAvailable:    40000 kB\n"
				   "anon 123456\nanon_thp 7\nlast 5";

	(void)state;
	assert_int_equal(memory_figure(text, "MemTotal:"), 2048000);
	assert_int_equal(memory_figure(text, "MemAvailable:"), 40000);
	assert_int_equal(memory_figure(text, "anon"), 123456);
	assert_int_equal(memory_figure(text, "last"), 5);
	assert_int_equal(memory_figure(text, "ano"), 0);
	assert_int_equal(memory_figure(text, "free"), 0);
	assert_int_equal(memory_figure("", "anon"), 0);
	assert_int_equal(memory_figure("anon x\n", "anon"), 0);
}

static void memory_is_short_of_the_host_or_within_the_limit(void **state)
{
	static const struct {
		struct memory_reading reading;
		bool is_short;
	} cases[] = {
		{ { .host_total = 0 }, false }, /* nothing is known */
		{ { .host_total = 50000, .host_available = 1000 }, false },
		{ { .host_total = 50000, .host_available = 999 }, true },
		{ { .own_limit = 2000, .own_used = 1900 }, false },
		{ { .own_limit = 2000, .own_used = 1901 }, true },
		{ { .own_limit = 0, .own_used = 1901 }, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(memory_is_short(&cases[i].reading), cases[i].is_short);
}

static void write_figures(const char *directory, const char *limit, const char *anon)
{
	char path[128];
	FILE *file;

	assert_int_equal(mkdir(directory, 0700), 0);
	snprintf(path, sizeof(path), "%s/memory.max", directory);
	file = fopen(path, "w");
	assert_non_null(file);
	fprintf(file, "%s\n", limit);
	assert_int_equal(fclose(file), 0);
	snprintf(path, sizeof(path), "%s/memory.stat", directory);
	file = fopen(path, "w");
	assert_non_null(file);
	fprintf(file, "anon %s\nfile 5\n", anon);
	assert_int_equal(fclose(file), 0);
}

/* A slice that is short is what ends us, whatever the service itself may have. */
static void the_limit_of_a_cgroup_above_counts_as_well(void **state)
{
	char directory[] = "/tmp/sippath-test-memory-XXXXXX", path[96];
	struct memory_reading reading;
	struct memory_watch watch;
	int root;

	(void)state;
	assert_non_null(mkdtemp(directory));
	root = open(directory, O_RDONLY | O_DIRECTORY);
	snprintf(path, sizeof(path), "%s/all.slice", directory);
	write_figures(path, "10485760", "10380902"); /* 10 MiB */
	strcat(path, "/tel.slice");
	write_figures(path, "max", "10380902");
	strcat(path, "/sippathd.service");
	write_figures(path, "1048576", "524288");
	watch = memory_watch_open_at(root, "all.slice/tel.slice/sippathd.service");
	close(root);
	reading = memory_watch_read(&watch);
	memory_watch_close(&watch);
	assert_int_equal(reading.own_limit, 10240);
	assert_int_equal(reading.own_used, 10380902 / 1024);
	snprintf(path, sizeof(path), "rm -r %s", directory);
	assert_int_equal(system(path), 0);
}

static void this_host_says_how_much_it_has(void **state)
{
	struct memory_watch watch = memory_watch_open();
	struct memory_reading reading = memory_watch_read(&watch);

	(void)state;
	assert_true(reading.host_total > 0);
	assert_in_range(reading.host_available, 1, reading.host_total);
	memory_watch_close(&watch);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_ordinary_second_tells_nothing),
		cmocka_unit_test(trap_12_a_step_of_the_wall_clock_is_one_either_way),
		cmocka_unit_test(trap_12_a_sleep_of_the_host_is_no_step),
		cmocka_unit_test(whoever_is_not_let_run_is_late),
		cmocka_unit_test(this_host_s_clocks_go_on_together),
		cmocka_unit_test(figures_are_found_by_their_whole_name),
		cmocka_unit_test(memory_is_short_of_the_host_or_within_the_limit),
		cmocka_unit_test(the_limit_of_a_cgroup_above_counts_as_well),
		cmocka_unit_test(this_host_says_how_much_it_has),
	};

	return cmocka_run_group_tests_name("clocks", tests, NULL, NULL);
}
