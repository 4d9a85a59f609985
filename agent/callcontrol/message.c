/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "callcontrol/message.h"

#include <errno.h>

#include "base/number.h"
#include "callcontrol/via.h"
#include "sip/headers.h"
#include "sip/start_line.h"
#include "sip/uri.h"
#include "sip/values.h"

/* Room for the parts of a URI and for the AOR that is made of them; a longer one is none. */
#define URI_ROOM 16384

/* RFC 3261 section 8.1.1.6. */
#define MAX_FORWARDS_DEFAULT 70
#define MAX_FORWARDS_MAX 255

#define NO_CONTENT_LENGTH UINT64_MAX

/* What is known of a message while it is read. */
struct reading {
	struct message *message;
	uint64_t content_length;
	const char *wrong; /* the first thing that was found wrong, NULL for none */
};

/* Compact names (RFC 3261 section 7.3.3) of the headers that somebody asks for. */
static const struct {
	struct span name;
	char compact;
} compact_names[] = {
	{ { "Via", 3 }, 'v' },
	{ { "From", 4 }, 'f' },
	{ { "To", 2 }, 't' },
	{ { "Call-ID", 7 }, 'i' },
	{ { "Contact", 7 }, 'm' },
	{ { "Content-Length", 14 }, 'l' },
	{ { "Content-Type", 12 }, 'c' },
	{ { "Content-Encoding", 16 }, 'e' },
	{ { "Subject", 7 }, 's' },
	{ { "Supported", 9 }, 'k' },
	{ { "Event", 5 }, 'o' },
	{ { "Allow-Events", 12 }, 'u' },
	{ { "Refer-To", 8 }, 'r' },
	{ { "Referred-By", 11 }, 'b' },
	{ { "Session-Expires", 15 }, 'x' },
};

static bool is_compact_name(char letter, struct span name)
{
	for (size_t i = 0; i < sizeof(compact_names) / sizeof(compact_names[0]); i++)
		if (compact_names[i].compact == (letter | 0x20))
			return span_equal_nocase(compact_names[i].name, name);
	return false;
}

bool message_line_is(const struct message_line *line, const char *name)
{
	struct span wanted = span_of(name);

	return span_equal_nocase(line->name, wanted) ||
	       (line->name.length == 1 && is_compact_name(line->name.at[0], wanted));
}

void message_write_lines(struct span lines, struct text *out)
{
	while (lines.length > 0) {
		const char *newline = memchr(lines.at, '\n', lines.length);
		size_t taken = newline ? (size_t)(newline - lines.at) + 1 : lines.length;
		size_t length = newline ? taken - 1 : taken;

		if (newline && length > 0 && lines.at[length - 1] == '\r')
			length--;
		text_add(out, (struct span){ lines.at, length });
		text_add(out, newline ? SPAN("\r\n") : SPAN(""));
		lines.at += taken;
		lines.length -= taken;
	}
}

void message_take_back(struct text *out, struct text before)
{
	*out = before;
	if (out->size > 0)
		out->buffer[out->used] = '\0';
}

static int read_via(struct reading *reading, struct span list)
{
	struct message *message = reading->message;
	struct span value;
	int found;

	while ((found = value_next(&list, &value)) > 0) {
		if (!message->via.value.at) {
			if (via_read(value, &message->via))
				return -EBADMSG;
		} else if (!message->next_via.at) {
			message->next_via = value;
		}
	}
	return found;
}

static int read_tag(struct span value, struct span *tag)
{
	struct address_value address;

	if (value_read_address(value, &address) ||
	    value_find_parameter(address.parameters, SPAN("tag"), tag))
		return -EBADMSG;
	/* With an empty one a message would have two when it is answered. */
	return tag->at && tag->length == 0 ? -EBADMSG : 0;
}

static int read_from(struct reading *reading, struct span value)
{
	reading->message->from = value;
	return read_tag(value, &reading->message->from_tag);
}

static int read_to(struct reading *reading, struct span value)
{
	reading->message->to = value;
	return read_tag(value, &reading->message->to_tag);
}

static int read_call_id(struct reading *reading, struct span value)
{
	reading->message->call_id = value;
	return value.length > 0 ? 0 : -EBADMSG;
}

/* A request's CSeq names its own method, that of ACK and CANCEL as well (RFC 3261 section 8.1.1.5). */
static int read_cseq(struct reading *reading, struct span value)
{
	struct message *message = reading->message;
	struct cseq_value cseq;

	message->cseq = value;
	if (value_read_cseq(value, &cseq))
		return -EBADMSG;
	message->cseq_number = cseq.number;
	if (!message->is_request)
		message->method = cseq.method;
	return span_equal(cseq.method, message->method) ? 0 : -EBADMSG;
}

static int read_max_forwards(struct reading *reading, struct span value)
{
	uint64_t number;

	if (number_read(value, 0, MAX_FORWARDS_MAX, &number))
		return -EBADMSG;
	reading->message->max_forwards = (uint32_t)number;
	reading->message->has_max_forwards = true;
	return 0;
}

static int read_content_length(struct reading *reading, struct span value)
{
	return number_read(value, 0, UINT32_MAX, &reading->content_length) ? -EBADMSG : 0;
}

/* All values are looked at here, so that nobody meets a bad one later. */
static int read_route(struct reading *reading, struct span list)
{
	struct address_value address;
	struct span value;
	int found;

	while ((found = value_next(&list, &value)) > 0) {
		if (value_read_address(value, &address))
			return -EBADMSG;
		if (!reading->message->route.at)
			reading->message->route = value;
	}
	return found;
}

#define RULE(header, ...) \
	{ \
		.name = header, .missing = "Missing " header, .twice = "Second " header, \
		.unreadable = "Unreadable " header, __VA_ARGS__ \
	}

static const struct rule {
	const char *name;
	const char *missing, *twice, *unreadable; /* reasons */
	int (*read)(struct reading *reading, struct span value);
	bool needed;
	bool often; /* may be there more than once */
	bool of_requests; /* says nothing in a response */
} rules[] = {
	RULE("From", .read = read_from, .needed = true),
	RULE("To", .read = read_to, .needed = true),
	RULE("Call-ID", .read = read_call_id, .needed = true),
	RULE("CSeq", .read = read_cseq, .needed = true),
	RULE("Max-Forwards", .read = read_max_forwards, .of_requests = true),
	RULE("Content-Length", .read = read_content_length),
	RULE("Route", .read = read_route, .often = true, .of_requests = true),
};

#define RULE_COUNT (sizeof(rules) / sizeof(rules[0]))

static void note(struct reading *reading, const char *wrong)
{
	if (!reading->wrong)
		reading->wrong = wrong;
}

/* True if the byte at "i" is a control that is no part of folding. */
static bool is_control(struct span line, size_t i)
{
	char byte = line.at[i];

	if ((unsigned char)byte >= ' ' || byte == '\t' || byte == '\n')
		return false;
	return byte != '\r' || i + 1 == line.length || line.at[i + 1] != '\n';
}

/* A quoted string may have any byte but those of line ends behind a backslash (section 25.1). */
static bool has_controls(struct span line)
{
	bool quoted = false;

	for (size_t i = 0; i < line.length; i++) {
		if (is_control(line, i))
			return true;
		if (line.at[i] == '"')
			quoted = !quoted;
		if (quoted && line.at[i] == '\\' && i + 1 < line.length && line.at[i + 1] != '\r' &&
		    line.at[i + 1] != '\n')
			i++;
	}
	return false;
}

/* Takes the next line off *rest: the line without its end, *whole with it. */
static bool take_line(struct span *rest, struct span *line, struct span *whole)
{
	*whole = *rest;
	if (!headers_line(rest, line))
		return false;
	whole->length = (size_t)(rest->at - whole->at);
	return true;
}

static int split_line(struct span line, struct message_line *out)
{
	const char *colon = line.length > 0 ? memchr(line.at, ':', line.length) : NULL;
	size_t length;

	if (!colon)
		return -EBADMSG;
	length = (size_t)(colon - line.at);
	out->name = span_trim((struct span){ line.at, length });
	out->value = span_trim((struct span){ colon + 1, line.length - length - 1 });
	return value_is_token(out->name) ? 0 : -EBADMSG;
}

/* A line that is none is left out, and noted; one of Via cannot be, since all answers go by them. */
static int take_header(struct reading *reading, struct span line, struct span whole)
{
	struct message *message = reading->message;
	struct message_line *header = &message->lines[message->line_count];
	bool is_header = split_line(line, header) == 0;
	bool is_via = is_header && message_line_is(header, "Via");

	if (!is_header || has_controls(line)) {
		note(reading, "Malformed header line");
		return is_via ? -EBADMSG : 0;
	}
	header->whole = whole;
	message->line_count++;
	return is_via ? read_via(reading, header->value) : 0;
}

/* Reads the lines up to the body, which is what is left in *rest then. */
static int take_headers(struct reading *reading, struct span *rest)
{
	struct message *message = reading->message;
	struct span line, whole;
	size_t end;

	while (take_line(rest, &line, &whole)) {
		if (message->line_count == MESSAGE_LINES_MAX || take_header(reading, line, whole))
			return -EBADMSG;
	}
	if (!headers_ended(*rest) || !message->via.value.at)
		return -EBADMSG;
	end = rest->at[0] == '\r' ? 2 : 1;
	message->body = (struct span){ rest->at + end, rest->length - end };
	return 0;
}

static void apply_rule(struct reading *reading, const struct rule *rule)
{
	const struct message *message = reading->message;
	size_t seen = 0;

	for (size_t i = 0; i < message->line_count; i++) {
		if (!message_line_is(&message->lines[i], rule->name))
			continue;
		if (seen++ > 0 && !rule->often)
			note(reading, rule->twice);
		else if (rule->read(reading, message->lines[i].value))
			note(reading, rule->unreadable);
	}
	if (rule->needed && seen == 0)
		note(reading, rule->missing);
}

/* What follows the body in a datagram is cut off (RFC 3261 section 18.3). */
static void cut_body(struct reading *reading)
{
	struct span *body = &reading->message->body;

	if (reading->content_length == NO_CONTENT_LENGTH)
		return;
	if (reading->content_length > body->length)
		note(reading, "Body shorter than Content-Length");
	else
		body->length = (size_t)reading->content_length;
}

static int read_start_line(struct span line, struct message *message)
{
	struct start_line start;

	if (memchr(line.at, '\n', line.length) || has_controls(line) ||
	    start_line_read(line, &start))
		return -EBADMSG;
	message->is_request = start.method.at;
	message->status = start.status;
	if (message->is_request) {
		message->method = start.method;
		message->uri.at = start.method.at + start.method.length + 1;
		message->uri.length = line.length - start.method.length - strlen("  SIP/2.0");
	}
	return 0;
}

/* Reads the Request-URI; "memory" must have room for its parts. */
static int read_uri(const struct message *message, struct text *memory, struct uri *uri)
{
	int error = uri_read(message->uri, memory, uri);

	if (error)
		return error;
	return memory->overflow ? -EBADMSG : 0;
}

static bool is_hex(char byte)
{
	return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'f') ||
	       (byte >= 'A' && byte <= 'F');
}

/* True if no "%" in front of an "@" stands without two hex digits. */
static bool has_good_escapes(struct span uri)
{
	const char *at = uri.length > 0 ? memchr(uri.at, '@', uri.length) : NULL;
	struct span text = { uri.at, at ? (size_t)(at - uri.at) : 0 };

	for (size_t i = 0; i < text.length; i++)
		if (text.at[i] == '%' && (text.length - i < sizeof("%00") - 1 ||
					  !is_hex(text.at[i + 1]) || !is_hex(text.at[i + 2])))
			return false;
	return true;
}

static int check_uri(struct reading *reading)
{
	char buffer[URI_ROOM];
	struct text memory = TEXT_OVER(buffer);
	struct uri uri;
	int error = read_uri(reading->message, &memory, &uri);

	if (error == -EBADMSG || (!error && !has_good_escapes(reading->message->uri)))
		note(reading, "Unreadable Request-URI");
	return error == -ENOMEM ? error : 0;
}

int message_read(struct span bytes, struct message *message, const char **reason)
{
	struct reading reading = { .message = message, .content_length = NO_CONTENT_LENGTH };
	struct span rest = bytes, line;

	/* The lines are set as they are met: clearing room for all of them is felt. */
	memset(message, 0, offsetof(struct message, lines));
	memset(&message->line_count, 0, sizeof(*message) - offsetof(struct message, line_count));
	message->bytes = bytes;
	message->max_forwards = MAX_FORWARDS_DEFAULT;
	if (bytes.length > MESSAGE_MAX || !take_line(&rest, &line, &message->start_line) ||
	    read_start_line(line, message) || take_headers(&reading, &rest))
		return -EBADMSG;
	if (message->is_request && check_uri(&reading))
		return -ENOMEM;
	for (size_t i = 0; i < RULE_COUNT; i++)
		if (message->is_request || !rules[i].of_requests)
			apply_rule(&reading, &rules[i]);
	cut_body(&reading);
	if (!reading.wrong)
		return 0;
	*reason = reading.wrong;
	return message->is_request ? -EPROTO : -EBADMSG;
}

struct span message_aor(const struct message *message, char *buffer, size_t size)
{
	char parts[URI_ROOM];
	struct text memory = TEXT_OVER(parts), kept = { .buffer = buffer, .size = size };
	struct span aor, none = { NULL, 0 };
	struct uri uri;

	if (read_uri(message, &memory, &uri) || !uri.user.at)
		return none;
	aor = uri_make_aor(&uri, &memory);
	if (memory.overflow)
		return none;
	text_add(&kept, aor);
	return kept.overflow ? none : text_span(&kept);
}
