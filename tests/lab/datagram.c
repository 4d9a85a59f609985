/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * datagram - sends UDP datagrams over IPv4 from any address and port, its own or not.
 *
 *     datagram [-n COUNT] [-i MICROSECONDS] [-s] FROM_IP:PORT TO_IP:PORT <PAYLOAD
 *
 * It shares a phone's port with the phone, and forges what a stranger could forge.
 * Every "%n" in the payload becomes the datagram's number, from 0. -s gives each
 * datagram another source: the port counts up from 1024, and then the address.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PAYLOAD_MAX 4096
#define PORT_FIRST 1024
#define PORT_COUNT (65536 - PORT_FIRST)
#define NUMBER_MAX 10000000
#define US_PER_SECOND 1000000L

struct endpoint {
	uint32_t address; /* host byte order */
	uint16_t port;
};

struct job {
	struct endpoint from, to;
	const char *payload; /* with "%n" in it */
	long count;
	long interval_us; /* from one to the next, 0: as fast as it goes */
	bool spread;
};

struct packet {
	struct iphdr ip;
	struct udphdr udp;
	char payload[PAYLOAD_MAX];
} __attribute__((packed));

static int die(const char *what)
{
	fprintf(stderr, "datagram: %s\n", what);
	return 2;
}

static bool read_endpoint(const char *text, struct endpoint *out)
{
	char address[INET_ADDRSTRLEN];
	struct in_addr parsed;
	unsigned short port;
	char rest;

	if (sscanf(text, "%15[0-9.]:%hu%c", address, &port, &rest) != 2)
		return false;
	if (inet_pton(AF_INET, address, &parsed) != 1)
		return false;
	out->address = ntohl(parsed.s_addr);
	out->port = port;
	return true;
}

static bool read_number(const char *text, long *out)
{
	char *end;

	*out = strtol(text, &end, 10);
	return *end == '\0' && *out > 0 && *out <= NUMBER_MAX;
}

/* Copies the payload with its numbers filled in; returns its length. */
static size_t fill_payload(char *out, const char *payload, long number)
{
	size_t length = 0;

	while (*payload && length < PAYLOAD_MAX - 24) {
		if (strncmp(payload, "%n", 2) == 0) {
			length += (size_t)sprintf(out + length, "%ld", number);
			payload += 2;
		} else {
			out[length++] = *payload++;
		}
	}
	return length;
}

/* The kernel completes length, id and checksum of the IP header; UDP does without a checksum. */
static ssize_t send_one(int fd, const struct job *job, long number)
{
	static struct packet packet;
	struct sockaddr_in to = { .sin_family = AF_INET };
	uint32_t from = job->from.address;
	uint16_t port = job->from.port;
	size_t length = fill_payload(packet.payload, job->payload, number);

	if (job->spread) {
		from += (uint32_t)(number / PORT_COUNT);
		port = (uint16_t)(PORT_FIRST + number % PORT_COUNT);
	}
	packet.ip = (struct iphdr){ .version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_UDP };
	packet.ip.saddr = htonl(from);
	packet.ip.daddr = to.sin_addr.s_addr = htonl(job->to.address);
	packet.udp = (struct udphdr){ .source = htons(port), .dest = htons(job->to.port) };
	packet.udp.len = htons((uint16_t)(sizeof(packet.udp) + length));
	length += sizeof(packet.ip) + sizeof(packet.udp);
	return sendto(fd, &packet, length, 0, (struct sockaddr *)&to, sizeof(to));
}

/* Each datagram has its own time, counted from the start, so that delays do not add up. */
static int run(int fd, const struct job *job)
{
	struct timespec start, when;
	int64_t us;
	long number;

	clock_gettime(CLOCK_MONOTONIC, &start);
	for (number = 0; number < job->count; number++) {
		us = start.tv_nsec / 1000 + (int64_t)number * job->interval_us;
		when.tv_sec = start.tv_sec + us / US_PER_SECOND;
		when.tv_nsec = us % US_PER_SECOND * 1000;
		if (job->interval_us)
			clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &when, NULL);
		if (send_one(fd, job, number) < 0 && errno != ENOBUFS)
			return die(strerror(errno));
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct job job = { .count = 1 };
	static char payload[PAYLOAD_MAX + 1];
	int option, fd;

	while ((option = getopt(argc, argv, "n:i:s")) != -1) {
		if (option == 's')
			job.spread = true;
		else if (option == '?' ||
			 !read_number(optarg, option == 'n' ? &job.count : &job.interval_us))
			return die("-n and -i want a number up to 10000000");
	}
	if (argc - optind != 2 || !read_endpoint(argv[optind], &job.from) ||
	    !read_endpoint(argv[optind + 1], &job.to))
		return die("wanted: [-n COUNT] [-i MICROSECONDS] [-s] FROM_IP:PORT TO_IP:PORT");

	payload[fread(payload, 1, PAYLOAD_MAX, stdin)] = '\0';
	job.payload = payload;
	fd = socket(AF_INET, SOCK_RAW, IPPROTO_RAW);
	if (fd < 0)
		return die(strerror(errno));
	return run(fd, &job);
}
