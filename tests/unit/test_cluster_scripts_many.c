/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The AOR of a trunk has thousands of dialogs, and registrations move among them as anywhere. */
#include "scripts_world.h"

#define A_FIELD "r a " DEVICE
#define B_FIELD "r b " DEVICE

/* The last number of fields that are read as a whole, and what is around it and far beyond. */
static const unsigned int field_counts[] = { 0, 30, 31, 32, 33, 1000, 3000 };

#define COUNT_COUNT (sizeof(field_counts) / sizeof(field_counts[0]))

static void write_dialogs(unsigned int count, const char *value)
{
	static const char script[] = "for i = 1, ARGV[1] do "
				     "redis.call('HSET', KEYS[1], 'd x call-' .. i .. ';tag', "
				     "ARGV[2]) end";

	freeReplyObject(redis_world_command(&world, "EVAL %s 1 " LOCATION_KEY " %u %s", script,
					    count, value));
}

static void write_living_dialogs(unsigned int count)
{
	write_dialogs(count, "1 1 410244480000000 410244840000000 410244480000000 live " FAR_FLOW);
}

/* Nodes that have beaten once. */
static void write_nodes(void)
{
	freeReplyObject(redis_world_command(&world, "HSET " NOTATION_NODES " a 1 b 1 x 1"));
}

static void begin(unsigned int dialogs)
{
	scripts_world_empty(NULL);
	write_nodes();
	write_living_dialogs(dialogs);
}

static void every_move_is_noticed_among_any_number(void **state)
{
	const unsigned int devices = 20;
	struct report report;
	char device[32];

	(void)state;
	for (size_t i = 0; i < COUNT_COUNT; i++) {
		begin(field_counts[i]);
		for (unsigned int j = 0; j < 2 * devices; j++) {
			report = j < devices ? report_by("a", now_ms - 2000)
					     : report_by("b", now_ms - 1000);
			snprintf(device, sizeof(device), "<urn:uuid:%u>#1", j % devices);
			report.device = device;
			assert_int_equal(put_kept(report), 0);
		}
		assert_int_equal(location_count(), field_counts[i] + devices);
		assert_int_equal(ask_number("XLEN " NOTATION_ORDERS "a"), devices);
	}
}

static void what_is_stale_is_noticed_among_any_number(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_COUNT; i++) {
		begin(field_counts[i]);
		put_kept(report_by("b", now_ms - 1000));
		put_stale(report_by("a", now_ms - 2000), "b", now_ms - 1000);
		assert_int_equal(location_count(), field_counts[i] + 1);
	}
}

/* It ends as the field of another node and device would. */
static void a_device_that_ends_alike_is_another_one(void **state)
{
	struct report longer = report_by("b", now_ms - 1000);

	(void)state;
	longer.device = "b " DEVICE;
	for (size_t i = 0; i < COUNT_COUNT; i++) {
		begin(field_counts[i]);
		put_kept(longer);
		put_kept(report_by("a", now_ms - 2000));
		put_kept(longer);
		assert_int_equal(location_count(), field_counts[i] + 2);
		assert_int_equal(ask_number("EXISTS " NOTATION_ORDERS "b"), 0);
	}
}

/* A sample would hardly find it. */
static void a_rival_that_is_void_goes_at_once(void **state)
{
	struct report ended = report_by("b", now_ms - 1000);

	(void)state;
	begin(3000);
	ended.ends_ms = now_ms;
	put_kept(ended);
	assert_int_equal(put_kept(report_by("a", now_ms - 2000)), 0);
	assert_false(has_field(B_FIELD));
	write_field(B_FIELD, "mischief");
	assert_int_equal(put_kept(report_by("a", now_ms - 2000)), 1);
	assert_false(has_field(B_FIELD));
	assert_true(has_field(A_FIELD));
}

/* More than fit onto the stack of Lua. */
static void very_many_names_hide_no_node(void **state)
{
	static const char script[] =
		"for i = 1, 9000 do redis.call('HSET', KEYS[1], 'mischief ' .. i, '') end";

	(void)state;
	begin(1000);
	freeReplyObject(redis_world_command(&world, "EVAL %s 1 " NOTATION_NODES, script));
	put_kept(report_by("a", now_ms - 2000));
	put_kept(report_by("b", now_ms - 1000));
	assert_false(has_field(A_FIELD));
	assert_int_equal(ask_number("XLEN " NOTATION_ORDERS "a"), 1);
}

static void nodes_of_another_type_are_begun_anew(void **state)
{
	(void)state;
	begin(1000);
	freeReplyObject(redis_world_command(&world, "SET " NOTATION_NODES " mischief"));
	assert_int_equal(put_kept(report_by("a", now_ms)), 1);
	assert_true(has_field(A_FIELD));
	assert_int_equal(ask_number("EXISTS " NOTATION_NODES), 0);
}

/* Each report looks at a few, so all go in the end. */
static void what_has_ended_goes_bit_by_bit(void **state)
{
	uint64_t count = 200;

	(void)state;
	write_dialogs((unsigned int)count, "1 1 1 2 1 live " FAR_FLOW);
	put_kept(report_by("a", now_ms));
	assert_in_range(location_count(), count + 1 - 8, count + 1 - 1);
	for (uint64_t i = 0; location_count() > 1 && i < count; i++)
		put_kept(report_by("a", now_ms));
	assert_int_equal(location_count(), 1);
	assert_true(has_field(A_FIELD));
}

static void garbage_goes_bit_by_bit(void **state)
{
	uint64_t count = 200, garbage = 0;

	(void)state;
	write_dialogs((unsigned int)count, "mischief");
	for (uint64_t i = 0; location_count() != 1 && i < count; i++)
		garbage += put_kept(report_by("a", now_ms));
	assert_int_equal(location_count(), 1);
	assert_int_equal(garbage, count);
}

#define COST_ROUNDS 15
#define COST_PUTS 20

/* What Redis itself has measured for these reports, in us for one of them. */
static double measure_puts(struct report report)
{
	static const char name[] = "usec_per_call=";
	redisReply *reply;
	const char *figure;
	double usec;

	freeReplyObject(redis_world_command(&world, "CONFIG RESETSTAT"));
	for (int i = 0; i < COST_PUTS; i++)
		put_kept(report);
	reply = redis_world_command(&world, "INFO commandstats");
	figure = strstr(reply->str, "cmdstat_eval:");
	assert_non_null(figure);
	figure = strstr(figure, name);
	assert_non_null(figure);
	usec = strtod(figure + strlen(name), NULL);
	freeReplyObject(reply);
	assert_true(usec > 0);
	return usec;
}

static int compare_costs(const void *one, const void *other)
{
	double a = *(const double *)one, b = *(const double *)other;

	return (a > b) - (a < b);
}

static double median_cost(unsigned int dialogs, char kind)
{
	struct report report = report_by("a", now_ms);
	double costs[COST_ROUNDS];

	begin(dialogs);
	report.kind = kind;
	for (int i = 0; i < COST_ROUNDS; i++)
		costs[i] = measure_puts(report);
	qsort(costs, COST_ROUNDS, sizeof(costs[0]), compare_costs);
	return costs[COST_ROUNDS / 2];
}

/* Dialogs that live: what has ended or is garbage would go, and cost nothing more. */
static void a_report_costs_no_more_among_many(void **state)
{
	(void)state;
	for (const char *kind = "rd"; *kind; kind++) {
		double few = median_cost(10, *kind), many = median_cost(2000, *kind);

		if (many >= 5 * few)
			fail_msg("a report of kind %c costs %.0f us among 10, %.0f us among 2000",
				 *kind, few, many);
	}
}

int main(void)
{
#define TEST_(name) cmocka_unit_test_setup(name, scripts_world_empty)
	static const struct CMUnitTest tests[] = {
		TEST_(every_move_is_noticed_among_any_number),
		TEST_(what_is_stale_is_noticed_among_any_number),
		TEST_(a_device_that_ends_alike_is_another_one),
		TEST_(a_rival_that_is_void_goes_at_once),
		TEST_(very_many_names_hide_no_node),
		TEST_(nodes_of_another_type_are_begun_anew),
		TEST_(what_has_ended_goes_bit_by_bit),
		TEST_(garbage_goes_bit_by_bit),
		TEST_(a_report_costs_no_more_among_many),
	};
#undef TEST_

	return cmocka_run_group_tests_name("cluster_scripts_many", tests, scripts_world_begin,
					   scripts_world_end);
}
