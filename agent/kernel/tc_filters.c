/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/tc_filters.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include <linux/netlink.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>

#include "base/cleanup.h"

#define ANSWER_MAX 32768 /* the largest piece of a dump */

struct request {
	struct nlmsghdr header;
	struct tcmsg filter;
};

static int ask_for_dump(int fd, unsigned int interface, uint32_t parent)
{
	struct request request = {
		.header = { .nlmsg_len = sizeof(request),
			    .nlmsg_type = RTM_GETTFILTER,
			    .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
		.filter = { .tcm_family = AF_UNSPEC,
			    .tcm_ifindex = (int)interface,
			    .tcm_parent = parent },
	};

	return send(fd, &request, sizeof(request), 0) < 0 ? -errno : 0;
}

/* Looks through one piece of a dump; *last becomes true with its last message. */
static int look_through(const struct nlmsghdr *message, int left, bool *any, bool *last)
{
	for (; NLMSG_OK(message, left); message = NLMSG_NEXT(message, left)) {
		const struct nlmsgerr *error = NLMSG_DATA(message);

		if (message->nlmsg_type == NLMSG_ERROR)
			return error->error;
		if (message->nlmsg_type == NLMSG_DONE)
			*last = true;
		if (message->nlmsg_type == RTM_NEWTFILTER)
			*any = true;
	}
	return 0;
}

static int any_at(unsigned int interface, uint32_t parent)
{
	cleanup_close int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	cleanup_free struct nlmsghdr *answer = malloc(ANSWER_MAX);
	bool any = false, last = false;
	int err;

	if (fd < 0)
		return -errno;
	if (!answer)
		return -ENOMEM;
	err = ask_for_dump(fd, interface, parent);
	while (err == 0 && !last) {
		ssize_t length = recv(fd, answer, ANSWER_MAX, 0);

		err = length < 0 ? -errno : look_through(answer, (int)length, &any, &last);
	}
	return err < 0 ? err : any;
}

int tc_filters_any(unsigned int interface)
{
	int any = any_at(interface, TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS));

	if (any != 0)
		return any;
	return any_at(interface, TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_EGRESS));
}
