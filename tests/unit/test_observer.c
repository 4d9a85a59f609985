/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_observer.c - sightings read from a ring buffer of the kernel's own. A record
 * gets into it by running a tiny program.
 */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include <bpf/bpf.h>

#include "kernel/observer.h"

#define RING_BYTES 16384
#define SEEN_MAX 256
#define TEXT_MAX 128

static int ring_fd = -1;

struct seen {
	int count;
	uint64_t when_ns[SEEN_MAX];
	uint8_t kind[SEEN_MAX];
	char text[SEEN_MAX][TEXT_MAX];
};

static int make_ring(void **state)
{
	(void)state;
	ring_fd = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "sip_sightings", 0, 0, RING_BYTES, NULL);
	return ring_fd < 0 ? -1 : 0;
}

static int close_ring(void **state)
{
	(void)state;
	return close(ring_fd);
}

static int load_writer(int source_fd, uint32_t size)
{
	const struct bpf_insn writer[] = {
		{ .code = BPF_LD | BPF_DW | BPF_IMM,
		  .dst_reg = BPF_REG_1,
		  .src_reg = BPF_PSEUDO_MAP_FD,
		  .imm = ring_fd },
		{ .imm = 0 },
		{ .code = BPF_LD | BPF_DW | BPF_IMM,
		  .dst_reg = BPF_REG_2,
		  .src_reg = BPF_PSEUDO_MAP_VALUE,
		  .imm = source_fd },
		{ .imm = 0 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_3, .imm = (int)size },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_4, .imm = 0 },
		{ .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_ringbuf_output },
		{ .code = BPF_JMP | BPF_EXIT },
	};

	return bpf_prog_load(BPF_PROG_TYPE_XDP, "writer", "GPL", writer,
			     sizeof(writer) / sizeof(writer[0]), NULL);
}

/* Puts "size" bytes into the ring buffer as one record; false if they found no room. */
static bool put_record(const void *record, uint32_t size)
{
	unsigned char packet[64] = { 0 };
	uint32_t key = 0;
	int source = bpf_map_create(BPF_MAP_TYPE_ARRAY, "source", sizeof(key), size, 1, NULL);
	int writer;
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = packet, .data_size_in = sizeof(packet));

	assert_true(source >= 0);
	assert_int_equal(bpf_map_update_elem(source, &key, record, BPF_ANY), 0);
	writer = load_writer(source, size);
	assert_true(writer >= 0);
	assert_int_equal(bpf_prog_test_run_opts(writer, &run), 0);
	close(writer);
	close(source);
	return run.retval == 0;
}

static bool put_sighting(uint64_t when_ns, const char *text)
{
	union {
		struct sighting sighting;
		unsigned char room[sizeof(struct sighting) + TEXT_MAX];
	} record;
	size_t length = strlen(text);

	assert_true(length < TEXT_MAX);
	memset(&record, 0, sizeof(record));
	record.sighting.when_ns = when_ns;
	record.sighting.wire_length = (uint32_t)length;
	record.sighting.captured = (uint16_t)length;
	memcpy(record.room + sizeof(struct sighting), text, length);
	return put_record(&record, (uint32_t)(sizeof(struct sighting) + length));
}

static void take_sighting(void *context, const struct sighting *sighting)
{
	struct seen *seen = context;

	assert_true(seen->count < SEEN_MAX);
	assert_true(sighting->captured < TEXT_MAX);
	seen->when_ns[seen->count] = sighting->when_ns;
	seen->kind[seen->count] = sighting->kind;
	memcpy(seen->text[seen->count], sighting->bytes, sighting->captured);
	seen->count++;
}

/* As the agent does once it has written down what it has learnt. */
static int read_and_release(struct observer *observer, int limit)
{
	int sightings = observer_read(observer, limit);

	observer_release(observer);
	return sightings;
}

static struct observer *observe(struct seen *seen)
{
	struct observer *observer = observer_new(ring_fd, take_sighting, seen);

	memset(seen, 0, sizeof(*seen));
	assert_non_null(observer);
	return observer;
}

static bool is_readable(const struct observer *observer)
{
	struct pollfd poll_fd = { .fd = observer_fd(observer), .events = POLLIN };

	return poll(&poll_fd, 1, 0) == 1;
}

static void sightings_come_oldest_first_with_their_bytes(void **state)
{
	struct seen seen;
	struct observer *observer = observe(&seen);

	(void)state;
	assert_false(is_readable(observer));
	assert_true(put_sighting(1, "REGISTER sip:example.org SIP/2.0"));
	assert_true(put_sighting(2, "SIP/2.0 200 OK"));
	assert_true(put_sighting(3, ""));
	assert_true(is_readable(observer));
	assert_int_equal(read_and_release(observer, 100), 3);
	assert_int_equal(seen.count, 3);
	assert_int_equal(seen.when_ns[0], 1);
	assert_string_equal(seen.text[0], "REGISTER sip:example.org SIP/2.0");
	assert_int_equal(seen.when_ns[1], 2);
	assert_string_equal(seen.text[1], "SIP/2.0 200 OK");
	assert_int_equal(seen.when_ns[2], 3);
	assert_false(is_readable(observer));
	assert_int_equal(read_and_release(observer, 100), 0);
	observer_free(observer);
}

static void a_limit_leaves_the_rest_for_the_next_reading(void **state)
{
	struct seen seen;
	struct observer *observer = observe(&seen);

	(void)state;
	for (uint64_t i = 0; i < 5; i++)
		assert_true(put_sighting(i, "x"));
	assert_int_equal(read_and_release(observer, 0), 0);
	assert_int_equal(read_and_release(observer, 2), 2);
	assert_int_equal(seen.count, 2);
	assert_true(is_readable(observer));
	assert_int_equal(read_and_release(observer, 2), 2);
	assert_true(is_readable(observer));
	assert_int_equal(read_and_release(observer, 2), 1);
	assert_false(is_readable(observer));
	assert_int_equal(seen.count, 5);
	for (uint64_t i = 0; i < 5; i++)
		assert_int_equal(seen.when_ns[i], i);
	observer_free(observer);
}

static void records_too_short_for_what_they_claim_are_skipped(void **state)
{
	struct seen seen;
	struct observer *observer = observe(&seen);
	struct sighting claims_too_much = { .when_ns = 1, .captured = 1 };

	(void)state;
	assert_true(put_record("12345678", 8));
	assert_true(put_record(&claims_too_much, sizeof(claims_too_much)));
	assert_true(put_record(&claims_too_much, sizeof(claims_too_much) - 1));
	assert_true(put_sighting(9, "whole"));
	assert_int_equal(read_and_release(observer, 100), 1);
	assert_int_equal(seen.count, 1);
	assert_int_equal(seen.when_ns[0], 9);
	observer_free(observer);
}

static void every_kind_of_sighting_is_handed_over(void **state)
{
	struct seen seen;
	struct observer *observer = observe(&seen);
	struct sighting sighting = { .when_ns = 1 };

	(void)state;
	for (sighting.kind = SIGHTING_MESSAGE; sighting.kind <= SIGHTING_CLOSED; sighting.kind++)
		assert_true(put_record(&sighting, sizeof(sighting)));
	assert_int_equal(read_and_release(observer, 100), 4);
	for (int i = 0; i < 4; i++)
		assert_int_equal(seen.kind[i], i);
	observer_free(observer);
}

static void records_that_claim_what_cannot_be_are_skipped(void **state)
{
	static const struct sighting claims[] = {
		{ .kind = SIGHTING_CLOSED + 1 },
		{ .kind = UINT8_MAX },
		{ .kind = SIGHTING_MESSAGE, .direction = SIGHTING_TO_DEVICE + 1 },
		{ .kind = SIGHTING_MESSAGE, .captured = SIGHTING_CAPTURE_MAX + 1 },
		{ .kind = SIGHTING_OPENED, .captured = 1 },
		{ .kind = SIGHTING_CLOSED, .captured = 1 },
	};
	struct seen seen;
	struct observer *observer = observe(&seen);

	(void)state;
	for (size_t i = 0; i < sizeof(claims) / sizeof(claims[0]); i++) {
		unsigned char record[sizeof(struct sighting) + SIGHTING_CAPTURE_MAX + 1] = { 0 };

		memcpy(record, &claims[i], sizeof(claims[i]));
		assert_true(put_record(record, (uint32_t)sizeof(claims[i]) + claims[i].captured));
		assert_true(put_sighting(i + 1, "whole"));
		assert_int_equal(read_and_release(observer, 100), 1);
		assert_int_equal(seen.when_ns[i], i + 1);
	}
	observer_free(observer);
}

static void what_came_while_nobody_observed_is_read_later(void **state)
{
	struct seen seen;
	struct observer *observer = observe(&seen);

	(void)state;
	assert_true(put_sighting(1, "read"));
	assert_int_equal(read_and_release(observer, 100), 1);
	observer_free(observer);
	assert_true(put_sighting(2, "not read yet"));
	observer = observe(&seen);
	assert_true(is_readable(observer));
	assert_int_equal(read_and_release(observer, 100), 1);
	assert_int_equal(seen.when_ns[0], 2);
	observer_free(observer);
}

static void trap_45_reading_a_full_ring_buffer_makes_room_again(void **state)
{
	struct seen seen;
	struct observer *observer = observe(&seen);
	int put = 0;

	(void)state;
	while (put_sighting((uint64_t)put, "fills the ring buffer") && put < RING_BYTES)
		put++;
	assert_in_range(put, 1, SEEN_MAX - 1);
	assert_int_equal(read_and_release(observer, RING_BYTES), put);
	assert_true(put_sighting(12345, "after the loss"));
	assert_int_equal(read_and_release(observer, RING_BYTES), 1);
	assert_int_equal(seen.when_ns[put], 12345);
	observer_free(observer);
}

/* A killed agent releases nothing: whoever comes after it is told again, and goes on after it. */
static void what_was_not_released_is_handed_over_again(void **state)
{
	struct seen seen;
	struct observer *observer = observe(&seen);

	(void)state;
	for (uint64_t i = 0; i < 4; i++)
		assert_true(put_sighting(i, "x"));
	assert_int_equal(read_and_release(observer, 1), 1);
	assert_int_equal(observer_read(observer, 2), 2);
	assert_true(is_readable(observer));
	observer_free(observer);
	observer = observe(&seen);
	assert_int_equal(observer_read(observer, 100), 3);
	assert_int_equal(observer_read(observer, 100), 0); /* not twice by the same */
	assert_int_equal(seen.when_ns[0], 1);
	assert_int_equal(seen.when_ns[2], 3);
	observer_release(observer);
	assert_false(is_readable(observer));
	observer_free(observer);
	observer = observe(&seen);
	assert_int_equal(observer_read(observer, 100), 0);
	observer_free(observer);
}

/* It is released a part at a time: the kernel may fill the room of each at once. */
static void sightings_go_round_the_ring_buffer_many_times(void **state)
{
	enum { ROUNDS = 2000 };
	struct seen seen;
	struct observer *observer = observe(&seen);
	uint64_t put = 0, taken = 0;

	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		char text[TEXT_MAX] = "";

		memset(text, 'a' + round % 26, (size_t)(round * 7 % (TEXT_MAX - 1)));
		for (int i = 0; i < 3; i++)
			put += put_sighting(put, text);
		seen.count = 0;
		observer_read(observer, 2 + round % 3);
		observer_release(observer);
		for (int i = 0; i < seen.count; i++)
			assert_int_equal(seen.when_ns[i], taken++);
	}
	while (seen.count = 0, read_and_release(observer, 100) > 0)
		for (int i = 0; i < seen.count; i++)
			assert_int_equal(seen.when_ns[i], taken++);
	assert_int_equal(taken, put);
	assert_true(put * sizeof(struct sighting) > 10 * RING_BYTES);
	observer_free(observer);
}

/* The loop's own way of waiting: what is put while the consumer is behind wakes nobody. */
static void an_epoll_misses_nothing(void **state)
{
	struct epoll_event event = { .events = EPOLLIN };
	struct seen seen;
	struct observer *observer = observe(&seen);
	int epoll = epoll_create1(0);

	(void)state;
	assert_int_equal(epoll_ctl(epoll, EPOLL_CTL_ADD, observer_fd(observer), &event), 0);
	for (uint64_t i = 0; i < 20; i++) {
		assert_int_equal(epoll_wait(epoll, &event, 1, 0), 0);
		assert_true(put_sighting(3 * i, "wakes"));
		assert_int_equal(epoll_wait(epoll, &event, 1, -1), 1);
		assert_int_equal(observer_read(observer, 100), 1);
		assert_true(put_sighting(3 * i + 1, "before the release"));
		observer_release(observer);
		assert_int_equal(epoll_wait(epoll, &event, 1, -1), 1);
		assert_true(put_sighting(3 * i + 2, "after it"));
		assert_int_equal(read_and_release(observer, 1), 1);
		assert_int_equal(epoll_wait(epoll, &event, 1, -1), 1);
		assert_int_equal(read_and_release(observer, 100), 1);
	}
	close(epoll);
	observer_free(observer);
}

/* Sets the position up to which the ring buffer has been read. */
static void set_consumer(unsigned long position)
{
	unsigned long *consumer = mmap(NULL, (size_t)sysconf(_SC_PAGESIZE), PROT_READ | PROT_WRITE,
				       MAP_SHARED, ring_fd, 0);

	assert_ptr_not_equal(consumer, MAP_FAILED);
	*consumer = position;
	munmap(consumer, (size_t)sysconf(_SC_PAGESIZE));
}

static void a_position_that_makes_no_sense_is_mended(void **state)
{
	static const unsigned long positions[] = { 1,         4,          8,
						   64,        RING_BYTES, RING_BYTES + 8,
						   1UL << 40, ULONG_MAX,  ULONG_MAX - 7 };

	(void)state;
	for (size_t i = 0; i < sizeof(positions) / sizeof(positions[0]); i++) {
		struct observer *observer;
		struct seen seen;

		assert_int_equal(make_ring(NULL), 0);
		assert_true(put_sighting(1, "0123456789 not a length 0123456789"));
		assert_true(put_sighting(2, "0123456789 not a length 0123456789"));
		set_consumer(positions[i]);
		observer = observe(&seen);
		while (is_readable(observer))
			read_and_release(observer, 100);
		seen.count = 0;
		assert_true(put_sighting(3, "goes on"));
		assert_int_equal(read_and_release(observer, 100), 1);
		assert_int_equal(seen.when_ns[0], 3);
		observer_free(observer);
		close(ring_fd);
	}
	assert_int_equal(make_ring(NULL), 0); /* for whoever closes it */
}

static void what_is_no_ring_buffer_is_refused(void **state)
{
	struct seen seen;
	int array = bpf_map_create(BPF_MAP_TYPE_ARRAY, "array", 4, 4, 1, NULL);

	(void)state;
	assert_true(array >= 0);
	errno = 0;
	assert_null(observer_new(array, take_sighting, &seen));
	assert_int_equal(errno, EINVAL);
	close(array);
	observer_free(NULL);
}

#define ON_A_NEW_RING(test) cmocka_unit_test_setup_teardown(test, make_ring, close_ring)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_A_NEW_RING(sightings_come_oldest_first_with_their_bytes),
		ON_A_NEW_RING(a_limit_leaves_the_rest_for_the_next_reading),
		ON_A_NEW_RING(records_too_short_for_what_they_claim_are_skipped),
		ON_A_NEW_RING(every_kind_of_sighting_is_handed_over),
		ON_A_NEW_RING(records_that_claim_what_cannot_be_are_skipped),
		ON_A_NEW_RING(what_came_while_nobody_observed_is_read_later),
		ON_A_NEW_RING(trap_45_reading_a_full_ring_buffer_makes_room_again),
		ON_A_NEW_RING(what_was_not_released_is_handed_over_again),
		ON_A_NEW_RING(sightings_go_round_the_ring_buffer_many_times),
		ON_A_NEW_RING(an_epoll_misses_nothing),
		cmocka_unit_test_teardown(a_position_that_makes_no_sense_is_mended, close_ring),
		ON_A_NEW_RING(what_is_no_ring_buffer_is_refused),
	};

	return cmocka_run_group_tests_name("observer", tests, NULL, NULL);
}
