/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The torture set, tests/data/torture: what the agent makes of each message is what the table says,
 * and no part or change of a message does harm. TORTURE_SET is the directory.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "../torture/outcome.h"

/* What the project promises. */
#define MESSAGES_MIN 80

/* So many bytes of a message are changed, each in turn: headers that matter come first. */
#define CHANGED_MAX 320

struct row {
	char name[64];
	char words[1024]; /* the outcome, then KEY=VALUE each */
};

static struct row rows[1024];
static size_t row_count;
static struct sip_reader *reader;

/* Splits a line of the table; false for one that is blank or a comment. */
static bool read_row(char *line, struct row *row)
{
	char *reason = strstr(line, " | ");

	if (line[0] == '#' || line[0] == '\n')
		return false;
	if (!reason || sscanf(line, "%63s", row->name) != 1)
		fail_msg("no row of the table: %s", line);
	*reason = '\0';
	snprintf(row->words, sizeof(row->words), "%s", line + strlen(row->name));
	return true;
}

static int setup(void **state)
{
	FILE *table = fopen(TORTURE_SET "/table", "re");
	char line[2048];

	(void)state;
	reader = sip_reader_new();
	if (!table || !reader)
		return -1;
	row_count = 0;
	while (fgets(line, sizeof(line), table))
		row_count += read_row(line, &rows[row_count]);
	fclose(table);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	sip_reader_free(reader);
	return 0;
}

static struct span load(const char *name, char bytes[MESSAGE_MAX])
{
	char path[PATH_MAX];
	FILE *file;
	size_t length;

	snprintf(path, sizeof(path), "%s/%s.sip", TORTURE_SET, name);
	file = fopen(path, "re");
	if (!file)
		fail_msg("%s is in the table, but not there", path);
	length = fread(bytes, 1, MESSAGE_MAX, file);
	fclose(file);
	return (struct span){ bytes, length };
}

static char bytes[MESSAGE_MAX];

/* So many bytes at its start a message shares with the one before it: they have had their turn. */
static size_t shared_start(size_t row, struct span message)
{
	static char other[MESSAGE_MAX];
	struct span before = row > 0 ? load(rows[row - 1].name, other) : (struct span){ other, 0 };
	size_t shared = 0;

	while (shared < message.length && shared < before.length &&
	       message.at[shared] == before.at[shared])
		shared++;
	return shared;
}

/* The outcome between blanks, so that each word has one at either end. */
static const char *outcome_of(const char *at, size_t length)
{
	static char line[OUTCOME_MAX];
	struct text text = TEXT_OVER(line);
	/* In memory of its own size, so that a byte too far is noticed. */
	char *exact = malloc(length > 0 ? length : 1);

	assert_non_null(exact);
	memcpy(exact, at, length);
	text_add(&text, SPAN(" "));
	outcome_write(reader, (struct span){ exact, length }, &text);
	text_add(&text, SPAN(" "));
	free(exact);
	assert_false(text.overflow);
	assert_null(strstr(line, "no-memory"));
	return line;
}

/* A key without a value must not be there at all. */
static bool has_word(const char *outcome, const char *word)
{
	size_t length = strlen(word);
	char wanted[1024];

	if (word[length - 1] == '=') {
		snprintf(wanted, sizeof(wanted), " %s", word);
		return !strstr(outcome, wanted);
	}
	snprintf(wanted, sizeof(wanted), " %s ", word);
	return strstr(outcome, wanted);
}

static size_t check_row(struct row *row)
{
	struct span message = load(row->name, bytes);
	const char *outcome = outcome_of(message.at, message.length);
	size_t wrong = 0;

	for (char *word = strtok(row->words, " "); word; word = strtok(NULL, " ")) {
		if (has_word(outcome, word))
			continue;
		print_error("%s: not %s, but%s\n", row->name, word, outcome);
		wrong++;
	}
	return wrong;
}

static void each_message_is_what_the_table_says(void **state)
{
	size_t wrong = 0;

	(void)state;
	for (size_t i = 0; i < row_count; i++)
		wrong += check_row(&rows[i]);
	assert_int_equal(wrong, 0);
}

static bool is_in_table(const char *file)
{
	char name[80];

	for (size_t i = 0; i < row_count; i++) {
		snprintf(name, sizeof(name), "%s.sip", rows[i].name);
		if (strcmp(name, file) == 0)
			return true;
	}
	return false;
}

static void the_table_has_each_message_once(void **state)
{
	DIR *directory = opendir(TORTURE_SET);
	struct dirent *entry;
	size_t messages = 0;

	(void)state;
	assert_non_null(directory);
	while ((entry = readdir(directory))) {
		if (entry->d_name[0] == '.' || strcmp(entry->d_name, "table") == 0)
			continue;
		if (!is_in_table(entry->d_name))
			fail_msg("%s is not in the table", entry->d_name);
		messages++;
	}
	closedir(directory);
	assert_int_equal(messages, row_count);
	assert_true(messages >= MESSAGES_MIN);
}

static void every_cut_is_survived(void **state)
{
	(void)state;
	for (size_t i = 0; i < row_count; i++) {
		struct span message = load(rows[i].name, bytes);

		for (size_t at = shared_start(i, message); at < message.length; at++)
			outcome_of(message.at, at);
	}
}

static void every_changed_byte_is_survived(void **state)
{
	/* A byte becomes each of these, the next byte each of those. */
	static const char values[2][3] = { { '\0', '\n', '<' }, { '\r', '"', '\xff' } };

	(void)state;
	for (size_t i = 0; i < row_count; i++) {
		struct span message = load(rows[i].name, bytes);
		size_t at = shared_start(i, message);

		for (size_t end = at + CHANGED_MAX; at < message.length && at < end; at++) {
			char good = bytes[at];

			for (size_t j = 0; j < sizeof(values[0]); j++) {
				bytes[at] = values[at % 2][j];
				outcome_of(bytes, message.length);
			}
			bytes[at] = good;
		}
	}
}

/* A directory of files, and the path of the program that reads it. */
struct directory {
	char path[32];
	char program[PATH_MAX];
};

static int make_directory(void **state)
{
	static struct directory directory;
	char own[PATH_MAX - 32] = "";

	if (readlink("/proc/self/exe", own, sizeof(own) - 1) < 0)
		return -1;
	snprintf(directory.program, sizeof(directory.program), "%s/../torture/torture",
		 dirname(own));
	strcpy(directory.path, "/tmp/torture-XXXXXX");
	*state = &directory;
	return mkdtemp(directory.path) ? 0 : -1;
}

static int remove_directory(void **state)
{
	static const char *const names[] = { "good", "broken", "empty", "lf" };
	struct directory *directory = *state;
	char path[PATH_MAX];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", directory->path, names[i]);
		unlink(path);
	}
	return rmdir(directory->path);
}

static void put(const struct directory *directory, const char *name, const char *text)
{
	char path[PATH_MAX];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", directory->path, name);
	file = fopen(path, "we");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

/* Runs the program; *status is its exit status. */
static const char *run(const struct directory *directory, const char *option, int *status)
{
	static char text[8192];
	char command[2 * PATH_MAX];
	size_t length;
	FILE *pipe;

	snprintf(command, sizeof(command), "'%s' %s '%s'", directory->program, option,
		 directory->path);
	pipe = popen(command, "re");
	assert_non_null(pipe);
	length = fread(text, 1, sizeof(text) - 1, pipe);
	text[length] = '\0';
	*status = pclose(pipe);
	return text;
}

static bool tells(const char *text, const char *name, const char *outcome)
{
	char line[256];

	snprintf(line, sizeof(line), "%-36s %s", name, outcome);
	return strstr(text, line);
}

#define QUERY(end) \
	"REGISTER sip:fen.example SIP/2.0" end "v: SIP/2.0/UDP 192.0.2.4" end \
	"f: <sip:a@fen.example>;tag=1" end "t: <sip:a@fen.example>" end "i: 1" end \
	"CSeq: 5 REGISTER" end "Subject: two" end " lines" end end

static void the_program_tells_of_each_file(void **state)
{
	const struct directory *directory = *state;
	const char *text;
	int status;

	put(directory, "good", QUERY("\r\n"));
	put(directory, "broken", "REGISTER sip:fen.example SIP/2.0\r\nnonsense\r\n\r\n");
	put(directory, "empty", "");
	text = run(directory, "", &status);
	assert_int_equal(status, 0);
	assert_true(tells(text, "good", "read peek=REGISTER cseq=5 vias=1 call-id=1 "));
	assert_true(tells(text, "broken", "malformed peek=REGISTER call=none\n"));
	assert_true(tells(text, "empty", "malformed peek=malformed call=none\n"));
}

/* The body of a message of bare LFs shows what was made of them. */
static void the_program_mends_line_ends_if_asked(void **state)
{
	const struct directory *directory = *state;
	int status;

	put(directory, "lf", QUERY("\n") "a\nb\n");
	assert_non_null(strstr(run(directory, "", &status), " body=4\n"));
	assert_non_null(strstr(run(directory, "--crlf", &status), " body=6\n"));
	assert_int_equal(status, 0);
}

static void the_program_fails_where_it_cannot_read(void **state)
{
	const struct directory *directory = *state;
	char path[PATH_MAX];
	int status;

	snprintf(path, sizeof(path), "%s/lf", directory->path);
	assert_int_equal(symlink("/nowhere", path), 0);
	assert_true(tells(run(directory, "", &status), "lf", "cannot be read: "));
	assert_int_not_equal(status, 0);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)
#define TEST_PROGRAM(function) \
	cmocka_unit_test_setup_teardown(function, make_directory, remove_directory)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_message_is_what_the_table_says),
		TEST(the_table_has_each_message_once),
		TEST(every_cut_is_survived),
		TEST(every_changed_byte_is_survived),
		TEST_PROGRAM(the_program_tells_of_each_file),
		TEST_PROGRAM(the_program_mends_line_ends_if_asked),
		TEST_PROGRAM(the_program_fails_where_it_cannot_read),
	};

	return cmocka_run_group_tests_name("torture", tests, NULL, NULL);
}
