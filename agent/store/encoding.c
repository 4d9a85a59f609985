/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/encoding.h"

#include <errno.h>
#include <string.h>

#include "state/binding.h"

#define FLAG_BEHIND_NAT 1
#define FLAG_EARLY 2
#define FLAG_DEVICE_CALLED 4
#define FLAG_DEVICE_REFRESHES 8

#define TEXT_ABSENT UINT16_MAX

/* What every record begins with; the texts follow, each after its length. */
struct fixed {
	struct flow flow;
	uint64_t ends_ns;
	uint64_t accepted_ns;
	int64_t ends_wall_ns;
	int64_t accepted_wall_ns;
	uint32_t cseq;
	uint32_t reg_id;
	uint32_t session_expires;
	uint8_t kind;
	uint8_t expiry;
	uint8_t flags;
	uint8_t reserved;
};

_Static_assert(sizeof(struct fixed) == 88, "struct fixed is stored: no hidden padding");

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
	if (text.length > 0)
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

size_t encoding_write(const struct record *record, const struct encoding_times *times,
		      char bytes[ENCODING_BYTES_MAX])
{
	struct fixed fixed = {
		.flow = record->flow,
		.ends_ns = record->ends_ns,
		.accepted_ns = record->accepted_ns,
		.ends_wall_ns = (int64_t)record->ends_ns + times->wall_offset_ns,
		.accepted_wall_ns = (int64_t)record->accepted_ns + times->wall_offset_ns,
		.cseq = record->cseq,
		.reg_id = record->reg_id,
		.session_expires = record->session_expires,
		.kind = record->kind,
		.expiry = record->expiry,
		.flags = flags_of(record),
	};
	struct writer writer = { .at = bytes + sizeof(fixed) };

	memcpy(bytes, &fixed, sizeof(fixed));
#define WRITE_(name) write_text(&writer, record->name);
	RECORD_TEXTS(WRITE_)
#undef WRITE_
	return writer.failed ? 0 : (size_t)(writer.at - bytes);
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

/* A time of the wall clock on this boot's monotonic clock, 0 if it lies before the boot. */
static uint64_t monotonic(int64_t wall_ns, const struct encoding_times *times)
{
	int64_t ns;

	if (__builtin_sub_overflow(wall_ns, times->wall_offset_ns, &ns) || ns < 0)
		return 0;
	return (uint64_t)ns;
}

static bool is_sound(const struct fixed *fixed)
{
	return fixed->kind < BINDING_CONNECTION && fixed->expiry < REASON_MAX &&
	       (fixed->flow.transport == FLOW_UDP || fixed->flow.transport == FLOW_TCP);
}

int encoding_read(struct span bytes, bool other_boot, const struct encoding_times *times,
		  struct record *record)
{
	struct fixed fixed;
	int error = 0;

	if (bytes.length < sizeof(fixed))
		return -EBADMSG;
	memcpy(&fixed, bytes.at, sizeof(fixed));
	if (!is_sound(&fixed))
		return -EBADMSG;
	bytes.at += sizeof(fixed);
	bytes.length -= sizeof(fixed);
	*record = (struct record){
		.flow = fixed.flow,
		.ends_ns = other_boot ? monotonic(fixed.ends_wall_ns, times) : fixed.ends_ns,
		.accepted_ns =
			other_boot ? monotonic(fixed.accepted_wall_ns, times) : fixed.accepted_ns,
		.cseq = fixed.cseq,
		.reg_id = fixed.reg_id,
		.session_expires = fixed.session_expires,
		.kind = fixed.kind,
		.expiry = fixed.expiry,
		.behind_nat = fixed.flags & FLAG_BEHIND_NAT,
		.early = fixed.flags & FLAG_EARLY,
		.device_called = fixed.flags & FLAG_DEVICE_CALLED,
		.device_refreshes = fixed.flags & FLAG_DEVICE_REFRESHES,
	};
#define READ_(name) error = error ? error : read_text(&bytes, &record->name);
	RECORD_TEXTS(READ_)
#undef READ_
	return error || bytes.length > 0 ? -EBADMSG : 0;
}
