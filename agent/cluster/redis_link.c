/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cluster/redis_link.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "cluster/redis_connection.h"
#include "cluster/redis_lookup.h"
#include "cluster/redis_refusal.h"
#include "cluster/redis_sign_in.h"

struct redis_link {
	struct redis_link_options options;
	struct redis_address address;
	/* One of these at a time: it looks its host up, has a connection, or pauses. */
	struct redis_lookup *lookup;
	struct redis_connection *connection;
	ev_timer pause;
	uint64_t pause_ns; /* how long the next one is */
	struct addrinfo *addresses; /* of the host */
	struct addrinfo *next; /* among them: tried if the one before does not take a connection */
	struct redis_sign_in sign_in;
	bool connected;
	bool up;
	bool refused; /* it let us in, but has not done anything for us since it refused to */
	uint64_t lost_ns; /* since when it is out of reach, which was logged; 0: it is not */
};

bool redis_link_is_up(const struct redis_link *link)
{
	return link->up && redis_connection_is_whole(link->connection);
}

size_t redis_link_outstanding(const struct redis_link *link)
{
	return link->up ? redis_connection_outstanding(link->connection) : 0;
}

static void say_lost(struct redis_link *link, const char *why)
{
	const struct redis_address *address = &link->address;

	if (link->lost_ns || !link->options.purpose)
		return;
	link->lost_ns = clock_now_ns();
	log_warning("Redis at %s, port %u, database %u, is out of reach for %s: %s; all goes on "
		    "without it, and it is tried again until it is back",
		    address->host, address->port, address->database, link->options.purpose, why);
}

static void say_back(struct redis_link *link)
{
	const struct redis_address *address = &link->address;
	uint64_t lost_ns = link->lost_ns;

	if (!lost_ns)
		return;
	link->lost_ns = 0;
	log_info("Redis at %s, port %u, database %u, is back for %s after %.1f s", address->host,
		 address->port, address->database, link->options.purpose,
		 (double)(clock_now_ns() - lost_ns) / NS_PER_S);
}

/* It is of use. */
static void settle(struct redis_link *link)
{
	link->refused = false;
	link->pause_ns = REDIS_LINK_PAUSE_MIN_NS;
	say_back(link);
}

static void free_addresses(struct redis_link *link)
{
	if (link->addresses)
		freeaddrinfo(link->addresses);
	link->addresses = link->next = NULL;
}

/* This attempt, or what it has led to, is over; there will be another one. */
static void pause_after(struct redis_link *link, const char *why)
{
	say_lost(link, why);
	free_addresses(link);
	redis_connection_close(take_ptr(link->connection));
	ev_timer_set(&link->pause, (double)link->pause_ns / NS_PER_S, 0.);
	ev_timer_start(link->options.loop, &link->pause);
	link->pause_ns *= 2;
	if (link->pause_ns > REDIS_LINK_PAUSE_MAX_NS)
		link->pause_ns = REDIS_LINK_PAUSE_MAX_NS;
}

static void on_signed_in(void *context)
{
	struct redis_link *link = context;

	link->up = true;
	if (!link->refused)
		settle(link);
	link->options.up(link->options.context);
}

static void on_connected(void *context)
{
	struct redis_link *link = context;

	link->connected = true;
	link->sign_in = (struct redis_sign_in){ .connection = link->connection,
						.address = &link->address,
						.done = on_signed_in,
						.context = link };
	redis_sign_in_begin(&link->sign_in);
}

static bool admit(void *context, const struct redisReply *reply)
{
	struct redis_link *link = context;
	const char *refusal = link->up ? redis_refusal(reply) : NULL;

	if (refusal) {
		link->refused = true;
		redis_connection_give_up(link->connection, refusal);
	} else if (link->up && link->refused) {
		settle(link);
	}
	return !refusal;
}

static void connect_to_next(struct redis_link *link);

static void on_lost(void *context, const char *why)
{
	struct redis_link *link = context;
	bool was_up = link->up;

	link->up = false;
	if (!link->connected && link->next) {
		redis_connection_close(take_ptr(link->connection));
		connect_to_next(link);
		return;
	}
	pause_after(link, why);
	if (was_up)
		link->options.down(link->options.context);
}

static void connect_to_next(struct redis_link *link)
{
	const struct redis_connection_options options = { .loop = link->options.loop,
							  .patience_ns = link->options.patience_ns,
							  .connected = on_connected,
							  .admit = admit,
							  .lost = on_lost,
							  .context = link };
	int err = -EHOSTUNREACH;

	link->connected = false;
	while (link->next && err) {
		const struct addrinfo *address = link->next;

		link->next = address->ai_next;
		err = redis_connection_open(&options, address->ai_addr, address->ai_addrlen,
					    &link->connection);
	}
	if (err)
		pause_after(link, strerror(-err));
}

static void on_found(void *context, struct addrinfo *addresses, const char *why)
{
	struct redis_link *link = context;

	link->lookup = NULL;
	link->addresses = link->next = addresses;
	if (addresses)
		connect_to_next(link);
	else
		pause_after(link, why);
}

static void begin(struct redis_link *link)
{
	const struct redis_address *address = &link->address;
	struct addrinfo *number = redis_lookup_number(address->host, address->port);
	int err;

	if (number) {
		on_found(link, number, NULL);
		return;
	}
	err = redis_lookup_begin(link->options.loop, address->host, address->port, on_found, link,
				 &link->lookup);
	if (err)
		pause_after(link, strerror(-err));
}

static void on_pause_over(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)loop;
	(void)events;
	begin(timer->data);
}

int redis_link_open(const struct redis_link_options *options, struct redis_link **out)
{
	struct redis_link *link = calloc(1, sizeof(*link));

	if (!link)
		return log_errno(ENOMEM, "no memory for a connection to Redis");
	link->options = *options;
	if (!link->options.patience_ns)
		link->options.patience_ns = REDIS_LINK_PATIENCE_NS;
	link->address = *options->address;
	link->pause_ns = REDIS_LINK_PAUSE_MIN_NS;
	ev_timer_init(&link->pause, on_pause_over, 0., 0.);
	link->pause.data = link;
	begin(link);
	*out = link;
	return 0;
}

void redis_link_close(struct redis_link *link)
{
	if (!link)
		return;
	ev_timer_stop(link->options.loop, &link->pause);
	redis_lookup_cancel(link->lookup);
	redis_connection_close(link->connection);
	free_addresses(link);
	free(link);
}

int redis_link_ask(struct redis_link *link, const struct span *words, size_t count, bool patient,
		   redis_link_answer *answer, void *context)
{
	if (!redis_link_is_up(link))
		return -ENOTCONN;
	return redis_connection_ask(link->connection, words, count, patient, answer, context);
}

int redis_link_run(struct redis_link *link, enum redis_script script, const struct span *words,
		   size_t keys, size_t count, redis_link_answer *answer, void *context)
{
	struct span all[REDIS_LINK_WORDS_MAX] = { SPAN("EVALSHA"),
						  redis_sign_in_name(&link->sign_in, script) };
	char number[sizeof("18446744073709551615")];

	if (count > REDIS_LINK_WORDS_MAX - 3)
		return -E2BIG;
	all[2].at = number;
	all[2].length = (size_t)snprintf(number, sizeof(number), "%zu", keys);
	for (size_t i = 0; i < count; i++)
		all[3 + i] = words[i];
	return redis_link_ask(link, all, 3 + count, false, answer, context);
}

void redis_link_reset(struct redis_link *link, const char *why)
{
	if (link->up)
		redis_connection_give_up(link->connection, why);
}
