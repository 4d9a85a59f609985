/* SPDX-License-Identifier: GPL-2.0-or-later */
/* register_facts.h - writes the facts of REGISTERs and of their answers, for tests. */
#ifndef TESTS_UNIT_REGISTER_FACTS_H
#define TESTS_UNIT_REGISTER_FACTS_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "flow.h"
#include "sip/facts.h"

#define UNSTATED FACTS_UNSTATED

/* A device behind the NAT at 198.51.100.7; each port is a mapping. */
static inline struct flow flow_from(uint16_t remote_port)
{
	return (struct flow){
		.local_addr = { [10] = 0xff, 0xff, 192, 0, 2, 1 },
		.remote_addr = { [10] = 0xff, 0xff, 198, 51, 100, 7 },
		.local_port = 5060,
		.remote_port = remote_port,
		.transport = FLOW_UDP,
	};
}

/* The Contact of a URI such as "sip:user@host:port;parameters". */
static inline struct facts_contact contact_of(const char *uri, uint32_t expires)
{
	struct facts_contact contact = { .uri = span_of(uri), .expires = expires };
	const char *user = strchr(uri, ':') + 1, *host = strrchr(uri, '@') + 1;
	const char *port;

	contact.user = (struct span){ user, (size_t)(host - user) - 1 };
	contact.host = (struct span){ host, strcspn(host, ":;") };
	port = contact.host.at + contact.host.length;
	if (*port == ':')
		contact.port = (uint16_t)strtoul(port + 1, NULL, 10);
	return contact;
}

static inline struct facts_contact instance_of(const char *uri, const char *instance,
					       uint32_t reg_id, uint32_t expires)
{
	struct facts_contact contact = contact_of(uri, expires);

	contact.instance = span_of(instance);
	contact.reg_id = reg_id;
	return contact;
}

/* A REGISTER for sip:alice@example.com that has no Contact yet. */
static inline struct facts asks(const char *call_id, uint32_t cseq, uint32_t expires)
{
	return (struct facts){
		.is_request = true,
		.method = SIP_METHOD_REGISTER,
		.aor = SPAN("sip:alice@example.com"),
		.call_id = span_of(call_id),
		.cseq = cseq,
		.expires = expires,
	};
}

/* An answer that has no Contact yet. */
static inline struct facts answers(uint16_t status, uint32_t expires)
{
	return (struct facts){
		.method = SIP_METHOD_REGISTER,
		.status = status,
		.expires = expires,
	};
}

static inline void add_contact(struct facts *facts, struct facts_contact contact)
{
	facts->contacts[facts->contact_count++] = contact;
}

#endif
