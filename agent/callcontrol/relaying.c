/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>

#include "callcontrol/server_parts.h"

/* Where a request that is passed on goes. */
struct target {
	uint8_t address[16];
	uint16_t port;
	struct span route; /* put on top of its Routes; absent for none */
};

/* Writes it as it goes from the local side of *hop to its remote one. */
static int write_request(struct server *server, const struct request *request,
			 const struct target *target, struct passing_hop *hop, struct text *text)
{
	struct flow *flow = &hop->flow;
	int error = ports_local(server->options.ports, request->from, target->address,
				flow->local_addr, &flow->local_port);

	if (error)
		return error;
	memcpy(flow->remote_addr, target->address, sizeof(flow->remote_addr));
	flow->remote_port = target->port;
	return passing_write_request(request->message, request->from, flow->local_addr,
				     flow->local_port, target->route, &server->key, text);
}

static void refuse_unpassable(struct server *server, const struct request *request, int error)
{
	if (error == -ELOOP)
		server_refuse(server, request, 483, "Too Many Hops");
	else if (error == -E2BIG)
		server_refuse(server, request, 513, "Message Too Large");
	else
		server_refuse(server, request, 503, "No Way To Pass It On");
}

/* True if it has gone; else it is refused, or dropped if the network takes nothing. */
static bool relay(struct server *server, const struct request *request, const struct target *target)
{
	struct text text = TEXT_OVER(server->output);
	struct passing_hop hop = { .flow.transport = FLOW_UDP };
	int error = write_request(server, request, target, &hop, &text);

	if (error) {
		refuse_unpassable(server, request, error);
		return false;
	}
	if (ports_send(server->options.ports, &hop, text_span(&text))) {
		count_up(server->options.counts, calls_dropped);
		return false;
	}
	count_up(server->options.counts, calls_forwarded);
	return true;
}

void server_forward(struct server *server, const struct request *request,
		    const struct choice *choices, size_t count)
{
	struct target target;
	size_t i = 0;

	while (i < count && passing_target(choices[i].node->uri, target.address, &target.port))
		i++;
	if (i == count) {
		server_refuse_unreachable(server, request);
		return;
	}
	target.route = choices[i].node->uri;
	if (relay(server, request, &target)) {
		struct memory_entry entry = { .port = target.port, .uri = target.route };

		memcpy(entry.address, target.address, sizeof(entry.address));
		/* Without memory what follows is routed on its own. */
		(void)memory_put(server->memory, request->identity, &entry, request->now_ns);
	}
}

/* What is no request of its own follows even to a node that has died since. */
static bool is_bound(const struct message *message)
{
	return span_equal(message->method, SPAN("ACK")) ||
	       span_equal(message->method, SPAN("CANCEL"));
}

bool server_relay_as_before(struct server *server, const struct request *request)
{
	struct memory_entry entry;
	struct target target;

	if (memory_find(server->memory, request->identity, request->now_ns, &entry))
		return false;
	if (!is_bound(request->message) &&
	    !peers_has_alive(server->peers, entry.address, entry.port, request->now_ns))
		return false;
	target = (struct target){ .port = entry.port, .route = entry.uri };
	memcpy(target.address, entry.address, sizeof(target.address));
	relay(server, request, &target);
	return true;
}

bool server_relay_by_route(struct server *server, const struct request *request)
{
	const struct message *message = request->message;
	const struct flow *flow = &request->from->flow;
	struct span route = passing_next_route(message, flow->local_addr, flow->local_port);
	struct target target = { .port = 0 };

	if (!route.at && !message->to_tag.at)
		return false;
	if (passing_target(route.at ? route : message->uri, target.address, &target.port) == 0 &&
	    peers_has(server->peers, target.address, target.port, request->now_ns))
		relay(server, request, &target);
	else if (message->to_tag.at)
		server_refuse(server, request, 481, "Call/Transaction Does Not Exist");
	else
		server_refuse(server, request, 404, "Not Found");
	return true;
}

/* The way back of a response; it leaves from where its family of addresses can. */
static int write_response(struct server *server, const struct message *response,
			  const struct passing_hop *from, struct passing_hop *to, struct text *text)
{
	const struct flow *flow = &from->flow;
	int error = passing_write_response(response, flow->local_addr, flow->local_port,
					   &server->key, to, text);

	if (error || to->stream)
		return error;
	to->flow.transport = FLOW_UDP;
	return ports_local(server->options.ports, from, to->flow.remote_addr, to->flow.local_addr,
			   &to->flow.local_port);
}

void server_return(struct server *server, const struct message *response,
		   const struct passing_hop *from, uint64_t now_ns)
{
	struct text text = TEXT_OVER(server->output);
	struct passing_hop to = { .stream = 0 };

	if (peers_has_address(server->peers, from->flow.remote_addr, now_ns) &&
	    write_response(server, response, from, &to, &text) == 0 &&
	    ports_send(server->options.ports, &to, text_span(&text)) == 0)
		count_up(server->options.counts, calls_returned);
	else
		count_up(server->options.counts, calls_dropped);
}
