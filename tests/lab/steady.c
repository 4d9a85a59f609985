/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * steady - devices that send all the time, and a server that counts what arrives: whoever
 * loses a single packet or stamp is found out.
 *
 *     steady keep MAP                puts the devices' flows into a pinned sip_paths
 *     steady send RATE               sends so many packets a second, round and round
 *     steady serve                   receives them on the SIP port, and answers every tenth
 *     steady show MAP                what sip_paths knows of each flow: packets in, packets out
 *
 * "send" and "serve" go on until SIGTERM, half an hour at most, and then print the same as "show"
 * does, as they have counted it: a line "PORT PACKETS" or "PORT PACKETS ANSWERS" for each device.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "flow.h"
#include "path_entry.h"

#define DEVICE "192.0.2.1"
#define SERVER "192.0.2.10"
#define SIP_PORT 5060
#define PORT_FIRST 10000
#define DEVICES 1000
#define ANSWERED_OF 10 /* every tenth packet of a device */
#define BATCH 64
#define BUFFER_BYTES (256 << 20) /* seconds of packets: the server is never the one that loses */
#define NS_PER_S 1000000000ULL
#define PAUSE_NS 200000
#define SECONDS_MAX 1800

static volatile sig_atomic_t stopped;

static uint64_t received[DEVICES], answered[DEVICES];

struct packet {
	struct iphdr ip;
	struct udphdr udp;
	char payload[4]; /* what RFC 5626 has devices send to keep a path open */
} __attribute__((packed));

static void stop(int signal_number)
{
	(void)signal_number;
	stopped = 1;
}

static int die(const char *what)
{
	fprintf(stderr, "steady: %s: %s\n", what, strerror(errno));
	return 1;
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

static void map_address(uint8_t out[16], const char *text)
{
	memset(out, 0, 16);
	memset(out + 10, 0xff, 2);
	inet_pton(AF_INET, text, out + 12);
}

static struct flow flow_of(unsigned int device)
{
	struct flow flow = { .local_port = SIP_PORT, .transport = FLOW_UDP };

	flow.remote_port = (uint16_t)(PORT_FIRST + device);
	map_address((uint8_t *)flow.local_addr, SERVER);
	map_address((uint8_t *)flow.remote_addr, DEVICE);
	return flow;
}

static int keep(int map)
{
	const struct path_entry entry = { 0 };

	for (unsigned int device = 0; device < DEVICES; device++) {
		struct flow flow = flow_of(device);

		if (bpf_map_update_elem(map, &flow, &entry, BPF_ANY))
			return die("cannot put a flow into the map");
	}
	return 0;
}

static int show(int map)
{
	for (unsigned int device = 0; device < DEVICES; device++) {
		struct flow flow = flow_of(device);
		struct path_entry entry;

		if (bpf_map_lookup_elem(map, &flow, &entry))
			return die("a flow is not in the map");
		printf("%u %llu %llu\n", PORT_FIRST + device, entry.packets_in, entry.packets_out);
	}
	return 0;
}

static struct packet packet_of(unsigned int device)
{
	struct packet packet = {
		.ip = { .version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_UDP },
		.udp = { .source = htons((uint16_t)(PORT_FIRST + device)),
			 .dest = htons(SIP_PORT),
			 .len = htons(sizeof(struct udphdr) + sizeof(packet.payload)) },
		.payload = { '\r', '\n', '\r', '\n' },
	};

	packet.ip.saddr = inet_addr(DEVICE);
	packet.ip.daddr = inet_addr(SERVER);
	return packet;
}

/* The next "count" packets in turn; returns how many were sent, -1 on failure. */
static int send_some(int fd, uint64_t sent, unsigned int count)
{
	static struct packet packets[BATCH];
	static struct iovec pieces[BATCH];
	static struct mmsghdr messages[BATCH];
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr.s_addr = inet_addr(SERVER) };

	for (unsigned int i = 0; i < count; i++) {
		packets[i] = packet_of((unsigned int)((sent + i) % DEVICES));
		pieces[i] = (struct iovec){ &packets[i], sizeof(packets[i]) };
		messages[i].msg_hdr = (struct msghdr){ .msg_name = &to,
						       .msg_namelen = sizeof(to),
						       .msg_iov = &pieces[i],
						       .msg_iovlen = 1 };
	}
	return sendmmsg(fd, messages, count, 0);
}

/* Whoever was held up catches up: the rate holds for the whole time. */
static int send_all(uint64_t rate)
{
	static const struct timespec pause = { .tv_nsec = PAUSE_NS };
	int fd = socket(AF_INET, SOCK_RAW, IPPROTO_RAW);
	uint64_t begun_ns = now_ns(), sent = 0, passed_ns = 0;

	if (fd < 0)
		return die("no raw socket");
	while (!stopped && passed_ns < SECONDS_MAX * NS_PER_S) {
		uint64_t due = passed_ns / 1000 * rate / 1000000;
		int count = 0;

		if (due > sent)
			count = send_some(fd, sent,
					  due - sent < BATCH ? (unsigned int)(due - sent) : BATCH);
		else
			nanosleep(&pause, NULL);
		if (count < 0 && errno != EINTR)
			return die("cannot send");
		sent += count > 0 ? (uint64_t)count : 0;
		passed_ns = now_ns() - begun_ns;
	}
	fprintf(stderr, "%llu packets in %llu ms\n", (unsigned long long)sent,
		(unsigned long long)(passed_ns / 1000000));
	for (unsigned int device = 0; device < DEVICES; device++)
		printf("%u %llu\n", PORT_FIRST + device,
		       (unsigned long long)(sent / DEVICES + (device < sent % DEVICES)));
	return 0;
}

static void take(int fd, const struct sockaddr_in *from)
{
	unsigned int device = ntohs(from->sin_port) - PORT_FIRST;

	if (device >= DEVICES || ++received[device] % ANSWERED_OF != 0)
		return;
	if (sendto(fd, "\r\n", 2, 0, (const struct sockaddr *)from, sizeof(*from)) == 2)
		answered[device]++;
}

/* False if there is nothing to be received at present. */
static bool receive_some(int fd)
{
	static char payload[BATCH][8];
	static struct sockaddr_in from[BATCH];
	static struct iovec pieces[BATCH];
	static struct mmsghdr messages[BATCH];
	int count;

	for (unsigned int i = 0; i < BATCH; i++) {
		pieces[i] = (struct iovec){ payload[i], sizeof(payload[i]) };
		messages[i].msg_hdr = (struct msghdr){ .msg_name = &from[i],
						       .msg_namelen = sizeof(from[i]),
						       .msg_iov = &pieces[i],
						       .msg_iovlen = 1 };
	}
	count = recvmmsg(fd, messages, BATCH, MSG_DONTWAIT, NULL);
	for (int i = 0; i < count; i++)
		take(fd, &from[i]);
	return count > 0;
}

static int serve(void)
{
	static const struct timespec pause = { .tv_nsec = PAUSE_NS };
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_port = htons(SIP_PORT),
				  .sin_addr.s_addr = inet_addr(SERVER) };
	int fd = socket(AF_INET, SOCK_DGRAM, 0), bytes = BUFFER_BYTES;
	uint64_t end_ns = now_ns() + SECONDS_MAX * NS_PER_S;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) ||
	    bind(fd, (struct sockaddr *)&at, sizeof(at)))
		return die("cannot listen");
	while (receive_some(fd) || (!stopped && now_ns() < end_ns))
		nanosleep(&pause, NULL);
	for (unsigned int device = 0; device < DEVICES; device++)
		printf("%u %llu %llu\n", PORT_FIRST + device, (unsigned long long)received[device],
		       (unsigned long long)answered[device]);
	return 0;
}

static int open_map(const char *path)
{
	int map = bpf_obj_get(path);

	if (map < 0)
		exit(die(path));
	return map;
}

int main(int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : "";
	const struct sigaction action = { .sa_handler = stop };

	sigaction(SIGTERM, &action, NULL);
	if (strcmp(verb, "serve") == 0 && argc == 2)
		return serve();
	if (strcmp(verb, "send") == 0 && argc == 3 && atoi(argv[2]) > 0)
		return send_all((uint64_t)atoi(argv[2]));
	if (strcmp(verb, "keep") == 0 && argc == 3)
		return keep(open_map(argv[2]));
	if (strcmp(verb, "show") == 0 && argc == 3)
		return show(open_map(argv[2]));
	fprintf(stderr, "steady: keep MAP | send RATE | serve | show MAP\n");
	return 2;
}
