/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <stdbool.h>
#include <string.h>

#include "model.h"
#include "model_message.h"
#include "model_packet.h"

#define UNREAD_MAX 65535 /* bytes that a connection may show without a SIP message */
#define REACH 262144 /* so far from what is expected a number of a segment may be */

static void count(struct model *model, enum kernel_counter counter)
{
	model->counts[counter]++;
}

static bool is_same(const struct flow *a, const struct flow *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

static struct path_entry *find_path(struct model *model, const struct flow *flow)
{
	for (size_t i = 0; i < model->path_count; i++)
		if (is_same(&model->paths[i].flow, flow))
			return &model->paths[i].entry;
	return NULL;
}

static struct connection_entry *find_connection(struct model *model, const struct flow *flow)
{
	for (size_t i = 0; i < model->connection_count; i++)
		if (is_same(&model->connections[i].flow, flow))
			return &model->connections[i].entry;
	return NULL;
}

/* The entry of a flow, which is a new one if need be: there is room. */
static struct flow_entry *find_flow(struct model *model, const struct flow *flow, uint64_t now_ns)
{
	struct model_flow *new = &model->flows[model->flow_count];

	for (size_t i = 0; i < model->flow_count; i++)
		if (is_same(&model->flows[i].flow, flow))
			return &model->flows[i].entry;
	model->flow_count++;
	new->flow = *flow;
	new->entry = (struct flow_entry){ .first_seen_ns = now_ns };
	return &new->entry;
}

/* No port is set: then it is the default. */
static bool is_sip_port(const struct sip_settings *settings, uint16_t port)
{
	size_t ports = settings->port_count;

	if (ports == 0)
		return port == SIPPATH_PORT_DEFAULT;
	if (ports > SIPPATH_PORTS_MAX)
		ports = SIPPATH_PORTS_MAX;
	while (ports-- > 0)
		if (settings->ports[ports] == port)
			return true;
	return false;
}

/* Anything at all that comes from the device says that its path is open (trap 22). */
static void stamp(struct model *model, struct path_entry *path, const struct flow *flow,
		  uint64_t now_ns)
{
	struct flow_entry *stranger;

	if (path) {
		path->last_seen_ns = now_ns;
		path->packets_in++;
		count(model, COUNTER_packets_on_paths);
		return;
	}
	stranger = find_flow(model, flow, now_ns);
	stranger->last_seen_ns = now_ns;
	stranger->packets_in++;
}

static struct model_report *report(struct model *model, const struct model_packet *packet,
				   enum sighting_direction direction)
{
	struct model_report *made = &model->reports[model->report_count++];

	count(model, COUNTER_sightings);
	*made = (struct model_report){
		.flow = packet->flow,
		.direction = direction,
		.kind = SIGHTING_MESSAGE,
		.wire_length = (uint32_t)packet->wire_length,
		.bytes = packet->payload,
		.captured = packet->payload_length,
	};
	return made;
}

static void report_message(struct model *model, const struct model_packet *packet,
			   enum sighting_direction direction)
{
	struct model_report *made;

	if (packet->payload_length < MODEL_MESSAGE_MIN ||
	    !model_message_is_known((const char *)packet->payload, packet->payload_length))
		return;
	made = report(model, packet, direction);
	if (made->captured > SIGHTING_CAPTURE_MAX)
		made->captured = SIGHTING_CAPTURE_MAX;
	if (made->captured < made->wire_length)
		count(model, COUNTER_sightings_cut);
}

/*
 * What the first bytes of a segment say of its connection: that it carries SIP, for good, or
 * that nobody can read it, or nothing.
 */
static void judge_start(struct connection_entry *connection, const struct model_packet *packet)
{
	const char *text = (const char *)packet->payload;

	if (connection->readable)
		return;
	if (model_message_is_opaque(packet->payload, packet->payload_length))
		connection->opaque = 1;
	else if (packet->payload_length >= MODEL_MESSAGE_MIN &&
		 (model_message_is_known_request(text) || model_message_status(text) != 0))
		connection->readable = 1;
}

/* Reports a segment in pieces, of which each may show that it is enough. */
static void report_segment(struct model *model, const struct model_packet *packet,
			   struct connection_entry *connection, enum sighting_direction direction)
{
	size_t done = 0;

	judge_start(connection, packet);
	while (done < packet->payload_length && !connection->opaque) {
		size_t left = packet->payload_length - done;
		size_t piece = left < SIGHTING_CAPTURE_MAX ? left : SIGHTING_CAPTURE_MAX;
		struct model_report *made;

		if (!connection->readable && connection->unread + piece > UNREAD_MAX) {
			connection->opaque = 1;
			return;
		}
		if (!connection->readable)
			connection->unread += (uint16_t)piece;
		made = report(model, packet, direction);
		made->kind = SIGHTING_SEGMENT;
		made->sequence = packet->sequence + (uint32_t)done;
		made->wire_length = (uint32_t)piece;
		made->captured = piece;
		made->bytes += done;
		done += piece;
	}
}

/* How far a number of RFC 9293 section 3.4 is behind another one; negative if it is before. */
static int64_t distance(uint32_t number, uint32_t expected)
{
	return (int32_t)(number - expected);
}

static bool is_near(uint32_t number, uint32_t expected)
{
	return distance(number, expected) >= -REACH && distance(number, expected) <= REACH;
}

static void move_on(uint32_t *expected, uint32_t number)
{
	if (distance(number, *expected) > 0)
		*expected = number;
}

/* The sender of a spoofed segment does not know how far a connection is. */
static void read_device_segment(struct model *model, const struct model_packet *packet)
{
	struct connection_entry *connection = find_connection(model, &packet->flow);

	if (packet->payload_length == 0 || (connection && connection->opaque))
		return;
	if (!connection || !is_near(packet->sequence, connection->from_device) ||
	    !is_near(packet->acknowledged, connection->to_device)) {
		count(model, COUNTER_segments_refused);
		return;
	}
	move_on(&connection->from_device, packet->sequence + (uint32_t)packet->payload_length);
	move_on(&connection->to_device, packet->acknowledged);
	report_segment(model, packet, connection, SIGHTING_FROM_DEVICE);
}

/* The server is believed. */
static void read_server_segment(struct model *model, const struct model_packet *packet)
{
	struct connection_entry *connection = find_connection(model, &packet->flow);

	if (packet->payload_length == 0 || !connection || connection->opaque)
		return;
	connection->from_device = packet->acknowledged;
	move_on(&connection->to_device, packet->sequence + (uint32_t)packet->payload_length);
	report_segment(model, packet, connection, SIGHTING_TO_DEVICE);
}

/*
 * True of the answer to a prompt of ours on this path: a response, whole, with the token of
 * one of the last two prompts. Only a final one says more than that it came.
 */
static bool note_answer(struct path_entry *path, const struct model_packet *packet, uint64_t now_ns)
{
	const char *text = (const char *)packet->payload;
	unsigned int status;
	uint64_t token;

	if (packet->payload_length < MODEL_MESSAGE_MIN || packet->is_fragment)
		return false;
	status = model_message_status(text);
	token = model_message_token(text, packet->payload_length);
	if (status == 0 || token == 0 || path->prompt_token == 0)
		return false;
	if (token != path->prompt_token && token != path->earlier_token)
		return false;
	path->answers++;
	if (status >= 200) {
		path->answer_ns = now_ns;
		path->answer_status = (uint16_t)status;
		path->answer_token = token;
	}
	return true;
}

int model_ingress(struct model *model, const uint8_t *bytes, size_t length, uint64_t now_ns)
{
	struct model_packet packet;
	enum model_kind kind = model_packet_read(&packet, bytes, length, SIGHTING_FROM_DEVICE);
	bool is_ours =
		kind == MODEL_PACKET && is_sip_port(&model->settings, packet.flow.local_port);
	struct path_entry *path;

	model->report_count = 0;
	if (kind == MODEL_CUT || (is_ours && !packet.is_sound))
		count(model, COUNTER_packets_cut);
	if (!is_ours || !packet.is_sound)
		return XDP_PASS;
	count(model, COUNTER_packets_in);
	path = find_path(model, &packet.flow);
	stamp(model, path, &packet.flow, now_ns);
	if (packet.flow.transport == FLOW_TCP) {
		read_device_segment(model, &packet);
		return XDP_PASS;
	}
	if (path && note_answer(path, &packet, now_ns)) {
		count(model, COUNTER_answers_absorbed);
		return XDP_DROP;
	}
	report_message(model, &packet, SIGHTING_FROM_DEVICE);
	return XDP_PASS;
}

/* True of a prompt of ours that leaves; the mark is the firewall's as well. */
static bool note_prompt(struct model *model, struct path_entry *path,
			const struct model_packet *packet, uint32_t mark, uint64_t now_ns)
{
	uint32_t ours =
		model->settings.prompt_mark ? model->settings.prompt_mark : SIPPATH_MARK_DEFAULT;
	uint64_t token;

	if (mark != ours)
		return false;
	token = model_message_token((const char *)packet->payload, packet->payload_length);
	if (token == 0)
		return false;
	count(model, path ? COUNTER_prompts_left : COUNTER_prompts_unknown);
	if (!path)
		return true;
	if (token != path->prompt_token) {
		path->earlier_token = path->prompt_token;
		path->prompt_token = token;
	}
	path->prompt_ns = now_ns;
	path->prompts++;
	return true;
}

int model_egress(struct model *model, const uint8_t *bytes, size_t length, uint32_t mark,
		 uint64_t now_ns)
{
	struct model_packet packet;
	enum model_kind kind = model_packet_read(&packet, bytes, length, SIGHTING_TO_DEVICE);
	struct path_entry *path;

	model->report_count = 0;
	if (kind != MODEL_PACKET || !packet.is_sound ||
	    !is_sip_port(&model->settings, packet.flow.local_port))
		return TC_ACT_UNSPEC;
	count(model, COUNTER_packets_out);
	path = find_path(model, &packet.flow);
	if (packet.flow.transport == FLOW_UDP && note_prompt(model, path, &packet, mark, now_ns))
		return TC_ACT_UNSPEC;
	if (path) {
		path->last_sent_ns = now_ns;
		path->packets_out++;
	}
	if (packet.flow.transport == FLOW_TCP)
		read_server_segment(model, &packet);
	else
		report_message(model, &packet, SIGHTING_TO_DEVICE);
	return TC_ACT_UNSPEC;
}
