/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * port_stream.h - the TCP connections of ports: accepted, told apart into messages, written to,
 * and closed when they are done or stuck, or their place is wanted.
 *
 * Included by ports.c. A stream's number is never given to another one.
 */
#ifndef AGENT_CALLCONTROL_PORT_STREAM_H
#define AGENT_CALLCONTROL_PORT_STREAM_H

#include "callcontrol/ports.h"

/* What a stream has not taken yet; of one that is sent more it is closed. */
#define PORT_STREAM_OUTPUT_MAX 65536

struct port_streams;

struct port_streams_options {
	struct ev_loop *loop;
	ports_take *take;
	void *context;
	uint64_t stuck_ns;
};

/* NULL without memory. */
struct port_streams *port_streams_new(const struct port_streams_options *options);

/* Closes all of them. */
void port_streams_free(struct port_streams *streams);

/* Accepts who waits at a listening socket; -errno if this host has no room for more just now. */
int port_streams_accept(struct port_streams *streams, int listening, uint64_t now_ns);

/* Sends over the stream of that number. -ENOENT, -EAGAIN if it takes too little: it is closed. */
int port_streams_send(struct port_streams *streams, uint64_t number, struct span bytes);

#endif
