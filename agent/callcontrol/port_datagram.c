/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "callcontrol/port_datagram.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/address.h"
#include "callcontrol/message.h"
#include "callcontrol/port_socket.h"

/* The control message that says, or sets, the local address of a datagram. */
union packet_info {
	struct cmsghdr head; /* aligns it */
	char bytes[CMSG_SPACE(sizeof(struct in6_pktinfo))];
};

struct place {
	union port_name remote;
	union packet_info info;
	struct iovec vector;
	char bytes[MESSAGE_MAX];
};

struct port_datagrams {
	struct mmsghdr heads[PORT_DATAGRAMS_MAX];
	struct place places[PORT_DATAGRAMS_MAX];
};

struct port_datagrams *port_datagrams_new(void)
{
	return calloc(1, sizeof(struct port_datagrams));
}

void port_datagrams_free(struct port_datagrams *datagrams)
{
	free(datagrams);
}

static void prepare(struct mmsghdr *head, struct place *place)
{
	place->vector = (struct iovec){ place->bytes, sizeof(place->bytes) };
	head->msg_hdr = (struct msghdr){
		.msg_name = &place->remote,
		.msg_namelen = sizeof(place->remote),
		.msg_iov = &place->vector,
		.msg_iovlen = 1,
		.msg_control = &place->info,
		.msg_controllen = sizeof(place->info),
	};
}

size_t port_datagrams_receive(struct port_datagrams *datagrams, int fd)
{
	int count;

	for (size_t i = 0; i < PORT_DATAGRAMS_MAX; i++)
		prepare(&datagrams->heads[i], &datagrams->places[i]);
	count = recvmmsg(fd, datagrams->heads, PORT_DATAGRAMS_MAX, MSG_DONTWAIT, NULL);
	return count < 0 ? 0 : (size_t)count;
}

/* IPv4: the address that an answer is to be sent from, which differs for a broadcast. */
static void read_local(struct msghdr *head, uint8_t address[16])
{
	union port_name name = { .ipv6 = { 0 } };
	uint16_t port;

	for (struct cmsghdr *info = CMSG_FIRSTHDR(head); info; info = CMSG_NXTHDR(head, info)) {
		if (info->cmsg_level == IPPROTO_IP && info->cmsg_type == IP_PKTINFO) {
			struct in_pktinfo found;

			memcpy(&found, CMSG_DATA(info), sizeof(found));
			name.ipv4.sin_family = AF_INET;
			name.ipv4.sin_addr = found.ipi_spec_dst;
		} else if (info->cmsg_level == IPPROTO_IPV6 && info->cmsg_type == IPV6_PKTINFO) {
			struct in6_pktinfo found;

			memcpy(&found, CMSG_DATA(info), sizeof(found));
			name.ipv6.sin6_family = AF_INET6;
			name.ipv6.sin6_addr = found.ipi6_addr;
		}
	}
	port_name_read(&name, address, &port);
}

struct span port_datagrams_get(const struct port_datagrams *datagrams, size_t index,
			       struct flow *flow)
{
	struct msghdr head = datagrams->heads[index].msg_hdr;
	const struct place *place = &datagrams->places[index];

	*flow = (struct flow){ .transport = FLOW_UDP };
	port_name_read(&place->remote, flow->remote_addr, &flow->remote_port);
	read_local(&head, flow->local_addr);
	return (struct span){ place->bytes, datagrams->heads[index].msg_len };
}

/* The interface is left to the routes. */
static void write_local(struct msghdr *head, union packet_info *info, const uint8_t address[16])
{
	struct cmsghdr *cmsg = &info->head;
	union port_name name;

	port_name_write(&name, address, 0);
	head->msg_control = info;
	if (name.any.sa_family == AF_INET) {
		struct in_pktinfo local = { .ipi_spec_dst = name.ipv4.sin_addr };

		head->msg_controllen = CMSG_SPACE(sizeof(local));
		*cmsg = (struct cmsghdr){ CMSG_LEN(sizeof(local)), IPPROTO_IP, IP_PKTINFO };
		memcpy(CMSG_DATA(cmsg), &local, sizeof(local));
	} else {
		struct in6_pktinfo local = { .ipi6_addr = name.ipv6.sin6_addr };

		head->msg_controllen = CMSG_SPACE(sizeof(local));
		*cmsg = (struct cmsghdr){ CMSG_LEN(sizeof(local)), IPPROTO_IPV6, IPV6_PKTINFO };
		memcpy(CMSG_DATA(cmsg), &local, sizeof(local));
	}
}

int port_datagram_send(int fd, const struct flow *flow, struct span bytes)
{
	union port_name remote;
	struct iovec vector = { (void *)(uintptr_t)bytes.at, bytes.length };
	union packet_info info = { .bytes = "" };
	struct msghdr head = {
		.msg_name = &remote,
		.msg_namelen = port_name_write(&remote, flow->remote_addr, flow->remote_port),
		.msg_iov = &vector,
		.msg_iovlen = 1,
	};

	if (address_is_ipv4(flow->local_addr) != address_is_ipv4(flow->remote_addr))
		return -EAFNOSUPPORT;
	write_local(&head, &info, flow->local_addr);
	return sendmsg(fd, &head, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno : 0;
}
