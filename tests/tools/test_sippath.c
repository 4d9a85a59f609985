/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_sippath.c - the command line of sippath, its tables and its durations. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control.h"
#include "sippath/arguments.h"
#include "sippath/human.h"
#include "sippath/table.h"

#define WORDS_MAX 80
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static enum exit_status read_words(struct invocation *invocation, char **words)
{
	static char *argv[WORDS_MAX];
	int argc = 0;

	argv[argc++] = words[0];
	for (; words[argc]; argc++)
		argv[argc] = words[argc];
	argv[argc] = NULL;
	return arguments_read(argc, argv, invocation);
}

#define READ(invocation, ...) \
	read_words(invocation, (char *[]){ (char[]){ "sippath" }, __VA_ARGS__, NULL })
#define WORD(literal) ((char[]){ literal })

static void options_stand_before_or_after_the_command(void **state)
{
	struct invocation invocation;

	(void)state;
	assert_int_equal(READ(&invocation, WORD("paths")), STATUS_DONE);
	assert_string_equal(invocation.command->name, "paths");
	assert_string_equal(invocation.socket, CONTROL_SOCKET_DEFAULT);
	assert_false(invocation.json);

	assert_int_equal(
		READ(&invocation, WORD("--json"), WORD("--socket"), WORD("/s"), WORD("paths")),
		STATUS_DONE);
	assert_true(invocation.json);
	assert_string_equal(invocation.socket, "/s");

	assert_int_equal(READ(&invocation, WORD("threshold"), WORD("--socket=/t"), WORD("24s"),
			      WORD("--json")),
			 STATUS_DONE);
	assert_true(invocation.json);
	assert_string_equal(invocation.socket, "/t");
	assert_int_equal(invocation.argument_count, 1);
	assert_string_equal(invocation.arguments[0], "24s");
	assert_null(invocation.arguments[1]);
}

static void a_flow_is_one_argument_or_three(void **state)
{
	static const char flow[] = "udp 192.0.2.1:5060 198.51.100.7:40001";
	struct invocation invocation;
	char joined[ARGUMENT_MAX];

	(void)state;
	assert_int_equal(READ(&invocation, WORD("path"), WORD("udp"), WORD("192.0.2.1:5060"),
			      WORD("198.51.100.7:40001")),
			 STATUS_DONE);
	assert_int_equal(arguments_join(&invocation, joined), STATUS_DONE);
	assert_string_equal(joined, flow);
	assert_int_equal(
		READ(&invocation, WORD("path"), WORD("udp 192.0.2.1:5060 198.51.100.7:40001")),
		STATUS_DONE);
	assert_int_equal(arguments_join(&invocation, joined), STATUS_DONE);
	assert_string_equal(joined, flow);
}

static void an_order_is_words_that_are_put_together(void **state)
{
	struct invocation invocation;
	char joined[ARGUMENT_MAX];

	(void)state;
	assert_int_equal(READ(&invocation, WORD("order"), WORD("a"), WORD("prompt"), WORD("udp"),
			      WORD("192.0.2.1:5060"), WORD("198.51.100.7:40001")),
			 STATUS_DONE);
	assert_int_equal(arguments_join(&invocation, joined), STATUS_DONE);
	assert_string_equal(joined, "a prompt udp 192.0.2.1:5060 198.51.100.7:40001");
	assert_int_equal(READ(&invocation, WORD("order"), WORD("a"), WORD("drain")), STATUS_DONE);
	assert_int_equal(arguments_join(&invocation, joined), STATUS_DONE);
	assert_string_equal(joined, "a drain");
}

static void an_argument_that_is_too_long_is_usage(void **state)
{
	char longest[ARGUMENT_MAX + 1];
	struct invocation invocation;
	char joined[ARGUMENT_MAX];

	(void)state;
	memset(longest, 'x', sizeof(longest));
	longest[ARGUMENT_MAX - 1] = '\0';
	assert_int_equal(READ(&invocation, WORD("path"), longest), STATUS_DONE);
	assert_int_equal(arguments_join(&invocation, joined), STATUS_DONE);
	longest[ARGUMENT_MAX - 1] = 'x';
	longest[ARGUMENT_MAX] = '\0';
	assert_int_equal(READ(&invocation, WORD("path"), longest), STATUS_DONE);
	assert_int_equal(arguments_join(&invocation, joined), STATUS_USAGE);
}

static void only_attach_and_detach_hand_flags_on(void **state)
{
	struct invocation invocation;

	(void)state;
	assert_int_equal(READ(&invocation, WORD("attach"), WORD("eth0"), WORD("--xdp-mode"),
			      WORD("generic"), WORD("--json")),
			 STATUS_DONE);
	assert_true(invocation.json);
	assert_int_equal(invocation.argument_count, 3);
	assert_string_equal(invocation.arguments[1], "--xdp-mode");
	assert_int_equal(READ(&invocation, WORD("paths"), WORD("--xdp-mode")), STATUS_USAGE);
	assert_int_equal(READ(&invocation, WORD("--xdp-mode"), WORD("attach")), STATUS_USAGE);
}

static void mistakes_are_usage(void **state)
{
	struct invocation invocation;

	(void)state;
	assert_int_equal(READ(&invocation, NULL), STATUS_USAGE);
	assert_int_equal(READ(&invocation, WORD("--json")), STATUS_USAGE);
	assert_int_equal(READ(&invocation, WORD("path")), STATUS_USAGE);
	assert_int_equal(READ(&invocation, WORD("attach")), STATUS_USAGE);
	assert_int_equal(READ(&invocation, WORD("paths"), WORD("x")), STATUS_USAGE);
	assert_int_equal(READ(&invocation, WORD("threshold"), WORD("1s"), WORD("2s")),
			 STATUS_USAGE);
	assert_int_equal(
		READ(&invocation, WORD("path"), WORD("a"), WORD("b"), WORD("c"), WORD("d")),
		STATUS_USAGE);
	assert_int_equal(READ(&invocation, WORD("where")), STATUS_USAGE);
	assert_int_equal(READ(&invocation, WORD("order"), WORD("a")), STATUS_USAGE);
	assert_int_equal(READ(&invocation, WORD("drain"), WORD("on"), WORD("off")), STATUS_USAGE);
	assert_int_equal(READ(&invocation, WORD("cluster"), WORD("a")), STATUS_USAGE);
	assert_int_equal(READ(&invocation, WORD("reboot")), STATUS_USAGE);
	assert_int_equal(READ(&invocation, WORD("paths"), WORD("--socket")), STATUS_USAGE);
}

static void help_needs_no_arguments(void **state)
{
	struct invocation invocation;

	(void)state;
	assert_int_equal(READ(&invocation, WORD("--help")), STATUS_DONE);
	assert_true(invocation.help);
	assert_null(invocation.command);
	assert_int_equal(READ(&invocation, WORD("path"), WORD("--help")), STATUS_DONE);
	assert_true(invocation.help);
	assert_int_equal(READ(&invocation, WORD("help"), WORD("path")), STATUS_DONE);
	assert_true(invocation.help);
	assert_string_equal(invocation.command->name, "path");
}

static void every_command_has_help_and_an_example_that_works(void **state)
{
	const struct command *commands;
	size_t count;

	(void)state;
	commands = commands_all(&count);
	for (size_t i = 0; i < count; i++) {
		char example[128], *words[WORDS_MAX] = { NULL };
		struct invocation invocation;
		size_t used = 0;

		assert_true(commands[i].help[0] != '\0');
		snprintf(example, sizeof(example), "%s", commands[i].example);
		for (char *word = strtok(example, " "); word; word = strtok(NULL, " "))
			words[used++] = word;
		assert_string_equal(words[0], "sippath");
		assert_int_equal(read_words(&invocation, words), STATUS_DONE);
		assert_ptr_equal(invocation.command, &commands[i]);
	}
}

static const struct table_column columns[] = {
	{ .title = "NAME" },
	{ .title = "COUNT", .alignment = TABLE_RIGHT },
	{ .title = "OF" },
};

/* The table of the cells, which end with NULL; the caller's. */
static char *written_table(const char *const *cells, size_t width)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	struct table *table = table_new(out, columns, COUNT(columns), width);

	assert_non_null(table);
	for (; *cells; cells++)
		table_add(table, *cells);
	assert_int_equal(table_flush(table), 0);
	table_free(table);
	assert_int_equal(fclose(out), 0);
	return text;
}

static void assert_table(const char *const *cells, size_t width, const char *expected)
{
	char *text = written_table(cells, width);

	assert_string_equal(text, expected);
	free(text);
}

static void numbers_stand_right_and_text_left(void **state)
{
	static const char *const cells[] = { "a",    "1", "one", "longer", "123456",
					     "much", "",  "-",   "",       NULL };

	(void)state;
	assert_table(cells, 0,
		     "NAME     COUNT  OF\n"
		     "a            1  one\n"
		     "longer  123456  much\n"
		     "             -\n");
}

static void nothing_is_written_without_rows(void **state)
{
	static const char *const cells[] = { NULL };

	(void)state;
	assert_table(cells, 0, "");
}

static void a_character_of_several_bytes_is_one_wide(void **state)
{
	static const char *const cells[] = { "J\xc3\xbcrg", "1", "x", "abcde", "2", "y", NULL };

	(void)state;
	assert_table(cells, 0,
		     "NAME   COUNT  OF\n"
		     "J\xc3\xbcrg       1  x\n"
		     "abcde      2  y\n");
}

static void control_characters_do_not_reach_the_terminal(void **state)
{
	static const char *const cells[] = { "\x1b[2J", "\n",
					     "\xc2\x9b"
					     "31m\x7f",
					     NULL };

	(void)state;
	assert_table(cells, 0,
		     "NAME  COUNT  OF\n"
		     "?[2J      ?  ?31m?\n");
}

/* "alice" after U+202E would read "ecila". */
static void the_direction_of_writing_cannot_be_turned(void **state)
{
	static const char *const cells[] = { "\xe2\x80\xae"
					     "a\xe2\x80\xaa\xd8\x9c",
					     "\xe2\x81\xa6\xe2\x81\xa9", "\xe2\x80\x8f\xe2\x80\x93",
					     NULL };

	(void)state;
	assert_table(cells, 0,
		     "NAME  COUNT  OF\n"
		     "?a??     ??  ?\xe2\x80\x93\n");
}

static void lines_are_cut_at_the_width_of_the_terminal(void **state)
{
	static const char *const cells[] = { "name", "1", "J\xc3\xbcrgen", NULL };

	(void)state;
	assert_table(cells, 15,
		     "NAME  COUNT  OF\n"
		     "name      1  J\xc3\xbc\n");
	assert_table(cells, 3,
		     "NAM\n"
		     "nam\n");
}

/* The first block decides the widths; what is wider later widens what follows. */
static void a_long_table_is_written_in_blocks(void **state)
{
	static const char narrow[] = "a         1  x\n";
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	struct table *table = table_new(out, columns, COUNT(columns), 0);
	size_t lines = 0;

	(void)state;
	for (int i = 0; i < 2 * TABLE_BLOCK_ROWS; i++) {
		table_add(table, i < TABLE_BLOCK_ROWS ? "a" : "wide one");
		table_add(table, "1");
		table_add(table, "x");
		if (i == TABLE_BLOCK_ROWS)
			fflush(out);
	}
	assert_int_equal(table_flush(table), 0);
	table_free(table);
	assert_int_equal(fclose(out), 0);
	for (const char *at = text; *at; at++)
		lines += *at == '\n';
	assert_int_equal(lines, 1 + 2 * TABLE_BLOCK_ROWS);
	assert_non_null(strstr(text, narrow));
	assert_non_null(strstr(text, "\nwide one      1  x\n"));
	free(text);
}

static void durations_are_said_as_people_say_them(void **state)
{
	static const struct {
		uint64_t ms;
		const char *said;
	} cases[] = {
		{ 0, "0 ms" },
		{ 999, "999 ms" },
		{ 1000, "1.0 s" },
		{ 4299, "4.2 s" },
		{ 59999, "59.9 s" },
		{ 60000, "1 min 0 s" },
		{ 200000, "3 min 20 s" },
		{ 3599999, "59 min 59 s" },
		{ 3720000, "1 h 2 min" },
		{ 90000000, "1 d 1 h" },
	};
	char said[HUMAN_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		human_ms(cases[i].ms, said);
		assert_string_equal(said, cases[i].said);
	}
	human_ms(UINT64_MAX, said);
	human_us(350, said);
	assert_string_equal(said, "350 us");
	human_us(12399, said);
	assert_string_equal(said, "12.3 ms");
	human_us(1400000, said);
	assert_string_equal(said, "1.4 s");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_stand_before_or_after_the_command),
		cmocka_unit_test(a_flow_is_one_argument_or_three),
		cmocka_unit_test(an_order_is_words_that_are_put_together),
		cmocka_unit_test(an_argument_that_is_too_long_is_usage),
		cmocka_unit_test(only_attach_and_detach_hand_flags_on),
		cmocka_unit_test(mistakes_are_usage),
		cmocka_unit_test(help_needs_no_arguments),
		cmocka_unit_test(every_command_has_help_and_an_example_that_works),
		cmocka_unit_test(numbers_stand_right_and_text_left),
		cmocka_unit_test(nothing_is_written_without_rows),
		cmocka_unit_test(a_character_of_several_bytes_is_one_wide),
		cmocka_unit_test(control_characters_do_not_reach_the_terminal),
		cmocka_unit_test(the_direction_of_writing_cannot_be_turned),
		cmocka_unit_test(lines_are_cut_at_the_width_of_the_terminal),
		cmocka_unit_test(a_long_table_is_written_in_blocks),
		cmocka_unit_test(durations_are_said_as_people_say_them),
	};

	return cmocka_run_group_tests_name("sippath", tests, NULL, NULL);
}
