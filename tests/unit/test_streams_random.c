/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sip/streams: random messages in random pieces, and some of them missing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/text.h"
#include "streams_world.h"

#define ROUNDS 1000

static uint64_t resumed(const struct world *w)
{
	return w->counts.value[COUNT_streams_resumed];
}

/* A small generator of its own, so that every run is the same. */
static uint32_t draw(uint32_t *seed, uint32_t below)
{
	*seed = *seed * 1664525 + 1013904223;
	return (uint32_t)(((uint64_t)*seed * below) >> 32);
}

#define SCRIPT_MESSAGES 12

/*
 * A stream of random messages, and where each header part is. Bodies hold what ends a header
 * part, but nothing of a start line: where a piece begins with one, it is believed.
 */
struct script {
	char bytes[32768];
	struct text text;
	struct span headers[SCRIPT_MESSAGES];
	uint32_t wire_lengths[SCRIPT_MESSAGES];
};

static void add_message(struct script *script, uint32_t *seed, size_t index)
{
	static const char body[] = "=\r\n\r\n(:)\r\n\r\n";
	struct text *text = &script->text;
	uint32_t length = draw(seed, 3) ? 0 : draw(seed, 2000);
	uint32_t padding = draw(seed, 4) ? draw(seed, 40) : draw(seed, 1000);
	size_t from;

	for (uint32_t i = draw(seed, 4); i > 0; i--)
		text_add(text, SPAN("\r\n"));
	from = text->used;
	text_format(text, draw(seed, 2) ? "INVITE sip:a@b SIP/2.0\r\n" : "SIP/2.0 200 OK\r\n");
	text_format(text, "Call-ID: %zu-%u\r\nSubject: %0*u\r\n%s: %u\r\n\r\n", index, *seed,
		    (int)padding, 0, draw(seed, 2) ? "l" : "Content-Length", length);
	script->headers[index] = (struct span){ text->buffer + from, text->used - from };
	script->wire_lengths[index] = (uint32_t)(text->used - from) + length;
	for (uint32_t i = 0; i < length; i++)
		text_add(text, (struct span){ &body[i % (sizeof(body) - 1)], 1 });
}

static void write_script(struct script *script, uint32_t *seed)
{
	script->text = TEXT_OVER(script->bytes);
	for (size_t i = 0; i < SCRIPT_MESSAGES; i++)
		add_message(script, seed, i);
	assert_false(script->text.overflow);
}

/* Shows the script in random pieces: some twice, some larger, some the wrong way round. */
static void play(struct world *w, const struct script *script, uint32_t *seed, uint32_t first)
{
	struct span bytes = text_span(&script->text);
	uint32_t longest = draw(seed, 3) ? 1500 : 30;
	size_t at = 0;

	while (at < bytes.length) {
		size_t left = bytes.length - at;
		size_t length = 1 + draw(seed, left < longest ? (uint32_t)left : longest);
		size_t before = draw(seed, 3) ? 0 : draw(seed, at < 100 ? (uint32_t)at + 1 : 100);
		bool known = bytes.at + at > script->headers[0].at;
		size_t held = known ? draw(seed, (uint32_t)length) : 0;

		/* The end first, then all of it: with what came before, or what is known. */
		if (held > 0)
			show_part(w, first, bytes, at + held, length - held);
		show_part(w, first, bytes, at - before, before + length);
		if (draw(seed, 4) == 0)
			show_part(w, first, bytes, at, length);
		at += length;
	}
}

static void random_cuts_tell_exactly_the_messages_in_order(void **state)
{
	static struct script script;
	struct world *w = *state;

	for (uint32_t round = 0; round < ROUNDS; round++) {
		uint32_t seed = round * 2654435761U + 1;
		/* Half of them wrap around in the middle. */
		uint32_t first = round % 2 ? 0U - draw(&seed, 3000) : draw(&seed, UINT32_MAX);

		write_script(&script, &seed);
		play(w, &script, &seed, first);
		if (w->told_count != SCRIPT_MESSAGES)
			fail_msg("round %u: %zu messages", round, w->told_count);
		for (size_t i = 0; i < SCRIPT_MESSAGES; i++)
			assert_told(w, i, script.headers[i], script.wire_lengths[i]);
		forget_told(w);
		streams_close(w->streams, &w->flow);
	}
	assert_int_equal(resumed(w), 0);
}

/* Shows the script in random pieces, but one in ten. */
static void play_with_gaps(struct world *w, const struct script *script, uint32_t *seed)
{
	struct span bytes = text_span(&script->text);
	uint32_t first = draw(seed, UINT32_MAX);
	size_t at = 0;

	while (at < bytes.length) {
		size_t left = bytes.length - at;
		size_t length = 1 + draw(seed, left < 700 ? (uint32_t)left : 700);

		if (draw(seed, 10))
			show_part(w, first, bytes, at, length);
		at += length;
	}
}

/* True for the end of a header part: a piece may begin within the name of a method. */
static bool ends_with(struct span whole, struct span end)
{
	return end.length <= whole.length &&
	       span_equal((struct span){ whole.at + whole.length - end.length, end.length }, end);
}

/* However much is missing, what is told was sent, once, and in order. */
static void trap_45_missing_pieces_make_up_no_message(void **state)
{
	static struct script script;
	struct world *w = *state;
	size_t told = 0;

	for (uint32_t round = 0; round < ROUNDS; round++) {
		uint32_t seed = round * 2654435761U + 7;
		size_t next = 0;

		write_script(&script, &seed);
		play_with_gaps(w, &script, &seed);
		for (size_t i = 0; i < w->told_count; i++) {
			struct span headers = { (const char *)w->told[i]->bytes,
						w->told[i]->captured };

			while (next < SCRIPT_MESSAGES && !ends_with(script.headers[next], headers))
				next++;
			if (next++ >= SCRIPT_MESSAGES)
				fail_msg("round %u: made up \"%.*s\"", round, (int)headers.length,
					 headers.at);
		}
		told += w->told_count;
		forget_told(w);
		streams_close(w->streams, &w->flow);
	}
	/* Most are told none the less. */
	assert_true(told > ROUNDS * SCRIPT_MESSAGES / 2);
	assert_true(resumed(w) > ROUNDS / 2);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(random_cuts_tell_exactly_the_messages_in_order),
		TEST(trap_45_missing_pieces_make_up_no_message),
	};

	return cmocka_run_group_tests_name("streams_random", tests, NULL, NULL);
}
