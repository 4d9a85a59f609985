/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "keep/local_addresses.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/address.h"
#include "base/cleanup.h"
#include "base/log.h"

#define REMEMBERED_MAX 64 /* a power of two; a host seldom has more SIP addresses */
#define REPLY_MAX 8192 /* what the kernel packs into one message at most */
#define IPV4_AT 12 /* where the four bytes of a mapped address start */

struct remembered {
	uint8_t address[16];
	bool known;
	bool held;
};

struct local_addresses {
	int query;
	int watch;
	uint32_t sequence; /* of the latest question */
	struct remembered remembered[REMEMBERED_MAX];
};

struct question {
	struct nlmsghdr header;
	struct rtmsg route;
	struct rtattr attribute;
	uint8_t address[16];
};

union reply {
	struct nlmsghdr header;
	char bytes[REPLY_MAX];
};

/* A netlink socket with the so-called groups; the descriptor or -errno. */
static int open_netlink(uint32_t groups)
{
	struct sockaddr_nl address = { .nl_family = AF_NETLINK, .nl_groups = groups };
	cleanup_close int fd =
		socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);

	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return log_errno(errno, "cannot ask the kernel for local addresses (netlink): %s",
				 strerror(errno));
	return take_fd(fd);
}

int local_addresses_open(struct local_addresses **out)
{
	/* An address is told before its local route is there, so routes are watched too. */
	const uint32_t groups =
		RTMGRP_IPV4_IFADDR | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_IFADDR | RTMGRP_IPV6_ROUTE;
	cleanup_close int query = open_netlink(0);
	cleanup_close int watch = query < 0 ? query : open_netlink(groups);
	struct local_addresses *local;

	if (watch < 0)
		return watch;
	local = calloc(1, sizeof(*local));
	if (!local)
		return log_errno(ENOMEM, "no memory for local addresses");
	local->query = take_fd(query);
	local->watch = take_fd(watch);
	*out = local;
	return 0;
}

void local_addresses_close(struct local_addresses *local)
{
	if (!local)
		return;
	close(local->query);
	close(local->watch);
	free(local);
}

static int ask(struct local_addresses *local, const uint8_t address[16])
{
	size_t skipped = address_is_ipv4(address) ? IPV4_AT : 0;
	size_t length = sizeof(((struct question *)NULL)->address) - skipped;
	struct question question = {
		.header.nlmsg_type = RTM_GETROUTE,
		.header.nlmsg_flags = NLM_F_REQUEST,
		.header.nlmsg_len = (uint32_t)(offsetof(struct question, address) + length),
		.header.nlmsg_seq = ++local->sequence,
		.route.rtm_family = skipped ? AF_INET : AF_INET6,
		.route.rtm_dst_len = (uint8_t)(length * 8),
		.attribute.rta_type = RTA_DST,
		.attribute.rta_len = (uint16_t)RTA_LENGTH(length),
	};

	memcpy(question.address, address + skipped, length);
	if (send(local->query, &question, question.header.nlmsg_len, 0) < 0)
		return -errno;
	return 0;
}

/* "No route" and its kin are answers: not held. A kernel short of memory gave none. */
static int verdict_of(const struct nlmsghdr *header)
{
	const struct nlmsgerr *refusal = NLMSG_DATA(header);
	const struct rtmsg *route = NLMSG_DATA(header);

	if (header->nlmsg_type == RTM_NEWROUTE && header->nlmsg_len >= NLMSG_LENGTH(sizeof(*route)))
		return route->rtm_type == RTN_LOCAL;
	if (header->nlmsg_type != NLMSG_ERROR || header->nlmsg_len < NLMSG_LENGTH(sizeof(*refusal)))
		return -EBADMSG;
	return refusal->error == -ENOMEM || refusal->error == -ENOBUFS ? refusal->error : 0;
}

/* The kernel answers within the question's send(): an answer that is not there is none. */
static int read_answer(const struct local_addresses *local)
{
	union reply reply;
	ssize_t length;

	do {
		length = recv(local->query, &reply, sizeof(reply), 0);
		if (length < 0)
			return -errno;
		if (!NLMSG_OK(&reply.header, (size_t)length))
			return -EBADMSG;
	} while (reply.header.nlmsg_seq != local->sequence);
	return verdict_of(&reply.header);
}

static struct remembered *place_of(struct local_addresses *local, const uint8_t address[16])
{
	return &local->remembered[(address[13] ^ address[14] ^ address[15]) % REMEMBERED_MAX];
}

int local_addresses_hold(struct local_addresses *local, const uint8_t address[16])
{
	struct remembered *remembered = place_of(local, address);
	int held;

	if (remembered->known && memcmp(remembered->address, address, 16) == 0)
		return remembered->held;

	held = ask(local, address);
	if (held == 0)
		held = read_answer(local);
	if (held < 0)
		return held;
	remembered->known = true;
	remembered->held = held > 0;
	memcpy(remembered->address, address, sizeof(remembered->address));
	return held;
}

/* What exactly changed does not matter; ENOBUFS says that more changed than fitted. */
static void drain(int watch)
{
	char bytes[REPLY_MAX];

	while (recv(watch, bytes, sizeof(bytes), 0) >= 0 || errno == ENOBUFS || errno == EINTR)
		continue;
}

void local_addresses_forget(struct local_addresses *local)
{
	drain(local->watch);
	memset(local->remembered, 0, sizeof(local->remembered));
}

int local_addresses_watch_fd(const struct local_addresses *local)
{
	return local->watch;
}
