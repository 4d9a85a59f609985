/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>

#include "callcontrol/server_parts.h"

/* Where a request that is passed on goes. */
struct target {
	uint8_t address[16];
	uint16_t port;
	struct span route; /* put on top of its Routes; absent for none */
	struct span next_route; /* the first of its own Routes that stays; absent if none does */
};

/* Writes it as it goes from the local side of *hop to its remote one. */
static int write_request(struct server *server, const struct request *request,
			 const struct target *target, struct passing_hop *hop, struct text *text)
{
	struct passing_way way = { .route = target->route, .next_route = target->next_route };
	struct flow *flow = &hop->flow;
	int error = ports_local(server->options.ports, request->from, target->address,
				way.local_address, &way.local_port);

	if (error)
		return error;
	memcpy(flow->local_addr, way.local_address, sizeof(flow->local_addr));
	flow->local_port = way.local_port;
	memcpy(flow->remote_addr, target->address, sizeof(flow->remote_addr));
	flow->remote_port = target->port;
	return passing_write_request(request->message, request->from, &way, server->options.key,
				     text);
}

static void refuse_unpassable(struct server *server, const struct request *request, int error)
{
	if (error == -EAGAIN)
		count_up(server->options.counts, calls_dropped);
	else if (error == -ELOOP)
		server_refuse(server, request, 483, "Too Many Hops");
	else if (error == -E2BIG || error == -EMSGSIZE)
		server_refuse(server, request, 513, "Message Too Large");
	else
		server_refuse(server, request, 503, "No Way To Pass It On");
}

/* True if it has gone; else it is refused, or dropped if the network takes nothing now. */
static bool relay(struct server *server, const struct request *request, const struct target *target)
{
	struct text text = TEXT_OVER(server->output);
	struct passing_hop hop = { .flow.transport = FLOW_UDP };
	int error = write_request(server, request, target, &hop, &text);

	if (!error)
		error = ports_send(server->options.ports, &hop, text_span(&text));
	if (error) {
		refuse_unpassable(server, request, error);
		return false;
	}
	count_up(server->options.counts, calls_forwarded);
	return true;
}

/* Without memory what follows is routed on its own. */
static void remember(struct server *server, const struct request *request,
		     const struct target *target)
{
	struct memory_entry entry = { .port = target->port, .uri = target->route };

	memcpy(entry.address, target->address, sizeof(entry.address));
	(void)memory_put(server->memory, &request->key, &entry, request->message->bytes.length,
			 request->now_ns);
}

static void address_to(const struct request *request, const struct addressee *addressee)
{
	if (addressee->start_line.at)
		request->message->start_line = addressee->start_line;
}

void server_forward(struct server *server, const struct request *request,
		    const struct addressee *addressee, const struct choice *choices, size_t count)
{
	struct target target = { .port = 0 };
	size_t i = 0;

	while (i < count && passing_target(choices[i].node->uri, target.address, &target.port))
		i++;
	if (i == count) {
		server_refuse_unreachable(server, request);
		return;
	}
	target.route = choices[i].node->uri;
	address_to(request, addressee);
	if (relay(server, request, &target))
		remember(server, request, &target);
}

static bool is_ack(const struct message *message)
{
	return span_equal(message->method, SPAN("ACK"));
}

/* What is no request of its own follows even to a node that has died since. */
static bool is_bound(const struct message *message)
{
	return is_ack(message) || span_equal(message->method, SPAN("CANCEL"));
}

/* As the request was passed on: by its AOR, or by its own Route. */
static void relay_again(struct server *server, const struct request *request,
			const struct memory_entry *entry)
{
	struct target target = { .port = entry->port, .route = entry->uri };
	struct addressee addressee;

	memcpy(target.address, entry->address, sizeof(target.address));
	if (!entry->uri.at)
		target.next_route = passing_next_route(request->message, &server->self);
	else if (server_address(server, request, &addressee) == 0)
		address_to(request, &addressee);
	relay(server, request, &target);
}

bool server_relay_as_before(struct server *server, const struct request *request)
{
	struct memory_entry entry;

	if (memory_find(server->memory, &request->key, request->message->bytes.length,
			request->now_ns, &entry))
		return false;
	if (!is_bound(request->message) &&
	    !peers_has_alive(server->peers, entry.address, entry.port, request->now_ns))
		return false;
	relay_again(server, request, &entry);
	return true;
}

void server_relay_in_dialog(struct server *server, const struct request *request)
{
	const struct message *message = request->message;
	struct target target = { .next_route = passing_next_route(message, &server->self) };
	struct span next = target.next_route.at ? target.next_route : message->uri;

	if (passing_target(next, target.address, &target.port) == 0 &&
	    peers_has(server->peers, target.address, target.port, request->now_ns)) {
		if (relay(server, request, &target) && !is_ack(message))
			remember(server, request, &target);
		return;
	}
	/* The ACK of an answer of our own has no Route, and ends here. */
	if (target.next_route.at || !is_ack(message))
		server_refuse(server, request, 481, "Call/Transaction Does Not Exist");
}
