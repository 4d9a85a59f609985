/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * server.h - a SIP server on a host of the test's own (host.h), whose connections the programs
 * see: the ingress program is on the loopback from the beginning.
 */
#ifndef TESTS_BPF_SERVER_H
#define TESTS_BPF_SERVER_H

#include <stdint.h>

#include "host.h"
#include "kernel.h"

#define IDLE_S 24
#define INTERVAL_S 6 /* what goes with that */
#define PROBES 127
#define PORT 5060
#define ALSO_PORT 5062
#define LOOPBACK 1 /* its interface index in any network namespace */

struct bpf_link;

struct server {
	struct kernel *kernel;
	struct bpf_link *accept;
	int listener; /* on PORT, every address of both families */
};

/* For cmocka: a server in *state. */
int server_setup(void **state);
int server_teardown(void **state);

#define SERVER_TEST(test) cmocka_unit_test_setup_teardown(test, server_setup, server_teardown)

void server_set(struct server *server, uint32_t idle_s, uint64_t netns_cookie);

/* Attaches the program that sees connections come. */
void server_watch(struct server *server);

/* Both, with settings as an agent makes them. */
void server_begin(struct server *server);

/* Runs the iterator over every TCP socket of the network namespace. */
void server_look_around(struct server *server);

/* A connection to PORT. */
struct host_connection server_connect(struct server *server, const char *address);

/* An option of a socket. */
int server_option(int fd, int level, int name);

/* Waits for the next sighting, which must say that this connection came or went. */
void server_told(struct server *server, enum sighting_kind kind, const struct flow *flow);

#endif
