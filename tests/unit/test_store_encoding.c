/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A record is bytes that are read back by another agent, at another time. */
#include <errno.h>

#include "store/encoding.h"
#include "store_world.h"

static void a_record_comes_back_as_it_was(void **state)
{
	struct encoding_clock clock = {
		.now_ns = clock_now_ns(),
		.wall_offset_ns = INT64_C(1700000000000000000),
	};
	struct record record = dialog_record("call"), back;
	static char bytes[ENCODING_BYTES_MAX];
	size_t length = encoding_write(&record, &clock, bytes);
	struct span whole = { bytes, length };

	(void)state;
	assert_int_equal(encoding_read(whole, false, &clock, &back), 0);
	assert_memory_equal(&back.flow, &record.flow, sizeof(record.flow));
	assert_int_equal(back.ends_ns, record.ends_ns);
	assert_int_equal(back.kind, BINDING_DIALOG);
	assert_int_equal(back.session_expires, 1800);
	assert_true(back.behind_nat && back.device_called && !back.early && !back.device_refreshes);
	assert_true(span_equal(back.aor, record.aor));
	assert_true(span_equal(back.device_tag, record.device_tag));
	assert_non_null(back.peer_tag.at); /* empty is not absent */
	assert_int_equal(back.peer_tag.length, 0);
	assert_null(back.event.at);
}

/* Reads what was written by one clock with another. */
static int reread(const struct record *record, bool other_boot, struct encoding_clock then,
		  struct encoding_clock now, struct record *back)
{
	static char bytes[ENCODING_BYTES_MAX];
	size_t length = encoding_write(record, &then, bytes);

	assert_true(length > 0);
	return encoding_read((struct span){ bytes, length }, other_boot, &now, back);
}

static struct encoding_clock clock_of(uint64_t now_s, int64_t wall_offset_s)
{
	return (struct encoding_clock){
		.now_ns = now_s * NS_PER_S,
		.wall_offset_ns = wall_offset_s * (int64_t)NS_PER_S,
	};
}

/* Another boot: the monotonic clock began anew, the wall clock went on. */
static void times_of_another_boot_are_converted(void **state)
{
	struct record record = dialog_record("call"), back;

	(void)state;
	record.ends_ns = 700 * NS_PER_S;
	record.accepted_ns = 400 * NS_PER_S;
	assert_int_equal(reread(&record, true, clock_of(450, 1000), clock_of(50, 1500), &back), 0);
	assert_int_equal(back.ends_ns, 200 * NS_PER_S);
	assert_int_equal(back.accepted_ns, 0); /* before this boot */
	assert_int_equal(reread(&record, true, clock_of(450, 1000), clock_of(50, 1800), &back), 0);
	assert_int_equal(back.ends_ns, 0); /* so is its end */
}

static void times_of_this_boot_follow_no_wall_clock(void **state)
{
	struct record record = dialog_record("call"), back;

	(void)state;
	record.ends_ns = 700 * NS_PER_S;
	record.accepted_ns = 400 * NS_PER_S;
	assert_int_equal(reread(&record, false, clock_of(450, 1000), clock_of(460, -90000), &back),
			 0);
	assert_int_equal(back.ends_ns, 700 * NS_PER_S);
	assert_int_equal(back.accepted_ns, 400 * NS_PER_S);
}

/* Trap 12 over a boot: a host without a battery begins in 1970. */
static void trap_12_what_was_written_later_than_now_is_not_believed(void **state)
{
	struct record record = dialog_record("call"), back = { .cseq = 99 };

	(void)state;
	record.ends_ns = 700 * NS_PER_S;
	assert_int_equal(reread(&record, true, clock_of(450, 1000000), clock_of(30, 0), &back),
			 -ESTALE);
	assert_int_equal(back.cseq, 99);
	assert_int_equal(reread(&record, false, clock_of(450, 0), clock_of(30, 0), &back), -ESTALE);
	/* A clock that was set right a little meanwhile. */
	assert_int_equal(reread(&record, true, clock_of(450, 1000), clock_of(50, 1350), &back), 0);
	assert_int_equal(back.ends_ns, 350 * NS_PER_S);
}

/* Whatever a damaged record says, or a wall clock that goes wrong. */
static void no_record_claims_more_than_a_binding_can_have(void **state)
{
	struct record record = dialog_record("call"), back;
	struct encoding_clock now = clock_of(50, 1500);
	const uint64_t week_ns = 7 * 24 * 3600 * NS_PER_S;

	(void)state;
	for (uint8_t kind = 0; kind < BINDING_CONNECTION; kind++) {
		for (int other_boot = 0; other_boot <= 1; other_boot++) {
			record.kind = kind;
			record.ends_ns = UINT64_MAX;
			record.accepted_ns = UINT64_MAX - 1;
			assert_int_equal(
				reread(&record, other_boot, clock_of(40, 1000), now, &back), 0);
			assert_int_equal(back.ends_ns, now.now_ns + week_ns);
			assert_int_equal(back.accepted_ns, now.now_ns);
		}
	}
	record.ends_ns = 400 * NS_PER_S;
	assert_int_equal(reread(&record, true, (struct encoding_clock){ 1, INT64_MIN }, now, &back),
			 0);
	assert_int_equal(back.ends_ns, 0);
}

static void what_is_cut_or_foreign_is_no_record(void **state)
{
	struct encoding_clock clock = { 0 };
	struct record record = dialog_record("call"), back;
	static char bytes[ENCODING_BYTES_MAX];
	size_t length = encoding_write(&record, &clock, bytes);

	(void)state;
	for (size_t cut = 0; cut < length; cut++) {
		char *exact = malloc(cut ? cut : 1); /* so that a sanitizer sees what lies behind */

		assert_non_null(exact);
		memcpy(exact, bytes, cut);
		assert_int_equal(encoding_read((struct span){ exact, cut }, false, &clock, &back),
				 -EBADMSG);
		free(exact);
	}
	bytes[length] = 0;
	assert_int_equal(encoding_read((struct span){ bytes, length + 1 }, false, &clock, &back),
			 -EBADMSG);
	record.kind = BINDING_CONNECTION;
	length = encoding_write(&record, &clock, bytes);
	assert_int_equal(encoding_read((struct span){ bytes, length }, false, &clock, &back),
			 -EBADMSG);
}

static void a_text_that_is_too_long_is_not_written(void **state)
{
	struct encoding_clock clock = { 0 };
	struct record record = dialog_record("call");
	static char bytes[ENCODING_BYTES_MAX];
	static char text[RECORD_TEXT_MAX + 1];

	(void)state;
	memset(text, 'x', sizeof(text));
	record.target = (struct span){ text, RECORD_TEXT_MAX };
	assert_true(encoding_write(&record, &clock, bytes) > RECORD_TEXT_MAX);
	record.target.length++;
	assert_int_equal(encoding_write(&record, &clock, bytes), 0);
}

/* A prompt to a damaged address would go to somebody who never asked for it. */
static void a_record_with_a_damaged_byte_is_none(void **state)
{
	struct encoding_clock clock = { .now_ns = clock_now_ns() };
	struct record record = dialog_record("call"), back;
	static char bytes[ENCODING_BYTES_MAX];
	size_t length = encoding_write(&record, &clock, bytes);

	(void)state;
	assert_int_equal(encoding_read((struct span){ bytes, length }, false, &clock, &back), 0);
	for (size_t i = 0; i < length; i++) {
		bytes[i] ^= 1;
		assert_int_equal(
			encoding_read((struct span){ bytes, length }, false, &clock, &back),
			-EBADMSG);
		bytes[i] ^= 1;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_record_with_a_damaged_byte_is_none),
		cmocka_unit_test(a_record_comes_back_as_it_was),
		cmocka_unit_test(times_of_another_boot_are_converted),
		cmocka_unit_test(times_of_this_boot_follow_no_wall_clock),
		cmocka_unit_test(trap_12_what_was_written_later_than_now_is_not_believed),
		cmocka_unit_test(no_record_claims_more_than_a_binding_can_have),
		cmocka_unit_test(what_is_cut_or_foreign_is_no_record),
		cmocka_unit_test(a_text_that_is_too_long_is_not_written),
	};

	return cmocka_run_group_tests_name("a record as bytes", tests, NULL, NULL);
}
