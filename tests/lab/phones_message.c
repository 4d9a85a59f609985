/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "phones_message.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#define SIP_PORT 5060
#define ROUTES_MAX 8

bool message_read_endpoint(const char *text, struct sockaddr_in *out)
{
	char address[INET_ADDRSTRLEN];
	unsigned short port = SIP_PORT;

	if (sscanf(text, "%15[0-9.]:%hu", address, &port) < 1)
		return false;
	*out = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(port) };
	return inet_pton(AF_INET, address, &out->sin_addr) == 1;
}

bool message_read_target(const char *uri, struct sockaddr_in *out)
{
	const char *host = strstr(uri, "sip:");
	const char *at;

	if (!host)
		return false;
	host += strlen("sip:");
	at = strchr(host, '@');
	if (at && at < host + strcspn(host, ">;,\r\n"))
		host = at + 1;
	return message_read_endpoint(host, out);
}

/* The header line of that name after "from"; NULL if there is none. */
static const char *next_line(const char *from, const char *name)
{
	size_t length = strlen(name);

	while ((from = strstr(from, "\r\n")) && strncmp(from, "\r\n\r\n", 4) != 0) {
		from += 2;
		if (strncmp(from, name, length) == 0 && from[length] == ':')
			return from;
	}
	return NULL;
}

static int length_of_line(const char *line)
{
	return (int)strcspn(line, "\r\n");
}

const char *message_header(const char *message, const char *name, char out[HEADER_MAX])
{
	const char *line = next_line(message, name);

	out[0] = '\0';
	if (line)
		sscanf(line + strlen(name) + 1, " %511[^\r\n]", out);
	return out;
}

/* Copies the URI between angle brackets; "" if there is none. */
static const char *bracketed(const char *value, char out[HEADER_MAX])
{
	const char *begin = strchr(value, '<');

	out[0] = '\0';
	if (begin)
		sscanf(begin + 1, "%511[^>]", out);
	return out;
}

const char *message_contact(const char *message, char out[HEADER_MAX])
{
	char value[HEADER_MAX];

	return bracketed(message_header(message, "Contact", value), out);
}

void message_write_register(char out[MESSAGE_MAX], const struct identity *who, unsigned int cseq,
			    unsigned int expires, unsigned int reg_id)
{
	char flow[WORD_MAX] = "";

	if (reg_id)
		snprintf(flow, sizeof(flow), ";reg-id=%u", reg_id);
	snprintf(out, MESSAGE_MAX,
		 "REGISTER sip:lab.example SIP/2.0\r\n"
		 "Via: SIP/2.0/UDP %s;rport;branch=z9hG4bK-%s-%u\r\n"
		 "Max-Forwards: 70\r\n"
		 "From: <sip:%s@lab.example>;tag=%s\r\n"
		 "To: <sip:%s@lab.example>\r\n"
		 "Call-ID: register-%s-%s\r\n"
		 "CSeq: %u REGISTER\r\n"
		 "Contact: <sip:%s@%s>%s%s\r\n"
		 "Supported: path, outbound\r\n"
		 "Expires: %u\r\n"
		 "Content-Length: 0\r\n\r\n",
		 who->host, who->user, cseq, who->user, who->user, who->user, who->user, who->host,
		 cseq, who->user, who->host, who->instance, flow, expires);
}

void message_write_invite(char out[MESSAGE_MAX], const struct identity *who, unsigned int call,
			  unsigned int cseq, const char *uri, const char *callee)
{
	snprintf(out, MESSAGE_MAX,
		 "INVITE %s SIP/2.0\r\n"
		 "Via: SIP/2.0/UDP %s;rport;branch=z9hG4bK-%s-%u\r\n"
		 "Max-Forwards: 70\r\n"
		 "From: <sip:%s@lab.example>;tag=%s\r\n"
		 "To: <sip:%s@lab.example>\r\n"
		 "Call-ID: call-%s-%u\r\n"
		 "CSeq: %u INVITE\r\n"
		 "Contact: <sip:%s@%s>\r\n"
		 "Content-Length: 0\r\n\r\n",
		 uri, who->host, who->user, cseq, who->user, who->user, callee, who->user, call,
		 cseq, who->user, who->host);
}

/* The way that a 2xx has recorded, from its last proxy on; "first" is that one's URI. */
static void write_routes(const char *answer, char out[MESSAGE_MAX], char first[HEADER_MAX])
{
	const char *lines[ROUTES_MAX];
	const char *line = answer;
	size_t count = 0, length = 0;

	out[0] = first[0] = '\0';
	while (count < ROUTES_MAX && (line = next_line(line, "Record-Route")))
		lines[count++] = line + strlen("Record-Route:");
	while (count-- > 0 && length < MESSAGE_MAX) {
		if (!first[0])
			bracketed(lines[count], first);
		length += (size_t)snprintf(out + length, MESSAGE_MAX - length, "Route:%.*s\r\n",
					   length_of_line(lines[count]), lines[count]);
	}
}

bool message_write_ack(char out[MESSAGE_MAX], const char *invite, const char *answer,
		       struct sockaddr_in *to)
{
	char routes[MESSAGE_MAX] = "", first[HEADER_MAX], uri[HEADER_MAX] = "";
	char via[HEADER_MAX], peer[HEADER_MAX], call_id[HEADER_MAX], own[HEADER_MAX];
	bool accepted = strncmp(answer, "SIP/2.0 2", 9) == 0;
	unsigned int cseq = 0;
	int length;

	if (accepted) {
		write_routes(answer, routes, first);
		message_contact(answer, uri);
		if (!message_read_target(first[0] ? first : uri, to))
			return false;
	} else {
		sscanf(invite, "INVITE %511s", uri);
	}
	sscanf(message_header(invite, "CSeq", peer), "%u", &cseq);
	/* The ACK of a refusal belongs to the INVITE's transaction, that of a 2xx is one of its own. */
	length = snprintf(out, MESSAGE_MAX,
			  "ACK %s SIP/2.0\r\n"
			  "Via: %s%s\r\n"
			  "%s"
			  "Max-Forwards: 70\r\n"
			  "From: %s\r\n"
			  "To: %s\r\n"
			  "Call-ID: %s\r\n"
			  "CSeq: %u ACK\r\n"
			  "Content-Length: 0\r\n\r\n",
			  uri, message_header(invite, "Via", via), accepted ? "-acknowledged" : "",
			  routes, message_header(invite, "From", own),
			  message_header(answer, "To", peer),
			  message_header(invite, "Call-ID", call_id), cseq);
	return length < MESSAGE_MAX;
}

/* Appends every header line of that name, as it is. */
static size_t copy_lines(char *out, size_t size, const char *message, const char *name)
{
	const char *line = message;
	size_t length = 0;

	while (length < size && (line = next_line(line, name)))
		length += (size_t)snprintf(out + length, size - length, "%.*s\r\n",
					   length_of_line(line), line);
	return length < size ? length : size;
}

void message_write_ok(char out[MESSAGE_MAX], const struct identity *who, const char *request)
{
	static const char *const copied[] = { "Via", "Record-Route", "From", "Call-ID", "CSeq" };
	char to[HEADER_MAX];
	size_t length = (size_t)sprintf(out, "SIP/2.0 200 OK\r\n");
	bool has_tag;

	for (size_t i = 0; i < sizeof(copied) / sizeof(copied[0]); i++)
		length += copy_lines(out + length, MESSAGE_MAX - length, request, copied[i]);
	has_tag = strstr(message_header(request, "To", to), ";tag=");
	snprintf(out + length, MESSAGE_MAX - length,
		 "To: %s%s%s\r\nContact: <sip:%s@%s>\r\nContent-Length: 0\r\n\r\n", to,
		 has_tag ? "" : ";tag=", has_tag ? "" : who->user, who->user, who->host);
}
