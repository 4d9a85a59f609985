/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * flood - SIP requests from a great many spoofed sources, as fast as the machine sends.
 *
 *     flood DEVICE MAC IP:PORT SECONDS COUNT
 *
 * Frames go straight to DEVICE, for whoever has MAC behind it, without a route, a neighbour or a
 * queue. There are 1,000,000 sources, addresses of 198.18.0.0/15 (RFC 2544, routed nowhere) and
 * ports from 1024; each takes its turn with a request of its own: a REGISTER of a user "mute", or an
 * INVITE of a user "nobody". It ends after so many seconds or frames, whichever comes first, and
 * says how many frames it has sent and in how many milliseconds.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define SOURCES 1000000
#define NETWORK 0xc6120000 /* 198.18.0.0/15 */
#define ADDRESSES (1u << 17)
#define PORT_FIRST 1024
#define SECONDS_MAX 60
#define COUNT_MAX 200000000
#define BATCH 64 /* frames for one system call */
#define FRAME_MAX 1024
#define HEADERS (sizeof(struct ethhdr) + sizeof(struct iphdr) + sizeof(struct udphdr))

struct target {
	int socket;
	struct sockaddr_ll device;
	unsigned char mac[ETH_ALEN];
	struct in_addr address;
	uint16_t port;
};

struct batch {
	unsigned char frames[BATCH][FRAME_MAX];
	struct iovec parts[BATCH];
	struct mmsghdr messages[BATCH];
};

static int die(const char *what)
{
	fprintf(stderr, "flood: %s\n", what);
	return 2;
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

static uint16_t ip_checksum(const struct iphdr *ip)
{
	const uint16_t *words = (const void *)ip;
	uint32_t sum = 0;

	for (size_t i = 0; i < sizeof(*ip) / sizeof(*words); i++)
		sum += words[i];
	sum = (sum >> 16) + (sum & 0xffff);
	return (uint16_t) ~(sum + (sum >> 16));
}

/* The request of a source; returns its length. */
static int write_request(char *out, size_t room, const char *source, uint16_t port, uint32_t number)
{
	const char *method = number % 4 == 0 ? "INVITE" : "REGISTER";
	const char *user = number % 4 == 0 ? "nobody" : "mute";

	return snprintf(out, room,
			"%s sip:%s@lab.example SIP/2.0\r\n"
			"Via: SIP/2.0/UDP %s:%u;rport;branch=z9hG4bK-flood-%u\r\n"
			"Max-Forwards: 70\r\n"
			"From: <sip:%s%u@lab.example>;tag=flood-%u\r\n"
			"To: <sip:%s%u@lab.example>\r\n"
			"Call-ID: flood-%u@%s\r\n"
			"CSeq: 1 %s\r\n"
			"Contact: <sip:%s@%s:%u>\r\n"
			"Expires: 3600\r\n"
			"Content-Length: 0\r\n\r\n",
			method, user, source, port, number, user, number, number, user, number,
			number, source, method, user, source, port);
}

static size_t write_frame(unsigned char *frame, const struct target *target, uint32_t number)
{
	struct ethhdr ethernet = { .h_source = { 2 }, .h_proto = htons(ETH_P_IP) };
	uint32_t source = number % SOURCES;
	struct in_addr from = { htonl(NETWORK + source % ADDRESSES) };
	uint16_t port = (uint16_t)(PORT_FIRST + source / ADDRESSES);
	char name[INET_ADDRSTRLEN];
	struct iphdr ip = { .version = 4,
			    .ihl = 5,
			    .ttl = 60,
			    .protocol = IPPROTO_UDP,
			    .saddr = from.s_addr,
			    .daddr = target->address.s_addr };
	struct udphdr udp = { .source = htons(port), .dest = htons(target->port) };
	int length;

	inet_ntop(AF_INET, &from, name, sizeof(name));
	length = write_request((char *)frame + HEADERS, FRAME_MAX - HEADERS, name, port, number);
	memcpy(ethernet.h_dest, target->mac, ETH_ALEN);
	udp.len = htons((uint16_t)(sizeof(udp) + (size_t)length));
	ip.tot_len = htons((uint16_t)(sizeof(ip) + sizeof(udp) + (size_t)length));
	ip.check = ip_checksum(&ip);
	memcpy(frame, &ethernet, sizeof(ethernet));
	memcpy(frame + sizeof(ethernet), &ip, sizeof(ip));
	memcpy(frame + sizeof(ethernet) + sizeof(ip), &udp, sizeof(udp));
	return HEADERS + (size_t)length;
}

/* Sends the frames from "number" on; returns how many left, or -1. */
static int send_batch(struct batch *batch, const struct target *target, uint32_t number)
{
	int sent;

	for (uint32_t i = 0; i < BATCH; i++) {
		batch->parts[i] = (struct iovec){
			.iov_base = batch->frames[i],
			.iov_len = write_frame(batch->frames[i], target, number + i),
		};
		batch->messages[i].msg_hdr = (struct msghdr){
			.msg_iov = &batch->parts[i],
			.msg_iovlen = 1,
		};
	}
	sent = sendmmsg(target->socket, batch->messages, BATCH, 0);
	/* A device that is full takes more a moment later. */
	return sent < 0 && (errno == ENOBUFS || errno == EAGAIN) ? 0 : sent;
}

static bool open_target(struct target *target, const char *device)
{
	int bypass = 1;

	target->device = (struct sockaddr_ll){
		.sll_family = AF_PACKET,
		.sll_protocol = 0, /* nothing is received */
		.sll_ifindex = (int)if_nametoindex(device),
	};
	target->socket = socket(AF_PACKET, SOCK_RAW, 0);
	return target->device.sll_ifindex > 0 && target->socket >= 0 &&
	       setsockopt(target->socket, SOL_PACKET, PACKET_QDISC_BYPASS, &bypass,
			  sizeof(bypass)) == 0 &&
	       bind(target->socket, (const struct sockaddr *)&target->device,
		    sizeof(target->device)) == 0;
}

static bool read_target(struct target *target, const char *mac, const char *endpoint)
{
	char address[INET_ADDRSTRLEN];
	unsigned char *m = target->mac;

	return sscanf(mac, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", m, m + 1, m + 2, m + 3, m + 4, m + 5) ==
		       ETH_ALEN &&
	       sscanf(endpoint, "%15[0-9.]:%hu", address, &target->port) == 2 &&
	       inet_pton(AF_INET, address, &target->address) == 1;
}

int main(int argc, char **argv)
{
	static struct batch batch;
	struct target target = { 0 };
	int64_t begun_ms = now_ms();
	uint32_t number = 0;
	long seconds, count;

	if (argc != 6 || !read_target(&target, argv[2], argv[3]))
		return die("wanted: DEVICE MAC IP:PORT SECONDS COUNT");
	seconds = strtol(argv[4], NULL, 10);
	count = strtol(argv[5], NULL, 10);
	if (seconds < 1 || seconds > SECONDS_MAX || count < 1 || count > COUNT_MAX)
		return die("at most 60 seconds, and 200000000 frames");
	if (!open_target(&target, argv[1]))
		return die(strerror(errno));
	while (number < count && now_ms() - begun_ms < seconds * 1000) {
		int sent = send_batch(&batch, &target, number);

		if (sent < 0)
			return die(strerror(errno));
		number += (uint32_t)sent;
	}
	printf("%u %lld\n", number, (long long)(now_ms() - begun_ms));
	return 0;
}
