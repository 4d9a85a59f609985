/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/encoding.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "state/grant.h"
#include "state/subscriptions.h"
#include "store/encoding_parts.h"

#define FLAG_BEHIND_NAT 1
#define FLAG_EARLY 2
#define FLAG_DEVICE_CALLED 4
#define FLAG_DEVICE_REFRESHES 8

/* The most that dialogs.max_lifetime can be; no session timer is as long. */
#define DIALOG_LIFETIME_MAX_S (7 * 24 * 3600)

/* What a binding's record begins with; its texts follow. */
struct fixed {
	struct encoding_head head;
	uint64_t ends_ns; /* CLOCK_MONOTONIC of the boot in which it was written, as the next one */
	uint64_t accepted_ns;
	uint32_t cseq;
	uint32_t reg_id;
	uint32_t session_expires;
	uint8_t expiry;
	uint8_t flags;
	uint8_t reserved[2];
};

_Static_assert(sizeof(struct fixed) == 96, "struct fixed is stored: no hidden padding");

/* What it began with in ENCODING_VERSION_OLDER; the same texts followed, and the same checksum. */
struct fixed_older {
	struct flow flow;
	uint64_t ends_ns;
	uint64_t accepted_ns;
	uint64_t written_ns;
	int64_t wall_offset_ns;
	uint32_t cseq;
	uint32_t reg_id;
	uint32_t session_expires;
	uint8_t kind;
	uint8_t expiry;
	uint8_t flags;
	uint8_t reserved;
};

_Static_assert(sizeof(struct fixed_older) == 88, "struct fixed_older was stored like this");

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
		.head = encoding_head(&record->flow, record->kind, clock),
		.ends_ns = record->ends_ns,
		.accepted_ns = record->accepted_ns,
		.cseq = record->cseq,
		.reg_id = record->reg_id,
		.session_expires = record->session_expires,
		.expiry = record->expiry,
		.flags = flags_of(record),
	};
	struct encoding_writer writer = { .at = bytes };

	encoding_put(&writer, &fixed, sizeof(fixed));
#define WRITE_(name) encoding_put_text(&writer, record->name);
	RECORD_TEXTS(WRITE_)
#undef WRITE_
	return encoding_seal(&writer, bytes);
}

/* A time of another boot on the reader's CLOCK_MONOTONIC; 0 if it lies before the boot. */
static uint64_t time_here(const struct fixed *fixed, uint64_t ns,
			  const struct encoding_clock *clock)
{
	int64_t wall_ns, here_ns;

	if (__builtin_add_overflow(ns, fixed->head.wall_offset_ns, &wall_ns))
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
	return seconds[fixed->head.kind] * NS_PER_S;
}

static bool is_sound(const struct fixed *fixed)
{
	return fixed->head.kind < BINDING_CONNECTION && fixed->expiry < REASON_MAX &&
	       encoding_is_flow(&fixed->head.flow);
}

static void convert(struct fixed *fixed, const struct encoding_clock *clock)
{
	fixed->ends_ns = time_here(fixed, fixed->ends_ns, clock);
	fixed->accepted_ns = time_here(fixed, fixed->accepted_ns, clock);
	fixed->head.written_ns = time_here(fixed, fixed->head.written_ns, clock);
}

static struct record record_of(const struct fixed *fixed, const struct encoding_clock *clock)
{
	return (struct record){
		.flow = fixed->head.flow,
		.ends_ns = earlier(fixed->ends_ns, clock->now_ns + longest_lifetime_ns(fixed)),
		.accepted_ns = earlier(fixed->accepted_ns, clock->now_ns),
		.cseq = fixed->cseq,
		.reg_id = fixed->reg_id,
		.session_expires = fixed->session_expires,
		.kind = fixed->head.kind,
		.expiry = fixed->expiry,
		.behind_nat = fixed->flags & FLAG_BEHIND_NAT,
		.early = fixed->flags & FLAG_EARLY,
		.device_called = fixed->flags & FLAG_DEVICE_CALLED,
		.device_refreshes = fixed->flags & FLAG_DEVICE_REFRESHES,
	};
}

bool encoding_is_request(struct span bytes)
{
	struct encoding_head head;

	return encoding_take(&bytes, &head, sizeof(head)) == 0 && head.kind == ENCODING_REQUEST;
}

/* Reads what follows *fixed. */
static int read_on(struct span bytes, struct fixed *fixed, bool other_boot,
		   const struct encoding_clock *clock, struct record *record)
{
	struct record read;
	int error = 0;

	if (!is_sound(fixed))
		return -EBADMSG;
	if (other_boot)
		convert(fixed, clock);
	read = record_of(fixed, clock);
#define READ_(name) error = error ? error : encoding_take_text(&bytes, &read.name);
	RECORD_TEXTS(READ_)
#undef READ_
	if (error || bytes.length > 0)
		return -EBADMSG;
	if (encoding_is_early(fixed->head.written_ns, clock))
		return -ESTALE;
	*record = read;
	return 0;
}

int encoding_read(struct span bytes, bool other_boot, const struct encoding_clock *clock,
		  struct record *record)
{
	struct fixed fixed;

	if (!encoding_unseal(&bytes) || encoding_take(&bytes, &fixed, sizeof(fixed)))
		return -EBADMSG;
	return read_on(bytes, &fixed, other_boot, clock, record);
}

static struct fixed newer(const struct fixed_older *older)
{
	return (struct fixed){
		.head = { .flow = older->flow,
			  .written_ns = older->written_ns,
			  .wall_offset_ns = older->wall_offset_ns,
			  .kind = older->kind },
		.ends_ns = older->ends_ns,
		.accepted_ns = older->accepted_ns,
		.cseq = older->cseq,
		.reg_id = older->reg_id,
		.session_expires = older->session_expires,
		.expiry = older->expiry,
		.flags = older->flags,
	};
}

int encoding_read_older(struct span bytes, bool other_boot, const struct encoding_clock *clock,
			struct record *record)
{
	struct fixed_older older;
	struct fixed fixed;

	if (!encoding_unseal(&bytes) || encoding_take(&bytes, &older, sizeof(older)))
		return -EBADMSG;
	fixed = newer(&older);
	return read_on(bytes, &fixed, other_boot, clock, record);
}
