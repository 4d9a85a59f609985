/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/address.h"
#include "base/clock.h"
#include "base/log.h"
#include "callcontrol/server_parts.h"

/*
 * All answers together to a source that nobody has named may be so many times as large as what it
 * has sent: that address may be anybody's, who is then flooded.
 */
#define RETURNED_MAX 6

/* The request of an answer that is not remembered, as after a restart, is taken for this large. */
#define UNKNOWN_BYTES 1024

/* So often at most is it said that an answer was too large. */
#define LOG_NS (60 * NS_PER_S)

/* The way back of a response; it leaves from where its family of addresses can. */
static int write_response(struct server *server, const struct message *response,
			  const struct passing_hop *from, struct passing_hop *to, struct text *text)
{
	const struct flow *flow = &from->flow;
	int error = passing_write_response(response, flow->local_addr, flow->local_port,
					   server->options.key, to, text);

	if (error || to->stream)
		return error;
	to->flow.transport = FLOW_UDP;
	return ports_local(server->options.ports, from, to->flow.remote_addr, to->flow.local_addr,
			   &to->flow.local_port);
}

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* What the branch of our Via ends with; see passing_identity(). */
static uint64_t identity_of(const struct message *response)
{
	struct span branch = response->via.branch;
	uint64_t identity = 0;

	for (size_t i = branch.length > 16 ? branch.length - 16 : 0; i < branch.length; i++)
		identity = identity << 4 | ((unsigned int)digit_of(branch.at[i]) & 0xf);
	return identity;
}

/* The account of the request; one begins that is not remembered. */
static struct memory_account *find_account(struct server *server, const struct message *response,
					   const struct flow *from, uint64_t now_ns)
{
	struct memory_key key = { .identity = identity_of(response) };
	struct memory_entry entry = { .port = from->remote_port };
	struct memory_account *account =
		memory_account(server->memory, key.identity, from->remote_addr, now_ns);

	if (account)
		return account;
	memcpy(entry.address, from->remote_addr, sizeof(entry.address));
	if (memory_put(server->memory, &key, &entry, UNKNOWN_BYTES, now_ns))
		return NULL;
	return memory_account(server->memory, key.identity, from->remote_addr, now_ns);
}

static void log_large(struct server *server, const struct passing_hop *to, uint64_t now_ns)
{
	char buffer[64];
	struct text address = TEXT_OVER(buffer);

	if (server->large_logged_ns && now_ns - server->large_logged_ns < LOG_NS)
		return;
	server->large_logged_ns = now_ns;
	address_write(&address, to->flow.remote_addr);
	log_warning(
		"an answer to %s was larger than what a forger of its address may have us send: "
		"name its network with --peer if it is one of yours",
		buffer);
}

/* True if what is returned is in proportion to what was asked. */
static bool may_return(struct server *server, const struct message *response,
		       const struct passing_hop *from, const struct passing_hop *to, size_t bytes,
		       uint64_t now_ns)
{
	struct memory_account *account;

	if (to->stream || server_trusts(server, to->flow.remote_addr, now_ns))
		return true;
	account = find_account(server, response, &from->flow, now_ns);
	if (!account)
		return false;
	if (bytes > reply_limit(account->largest) ||
	    account->returned + bytes > RETURNED_MAX * account->asked) {
		log_large(server, to, now_ns);
		return false;
	}
	account->returned += bytes;
	return true;
}

/* A node that has left the set may still answer what it was asked. */
static bool is_of_node(struct server *server, const struct message *response,
		       const struct flow *from, uint64_t now_ns)
{
	return peers_has_address(server->peers, from->remote_addr, now_ns) ||
	       memory_account(server->memory, identity_of(response), from->remote_addr, now_ns);
}

void server_return(struct server *server, const struct message *response,
		   const struct passing_hop *from, uint64_t now_ns)
{
	struct text text = TEXT_OVER(server->output);
	struct passing_hop to = { .stream = 0 };

	if (is_of_node(server, response, &from->flow, now_ns) &&
	    write_response(server, response, from, &to, &text) == 0 &&
	    may_return(server, response, from, &to, text.used, now_ns) &&
	    ports_send(server->options.ports, &to, text_span(&text)) == 0)
		count_up(server->options.counts, calls_returned);
	else
		count_up(server->options.counts, calls_dropped);
}
