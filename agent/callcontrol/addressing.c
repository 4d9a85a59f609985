/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/address.h"
#include "callcontrol/server_parts.h"
#include "sip/uri.h"
#include "sip/values.h"

/* Room for the parts of the longest URI that is read. */
#define PARTS_MAX 8192

/* Of a URI that names none. */
#define SIP_PORT 5060

static struct span from(struct span text, const char *at)
{
	return (struct span){ at, text.length - (size_t)(at - text.at) };
}

/* The user of a SIP URI as it is written, without a password; there is one. */
static struct span written_user(struct span uri)
{
	const char *colon = memchr(uri.at, ':', uri.length);
	struct span user = from(uri, colon + 1);
	const char *at = memchr(user.at, '@', user.length);
	const char *password;

	user.length = (size_t)(at - user.at);
	password = memchr(user.at, ':', user.length);
	if (password)
		user.length = (size_t)(password - user.at);
	return user;
}

/* True if a SIP URI says that its user is a telephone number. */
static bool says_phone(struct span uri)
{
	const char *at = memchr(uri.at, '@', uri.length);
	struct span rest = from(uri, at), value;
	const char *start = memchr(rest.at, ';', rest.length), *headers;

	if (!start)
		return false;
	rest = from(rest, start);
	headers = memchr(rest.at, '?', rest.length);
	if (headers)
		rest.length = (size_t)(headers - rest.at);
	return value_find_parameter(rest, SPAN("user"), &value) == 0 &&
	       span_equal_nocase(value, SPAN("phone"));
}

/* The number of a tel: URI without what only helps to read it; absent if it is none (RFC 3966). */
static struct span read_number(struct span written, char *buffer, size_t size)
{
	struct text number = { .buffer = buffer, .size = size };

	for (size_t i = 0; i < written.length; i++) {
		char c = written.at[i];

		if (strchr("-.()", c) && c != '\0')
			continue;
		if ((c < '0' || c > '9') && (c != '+' || i > 0))
			return (struct span){ NULL, 0 };
		text_add(&number, (struct span){ &c, 1 });
	}
	if (number.overflow || number.used <= (written.length > 0 && written.at[0] == '+'))
		return (struct span){ NULL, 0 };
	return text_span(&number);
}

/* True if a host is an address of our own, or of a node. */
static bool is_own_host(struct server *server, const struct request *request, const struct uri *uri)
{
	uint8_t address[16];

	if (address_read(uri->host, address))
		return false;
	return memcmp(address, request->from->flow.local_addr, sizeof(address)) == 0 ||
	       ports_listens(server->options.ports, address, uri->port ? uri->port : SIP_PORT) ||
	       peers_has_address(server->peers, address, request->now_ns);
}

/* The first line as it is passed on to a node, which is told the domain. */
static uint16_t write_start_line(const struct server *server, const struct request *request,
				 struct addressee *addressee)
{
	struct text line = TEXT_OVER(addressee->line);

	text_add(&line, request->message->method);
	text_add(&line, SPAN(" sip:"));
	text_add(&line, addressee->user);
	text_add(&line, SPAN("@"));
	text_add(&line, server->self.domain);
	text_add(&line, span_of(addressee->is_phone ? ";user=phone" : ""));
	text_add(&line, SPAN(" SIP/2.0\r\n"));
	addressee->start_line = text_span(&line);
	return line.overflow ? 414 : 0;
}

static uint16_t address_number(struct server *server, const struct request *request,
			       struct uri *uri, struct addressee *addressee)
{
	if (!span_equal_nocase(uri->scheme, SPAN("tel")) || server->self.domain.length == 0)
		return 416;
	addressee->user = read_number(uri->opaque, addressee->number, sizeof(addressee->number));
	if (!addressee->user.at)
		return 404;
	addressee->is_phone = true;
	*uri = (struct uri){ .user = addressee->user, .host = server->self.domain };
	return write_start_line(server, request, addressee);
}

static uint16_t address_user(struct server *server, const struct request *request, struct uri *uri,
			     struct addressee *addressee)
{
	if (!uri->user.at)
		return 404;
	addressee->user = written_user(request->message->uri);
	addressee->is_phone = says_phone(request->message->uri);
	if (server->self.domain.length == 0 || !is_own_host(server, request, uri))
		return 0;
	uri->host = server->self.domain;
	return write_start_line(server, request, addressee);
}

uint16_t server_address(struct server *server, const struct request *request,
			struct addressee *addressee)
{
	char buffer[PARTS_MAX];
	struct text parts = TEXT_OVER(buffer), kept = TEXT_OVER(addressee->aor_text);
	struct uri uri;
	uint16_t status;

	addressee->start_line = (struct span){ NULL, 0 };
	if (uri_read(request->message->uri, &parts, &uri) || parts.overflow)
		return 414;
	status = uri.opaque.at ? address_number(server, request, &uri, addressee)
			       : address_user(server, request, &uri, addressee);
	if (status)
		return status;
	/* A location is kept under the same AOR whatever way of reaching it was named. */
	uri.scheme = SPAN("sip");
	uri.port = 0;
	addressee->aor = uri_make_aor(&uri, &kept);
	return kept.overflow ? 414 : 0;
}
