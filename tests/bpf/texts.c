/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "kernel_abi.h"
#include "texts.h"

/* A text that is being written; what does not fit is left out. */
struct text {
	char *bytes;
	size_t length, room;
};

static const char *const methods[] = {
	"REGISTER", "SUBSCRIBE", "INVITE", "UPDATE",     "NOTIFY", "ACK",    "BYE",    "OPTIONS",
	"MESSAGE",  "PRACK",     "CANCEL", "REGISTERED", "BYE1",   "invite", "NOTIFX", "B",
};

static const uint64_t tokens[] = {
	0x0123456789abcdef, 0x0123456789abcdef, 0x89abcdef01234567, 0x89abcdef01234567,
	0xffffffffffffffff, 0x0000000000000001, 0x89abcdef00000000, 0x8000000000000000,
};

__attribute__((format(printf, 2, 3))) static void add(struct text *text, const char *format, ...)
{
	size_t left = text->room - text->length;
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(text->bytes + text->length, left, format, arguments);
	va_end(arguments);
	if (length >= 0 && (size_t)length < left)
		text->length += (size_t)length;
}

static void add_bytes(struct text *text, char byte, size_t count)
{
	if (count > text->room - text->length)
		count = text->room - text->length;
	memset(text->bytes + text->length, byte, count);
	text->length += count;
}

uint64_t texts_token(struct chance *chance)
{
	return chance_pick(chance, tokens);
}

/* One that is known, or nearly so, or half so. */
static uint64_t draw_token(struct chance *chance)
{
	uint64_t token = texts_token(chance);

	if (chance_of(chance, 80))
		return token;
	if (chance_of(chance, 50))
		return token ^ 1ULL << chance_below(chance, 64);
	return chance_of(chance, 50) ? (uint32_t)token : 0;
}

static void add_status(struct chance *chance, struct text *text)
{
	static const unsigned int usual[] = { 200, 200, 200, 202, 401, 404, 486, 481,
					      100, 101, 180, 183, 299, 300, 499, 699 };
	static const char *const nearly[] = {
		"SIP/2.0 2000 OK", "SIP/2.0  200 OK", "SIP/2.0 20",     "sip/2.0 200 OK",
		"SIP/3.0 200 OK",  "SIP/2.0 2x0 OK",  "SIP/2.0 700 OK", "SIP/2.0 099 OK",
		"SIP/2.0\t200 OK", "SIP/2.0 200OK",   "SIP/2.0 -20 OK", " SIP/2.0 200 OK"
	};

	if (chance_of(chance, 10))
		add(text, "%s\r\n", chance_pick(chance, nearly));
	else if (chance_of(chance, 15))
		add(text, "SIP/2.0 %03zu\r\n", chance_below(chance, 1000));
	else
		add(text, "SIP/2.0 %u Whatever\r\n", chance_pick(chance, usual));
}

static void add_request(struct chance *chance, struct text *text)
{
	static const char *const separators[] = { " ", " ", " ", " ", "\t", "", "1 ", "-", "\r\n" };

	add(text, "%s%s", chance_pick(chance, methods), chance_pick(chance, separators));
	add(text, "sip:a@198.51.100.7:40001 SIP/2.0\r\n");
}

static void add_via(struct chance *chance, struct text *text)
{
	static const char *const names[] = { "Via: ",    "Via: ",     "v: ",       "VIA:",
					     "via :",    "Via:\r\n ", "Viaduct: ", "Call-ID: ",
					     "X: Via: ", "\tVia: " };
	static const char *const prefixes[] = {
		SIPPATH_BRANCH_PREFIX, SIPPATH_BRANCH_PREFIX, SIPPATH_BRANCH_PREFIX,
		SIPPATH_BRANCH_PREFIX, SIPPATH_BRANCH_PREFIX, SIPPATH_BRANCH_PREFIX "z9hG4bK-",
		"z9hG4bK-sippath_",    "Z9HG4BK-sippath-",    "z9hG4bK",
	};
	bool in_capitals = chance_of(chance, 5);
	uint64_t token = draw_token(chance);

	add(text, "%s", chance_pick(chance, names));
	add(text, "SIP/2.0/UDP 192.0.2.1:5060;branch=%s", chance_pick(chance, prefixes));
	if (in_capitals)
		add(text, "%016" PRIX64, token);
	else
		add(text, "%016" PRIx64, token);
	add(text, chance_of(chance, 90) ? ";rport\r\n" : "");
}

static void add_cseq(struct chance *chance, struct text *text)
{
	static const char *const names[] = {
		"CSeq", "CSeq",   "CSeq",  "cseq",   "CSEQ",   "CSeqs",
		"CSe",  "X-CSeq", "CSeq ", "CSeq\t", "\rCSeq", "cSEq"
	};
	static const char *const numbers[] = { ": 1 ",      ": 1 ",       ": 1 ",   ":4294967295\t",
					       " : 1\r\n ", ":",          ":\r\n ", "; 1 ",
					       ": x1 ",     ": 00000000 " };

	add(text, "%s%s", chance_pick(chance, names), chance_pick(chance, numbers));
	if (chance_of(chance, 10))
		add_bytes(text, ' ', 50 + chance_below(chance, 20));
	add(text, "%s%s", chance_pick(chance, methods), chance_of(chance, 97) ? "\r\n" : "\n");
}

/* Around the limits up to which programs search and copy. */
static void add_length(struct chance *chance, struct text *text)
{
	static const size_t limits[] = { 64, 1023, 4095 };
	size_t limit = chance_pick(chance, limits), wanted = limit - 60 + chance_below(chance, 80);

	add(text, "Subject: ");
	if (wanted > text->length)
		add_bytes(text, 'z', wanted - text->length);
	add(text, "\r\n");
}

static void add_header(struct chance *chance, struct text *text)
{
	static const char *const others[] = {
		"From: <sip:a@example.org>;tag=1\r\n",
		"Contact: <sip:a@198.51.100.7:40001>\r\n",
		"Call-ID: 1@198.51.100.7\r\n",
		" folded\r\n",
		"Content-Length: 0\r\n",
		"\r\n",
	};
	size_t lines = chance_below(chance, 8);

	for (size_t i = 0; i < lines; i++) {
		size_t kind = chance_below(chance, 20);

		if (kind < 7)
			add_via(chance, text);
		else if (kind < 14)
			add_cseq(chance, text);
		else if (kind < 15)
			add_length(chance, text);
		else
			add(text, "%s", chance_pick(chance, others));
	}
	add(text, chance_of(chance, 80) ? "\r\n" : "");
}

/* What a device answers to a prompt, or the prompt, to the letter. */
static void add_prompt(struct chance *chance, struct text *text)
{
	bool is_answer = chance_of(chance, 60);

	if (is_answer)
		add_status(chance, text);
	else
		add(text, "OPTIONS sip:a@198.51.100.7:40001 SIP/2.0\r\n");
	if (chance_of(chance, 3))
		add_length(chance, text);
	add(text, "Via: SIP/2.0/UDP 192.0.2.1:5060;rport;branch=" SIPPATH_BRANCH_PREFIX);
	add(text, "%016" PRIx64, draw_token(chance));
	add(text, chance_of(chance, 95) ? "\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n" : "");
}

static void add_noise(struct chance *chance, struct text *text)
{
	size_t length = chance_below(chance, 64);

	for (size_t i = 0; i < length && text->length < text->room; i++)
		text->bytes[text->length++] = (char)chance_number(chance);
}

/* CRLF keepalives (RFC 5626), TLS, a WebSocket, a body. */
static void add_other(struct chance *chance, struct text *text)
{
	static const char *const others[] = { "",
					      "\r\n\r\n",
					      "\r\n",
					      "\x16\x03\x01\x02\x01",
					      "\x17\x03\x04",
					      "\x14\x03\x05\x01",
					      "\x18\x03\x01\x01",
					      "GET / HTTP/1.1\r\n",
					      "GETX",
					      "v=0\r\no=- 1 1 IN IP4 1" };

	if (chance_of(chance, 30))
		add_noise(chance, text);
	else
		add(text, "%s", chance_pick(chance, others));
}

static void scramble(struct chance *chance, struct text *text)
{
	size_t changes = 1 + chance_below(chance, 3);

	for (size_t i = 0; i < changes && text->length > 0; i++) {
		size_t position = chance_below(chance, text->length);

		if (chance_of(chance, 50))
			text->bytes[position] ^= (char)(1 << chance_below(chance, 8));
		else if (chance_of(chance, 50))
			text->bytes[position] = chance_pick(chance, "\r\n \tzA9:\xff");
		else
			text->length = position;
	}
}

size_t texts_draw(struct chance *chance, char *bytes, size_t room)
{
	struct text text = { .bytes = bytes, .room = room };
	size_t kind = chance_below(chance, 100);

	if (kind < 30) {
		add_prompt(chance, &text);
	} else if (kind < 55) {
		add_status(chance, &text);
		add_header(chance, &text);
	} else if (kind < 80) {
		add_request(chance, &text);
		add_header(chance, &text);
	} else {
		add_other(chance, &text);
	}
	if (chance_of(chance, 5))
		add_bytes(&text, 'y', chance_below(chance, room));
	if (chance_of(chance, 15))
		scramble(chance, &text);
	return text.length;
}
