/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_options.c - the option table: complete, consistent, and shown by --help. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/number.h"
#include "config/options.h"
#include "keep/policy.h"

/* An 80-column terminal shows the help without breaking a line. */
#define HELP_WIDTH 80

static char *read_help(void)
{
	char *text = NULL;
	size_t size;
	FILE *stream = open_memstream(&text, &size);

	assert_non_null(stream);
	options_write_help(stream);
	assert_int_equal(fclose(stream), 0);
	return text;
}

static void every_flag_is_found_and_named_once(void **state)
{
	const struct option_entry *entries;
	size_t count;

	(void)state;
	entries = options_all(&count);
	assert_true(count > 0);
	for (size_t i = 0; i < count; i++)
		if (entries[i].flag)
			assert_ptr_equal(options_find_flag(span_of(entries[i].flag)), &entries[i]);
	assert_null(options_find_flag(SPAN("")));
	assert_null(options_find_flag(SPAN("sip-por")));
	assert_null(options_find_flag(SPAN("sip-ports")));
}

static void every_key_is_its_flag_with_underscores(void **state)
{
	const struct option_entry *entries;
	size_t count;

	(void)state;
	entries = options_all(&count);
	for (size_t i = 0; i < count; i++) {
		char key[32];

		if (!entries[i].section || !entries[i].flag || strchr(entries[i].flag, '.'))
			continue;
		snprintf(key, sizeof(key), "%s", entries[i].flag);
		for (char *at = key; *at; at++)
			*at = *at == '-' ? '_' : *at;
		assert_string_equal(entries[i].key, key);
		assert_ptr_equal(options_find_key(entries[i].section, key), &entries[i]);
		assert_null(options_find_key("agents", key));
	}
	assert_null(options_find_key("agent", "config"));
	assert_null(options_find_key("agent", "sip-port"));
}

static void a_flag_with_a_dot_is_a_section_and_its_key(void **state)
{
	const struct option_entry *entries;
	size_t count, dotted = 0;

	(void)state;
	entries = options_all(&count);
	for (size_t i = 0; i < count; i++) {
		char flag[64];

		if (!entries[i].flag || !strchr(entries[i].flag, '.'))
			continue;
		snprintf(flag, sizeof(flag), "%s.%s", entries[i].section, entries[i].key);
		assert_string_equal(entries[i].flag, flag);
		assert_ptr_equal(options_find_key(entries[i].section, entries[i].key), &entries[i]);
		dotted++;
	}
	assert_int_equal(dotted, 1);
}

static void a_key_of_a_network_has_no_flag_and_no_default(void **state)
{
	static const char *const keys[] = { "threshold", "prompt", "nat", "ignore" };

	(void)state;
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		const struct option_entry *entry = options_find_key(OPTIONS_NETWORK, keys[i]);

		assert_non_null(entry);
		assert_null(entry->flag);
		assert_null(entry->fallback);
	}
	assert_null(options_find_key("agent", "ignore"));
	assert_null(options_find_key(OPTIONS_NETWORK, "linger"));
}

static void every_word_of_a_method_is_its_name(void **state)
{
	const struct option_entry *entry = options_find_flag(SPAN("prompt"));

	(void)state;
	for (int i = 0; i < PROMPT_METHOD_MAX; i++)
		assert_string_equal(entry->words[i], prompt_method_name((enum prompt_method)i));
	assert_null(entry->words[PROMPT_METHOD_MAX]);
}

static void every_option_with_a_value_says_what_it_expects(void **state)
{
	const struct option_entry *entries;
	size_t count;

	(void)state;
	entries = options_all(&count);
	for (size_t i = 0; i < count; i++) {
		assert_non_null(entries[i].help);
		assert_int_equal(!entries[i].value, !entries[i].expected);
		assert_int_equal(!entries[i].value, !entries[i].apply);
	}
}

static void the_default_threshold_is_the_one_of_the_policy(void **state)
{
	const struct option_entry *entry = options_find_flag(SPAN("threshold"));
	uint64_t threshold_ns;

	(void)state;
	assert_int_equal(number_read_duration(span_of(entry->fallback), entry->lowest,
					      entry->highest, &threshold_ns),
			 0);
	assert_int_equal(threshold_ns, POLICY_THRESHOLD_DEFAULT_NS);
}

static void help_shows_every_flag_with_its_default(void **state)
{
	const struct option_entry *entries;
	char *help = read_help();
	size_t count;

	(void)state;
	assert_memory_equal(help, "sippathd keeps ", strlen("sippathd keeps "));
	entries = options_all(&count);
	for (size_t i = 0; i < count; i++) {
		char flag[64], fallback[64];
		const char *line, *end;

		if (entries[i].flag)
			snprintf(flag, sizeof(flag), "\n  --%s ", entries[i].flag);
		else
			snprintf(flag, sizeof(flag), "\n  %s=%s ", entries[i].key,
				 entries[i].value);
		line = strstr(help, flag);
		assert_non_null(line);
		end = strchr(line + 1, '\n');
		assert_non_null(end);
		if (!entries[i].fallback)
			continue;
		snprintf(fallback, sizeof(fallback), " (%s)\n", entries[i].fallback);
		assert_ptr_equal(strstr(line, fallback) + strlen(fallback) - 1, end);
	}
	free(help);
}

static void help_is_in_two_columns_and_fits_a_terminal(void **state)
{
	char *help = read_help();
	size_t column = 0;

	(void)state;
	for (char *line = strtok(help, "\n"); line; line = strtok(NULL, "\n")) {
		const char *gap;

		assert_true(strlen(line) <= HELP_WIDTH);
		if (strncmp(line, "  ", 2) != 0 || line[2] == ' ')
			continue;
		gap = strstr(line + 2, "  ");
		assert_non_null(gap);
		gap += strspn(gap, " ");
		if (column == 0)
			column = (size_t)(gap - line);
		assert_int_equal(gap - line, column);
	}
	assert_true(column > 0);
	free(help);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_flag_is_found_and_named_once),
		cmocka_unit_test(every_key_is_its_flag_with_underscores),
		cmocka_unit_test(a_flag_with_a_dot_is_a_section_and_its_key),
		cmocka_unit_test(a_key_of_a_network_has_no_flag_and_no_default),
		cmocka_unit_test(every_word_of_a_method_is_its_name),
		cmocka_unit_test(every_option_with_a_value_says_what_it_expects),
		cmocka_unit_test(the_default_threshold_is_the_one_of_the_policy),
		cmocka_unit_test(help_shows_every_flag_with_its_default),
		cmocka_unit_test(help_is_in_two_columns_and_fits_a_terminal),
	};

	return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}
