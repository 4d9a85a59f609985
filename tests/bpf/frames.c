/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <net/ethernet.h>
#include <netinet/in.h>
#include <string.h>

#include "frames.h"
#include "mutations.h"
#include "texts.h"

#define PAYLOAD_MAX 9000
#define UDP_PATHS (FRAMES_PATHS - 2)
#define REACH 262144 /* how far a segment may be from what is expected */

/* The even ones have IPv4, and every other two the other port. */
static struct flow draw_flow(size_t index, uint16_t remote_port)
{
	struct flow flow = index % 2 ? frame_flow6(remote_port) : frame_flow4(remote_port);

	flow.local_port = index / 2 % 2 ? FRAMES_ALSO_PORT : SIPPATH_PORT_DEFAULT;
	return flow;
}

struct flow frames_connection(size_t index)
{
	return frame_tcp(draw_flow(index, (uint16_t)(50000 + index)));
}

struct flow frames_path(size_t index)
{
	return index < UDP_PATHS ? draw_flow(index, (uint16_t)(40000 + index))
				 : frames_connection(index - UDP_PATHS);
}

/* The default, two ports, as many as there may be, or more than that; one behind the last. */
static void draw_settings(struct chance *chance, struct sip_settings *settings)
{
	static const uint32_t port_counts[] = { 0, 2, 2, 2, 15, 16, 16, 17, 0xffffffff };

	memset(settings, 0, sizeof(*settings));
	settings->abi = SIPPATH_ABI;
	settings->prompt_mark = chance_of(chance, 50) ? 0 : 0x99;
	settings->flows_rate = SIPPATH_RATE_UNLIMITED;
	settings->sightings_rate = SIPPATH_RATE_UNLIMITED;
	settings->port_count = chance_pick(chance, port_counts);
	for (size_t i = 0; i < SIPPATH_PORTS_MAX; i++)
		settings->ports[i] = (uint16_t)(6000 + i);
	settings->ports[0] = FRAMES_ALSO_PORT;
	settings->ports[chance_of(chance, 80) ? 1 : 15] = SIPPATH_PORT_DEFAULT;
}

static void draw_path(struct chance *chance, struct path_entry *path)
{
	memset(path, 0, sizeof(*path));
	if (chance_of(chance, 20))
		return;
	path->last_seen_ns = 1 + chance_below(chance, 1000);
	path->packets_in = chance_of(chance, 10) ? UINT64_MAX : chance_below(chance, 1000);
	path->prompts = (uint32_t)chance_number(chance);
	path->answers = (uint32_t)chance_number(chance);
	path->prompt_ns = 1;
	path->prompt_token = texts_token(chance);
	path->earlier_token = chance_of(chance, 50) ? texts_token(chance) : 0;
}

static void draw_connection(struct chance *chance, struct connection_entry *connection)
{
	*connection = (struct connection_entry){
		.opened_ns = 1,
		.confirmed_ns = 2,
		.from_device = (uint32_t)chance_number(chance),
		.to_device = (uint32_t)chance_number(chance),
		.unread =
			(uint16_t)(chance_of(chance, 50) ? 0 : 65535 - chance_below(chance, 4096)),
		.keepalive = chance_of(chance, 50),
		.opaque = chance_of(chance, 3),
		.readable = chance_of(chance, 30),
	};
}

void frames_begin(struct frames *frames, uint64_t seed, uint64_t number)
{
	frames->chance = chance_begin(seed, number);
	draw_settings(&frames->chance, &frames->world.settings);
	for (size_t i = 0; i < FRAMES_PATHS; i++)
		draw_path(&frames->chance, &frames->world.paths[i]);
	for (size_t i = 0; i < FRAMES_CONNECTIONS; i++)
		draw_connection(&frames->chance, &frames->world.connections[i]);
}

/* What the number of a segment may be away from what is expected. */
static uint32_t draw_distance(struct chance *chance)
{
	size_t kind = chance_below(chance, 100);
	uint32_t limit = chance_of(chance, 50) ? REACH : (uint32_t)-REACH;

	if (kind < 65)
		return (uint32_t)chance_below(chance, 3000);
	if (kind < 80)
		return limit - 1 + (uint32_t)chance_below(chance, 3);
	if (kind < 90)
		return (uint32_t)chance_below(chance, 2 * REACH) - REACH;
	return (uint32_t)chance_number(chance);
}

static void draw_segment(struct frames *frames, struct frame_plan *plan, size_t connection)
{
	static const uint8_t flags[] = { FRAME_TCP_SYN, FRAME_TCP_RST, FRAME_TCP_FIN, 0x18, 0xff };
	const struct connection_entry *entry = &frames->world.connections[connection];
	bool inwards = plan->direction == SIGHTING_FROM_DEVICE;
	struct chance *chance = &frames->chance;

	plan->tcp_sequence =
		(inwards ? entry->from_device : entry->to_device) + draw_distance(chance);
	plan->tcp_acknowledged =
		(inwards ? entry->to_device : entry->from_device) + draw_distance(chance);
	if (chance_of(chance, 20))
		plan->tcp_flags = chance_pick(chance, flags);
	if (chance_of(chance, 40))
		plan->tcp_options = 4 * (unsigned int)chance_below(chance, 11);
	if (chance_of(chance, 5))
		plan->tcp_offset_error = (int)chance_below(chance, 12) - 5;
}

/* A path or a connection, or a stranger, who may look very much like one. */
static struct flow draw_whose(struct frames *frames, size_t *connection)
{
	struct chance *chance = &frames->chance;
	size_t kind = chance_below(chance, 100);
	struct flow flow;

	*connection = chance_below(chance, FRAMES_CONNECTIONS);
	flow = kind < 60 ? frames_path(chance_below(chance, UDP_PATHS))
			 : frames_connection(*connection);
	if (kind >= 85)
		flow.remote_port = (uint16_t)(40000 + chance_below(chance, 64));
	if (kind >= 95)
		flow.transport = FLOW_UDP;
	if (kind >= 99)
		flow.local_port = (uint16_t)(6000 + chance_below(chance, SIPPATH_PORTS_MAX + 1));
	return flow;
}

static void draw_extensions(struct chance *chance, struct frame_plan *plan)
{
	static const uint8_t kinds[] = { IPPROTO_HOPOPTS, IPPROTO_ROUTING,  IPPROTO_DSTOPTS,
					 IPPROTO_AH,      IPPROTO_FRAGMENT, IPPROTO_AH,
					 IPPROTO_FRAGMENT };
	static const uint8_t others[] = { IPPROTO_ESP, IPPROTO_NONE, IPPROTO_MH, 253 };
	size_t most = chance_of(chance, 90) ? 7 : FRAME_EXTENSIONS_MAX;
	size_t count = chance_of(chance, 60) ? 0 : chance_below(chance, most);

	for (size_t i = 0; i < count; i++)
		plan->extensions[i] = chance_of(chance, 97) ? chance_pick(chance, kinds)
							    : chance_pick(chance, others);
	plan->extensions[count] = FRAME_EXTENSIONS_END;
}

/* An amount by which a length lies: hardly ever, and then by a little or by much. */
static int draw_error(struct chance *chance)
{
	if (chance_of(chance, 92))
		return 0;
	return chance_of(chance, 50) ? (int)chance_below(chance, 64) - 32
				     : (int)chance_below(chance, 4000) - 2000;
}

static void draw_plan(struct frames *frames, struct frame_plan *plan)
{
	static const uint8_t protocols[] = { IPPROTO_ICMP, IPPROTO_SCTP, IPPROTO_UDPLITE,
					     IPPROTO_IPIP, IPPROTO_TCP,  IPPROTO_UDP };
	struct chance *chance = &frames->chance;
	size_t connection;

	*plan = frame_plan(draw_whose(frames, &connection), chance_of(chance, 30));
	if (plan->flow.transport == FLOW_TCP)
		draw_segment(frames, plan, connection);
	if (chance_of(chance, 25))
		plan->vlan_tags =
			1 + (unsigned int)chance_below(chance, chance_of(chance, 90) ? 2 : 3);
	if (chance_of(chance, 25))
		plan->ipv4_options = 4 * (unsigned int)chance_below(chance, 11);
	draw_extensions(chance, plan);
	if (chance_of(chance, 3))
		plan->protocol = chance_pick(chance, protocols);
	if (chance_of(chance, 2))
		plan->fragment_offset = (uint16_t)(8 * chance_below(chance, 8192));
	plan->more_fragments = chance_of(chance, 6);
	plan->udp_length_error = draw_error(chance);
	plan->ip_length_error = draw_error(chance);
	if (chance_of(chance, 15))
		plan->padding = chance_below(chance, 64);
}

/* Frames of several pieces come in only, and no mutation moves their headers out of the first. */
static bool draw_is_long(struct chance *chance, enum sighting_direction direction)
{
	return direction == SIGHTING_FROM_DEVICE && chance_of(chance, 2);
}

/*
 * The kernel runs no program for packets that leave on one whose IP header, right behind the
 * Ethernet header, is not whole.
 */
static void complete_ip(struct frame *frame)
{
	const uint8_t *type = frame->bytes + 2 * ETHER_ADDR_LEN;
	size_t least = MUTATIONS_LENGTH_MIN;

	if (type[0] * 256 + type[1] == ETHERTYPE_IP)
		least = ETHER_HDR_LEN + 20;
	else if (type[0] * 256 + type[1] == ETHERTYPE_IPV6)
		least = ETHER_HDR_LEN + 40;
	if (frame->length < least) {
		memset(frame->bytes + frame->length, 0, least - frame->length);
		frame->length = least;
	}
}

void frames_next(struct frames *frames)
{
	static char payload[PAYLOAD_MAX];
	static const uint32_t marks[] = { SIPPATH_MARK_DEFAULT, 0x99, 0, 1 };
	struct chance *chance = &frames->chance;
	struct frame_plan plan;
	bool is_long;
	size_t length;

	draw_plan(frames, &plan);
	is_long = draw_is_long(chance, plan.direction);
	length = texts_draw(chance, payload, chance_of(chance, 90) ? 1200 : 2800);
	if (is_long) {
		memset(payload + length, 'x', sizeof(payload) - length);
		length = MUTATIONS_LENGTH_MAX +
			 chance_below(chance, sizeof(payload) - MUTATIONS_LENGTH_MAX);
	}
	frame_build(&frames->frame, &plan, payload, length);
	frames->direction = plan.direction;
	frames->mark = chance_pick(chance, marks);
	if (!is_long && chance_of(chance, 50))
		mutations_draw(chance, &frames->frame);
	if (frames->direction == SIGHTING_TO_DEVICE)
		complete_ip(&frames->frame);
}
