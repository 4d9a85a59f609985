/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "server.h"

int server_setup(void **state)
{
	struct server *server = test_calloc(1, sizeof(*server));
	int ingress;

	*state = server;
	if (kernel_setup((void **)&server->kernel))
		return -1;
	host_enter();
	ingress = bpf_program__fd(kernel_program(server->kernel, SIPPATH_PROGRAM_INGRESS));
	assert_int_equal(bpf_xdp_attach(LOOPBACK, ingress, XDP_FLAGS_SKB_MODE, NULL), 0);
	server->listener = host_listen(AF_INET6, PORT);
	return 0;
}

int server_teardown(void **state)
{
	struct server *server = *state;

	bpf_link__destroy(server->accept);
	close(server->listener);
	host_leave();
	kernel_teardown((void **)&server->kernel);
	test_free(server);
	return 0;
}

void server_set(struct server *server, uint32_t idle_s, uint64_t netns_cookie)
{
	struct sip_settings settings = {
		.abi = SIPPATH_ABI,
		.keepalive_idle_s = idle_s,
		.netns_cookie = netns_cookie,
		.port_count = 2,
		.ports = { PORT, ALSO_PORT },
	};

	kernel_set(server->kernel, &settings);
}

void server_watch(struct server *server)
{
	struct bpf_program *program = kernel_program(server->kernel, SIPPATH_PROGRAM_ACCEPT);

	server->accept = bpf_program__attach_cgroup(program, host_cgroup());
	assert_non_null(server->accept);
}

void server_begin(struct server *server)
{
	server_set(server, IDLE_S, host_netns_cookie());
	server_watch(server);
}

void server_look_around(struct server *server)
{
	struct bpf_program *program = kernel_program(server->kernel, SIPPATH_PROGRAM_PRESENT);
	struct bpf_link *link = bpf_program__attach_iter(program, NULL);
	char nothing;
	int fd;

	assert_non_null(link);
	fd = bpf_iter_create(bpf_link__fd(link));
	assert_true(fd >= 0);
	assert_int_equal(read(fd, &nothing, sizeof(nothing)), 0);
	close(fd);
	bpf_link__destroy(link);
}

struct host_connection server_connect(struct server *server, const char *address)
{
	return host_connect(server->listener, address, PORT, 0);
}

int server_option(int fd, int level, int name)
{
	socklen_t length = sizeof(int);
	int value = -1;

	assert_int_equal(getsockopt(fd, level, name, &value, &length), 0);
	return value;
}

void server_told(struct server *server, enum sighting_kind kind, const struct flow *flow)
{
	uint64_t deadline_ns = kernel_now_ns() + 10000000000;
	const struct sighting *sighting;

	do {
		sighting = kernel_next_sighting(server->kernel);
	} while (!sighting && kernel_now_ns() < deadline_ns);
	assert_non_null(sighting);
	assert_int_equal(sighting->kind, kind);
	assert_memory_equal(&sighting->flow, flow, sizeof(*flow));
	assert_int_equal(sighting->direction, SIGHTING_FROM_DEVICE);
	assert_int_equal(sighting->captured, 0);
	assert_int_equal(sighting->wire_length, 0);
	assert_int_equal(sighting->sequence, 0);
	assert_in_range(sighting->when_ns, 1, kernel_now_ns());
}
