/* SPDX-License-Identifier: GPL-2.0-or-later */
/* base/number: digits, all of them, within a range; and durations. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/number.h"

#define UNTOUCHED 4711

static void numbers_are_read(void **state)
{
	uint64_t value;

	(void)state;
	assert_int_equal(number_read(SPAN("0"), 0, 9, &value), 0);
	assert_int_equal(value, 0);
	assert_int_equal(number_read(SPAN("0065535"), 1, 65535, &value), 0);
	assert_int_equal(value, 65535);
	assert_int_equal(number_read(SPAN("18446744073709551615"), 0, UINT64_MAX, &value), 0);
	assert_int_equal(value, UINT64_MAX);
}

static void a_number_is_the_whole_span(void **state)
{
	struct span two = { "4294967295", 2 };
	uint64_t value;

	(void)state;
	assert_int_equal(number_read(two, 0, 99, &value), 0);
	assert_int_equal(value, 42);
}

static void what_is_no_number_is_refused(void **state)
{
	static const struct span none[] = {
		{ NULL, 0 },  { "", 0 },
		{ "-1", 2 },  { "+1", 2 },
		{ " 1", 2 },  { "1 ", 2 },
		{ "0x1", 3 }, { "1\0", 2 },
		{ "1.5", 3 }, { "99999999999999999999x", 21 },
	};
	uint64_t value = UNTOUCHED;

	(void)state;
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		assert_int_equal(number_read(none[i], 0, UINT64_MAX, &value), -EINVAL);
	assert_int_equal(value, UNTOUCHED);
}

static void what_is_out_of_range_is_refused(void **state)
{
	uint64_t value = UNTOUCHED;

	(void)state;
	assert_int_equal(number_read(SPAN("0"), 1, 10, &value), -ERANGE);
	assert_int_equal(number_read(SPAN("11"), 1, 10, &value), -ERANGE);
	assert_int_equal(number_read(SPAN("18446744073709551616"), 0, UINT64_MAX, &value), -ERANGE);
	assert_int_equal(number_read(SPAN("184467440737095516160"), 0, UINT64_MAX, &value),
			 -ERANGE);
	/* 2^64 + 5: in range if the overflow were forgotten */
	assert_int_equal(number_read(SPAN("18446744073709551621"), 0, 10, &value), -ERANGE);
	assert_int_equal(value, UNTOUCHED);
}

static void durations_are_read(void **state)
{
	static const struct {
		struct span text;
		uint64_t ns;
	} durations[] = {
		{ { "24s", 3 }, 24 * NS_PER_S },     { { "24", 2 }, 24 * NS_PER_S },
		{ { "500ms", 5 }, 500 * NS_PER_MS }, { { "2m", 2 }, 120 * NS_PER_S },
		{ { "1h", 2 }, 3600 * NS_PER_S },    { { "0s", 2 }, 0 },
	};
	uint64_t ns;

	(void)state;
	for (size_t i = 0; i < sizeof(durations) / sizeof(durations[0]); i++) {
		assert_int_equal(number_read_duration(durations[i].text, 0, UINT64_MAX, &ns), 0);
		assert_int_equal(ns, durations[i].ns);
	}
}

static void what_is_no_duration_is_refused(void **state)
{
	static const char *const none[] = { "",    "s",  "ms", "-1s", "1.5s",
					    "1 s", "1S", "1d", "1sm", "s1" };
	uint64_t ns = UNTOUCHED;

	(void)state;
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		assert_int_equal(number_read_duration(span_of(none[i]), 0, UINT64_MAX, &ns),
				 -EINVAL);
	assert_int_equal(number_read_duration((struct span){ NULL, 0 }, 0, UINT64_MAX, &ns),
			 -EINVAL);
	assert_int_equal(ns, UNTOUCHED);
}

static void a_duration_has_bounds(void **state)
{
	uint64_t ns = UNTOUCHED;

	(void)state;
	assert_int_equal(number_read_duration(SPAN("999ms"), NS_PER_S, 10 * NS_PER_S, &ns),
			 -ERANGE);
	assert_int_equal(number_read_duration(SPAN("11s"), NS_PER_S, 10 * NS_PER_S, &ns), -ERANGE);
	/* more nanoseconds than 64 bits hold */
	assert_int_equal(number_read_duration(SPAN("6000000h"), 0, UINT64_MAX, &ns), -ERANGE);
	assert_int_equal(number_read_duration(SPAN("18446744073709551616s"), 0, UINT64_MAX, &ns),
			 -ERANGE);
	assert_int_equal(ns, UNTOUCHED);
}

static void the_largest_exact_unit_is_written(void **state)
{
	static const struct {
		uint64_t ns;
		const char *written;
	} durations[] = {
		{ 24 * NS_PER_S, "24s" },
		{ 1500 * NS_PER_MS, "1500ms" },
		{ 90 * NS_PER_S, "90s" },
		{ 120 * NS_PER_S, "2m" },
		{ 2 * 3600 * NS_PER_S, "2h" },
		{ 5400 * NS_PER_S, "90m" },
		{ 18446744073709 * NS_PER_MS, "18446744073709ms" },
	};
	char written[NUMBER_DURATION_MAX];
	uint64_t ns;

	(void)state;
	for (size_t i = 0; i < sizeof(durations) / sizeof(durations[0]); i++) {
		number_write_duration(durations[i].ns, written);
		assert_string_equal(written, durations[i].written);
		assert_int_equal(number_read_duration(span_of(written), 0, UINT64_MAX, &ns), 0);
		assert_int_equal(ns, durations[i].ns);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_read),
		cmocka_unit_test(a_number_is_the_whole_span),
		cmocka_unit_test(what_is_no_number_is_refused),
		cmocka_unit_test(what_is_out_of_range_is_refused),
		cmocka_unit_test(durations_are_read),
		cmocka_unit_test(what_is_no_duration_is_refused),
		cmocka_unit_test(a_duration_has_bounds),
		cmocka_unit_test(the_largest_exact_unit_is_written),
	};

	return cmocka_run_group_tests_name("number", tests, NULL, NULL);
}
