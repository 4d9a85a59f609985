/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as a record of the store, of this boot or another, or as a request that waits, and
 * what the rooms make of it. The checksum is put right, or nothing behind it would ever be reached. The file of LMDB itself is not
 * fuzzed: LMDB trusts its file, and what guards the agent from a damaged one is store/trial.h.
 */
#include "fuzz.h"

#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "state/dialogs.h"
#include "state/registrations.h"
#include "state/subscriptions.h"
#include "state/transactions.h"
#include "store/encoding.h"

#define LINGER_NS (32 * NS_PER_S)
#define LONGEST_NS (7 * 24 * 3600 * NS_PER_S)

struct rooms {
	struct counts counts;
	struct registrations *registrations;
	struct subscriptions *subscriptions;
	struct dialogs *dialogs;
};

static void touch(const struct record *record)
{
#define TOUCH_(name) fuzz_touch(record->name);
	RECORD_TEXTS(TOUCH_)
#undef TOUCH_
}

static bool restore(struct rooms *rooms, const struct record *record, struct binding_change *change)
{
	switch (record->kind) {
	case BINDING_REGISTRATION:
		return registrations_restore(rooms->registrations, record, change);
	case BINDING_SUBSCRIPTION:
		return subscriptions_restore(rooms->subscriptions, record, change);
	default:
		return dialogs_restore(rooms->dialogs, record, change);
	}
}

static void forget(struct rooms *rooms, struct binding *binding)
{
	switch (binding->kind) {
	case BINDING_REGISTRATION:
		registrations_forget(rooms->registrations, binding);
		break;
	case BINDING_SUBSCRIPTION:
		subscriptions_forget(rooms->subscriptions, binding);
		break;
	default:
		dialogs_forget(rooms->dialogs, binding);
		break;
	}
}

/* It comes back, is described again, comes back once more beside itself, and goes. */
static void use(struct record *record)
{
	struct rooms rooms = { .registrations = NULL };
	const struct dialogs_options options = { .limit = 8,
						 .linger_ns = LINGER_NS,
						 .max_lifetime_ns = LONGEST_NS,
						 .counts = &rooms.counts };
	struct binding_change change, twin;
	struct record again;

	rooms.registrations = registrations_new(8, &rooms.counts);
	rooms.subscriptions = subscriptions_new(8, &rooms.counts);
	rooms.dialogs = dialogs_new(&options);
	if (!rooms.registrations || !rooms.subscriptions || !rooms.dialogs)
		abort();
	if (restore(&rooms, record, &change)) {
		fuzz_demand(change.kind == BINDING_BEGINS && change.binding);
		fuzz_demand(record_describe(change.binding, &again));
		fuzz_demand(again.kind == record->kind && again.ends_ns == record->ends_ns);
		touch(&again);
		if (restore(&rooms, record, &twin))
			forget(&rooms, twin.binding);
		forget(&rooms, change.binding);
	}
	dialogs_free(rooms.dialogs);
	subscriptions_free(rooms.subscriptions);
	registrations_free(rooms.registrations);
}

/* What was read is written, and read again as the same. */
static void write_again(const struct record *record, const struct encoding_clock *clock)
{
	static char bytes[ENCODING_BYTES_MAX];
	size_t length = encoding_write(record, clock, bytes);
	struct record again;

	fuzz_demand(length > 0 && length <= sizeof(bytes));
	fuzz_demand(encoding_read((struct span){ bytes, length }, false, clock, &again) == 0);
#define SAME_(name) fuzz_demand(span_equal(record->name, again.name));
	RECORD_TEXTS(SAME_)
#undef SAME_
	fuzz_demand(again.ends_ns == record->ends_ns && again.cseq == record->cseq);
}

/* It waits on, and is written again as it was read. */
static void wait_on(const struct waiting *waiting, const struct encoding_clock *clock)
{
	struct transactions *room = transactions_new(2, TRANSACTION_LIFETIME_NS, NULL);
	static char bytes[ENCODING_BYTES_MAX];
	struct waiting again;
	struct facts facts;
	size_t length;

	if (!room)
		abort();
	fuzz_touch_facts(waiting->facts);
	fuzz_demand(waiting->seen_ns <= clock->now_ns && waiting->since_ns <= clock->now_ns);
	length = encoding_write_request(waiting, clock, bytes);
	fuzz_demand(length <= sizeof(bytes));
	fuzz_demand(length == 0 || encoding_read_request((struct span){ bytes, length }, clock,
							 &facts, &again) == 0);
	(void)transactions_restore(room, 7, waiting);
	transactions_expire(room, clock->now_ns + NS_PER_S);
	transactions_free(room);
}

static void read_binding(struct span bytes, bool other_boot, const struct encoding_clock *clock)
{
	struct record record;

	if (encoding_read(bytes, other_boot, clock, &record))
		return;
	touch(&record);
	fuzz_demand(record.ends_ns <= clock->now_ns + LONGEST_NS);
	fuzz_demand(record.accepted_ns <= clock->now_ns);
	write_again(&record, clock);
	use(&record);
}

static void read_request(struct span bytes, const struct encoding_clock *clock)
{
	struct waiting waiting;
	struct facts facts;

	if (encoding_read_request(bytes, clock, &facts, &waiting) == 0)
		wait_on(&waiting, clock);
}

static char *sum_up(struct span bytes, bool is_summed, size_t *length)
{
	static const struct hash_key key = { { 0 } };
	uint64_t sum = hash_bytes(&key, bytes.at, bytes.length);
	char *copy = malloc(bytes.length + sizeof(sum));

	if (!copy)
		abort();
	memcpy(copy, bytes.at, bytes.length);
	memcpy(copy + bytes.length, &sum, sizeof(sum));
	*length = bytes.length + (is_summed ? sizeof(sum) : 0);
	return copy;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = { data, size };
	uint8_t how = fuzz_byte(&input);
	struct encoding_clock clock = { .now_ns = (fuzz_byte(&input) + UINT64_C(1)) << (how >> 2) };
	struct span record;
	char *bytes;

	clock.wall_offset_ns = (int64_t)(UINT64_C(0x9e3779b97f4a7c15) * fuzz_byte(&input)) >> 2;
	bytes = sum_up(fuzz_bytes(&input, input.left), !(how & 2), &record.length);
	record.at = bytes;
	if (encoding_is_request(record))
		read_request(record, &clock);
	else
		read_binding(record, how & 1, &clock);
	free(bytes);
	return 0;
}
