/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "keep/wire.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/address.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "keep/datagram.h"
#include "keep/local_addresses.h"

#define BATCH 64 /* datagrams of one sendmmsg() */
#define SEND_BUFFER_BYTES (1024 * 1024) /* of a socket: some hundred prompts in a slow link */
#define UNBROKEN_MIN 1000 /* successes in a row after which a trouble is over */
#define IPV4_AT 12 /* where the four bytes of a mapped address start */

/* The source as ancillary data. */
union source {
	struct cmsghdr header;
	char bytes[CMSG_SPACE(sizeof(struct in6_pktinfo))];
};

union destination {
	struct sockaddr any;
	struct sockaddr_in ipv4;
	struct sockaddr_in6 ipv6;
};

struct slot {
	struct flow flow;
	union destination to;
	union source from;
	struct iovec bytes;
	uint8_t packet[DATAGRAM_HEADERS_MAX + WIRE_DATAGRAM_MAX];
};

/* One family's socket, and what waits to be sent by it. */
struct queue {
	int fd; /* -1 if this host lacks the family */
	unsigned int count;
	struct mmsghdr messages[BATCH];
	struct slot slots[BATCH];
};

/* Said when it begins and when it is over, however often it happens in between. */
struct trouble {
	bool present;
	unsigned int unbroken; /* successes since it last happened */
};

struct wire {
	struct queue ipv4, ipv6;
	struct local_addresses *local;
	struct counts *counts;
	struct trouble not_held;
	wire_refusal_handler *on_refusal; /* NULL for nobody */
	void *refusal_context;
};

/* True if the trouble begins with this. */
static bool trouble_happens(struct trouble *trouble)
{
	bool begins = !trouble->present;

	*trouble = (struct trouble){ .present = true };
	return begins;
}

/* True if the trouble is over with this. */
static bool trouble_spared(struct trouble *trouble)
{
	if (!trouble->present || ++trouble->unbroken < UNBROKEN_MIN)
		return false;
	trouble->present = false;
	return true;
}

static int set_option(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value));
}

/*
 * A raw socket whose packets bring their own IP header. The "receive errors" options
 * make a full transmit queue known, which is otherwise kept from raw sockets; IPv6's
 * "free bind" admits sources out of prefixes that are routed to this host.
 */
static int open_raw(int family, uint32_t mark)
{
	cleanup_close int fd = socket(family, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_RAW);

	if (fd < 0)
		return -errno;
	if (set_option(fd, SOL_SOCKET, SO_MARK, (int)mark) ||
	    set_option(fd, SOL_SOCKET, SO_SNDBUFFORCE, SEND_BUFFER_BYTES))
		return -errno;
	if (family == AF_INET && set_option(fd, IPPROTO_IP, IP_RECVERR, 1))
		return -errno;
	if (family == AF_INET6 && (set_option(fd, IPPROTO_IPV6, IPV6_RECVERR, 1) ||
				   set_option(fd, IPPROTO_IPV6, IPV6_FREEBIND, 1)))
		return -errno;
	return take_fd(fd);
}

/* Sets what is the same for every datagram of a queue. */
static void prepare_queue(struct queue *queue)
{
	queue->fd = -1;
	for (unsigned int i = 0; i < BATCH; i++) {
		struct slot *slot = &queue->slots[i];
		struct msghdr *message = &queue->messages[i].msg_hdr;

		slot->bytes.iov_base = slot->packet;
		message->msg_name = &slot->to;
		message->msg_iov = &slot->bytes;
		message->msg_iovlen = 1;
		message->msg_control = &slot->from;
	}
}

static int open_sockets(struct wire *wire, uint32_t mark)
{
	wire->ipv4.fd = open_raw(AF_INET, mark);
	if (wire->ipv4.fd < 0)
		return wire->ipv4.fd;
	wire->ipv6.fd = open_raw(AF_INET6, mark);
	return wire->ipv6.fd == -EAFNOSUPPORT || wire->ipv6.fd >= 0 ? 0 : wire->ipv6.fd;
}

int wire_open(uint32_t mark, struct counts *counts, struct wire **out)
{
	struct wire *wire = calloc(1, sizeof(*wire));
	int error;

	if (!wire)
		return log_errno(ENOMEM, "no memory for sending prompts");
	wire->counts = counts;
	prepare_queue(&wire->ipv4);
	prepare_queue(&wire->ipv6);
	error = local_addresses_open(&wire->local);
	if (error) {
		wire_close(wire);
		return error;
	}
	error = open_sockets(wire, mark);
	if (error) {
		wire_close(wire);
		return log_errno(-error,
				 "cannot open raw sockets for prompts: %s "
				 "(run as root, or with CAP_NET_RAW and CAP_NET_ADMIN)",
				 strerror(-error));
	}
	*out = wire;
	return 0;
}

void wire_close(struct wire *wire)
{
	if (!wire)
		return;
	cleanup_close_(&wire->ipv4.fd);
	cleanup_close_(&wire->ipv6.fd);
	local_addresses_close(wire->local);
	free(wire);
}

/* The queue for a flow, or NULL if its datagrams cannot be sent from here. */
static struct queue *queue_of(struct wire *wire, const struct flow *flow)
{
	bool ipv4 = address_is_ipv4(flow->local_addr);
	struct queue *queue = ipv4 ? &wire->ipv4 : &wire->ipv6;

	if (flow->transport != FLOW_UDP || address_is_ipv4(flow->remote_addr) != ipv4)
		return NULL;
	return queue->fd < 0 ? NULL : queue;
}

/*
 * The kernel routes by the destination given here. The source goes along as ancillary
 * data, because routes may depend on it: a prompt must leave the way the server's own
 * packets leave.
 */
static size_t address_ipv4(struct slot *slot, const struct flow *flow)
{
	struct in_pktinfo source = { 0 };
	struct cmsghdr *header = &slot->from.header;

	memcpy(&source.ipi_spec_dst, flow->local_addr + IPV4_AT, sizeof(source.ipi_spec_dst));
	header->cmsg_level = IPPROTO_IP;
	header->cmsg_type = IP_PKTINFO;
	header->cmsg_len = CMSG_LEN(sizeof(source));
	memcpy(CMSG_DATA(header), &source, sizeof(source));

	slot->to.ipv4 = (struct sockaddr_in){ .sin_family = AF_INET };
	memcpy(&slot->to.ipv4.sin_addr, flow->remote_addr + IPV4_AT, sizeof(struct in_addr));
	return CMSG_SPACE(sizeof(source));
}

static size_t address_ipv6(struct slot *slot, const struct flow *flow)
{
	struct in6_pktinfo source = { 0 };
	struct cmsghdr *header = &slot->from.header;

	memcpy(&source.ipi6_addr, flow->local_addr, sizeof(source.ipi6_addr));
	header->cmsg_level = IPPROTO_IPV6;
	header->cmsg_type = IPV6_PKTINFO;
	header->cmsg_len = CMSG_LEN(sizeof(source));
	memcpy(CMSG_DATA(header), &source, sizeof(source));

	slot->to.ipv6 = (struct sockaddr_in6){ .sin6_family = AF_INET6 };
	memcpy(&slot->to.ipv6.sin6_addr, flow->remote_addr, sizeof(struct in6_addr));
	return CMSG_SPACE(sizeof(source));
}

static void fill_slot(struct queue *queue, const struct flow *flow, struct span payload)
{
	struct slot *slot = &queue->slots[queue->count];
	struct msghdr *message = &queue->messages[queue->count].msg_hdr;
	bool ipv4 = address_is_ipv4(flow->local_addr);

	slot->flow = *flow;
	slot->bytes.iov_len = datagram_write(flow, payload, slot->packet);
	message->msg_controllen = ipv4 ? address_ipv4(slot, flow) : address_ipv6(slot, flow);
	message->msg_namelen = ipv4 ? sizeof(slot->to.ipv4) : sizeof(slot->to.ipv6);
	queue->count++;
}

/* Errors that say something about this host, and so about the datagrams that follow too. */
static bool is_congestion(int error)
{
	return error == EAGAIN || error == ENOBUFS || error == ENOMEM;
}

static void tell_refusals(struct wire *wire, const struct slot *slots, unsigned int datagrams,
			  bool congested)
{
	for (unsigned int i = 0; wire->on_refusal && i < datagrams; i++)
		wire->on_refusal(wire->refusal_context, &slots[i].flow, congested);
}

static void count_refused(struct wire *wire, unsigned int datagrams, int error)
{
	count_many(wire->counts, prompts_failed, datagrams);
	if (is_congestion(error))
		count_many(wire->counts, prompts_failed_congested, datagrams);
	else if (error == EPERM || error == EACCES)
		count_many(wire->counts, prompts_failed_denied, datagrams);
	else if (error == ENETUNREACH || error == EHOSTUNREACH || error == ENETDOWN)
		count_many(wire->counts, prompts_failed_unreachable, datagrams);
	else
		log_debug("a prompt could not be sent: %s", strerror(error));
}

static void flush_queue(struct wire *wire, struct queue *queue)
{
	unsigned int done = 0;

	while (done < queue->count) {
		unsigned int left = queue->count - done, refused;
		int sent = sendmmsg(queue->fd, queue->messages + done, left, MSG_DONTWAIT);
		bool congested = sent <= 0 && is_congestion(errno);

		if (sent > 0) {
			done += (unsigned int)sent;
		} else if (errno != EINTR) {
			refused = congested ? left : 1;
			count_refused(wire, refused, errno);
			tell_refusals(wire, &queue->slots[done], refused, congested);
			done += refused;
		}
	}
	queue->count = 0;
}

static int hold_back(struct wire *wire)
{
	count_up(wire->counts, prompts_held);
	if (trouble_happens(&wire->not_held))
		log_info("this host does not hold the local address of some paths: "
			 "they are not prompted until it does");
	return -EADDRNOTAVAIL;
}

static int fail(struct wire *wire, int error)
{
	count_up(wire->counts, prompts_failed);
	return error;
}

bool wire_holds(struct wire *wire, const struct flow *flow)
{
	return local_addresses_hold(wire->local, flow->local_addr) > 0;
}

int wire_queue(struct wire *wire, const struct flow *flow, struct span payload)
{
	struct queue *queue = queue_of(wire, flow);
	int held;

	if (!queue)
		return fail(wire, -EAFNOSUPPORT);
	if (payload.length > WIRE_DATAGRAM_MAX)
		return fail(wire, -EMSGSIZE);
	held = local_addresses_hold(wire->local, flow->local_addr);
	if (held < 0)
		return fail(wire, held);
	if (held == 0)
		return hold_back(wire);

	if (trouble_spared(&wire->not_held))
		log_info("this host holds the local addresses of the paths that are due");
	fill_slot(queue, flow, payload);
	if (queue->count == BATCH)
		flush_queue(wire, queue);
	return 0;
}

void wire_on_refusal(struct wire *wire, wire_refusal_handler *handler, void *context)
{
	wire->on_refusal = handler;
	wire->refusal_context = context;
}

void wire_flush(struct wire *wire)
{
	flush_queue(wire, &wire->ipv4);
	flush_queue(wire, &wire->ipv6);
}

void wire_addresses_changed(struct wire *wire)
{
	local_addresses_forget(wire->local);
}

int wire_watch_fd(const struct wire *wire)
{
	return local_addresses_watch_fd(wire->local);
}
