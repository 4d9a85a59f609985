/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "callcontrol/reply.h"

#include <errno.h>
#include <inttypes.h>

#include "callcontrol/passing.h"
#include "callcontrol/via.h"

/* How much of a reply is written. */
struct extent {
	size_t contacts;
	bool optional; /* the optional lines as well */
};

size_t reply_limit(size_t request_bytes)
{
	return request_bytes + request_bytes / 2;
}

/* Apart from the branch, which is of the same identity and is shown to others. */
static uint64_t make_tag(const struct message *request, const struct hash_key *key)
{
	uint64_t parts[] = { 'T', passing_identity(request, key) };

	return hash_bytes(key, parts, sizeof(parts));
}

static void write_to(const struct message *request, const struct hash_key *key,
		     const struct message_line *line, struct text *out)
{
	struct span to = line->whole;

	if (request->to_tag.at) {
		message_write_lines(to, out);
		return;
	}
	to.length = (size_t)(line->value.at + line->value.length - to.at);
	message_write_lines(to, out);
	text_format(out, ";tag=%016" PRIx64 "\r\n", make_tag(request, key));
}

/* What RFC 3261 section 8.2.6.2 wants copied; of a header that is there twice, the first. */
static void write_copied(const struct message *request, const struct flow *flow,
			 const struct hash_key *key, struct text *out)
{
	for (size_t i = 0; i < request->line_count; i++) {
		const struct message_line *line = &request->lines[i];
		const char *value = line->value.at;

		if (message_line_is(line, "Via"))
			via_write_line(request, line, flow, out);
		else if (value == request->to.at)
			write_to(request, key, line, out);
		else if (value == request->from.at || value == request->call_id.at ||
			 value == request->cseq.at)
			message_write_lines(line->whole, out);
	}
}

static void write_contacts(const struct reply *reply, size_t count, struct text *out)
{
	for (size_t i = 0; i < count; i++) {
		text_add(out, i == 0 ? SPAN("Contact: <") : SPAN(", <"));
		text_add(out, reply->contacts[i]);
		/* q counts down in tenths. */
		text_format(out, ">;q=%zu.%zu", (10 - i) / 10, (10 - i) % 10);
	}
	if (count > 0)
		text_add(out, SPAN("\r\n"));
}

static void write_unsupported(const struct reply *reply, struct text *out)
{
	if (!reply->unsupported.at)
		return;
	text_add(out, SPAN("Unsupported: "));
	message_write_lines(reply->unsupported, out);
	text_add(out, SPAN("\r\n"));
}

static void write_optional(const struct reply *reply, struct text *out)
{
	if (reply->retry_after_s)
		text_format(out, "Retry-After: %" PRIu32 "\r\n", reply->retry_after_s);
	if (reply->allow)
		text_format(out, "Allow: %s\r\n", reply->allow);
}

static void write_tail(const struct reply *reply, struct extent extent, struct text *out)
{
	write_contacts(reply, extent.contacts, out);
	write_unsupported(reply, out);
	if (extent.optional)
		write_optional(reply, out);
	text_add(out, SPAN("Content-Length: 0\r\n\r\n"));
}

/*
 * Leaves out the next that may be; false if nothing is left to be left out. A redirection that
 * leads nowhere would end the call that a retransmission may yet save.
 */
static bool shrink(struct extent *extent)
{
	if (extent->contacts > 1) {
		extent->contacts--;
		return true;
	}
	if (!extent->optional)
		return false;
	extent->optional = false;
	return true;
}

int reply_write(const struct reply *reply, const struct message *request, const struct flow *flow,
		const struct hash_key *key, size_t limit, struct text *out)
{
	struct extent extent = { .contacts = reply->contact_count, .optional = true };
	struct text before = *out, head;

	if (!request->is_request || span_equal(request->method, SPAN("ACK")))
		return -EINVAL;
	text_format(out, "SIP/2.0 %u %s\r\n", reply->status, reply->reason);
	write_copied(request, flow, key, out);
	head = *out;
	do {
		*out = head;
		write_tail(reply, extent, out);
		if (!out->overflow && (limit == 0 || out->used - before.used <= limit))
			return 0;
	} while (shrink(&extent));
	message_take_back(out, before);
	return -E2BIG;
}
