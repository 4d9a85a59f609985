/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/encoding.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "state/binding.h"
#include "state/grant.h"
#include "state/subscriptions.h"

#define FLAG_BEHIND_NAT 1
#define FLAG_EARLY 2
#define FLAG_DEVICE_CALLED 4
#define FLAG_DEVICE_REFRESHES 8

#define TEXT_ABSENT UINT16_MAX

/* The most that dialogs.max_lifetime can be; no session timer is as long. */
#define DIALOG_LIFETIME_MAX_S (7 * 24 * 3600)

/* By so much a clock that is set right while a host starts may go back. */
#define CLOCK_TOLERANCE_NS (300 * NS_PER_S)

/* What every record begins with; the texts follow, each after its length, and a checksum. */
struct fixed {
	struct flow flow;
	uint64_t ends_ns; /* these three: CLOCK_MONOTONIC of the boot in which it was written */
	uint64_t accepted_ns;
	uint64_t written_ns;
	int64_t wall_offset_ns; /* as it was when it was written */
	uint32_t cseq;
	uint32_t reg_id;
	uint32_t session_expires;
	uint8_t kind;
	uint8_t expiry;
	uint8_t flags;
	uint8_t reserved;
};

_Static_assert(sizeof(struct fixed) == 88, "struct fixed is stored: no hidden padding");

/* Against damage, not against people: so the key is no secret. */
static uint64_t checksum(const char *bytes, size_t length)
{
	static const struct hash_key key = { { 0 } };

	return hash_bytes(&key, bytes, length);
}

struct writer {
	char *at;
	bool failed;
};

static void write_text(struct writer *writer, struct span text)
{
	uint16_t length = text.at ? (uint16_t)text.length : TEXT_ABSENT;

	if (text.length > RECORD_TEXT_MAX) {
		writer->failed = true;
		return;
	}
	memcpy(writer->at, &length, sizeof(length));
	writer->at += sizeof(length);
	if (text.at)
		memcpy(writer->at, text.at, text.length);
	writer->at += text.length;
}

static uint8_t flags_of(const struct record *record)
{
	return (uint8_t)((record->behind_nat ? FLAG_BEHIND_NAT : 0) |
			 (record->early ? FLAG_EARLY : 0) |
			 (record->device_called ? FLAG_DEVICE_CALLED : 0) |
			 (record->device_refreshes ? FLAG_DEVICE_REFRESHES : 0));
}

size_t encoding_write(const struct record *record, const struct encoding_clock *clock,
		      char bytes[ENCODING_BYTES_MAX])
{
	struct fixed fixed = {
		.flow = record->flow,
		.ends_ns = record->ends_ns,
		.accepted_ns = record->accepted_ns,
		.written_ns = clock->now_ns,
		.wall_offset_ns = clock->wall_offset_ns,
		.cseq = record->cseq,
		.reg_id = record->reg_id,
		.session_expires = record->session_expires,
		.kind = record->kind,
		.expiry = record->expiry,
		.flags = flags_of(record),
	};
	struct writer writer = { .at = bytes + sizeof(fixed) };
	uint64_t sum;

	memcpy(bytes, &fixed, sizeof(fixed));
#define WRITE_(name) write_text(&writer, record->name);
	RECORD_TEXTS(WRITE_)
#undef WRITE_
	if (writer.failed)
		return 0;
	sum = checksum(bytes, (size_t)(writer.at - bytes));
	memcpy(writer.at, &sum, sizeof(sum));
	return (size_t)(writer.at - bytes) + sizeof(sum);
}

static int read_text(struct span *bytes, struct span *text)
{
	uint16_t length;

	if (bytes->length < sizeof(length))
		return -EBADMSG;
	memcpy(&length, bytes->at, sizeof(length));
	bytes->at += sizeof(length);
	bytes->length -= sizeof(length);
	*text = (struct span){ 0 };
	if (length == TEXT_ABSENT)
		return 0;
	if (length > RECORD_TEXT_MAX || length > bytes->length)
		return -EBADMSG;
	*text = (struct span){ bytes->at, length };
	bytes->at += length;
	bytes->length -= length;
	return 0;
}

/* A time of another boot on the reader's CLOCK_MONOTONIC; 0 if it lies before the boot. */
static uint64_t time_here(const struct fixed *fixed, uint64_t ns,
			  const struct encoding_clock *clock)
{
	int64_t wall_ns, here_ns;

	if (__builtin_add_overflow(ns, fixed->wall_offset_ns, &wall_ns))
		return CLOCK_NEVER;
	if (__builtin_sub_overflow(wall_ns, clock->wall_offset_ns, &here_ns) || here_ns < 0)
		return 0;
	return (uint64_t)here_ns;
}

static uint64_t earlier(uint64_t one_ns, uint64_t other_ns)
{
	return one_ns < other_ns ? one_ns : other_ns;
}

static uint64_t longest_lifetime_ns(const struct fixed *fixed)
{
	static const uint32_t seconds[] = {
		[BINDING_REGISTRATION] = REGISTRATION_LIFETIME_MAX_S,
		[BINDING_SUBSCRIPTION] = SUBSCRIPTION_LIFETIME_MAX_S,
		[BINDING_DIALOG] = DIALOG_LIFETIME_MAX_S,
		[BINDING_LINGERING] = DIALOG_LIFETIME_MAX_S,
	};

	_Static_assert(sizeof(seconds) / sizeof(seconds[0]) == BINDING_CONNECTION,
		       "every kind that is stored has a longest lifetime");
	return seconds[fixed->kind] * NS_PER_S;
}

static bool is_sound(const struct fixed *fixed)
{
	return fixed->kind < BINDING_CONNECTION && fixed->expiry < REASON_MAX &&
	       (fixed->flow.transport == FLOW_UDP || fixed->flow.transport == FLOW_TCP);
}

static void convert(struct fixed *fixed, const struct encoding_clock *clock)
{
	fixed->ends_ns = time_here(fixed, fixed->ends_ns, clock);
	fixed->accepted_ns = time_here(fixed, fixed->accepted_ns, clock);
	fixed->written_ns = time_here(fixed, fixed->written_ns, clock);
}

static struct record record_of(const struct fixed *fixed, const struct encoding_clock *clock)
{
	return (struct record){
		.flow = fixed->flow,
		.ends_ns = earlier(fixed->ends_ns, clock->now_ns + longest_lifetime_ns(fixed)),
		.accepted_ns = earlier(fixed->accepted_ns, clock->now_ns),
		.cseq = fixed->cseq,
		.reg_id = fixed->reg_id,
		.session_expires = fixed->session_expires,
		.kind = fixed->kind,
		.expiry = fixed->expiry,
		.behind_nat = fixed->flags & FLAG_BEHIND_NAT,
		.early = fixed->flags & FLAG_EARLY,
		.device_called = fixed->flags & FLAG_DEVICE_CALLED,
		.device_refreshes = fixed->flags & FLAG_DEVICE_REFRESHES,
	};
}

/* Takes the checksum off the end; false if it is not that of what is before it. */
static bool take_checksum(struct span *bytes)
{
	uint64_t sum;

	if (bytes->length < sizeof(sum))
		return false;
	bytes->length -= sizeof(sum);
	memcpy(&sum, bytes->at + bytes->length, sizeof(sum));
	return sum == checksum(bytes->at, bytes->length);
}

int encoding_read(struct span bytes, bool other_boot, const struct encoding_clock *clock,
		  struct record *record)
{
	struct record read;
	struct fixed fixed;
	int error = 0;

	if (!take_checksum(&bytes) || bytes.length < sizeof(fixed))
		return -EBADMSG;
	memcpy(&fixed, bytes.at, sizeof(fixed));
	if (!is_sound(&fixed))
		return -EBADMSG;
	bytes.at += sizeof(fixed);
	bytes.length -= sizeof(fixed);
	if (other_boot)
		convert(&fixed, clock);
	read = record_of(&fixed, clock);
#define READ_(name) error = error ? error : read_text(&bytes, &read.name);
	RECORD_TEXTS(READ_)
#undef READ_
	if (error || bytes.length > 0)
		return -EBADMSG;
	if (fixed.written_ns > clock->now_ns + CLOCK_TOLERANCE_NS)
		return -ESTALE;
	*record = read;
	return 0;
}
