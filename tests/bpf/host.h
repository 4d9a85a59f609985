/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * host.h - a host of the test's own, for programs that must be attached: this process in a
 * new network namespace with nothing but a loopback, and in a new cgroup. Every call
 * fails the test if it cannot do what it says.
 */
#ifndef TESTS_BPF_HOST_H
#define TESTS_BPF_HOST_H

#include <stdint.h>

#include "flow.h"

/* Goes there, and comes back to where the process was. */
void host_enter(void);
void host_leave(void);

/* The cgroup, as a descriptor that is good until host_leave(). */
int host_cgroup(void);

/* Writes a setting of the host, a file below /proc/sys/net. */
void host_set(const char *file, const char *value);

/* The kernel's number for the network namespace. */
uint64_t host_netns_cookie(void);

/* A socket that listens on every address of the family, AF_INET or AF_INET6 (for both). */
int host_listen(int family, uint16_t port);

/* Both ends of a connection. */
struct host_connection {
	int client;
	int server;
};

/* Connects to "address", from local port "from" (0 for any), and accepts that. */
struct host_connection host_connect(int listener, const char *address, uint16_t port,
				    uint16_t from);

/* The client's end alone: the server's is -1. */
struct host_connection host_connect_only(const char *address, uint16_t port, uint16_t from);

/* The flow of a connection as the server's host sees it; of TCP. */
struct flow host_flow(const struct host_connection *connection);

/* Closes its ends, the client's first. */
void host_disconnect(const struct host_connection *connection);

#endif
