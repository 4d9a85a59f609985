/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whatever somebody puts into Redis, it is read as what it is or not at all. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "cluster/notation.h"

#define IPV4_FLOW "udp 192.0.2.1:5060 198.51.100.7:40001"
#define IPV6_FLOW "tcp [2001:db8::1]:5060 [2001:db8::7]:40001"

/* A copy with nothing behind its last byte, so that a look beyond it is seen. */
static char *exact_copy(struct span bytes)
{
	char *copy = malloc(bytes.length ? bytes.length : 1);

	assert_non_null(copy);
	memcpy(copy, bytes.at, bytes.length);
	return copy;
}

static const struct span good_field = { "r a dev", 7 };
static const struct span good_value = { "1 5 10 20 15 live " IPV4_FLOW,
					sizeof("1 5 10 20 15 live " IPV4_FLOW) - 1 };

static int read_field(struct span text)
{
	struct location untouched = { .epoch = 99 };
	int error = notation_read_location(text, good_value, &untouched);

	assert_int_equal(untouched.epoch, error ? 99 : 5);
	return error;
}

static int read_value(struct span text)
{
	struct location untouched = { .epoch = 99 };
	int error = notation_read_location(good_field, text, &untouched);

	if (error)
		assert_int_equal(untouched.epoch, 99);
	return error;
}

static int read_node(struct span text)
{
	struct node untouched = { .paths = 99 };
	int error = notation_read_node(SPAN("a"), text, &untouched);

	if (error)
		assert_int_equal(untouched.paths, 99);
	return error;
}

static int read_order(struct span text)
{
	struct order untouched = { .kind = ORDER_MAX };
	int error = notation_read_order(text, &untouched);

	if (error)
		assert_int_equal(untouched.kind, ORDER_MAX);
	return error;
}

/*
 * All that is read, with what it is cut off to and still means something: the words whose end
 * nothing marks. Up to "open" bytes everything is garbage.
 */
static const struct reading {
	int (*read)(struct span text);
	struct span text;
	size_t open;
} readings[] = {
	{ read_field, { "r a dev", 7 }, 4 },
	{ read_value, { "1 5 10 20 15 live " IPV4_FLOW, 55 }, 50 },
	{ read_value, { "1 5 10 20 15 silent " IPV6_FLOW, 62 }, 57 },
	{ read_node, { "1 5 10 1 1 3 4 serving sip:a", 28 }, 23 },
	{ read_node, { "1 5 10 1 1 3 4 draining sip:a", 29 }, 24 },
	{ read_order, { "1 drop 10 " IPV4_FLOW, 47 }, 42 },
	{ read_order, { "1 prompt 10 " IPV4_FLOW, 49 }, 44 },
	{ read_order, { "1 drain 10", 10 }, 8 },
	{ read_order, { "1 undrain 10", 12 }, 10 },
	{ read_order, { "1 leave 10 9 b 5 sip:a dev", 26 }, 23 },
};

#define READING_COUNT (sizeof(readings) / sizeof(readings[0]))

static void what_is_cut_off_is_garbage(void **state)
{
	(void)state;
	for (size_t i = 0; i < READING_COUNT; i++) {
		const struct reading *reading = &readings[i];

		assert_int_equal(reading->text.length, strlen(reading->text.at));
		for (size_t length = 0; length <= reading->text.length; length++) {
			cleanup_free char *copy =
				exact_copy((struct span){ reading->text.at, length });
			int expected = length > reading->open ? 0 : -EBADMSG;

			if (reading->read((struct span){ copy, length }) != expected)
				fail_msg("\"%.*s\"", (int)length, reading->text.at);
		}
	}
}

static size_t word_length(const char *word)
{
	return strcspn(word, " ");
}

/* The text with one of its words, or the blank behind it, as something else. */
static void assert_word_matters(const struct reading *reading, size_t at, const char *instead)
{
	const char *word = reading->text.at + at;
	char room[256];
	struct text text = TEXT_OVER(room);

	text_add(&text, (struct span){ reading->text.at, at });
	text_add(&text, span_of(instead));
	text_add(&text, span_of(word + word_length(word)));
	if (reading->read(text_span(&text)) != -EBADMSG)
		fail_msg("\"%s\" was taken for good", room);
}

/* What nothing can be but a URI or a device: there is hardly anything that they may not be. */
static bool is_free_text(const char *word)
{
	return strncmp(word, "dev", 3) == 0 || strncmp(word, "sip:", 4) == 0;
}

/* A node's name: a number is one as well. */
static bool may_be(const char *word, const char *instead)
{
	return strchr("ab", word[0]) && word[1] == ' ' && node_name_is_good(span_of(instead));
}

static void assert_every_wrong_word_matters(const struct reading *reading, size_t at)
{
	static const char *const wrong[] = {
		"",
		" ",
		"?",
		"-1",
		"+1",
		"1x",
		"0x1",
		"01",
		"1.5",
		"1e3",
		"\t1",
		"$",
		"/",
		"18446744073709551616",
		"99999999999999999999999999",
	};
	const char *word = reading->text.at + at;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		if (!is_free_text(word) && !may_be(word, wrong[i]))
			assert_word_matters(reading, at, wrong[i]);
}

static void every_word_that_is_wrong_makes_garbage_of_all(void **state)
{
	(void)state;
	for (size_t i = 0; i < READING_COUNT; i++) {
		const char *text = readings[i].text.at;

		for (size_t at = 0; at < readings[i].text.length; at += word_length(text + at) + 1)
			assert_every_wrong_word_matters(&readings[i], at);
	}
}

static void other_garbage_is_garbage(void **state)
{
	static const struct {
		int (*read)(struct span text);
		const char *text;
	} garbage[] = {
		{ read_field, "c a dev" }, /* a connection is nobody else's business */
		{ read_field, "R a dev" },
		{ read_field, "r a/b dev" },
		{ read_value, "2 5 10 20 15 live " IPV4_FLOW },
		{ read_value, "1 5 9007199254740992 20 15 live " IPV4_FLOW },
		{ read_value, "1 5 10 20 15 Live " IPV4_FLOW },
		{ read_value, "1 5 10 20 15 live sctp 192.0.2.1:5060 198.51.100.7:40001" },
		{ read_value, "1 5 10 20 15 live udp 192.0.2.1:5060 198.51.100.7:65536" },
		{ read_value, "1 5 10 20 15 live " IPV4_FLOW " " },
		{ read_node, "1 5 10 1 1 4294967296 4 serving sip:a" },
		{ read_node, "1 5 10 9007199254740992 1 3 4 serving sip:a" },
		{ read_node, "1 5 10 18446744073709551615 18446744073709551615 3 4 serving sip:a" },
		{ read_node, "1 5 10 1 2 3 4 serving sip:a" },
		{ read_node, "1 5 10 1 1 3 4 serving sip:a b" },
		{ read_node, "1 5 10 1 1 3 4 serving sip:a\r\nVia:x" },
		{ read_node, "1 5 10 1 1 3 4 serving sip:a>;q=1" },
		{ read_order, "1 drain 10 " },
		{ read_order, "1 leave 10 9 b 1025 sip:a dev" },
		{ read_order, "1 leave 10 9 b 0  dev" },
		{ read_order, "1 leave 10 9 b 6 sip:a dev" },
		{ read_order, "1 leave 10 9 b 18446744073709551615 sip:a dev" },
		{ read_order, "1 leave 10 9 b 5 sip:a " },
		{ read_order, "1 dance 10" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(garbage) / sizeof(garbage[0]); i++)
		if (garbage[i].read(span_of(garbage[i].text)) != -EBADMSG)
			fail_msg("\"%s\" was taken for good", garbage[i].text);
	assert_int_equal(notation_read_node(SPAN("a b"), readings[3].text, &(struct node){ 0 }),
			 -EBADMSG);
}

static void texts_that_are_too_long_are_garbage(void **state)
{
	char room[LOCATION_TEXT_MAX + 64] = "r a ";

	(void)state;
	memset(room + 4, 'x', sizeof(room) - 4);
	assert_int_equal(read_field((struct span){ room, 4 + LOCATION_TEXT_MAX }), 0);
	assert_int_equal(read_field((struct span){ room, 5 + LOCATION_TEXT_MAX }), -EBADMSG);
	memcpy(room, "1 5 10 1 1 3 4 serving ", 23);
	assert_int_equal(read_node((struct span){ room, 23 + NODE_URI_MAX }), 0);
	assert_int_equal(read_node((struct span){ room, 24 + NODE_URI_MAX }), -EBADMSG);
}

/* Bytes of the alphabet that texts are made of, which come further than any others. */
static void random_bytes_are_survived(void **state)
{
	static const char alphabet[] =
		"1 1 0 9 leave drain prompt rsdl live serving udp[]:.%\n\xff";
	unsigned int seed = 20240229;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		const struct reading *reading = &readings[(size_t)rand_r(&seed) % READING_COUNT];
		cleanup_free char *bytes = exact_copy(reading->text);

		for (int changes = 1 + rand_r(&seed) % 4; changes > 0; changes--)
			bytes[(size_t)rand_r(&seed) % reading->text.length] =
				alphabet[(size_t)rand_r(&seed) % sizeof(alphabet)];
		for (size_t i = 0; i < READING_COUNT; i++)
			readings[i].read((struct span){ bytes, reading->text.length });
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_cut_off_is_garbage),
		cmocka_unit_test(every_word_that_is_wrong_makes_garbage_of_all),
		cmocka_unit_test(other_garbage_is_garbage),
		cmocka_unit_test(texts_that_are_too_long_are_garbage),
		cmocka_unit_test(random_bytes_are_survived),
	};

	return cmocka_run_group_tests_name("notation_garbage", tests, NULL, NULL);
}
