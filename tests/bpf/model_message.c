/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "kernel_abi.h"
#include "model_message.h"

#define TOKEN_REACH 1023 /* a token stands within so many bytes */
#define METHOD_REACH 64 /* a method begins so many bytes behind "CSeq:" at most */
#define METHOD_WHOLE 10 /* it is judged if so many bytes of it, and behind it, were captured */
#define CAPTURE_MAX 4095

/* Of a request whose responses nobody has to know the lowest status is above the highest. */
static const struct method {
	const char *name;
	unsigned int lowest, highest;
} methods[] = {
	{ "ACK", 1, 0 },        { "BYE", 1, 0 },          { "INVITE", 101, 699 },
	{ "NOTIFY", 1, 0 },     { "REGISTER", 200, 299 }, { "SUBSCRIBE", 200, 499 },
	{ "UPDATE", 200, 699 },
};

#define METHODS (sizeof(methods) / sizeof(methods[0]))

/* Bytes above 127 are letters nowhere. */
static bool is_letter(char character)
{
	return isascii((unsigned char)character) && isalpha((unsigned char)character);
}

static bool is_digit(char character)
{
	return character >= '0' && character <= '9';
}

/* The method that is written here, in capitals (RFC 3261 section 7.1), up to no letter. */
static const struct method *find_method(const char *text)
{
	for (size_t i = 0; i < METHODS; i++) {
		size_t length = strlen(methods[i].name);

		if (strncmp(text, methods[i].name, length) == 0 && !is_letter(text[length]))
			return &methods[i];
	}
	return NULL;
}

static bool wants(const struct method *method, unsigned int status)
{
	return status >= method->lowest && status <= method->highest;
}

unsigned int model_message_status(const char *text)
{
	unsigned int status = 0;

	if (strncmp(text, "SIP/2.0 ", 8) != 0)
		return 0;
	for (size_t i = 8; i < 11; i++) {
		if (!is_digit(text[i]))
			return 0;
		status = status * 10 + (unsigned int)(text[i] - '0');
	}
	/* A reason may be empty, or be left out with the space before it. */
	if (text[11] != ' ' && text[11] != '\r')
		return 0;
	return status >= 100 && status <= 699 ? status : 0;
}

bool model_message_is_known_request(const char *text)
{
	return find_method(text) != NULL;
}

static bool some_method_wants(unsigned int status)
{
	for (size_t i = 0; i < METHODS; i++)
		if (wants(&methods[i], status))
			return true;
	return false;
}

/* The text behind this line's end, or NULL. */
static const char *next_line(const char *line, const char *end)
{
	const char *last = memchr(line, '\n', (size_t)(end - line));

	return last ? last + 1 : NULL;
}

static bool is_name(const char *line, size_t length, const char *name)
{
	return strlen(name) == length && strncasecmp(line, name, length) == 0;
}

/*
 * What stands behind the name of the first header field with one of these names, or NULL. A
 * colon ends a name, or a blank before it (RFC 3261 section 7.3.1).
 */
static const char *find_field(const char *text, const char *end, const char *name,
			      const char *short_name)
{
	const char *line = next_line(text, end);

	for (; line && line < end; line = next_line(line, end)) {
		size_t length = 0;

		if (line[0] == '\r' || line[0] == '\n')
			return NULL;
		while (line + length < end && !memchr(": \t", line[length], 3))
			length++;
		if (line + length < end &&
		    (is_name(line, length, name) || is_name(line, length, short_name)))
			return line + length + 1;
	}
	return NULL;
}

/* The end of a header field that may be folded, at "end" at last. */
static const char *end_of_field(const char *value, const char *end)
{
	const char *line = next_line(value, end);

	while (line && line < end && (*line == ' ' || *line == '\t'))
		line = next_line(line, end);
	return line ? line : end;
}

/* The method in a CSeq: its first letter may be on a folded line. NULL if there is none. */
static const char *find_cseq_method(const char *cseq, const char *end)
{
	for (const char *at = cseq; at < end && at < cseq + METHOD_REACH; at++)
		if (is_letter(*at))
			return at;
	return NULL;
}

/* True also of a response that does not say what it responds to. */
static bool is_known_response(const char *text, size_t length, unsigned int status)
{
	const char *end = text + (length < CAPTURE_MAX ? length : CAPTURE_MAX);
	const char *cseq = find_field(text, end, "CSeq", "CSeq"), *name;
	const struct method *method;

	if (!some_method_wants(status))
		return false;
	name = cseq ? find_cseq_method(cseq, end) : NULL;
	if (!name || end - name < METHOD_WHOLE)
		return true;
	method = find_method(name);
	return method && wants(method, status);
}

bool model_message_is_known(const char *text, size_t length)
{
	unsigned int status = model_message_status(text);

	return status ? is_known_response(text, length, status)
		      : model_message_is_known_request(text);
}

bool model_message_is_opaque(const uint8_t *bytes, size_t length)
{
	bool is_tls, is_http;

	if (length < 4)
		return false;
	/* RFC 8446 section 5.1: change_cipher_spec to application_data, SSL 3.0 to TLS 1.3. */
	is_tls = bytes[0] >= 20 && bytes[0] <= 23 && bytes[1] == 3 && bytes[2] <= 4;
	is_http = memcmp(bytes, "GET ", 4) == 0;
	return is_tls || is_http;
}

/* The value of so many lower-case hex digits, or 0. */
static uint64_t read_token(const char *digits)
{
	static const char values[] = "0123456789abcdef";
	uint64_t token = 0;

	for (size_t i = 0; i < SIPPATH_TOKEN_DIGITS; i++) {
		const char *value = memchr(values, digits[i], sizeof(values) - 1);

		if (!value)
			return 0;
		token = token * 16 + (uint64_t)(value - values);
	}
	return token;
}

/* In the topmost Via (RFC 3261 section 17.1.3), and nowhere else. */
uint64_t model_message_token(const char *text, size_t length)
{
	const size_t prefix = strlen(SIPPATH_BRANCH_PREFIX);
	const char *end = text + (length < TOKEN_REACH ? length : TOKEN_REACH);
	const char *at = find_field(text, end, "Via", "v");
	uint64_t token = 0;

	if (at)
		end = end_of_field(at, end);
	while (at && token == 0) {
		at = memmem(at, (size_t)(end - at), SIPPATH_BRANCH_PREFIX, prefix);
		if (!at || (size_t)(end - at) < prefix + SIPPATH_TOKEN_DIGITS)
			return 0;
		at += prefix;
		token = read_token(at);
	}
	return token;
}
