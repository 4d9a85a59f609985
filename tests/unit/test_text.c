/* SPDX-License-Identifier: GPL-2.0-or-later */
/* base/text: what fits is there, what does not fit is said. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/text.h"

static void what_is_added_is_there(void **state)
{
	char buffer[32];
	struct text text = TEXT_OVER(buffer);

	(void)state;
	text_add(&text, SPAN("sip:"));
	text_format(&text, "%s:%d", "192.0.2.1", 5060);
	text_add(&text, (struct span){ NULL, 0 });
	assert_false(text.overflow);
	assert_string_equal(buffer, "sip:192.0.2.1:5060");
	assert_true(span_equal(text_span(&text), SPAN("sip:192.0.2.1:5060")));
}

static void the_last_byte_is_the_terminator(void **state)
{
	char buffer[5];
	struct text text = TEXT_OVER(buffer);

	(void)state;
	text_add(&text, SPAN("1234"));
	assert_false(text.overflow);
	assert_string_equal(buffer, "1234");
	text_format(&text, "%s", "");
	assert_false(text.overflow);
	text_add(&text, SPAN("5"));
	assert_true(text.overflow);
}

static void what_does_not_fit_is_left_out_whole(void **state)
{
	char buffer[8];
	struct text added = TEXT_OVER(buffer);
	struct text formatted = TEXT_OVER(buffer);

	(void)state;
	text_add(&added, SPAN("1234"));
	text_add(&added, SPAN("5678"));
	assert_true(added.overflow);
	assert_string_equal(buffer, "1234");
	text_format(&formatted, "%s", "abcd");
	text_format(&formatted, "%d", 5678);
	assert_true(formatted.overflow);
	assert_string_equal(buffer, "abcd");
}

static void overflow_stays(void **state)
{
	char buffer[4];
	struct text text = TEXT_OVER(buffer);

	(void)state;
	text_add(&text, SPAN("too long"));
	text_add(&text, SPAN("a"));
	text_format(&text, "b");
	assert_true(text.overflow);
	assert_int_equal(text.used, 0);
}

static void no_buffer_holds_nothing(void **state)
{
	struct text added = { .buffer = NULL, .size = 0 };
	struct text formatted = { .buffer = NULL, .size = 0 };

	(void)state;
	text_add(&added, SPAN("a"));
	assert_true(added.overflow);
	text_format(&formatted, "%d", 1);
	assert_true(formatted.overflow);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_added_is_there),
		cmocka_unit_test(the_last_byte_is_the_terminator),
		cmocka_unit_test(what_does_not_fit_is_left_out_whole),
		cmocka_unit_test(overflow_stays),
		cmocka_unit_test(no_buffer_holds_nothing),
	};

	return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
