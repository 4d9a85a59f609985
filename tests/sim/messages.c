/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "messages.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>

/* What has been written so far. */
struct writer {
	char *at;
	size_t room;
};

static void __attribute__((format(printf, 2, 3)))
add(struct writer *writer, const char *format, ...)
{
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(writer->at, writer->room, format, arguments);
	va_end(arguments);
	assert_true(length >= 0 && (size_t)length < writer->room);
	writer->at += length;
	writer->room -= (size_t)length;
}

static void add_start(struct writer *writer, const struct message *message)
{
	if (message->status > 0)
		add(writer, "SIP/2.0 %u Whatever\r\n", message->status);
	else
		add(writer, "%s sip:%s@example.com SIP/2.0\r\n", message->method, message->to);
	if (message->relayed)
		add(writer, "Via: SIP/2.0/UDP 192.0.2.10;branch=z9hG4bKs%u\r\n", message->branch);
	add(writer, "Via: SIP/2.0/UDP 192.168.0.9:5060;branch=z9hG4bKd%u;rport\r\n",
	    message->branch);
}

static void add_tag(struct writer *writer, const char *tag)
{
	add(writer, tag ? ";tag=%s\r\n" : "\r\n", tag);
}

static void add_contact(struct writer *writer, const struct message *message)
{
	if (!message->contact)
		return;
	add(writer, "Contact: <sip:%s@192.168.0.9:5060>", message->contact);
	if (message->contact_expires >= 0)
		add(writer, ";expires=%d", message->contact_expires);
	add(writer, "\r\n");
}

void message_write(const struct message *message, char out[MESSAGE_MAX])
{
	struct writer writer = { out, MESSAGE_MAX };

	add_start(&writer, message);
	add(&writer, "From: <sip:%s@example.com>", message->from);
	add_tag(&writer, message->from_tag);
	add(&writer, "To: <sip:%s@example.com>", message->to);
	add_tag(&writer, message->to_tag);
	add(&writer, "Call-ID: %s\r\nCSeq: %u %s\r\n", message->call_id, message->cseq,
	    message->method);
	add_contact(&writer, message);
	add(&writer, "%sContent-Length: 0\r\n\r\n", message->extra ? message->extra : "");
}
