/* SPDX-License-Identifier: GPL-2.0-or-later */
/* state/facts_copy: a copy needs neither the facts nor what they pointed to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "reader_world.h"
#include "state/facts_copy.h"

#define SUBSCRIBE \
	"SUBSCRIBE sip:b@c SIP/2.0\r\n" VIA FROM "To: <sip:bob@example.com>;tag=to1\r\n" CALL_ID \
	"CSeq: 3 SUBSCRIBE\r\n"

/* Copies the facts into a block of just the size; then nothing else has what they said. */
static const struct facts *copy_and_wipe(struct span message, void **memory)
{
	const struct facts *copy;
	size_t bytes;

	read_message(message);
	bytes = facts_copy_bytes(&facts);
	assert_true(bytes < sizeof(facts) / 2 + facts_copy_text_bytes(&facts));
	*memory = malloc(bytes);
	assert_non_null(*memory);
	copy = facts_copy(&facts, *memory);
	memset(&facts, 0xff, sizeof(facts));
	sip_reader_free(reader);
	reader = sip_reader_new();
	assert_non_null(reader);
	return copy;
}

static void every_text_is_copied(void **state)
{
	void *memory;
	const struct facts *copy = copy_and_wipe(
		SPAN(SUBSCRIBE "Event: dialog;id=7\r\nSession-Expires: 90\r\n"
			       "Contact: <sip:a@h>;+sip.instance=\"<u>\", <sip:b@i:9>\r\n" END),
		&memory);

	(void)state;
	assert_int_equal(copy->method, SIP_METHOD_SUBSCRIBE);
	assert_int_equal(copy->session_expires, 90);
	assert_int_equal(copy->sent_by_port, 5062);
	assert_span(copy->call_id, "call@10.0.0.5");
	assert_span(copy->branch, "z9hG4bK-1");
	assert_span(copy->sent_by, "10.0.0.5");
	assert_span(copy->from_tag, "from1");
	assert_span(copy->to_tag, "to1");
	assert_span(copy->aor, "sip:bob@example.com");
	assert_span(copy->from_aor, "sip:alice@example.com");
	assert_span(copy->event, "dialog");
	assert_span(copy->event_id, "7");
	assert_int_equal(copy->contact_count, 2);
	assert_span(copy->contacts[0].uri, "sip:a@h");
	assert_span(copy->contacts[0].instance, "<u>");
	assert_span(copy->contacts[1].user, "b");
	assert_span(copy->contacts[1].host, "i");
	assert_int_equal(copy->contacts[1].port, 9);
	free(memory);
}

static void what_is_absent_stays_absent(void **state)
{
	void *memory;
	const struct facts *copy = copy_and_wipe(SPAN(REQUEST NEEDED END), &memory);

	(void)state;
	assert_absent(copy->to_tag);
	assert_absent(copy->from_aor);
	assert_absent(copy->event);
	assert_absent(copy->event_id);
	assert_int_equal(copy->contact_count, 0);
	free(memory);
}

static void texts_are_counted_whole(void **state)
{
	size_t without, with;

	(void)state;
	read_message(SPAN(SUBSCRIBE END));
	without = facts_copy_text_bytes(&facts);
	read_message(SPAN(SUBSCRIBE "Event: dialog;id=7\r\n" END));
	with = facts_copy_text_bytes(&facts);
	assert_int_equal(with - without, strlen("dialog") + strlen("7"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(every_text_is_copied),
		TEST(what_is_absent_stays_absent),
		TEST(texts_are_counted_whole),
	};

	return cmocka_run_group_tests_name("facts_copy", tests, NULL, NULL);
}
