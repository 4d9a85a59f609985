/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <arpa/inet.h>
#include <net/ethernet.h>
#include <netinet/in.h>
#include <string.h>

#include "model_packet.h"

#define ETHERTYPE_QINQ 0x88a8
#define TAGS_MAX 2
#define EXTENSIONS_MAX 6

/* What is left of a frame, and what its headers have said so far. */
struct reading {
	const uint8_t *at;
	size_t left;
	uint8_t protocol;
	const uint8_t *source, *destination;
	size_t address_size;
	long announced; /* bytes behind the headers that were read, as the IP header says */
	bool is_fragment;
};

static uint16_t number16(const uint8_t *at)
{
	return (uint16_t)(at[0] * 256 + at[1]);
}

static uint32_t number32(const uint8_t *at)
{
	return (uint32_t)number16(at) * 65536 + number16(at + 2);
}

static void step(struct reading *reading, size_t size)
{
	reading->at += size;
	reading->left -= size;
}

/* The protocol behind the tags; 0, which is none, if there are too many or the frame ends. */
static uint16_t read_ethernet(struct reading *reading)
{
	uint16_t type = ETHERTYPE_VLAN;
	size_t before_type = 2 * ETHER_ADDR_LEN;

	for (int tags = 0; tags <= TAGS_MAX; tags++) {
		if (reading->left < before_type + 2)
			return 0;
		type = number16(reading->at + before_type);
		step(reading, before_type + 2);
		if (type != ETHERTYPE_VLAN && type != ETHERTYPE_QINQ)
			return type;
		before_type = 2;
	}
	return 0;
}

/*
 * RFC 791 section 3.1. The EtherType says that it is IPv4; the version is for the kernel to
 * check, as are checksums.
 */
static enum model_kind read_ipv4(struct reading *reading)
{
	const uint8_t *ip = reading->at;
	size_t size;

	if (reading->left < 20)
		return MODEL_CUT;
	if (number16(ip + 6) % 0x2000 != 0)
		return MODEL_OTHER;
	size = ip[0] % 16 * 4;
	if (size < 20 || size > reading->left)
		return MODEL_CUT;
	reading->is_fragment = ip[6] & 0x20;
	reading->protocol = ip[9];
	reading->source = ip + 12;
	reading->destination = ip + 16;
	reading->address_size = 4;
	reading->announced = (long)number16(ip + 2) - (long)size;
	step(reading, size);
	return MODEL_PACKET;
}

/* The size of an extension header of this kind whose second byte is "length"; 0 for none. */
static size_t extension_size(uint8_t kind, uint8_t length)
{
	switch (kind) {
	case IPPROTO_HOPOPTS:
	case IPPROTO_ROUTING:
	case IPPROTO_DSTOPTS:
		return 8 + length * 8; /* RFC 8200 section 4.3 */
	case IPPROTO_FRAGMENT:
		return 8; /* section 4.5 */
	case IPPROTO_AH:
		return 8 + length * 4; /* RFC 4302 section 2.2 */
	default:
		return 0;
	}
}

/* RFC 8200 section 4: every header says what the next one is. */
static enum model_kind read_extensions(struct reading *reading)
{
	for (int i = 0; i < EXTENSIONS_MAX && extension_size(reading->protocol, 0) != 0; i++) {
		const uint8_t *extension = reading->at;
		size_t size;

		if (reading->left < 8)
			return MODEL_CUT;
		size = extension_size(reading->protocol, extension[1]);
		if (reading->protocol == IPPROTO_FRAGMENT) {
			if (number16(extension + 2) / 8 != 0)
				return MODEL_OTHER;
			/* Of a piece of a piece the rest is elsewhere, too. */
			reading->is_fragment |= extension[3] % 2;
		}
		if (size > reading->left)
			return MODEL_CUT;
		reading->protocol = extension[0];
		reading->announced -= (long)size;
		step(reading, size);
	}
	return MODEL_PACKET;
}

/* RFC 8200 section 3. */
static enum model_kind read_ipv6(struct reading *reading)
{
	const uint8_t *ip = reading->at;

	if (reading->left < 40)
		return MODEL_CUT;
	reading->announced = number16(ip + 4);
	reading->protocol = ip[6];
	reading->source = ip + 8;
	reading->destination = ip + 24;
	reading->address_size = 16;
	step(reading, 40);
	return read_extensions(reading);
}

/* Writes an address as RFC 4291 section 2.5.5.2 has it. */
static void write_address(uint8_t to[16], const uint8_t *address, size_t size)
{
	if (size == 4)
		memset(to + 10, 0xff, 2);
	memcpy(to + 16 - size, address, size);
}

static void write_flow(struct flow *flow, const struct reading *reading,
		       enum sighting_direction direction)
{
	uint16_t from = number16(reading->at), to = number16(reading->at + 2);
	bool inwards = direction == SIGHTING_FROM_DEVICE;

	flow->transport = reading->protocol;
	flow->local_port = inwards ? to : from;
	flow->remote_port = inwards ? from : to;
	write_address(inwards ? flow->local_addr : flow->remote_addr, reading->destination,
		      reading->address_size);
	write_address(inwards ? flow->remote_addr : flow->local_addr, reading->source,
		      reading->address_size);
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* The payload ends where the first of its lengths, or the frame, says so. */
static void write_payload(struct model_packet *packet, const struct reading *reading, size_t header,
			  size_t wire_length)
{
	size_t in_frame = reading->left > header ? reading->left - header : 0;

	packet->is_sound = true;
	packet->payload = reading->at + header;
	packet->wire_length = wire_length;
	packet->payload_length =
		least(least(wire_length, (size_t)reading->announced - header), in_frame);
}

/* RFC 768. */
static void read_udp(struct model_packet *packet, const struct reading *reading)
{
	uint16_t length = number16(reading->at + 4);

	if (length >= 8 && reading->announced >= 8)
		write_payload(packet, reading, 8, length - 8U);
}

/* RFC 9293 section 3.1. What opens or resets a connection carries nothing of its stream. */
static void read_tcp(struct model_packet *packet, const struct reading *reading)
{
	const uint8_t *tcp = reading->at;
	size_t header = tcp[12] / 16 * 4;
	bool is_syn = tcp[13] & 0x02, is_rst = tcp[13] & 0x04;

	if (header < 20 || (long)header > reading->announced)
		return;
	packet->sequence = number32(tcp + 4);
	packet->acknowledged = number32(tcp + 8);
	write_payload(packet, reading, header,
		      is_syn || is_rst ? 0 : (size_t)reading->announced - header);
}

static enum model_kind read_transport(struct model_packet *packet, const struct reading *reading,
				      enum sighting_direction direction)
{
	bool is_udp = reading->protocol == IPPROTO_UDP, is_tcp = reading->protocol == IPPROTO_TCP;

	if (!is_udp && !is_tcp)
		return MODEL_OTHER;
	if (reading->left < (is_udp ? 8 : 20))
		return MODEL_CUT;
	write_flow(&packet->flow, reading, direction);
	packet->is_fragment = reading->is_fragment;
	if (is_udp)
		read_udp(packet, reading);
	else
		read_tcp(packet, reading);
	return MODEL_PACKET;
}

enum model_kind model_packet_read(struct model_packet *packet, const uint8_t *bytes, size_t length,
				  enum sighting_direction direction)
{
	struct reading reading = { .at = bytes, .left = length };
	enum model_kind kind;

	memset(packet, 0, sizeof(*packet));
	switch (read_ethernet(&reading)) {
	case ETHERTYPE_IP:
		kind = read_ipv4(&reading);
		break;
	case ETHERTYPE_IPV6:
		kind = read_ipv6(&reading);
		break;
	default:
		return MODEL_OTHER;
	}
	return kind == MODEL_PACKET ? read_transport(packet, &reading, direction) : kind;
}
