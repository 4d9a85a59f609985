/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/tc_query.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/netlink.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>

#include "base/cleanup.h"

#define ANSWER_MAX 32768 /* the largest piece of a dump */

struct request {
	struct nlmsghdr header;
	struct tcmsg body;
};

/* Looks at one object of a dump; *found stays or becomes true. */
typedef void looker(const struct nlmsghdr *message, unsigned int interface, bool *found);

static int ask_for_dump(int fd, uint16_t type, unsigned int interface, uint32_t parent)
{
	struct request request = {
		.header = { .nlmsg_len = sizeof(request),
			    .nlmsg_type = type,
			    .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
		.body = { .tcm_family = AF_UNSPEC,
			  .tcm_ifindex = (int)interface,
			  .tcm_parent = parent },
	};

	return send(fd, &request, sizeof(request), 0) < 0 ? -errno : 0;
}

/* Looks through one piece of a dump; *last becomes true with its last message. */
static int look_through(const struct nlmsghdr *message, int left, looker *look,
			unsigned int interface, bool *found, bool *last)
{
	for (; NLMSG_OK(message, left); message = NLMSG_NEXT(message, left)) {
		const struct nlmsgerr *error = NLMSG_DATA(message);

		if (message->nlmsg_type == NLMSG_ERROR)
			return error->error;
		if (message->nlmsg_type == NLMSG_DONE)
			*last = true;
		else
			look(message, interface, found);
	}
	return 0;
}

static int search(uint16_t type, unsigned int interface, uint32_t parent, looker *look, bool *out)
{
	cleanup_close int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	cleanup_free struct nlmsghdr *answer = malloc(ANSWER_MAX);
	bool found = false, last = false;
	int err;

	if (fd < 0)
		return -errno;
	if (!answer)
		return -ENOMEM;
	err = ask_for_dump(fd, type, interface, parent);
	while (err == 0 && !last) {
		ssize_t length = recv(fd, answer, ANSWER_MAX, 0);

		err = length < 0
			      ? -errno
			      : look_through(answer, (int)length, look, interface, &found, &last);
	}
	if (err == 0)
		*out = found;
	return err;
}

static void look_for_filter(const struct nlmsghdr *message, unsigned int interface, bool *found)
{
	(void)interface;
	if (message->nlmsg_type == RTM_NEWTFILTER)
		*found = true;
}

int tc_query_filters(unsigned int interface, bool *any)
{
	bool ingress, egress;
	int err = search(RTM_GETTFILTER, interface, TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS),
			 look_for_filter, &ingress);

	if (err == 0)
		err = search(RTM_GETTFILTER, interface, TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_EGRESS),
			     look_for_filter, &egress);
	if (err == 0)
		*any = ingress || egress;
	return err;
}

/* The kernel says all qdiscs of all interfaces, whatever it is asked. */
static void look_for_ingress_qdisc(const struct nlmsghdr *message, unsigned int interface,
				   bool *found)
{
	const struct tcmsg *body = NLMSG_DATA(message);
	const struct rtattr *attribute = TCA_RTA(body);
	int left = (int)TCA_PAYLOAD(message);

	if (message->nlmsg_type != RTM_NEWQDISC || body->tcm_ifindex != (int)interface ||
	    body->tcm_parent != TC_H_INGRESS)
		return;
	for (; RTA_OK(attribute, left); attribute = RTA_NEXT(attribute, left)) {
		if (attribute->rta_type == TCA_KIND)
			*found = strncmp(RTA_DATA(attribute), "ingress", RTA_PAYLOAD(attribute)) ==
				 0;
	}
}

int tc_query_ingress_only(unsigned int interface, bool *ingress_only)
{
	return search(RTM_GETQDISC, interface, TC_H_ROOT, look_for_ingress_qdisc, ingress_only);
}
