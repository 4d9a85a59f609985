/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/address.h"

#include <arpa/inet.h>
#include <errno.h>

#include "base/number.h"

/* The first 12 bytes of an IPv4 address mapped into IPv6 (RFC 4291 section 2.5.5.2). */
static const uint8_t mapped_prefix[12] = { [10] = 0xff, [11] = 0xff };

#define IPV4_NETWORK_BYTES (sizeof(mapped_prefix) + 3) /* /24 */
#define IPV6_NETWORK_BYTES 6 /* /48 */

bool address_is_ipv4(const uint8_t address[16])
{
	return memcmp(address, mapped_prefix, sizeof(mapped_prefix)) == 0;
}

void address_network(const uint8_t address[16], uint8_t out[16])
{
	size_t kept = address_is_ipv4(address) ? IPV4_NETWORK_BYTES : IPV6_NETWORK_BYTES;

	memcpy(out, address, kept);
	memset(out + kept, 0, 16 - kept);
}

int address_read(struct span text, uint8_t out[16])
{
	char terminated[INET6_ADDRSTRLEN];
	struct in6_addr ipv6;
	struct in_addr ipv4;

	if (text.length == 0 || text.length >= sizeof(terminated) ||
	    memchr(text.at, '\0', text.length))
		return -EINVAL;
	memcpy(terminated, text.at, text.length);
	terminated[text.length] = '\0';
	if (inet_pton(AF_INET, terminated, &ipv4) == 1) {
		memcpy(out, mapped_prefix, sizeof(mapped_prefix));
		memcpy(out + sizeof(mapped_prefix), &ipv4, sizeof(ipv4));
		return 0;
	}
	if (inet_pton(AF_INET6, terminated, &ipv6) != 1)
		return -EINVAL;
	memcpy(out, &ipv6, sizeof(ipv6));
	return 0;
}

void address_write(struct text *out, const uint8_t address[16])
{
	char written[INET6_ADDRSTRLEN];

	if (address_is_ipv4(address))
		inet_ntop(AF_INET, address + sizeof(mapped_prefix), written, sizeof(written));
	else
		inet_ntop(AF_INET6, address, written, sizeof(written));
	text_add(out, span_of(written));
}

void address_write_host(struct text *out, const uint8_t address[16])
{
	bool ipv4 = address_is_ipv4(address);

	text_add(out, span_of(ipv4 ? "" : "["));
	address_write(out, address);
	text_add(out, span_of(ipv4 ? "" : "]"));
}

void address_write_port(struct text *out, const uint8_t address[16], uint16_t port)
{
	address_write_host(out, address);
	text_format(out, ":%u", port);
}

/* Splits "HOST:PORT" at the last colon and takes the brackets off an IPv6 host. */
static int split_port(struct span text, struct span *host, struct span *port)
{
	const char *colon = text.length > 0 ? memrchr(text.at, ':', text.length) : NULL;
	bool brackets;

	if (!colon || colon == text.at)
		return -EINVAL;
	*host = (struct span){ text.at, (size_t)(colon - text.at) };
	*port = (struct span){ colon + 1, text.length - host->length - 1 };
	brackets = host->length >= 2 && host->at[0] == '[' && host->at[host->length - 1] == ']';
	if (brackets)
		*host = (struct span){ host->at + 1, host->length - 2 };
	/* IPv6 stands in brackets, and nothing else does. */
	if (host->length == 0 || brackets != !!memchr(host->at, ':', host->length))
		return -EINVAL;
	return 0;
}

int address_read_port(struct span text, uint8_t address[16], uint16_t *port)
{
	struct span host, digits;
	uint8_t read[16];
	uint64_t number;

	if (split_port(text, &host, &digits) || number_read(digits, 0, UINT16_MAX, &number) ||
	    address_read(host, read))
		return -EINVAL;
	memcpy(address, read, sizeof(read));
	*port = (uint16_t)number;
	return 0;
}

const char *flow_transport_name(uint8_t transport)
{
	switch (transport) {
	case FLOW_UDP:
		return "udp";
	case FLOW_TCP:
		return "tcp";
	default:
		return "unknown";
	}
}

static int read_transport(struct span name, uint8_t *transport)
{
	static const uint8_t known[] = { FLOW_UDP, FLOW_TCP };

	for (size_t i = 0; i < sizeof(known); i++) {
		if (span_equal(name, span_of(flow_transport_name(known[i])))) {
			*transport = known[i];
			return 0;
		}
	}
	return -EINVAL;
}

void flow_write(struct text *out, const struct flow *flow)
{
	text_format(out, "%s ", flow_transport_name(flow->transport));
	address_write_port(out, flow->local_addr, flow->local_port);
	text_add(out, SPAN(" "));
	address_write_port(out, flow->remote_addr, flow->remote_port);
}

/* Takes what stands before the next blank off *rest, and the blank; nothing if there is no blank. */
static struct span take_word(struct span *rest)
{
	const char *blank = rest->length > 0 ? memchr(rest->at, ' ', rest->length) : NULL;
	struct span word = { rest->at, blank ? (size_t)(blank - rest->at) : 0 };

	if (blank) {
		rest->at = blank + 1;
		rest->length -= word.length + 1;
	}
	return word;
}

int flow_read(struct span text, struct flow *out)
{
	struct flow flow = { 0 };

	if (read_transport(take_word(&text), &flow.transport) ||
	    address_read_port(take_word(&text), flow.local_addr, &flow.local_port) ||
	    address_read_port(text, flow.remote_addr, &flow.remote_port))
		return -EINVAL;
	*out = flow;
	return 0;
}
