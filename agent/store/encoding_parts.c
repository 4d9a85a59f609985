/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/encoding_parts.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "state/record.h"

#define TEXT_ABSENT UINT16_MAX

/* By so much a clock that is set right while a host starts may go back. */
#define CLOCK_TOLERANCE_NS (300 * NS_PER_S)

struct encoding_head encoding_head(const struct flow *flow, uint8_t kind,
				   const struct encoding_clock *clock)
{
	return (struct encoding_head){
		.flow = *flow,
		.written_ns = clock->now_ns,
		.wall_offset_ns = clock->wall_offset_ns,
		.kind = kind,
	};
}

void encoding_put(struct encoding_writer *writer, const void *bytes, size_t length)
{
	memcpy(writer->at, bytes, length);
	writer->at += length;
}

/* After its length. */
void encoding_put_text(struct encoding_writer *writer, struct span text)
{
	uint16_t length = text.at ? (uint16_t)text.length : TEXT_ABSENT;

	if (text.length > RECORD_TEXT_MAX) {
		writer->failed = true;
		return;
	}
	encoding_put(writer, &length, sizeof(length));
	if (text.at)
		encoding_put(writer, text.at, text.length);
}

/* Against damage, not against people: so the key is no secret. */
static uint64_t checksum(const char *bytes, size_t length)
{
	static const struct hash_key key = { { 0 } };

	return hash_bytes(&key, bytes, length);
}

size_t encoding_seal(struct encoding_writer *writer, const char *bytes)
{
	uint64_t sum;

	if (writer->failed)
		return 0;
	sum = checksum(bytes, (size_t)(writer->at - bytes));
	encoding_put(writer, &sum, sizeof(sum));
	return (size_t)(writer->at - bytes);
}

bool encoding_unseal(struct span *bytes)
{
	uint64_t sum;

	if (bytes->length < sizeof(sum))
		return false;
	bytes->length -= sizeof(sum);
	memcpy(&sum, bytes->at + bytes->length, sizeof(sum));
	return sum == checksum(bytes->at, bytes->length);
}

int encoding_take(struct span *bytes, void *into, size_t length)
{
	if (bytes->length < length)
		return -EBADMSG;
	memcpy(into, bytes->at, length);
	bytes->at += length;
	bytes->length -= length;
	return 0;
}

int encoding_take_text(struct span *bytes, struct span *text)
{
	uint16_t length;

	if (encoding_take(bytes, &length, sizeof(length)))
		return -EBADMSG;
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

bool encoding_is_flow(const struct flow *flow)
{
	return flow->transport == FLOW_UDP || flow->transport == FLOW_TCP;
}

bool encoding_is_early(uint64_t written_ns, const struct encoding_clock *clock)
{
	return written_ns > clock->now_ns + CLOCK_TOLERANCE_NS;
}
