/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * keepalive.bpf.h - the kernel's keepalive of one socket: switched on where the SIP server
 * has chosen nothing, and nowhere against what it has chosen.
 *
 * A server chooses by the options of the listening socket, or at any time later: so a socket
 * is read before it is written, and looked at again from time to time.
 */
#ifndef BPF_KEEPALIVE_BPF_H
#define BPF_KEEPALIVE_BPF_H

#include <linux/in.h>
#include <linux/tcp.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>

#include "kernel_abi.h"
#include "path_entry.h"

/* Of the kernel, and in no header that a BPF program can include. */
#define SOL_SOCKET 1
#define SO_KEEPALIVE 9

/*
 * As many probes as the kernel can count: to give a connection up is for the server. By this
 * number and the time between probes, a quarter of the idle time so that a lost probe is made
 * good before the NAT forgets, ours is told from what a server has chosen.
 */
#define KEEPALIVE_PROBES 127
#define KEEPALIVE_INTERVALS 4

/* What a socket has. */
struct keepalive {
	int on;
	int idle_s;
	int interval_s;
	int probes;
	int user_timeout_ms; /* ends a connection that does not answer a probe, whatever "probes" says */
};

static __always_inline bool keepalive_get(void *socket, int level, int option, int *value)
{
	return bpf_getsockopt(socket, level, option, value, sizeof(*value)) == 0;
}

static __always_inline bool keepalive_set(void *socket, int level, int option, int value)
{
	return bpf_setsockopt(socket, level, option, &value, sizeof(value)) == 0;
}

/* False on kernels before Linux 6.1: what cannot be read is not written. */
static __always_inline bool keepalive_read(void *socket, struct keepalive *keepalive)
{
	return keepalive_get(socket, SOL_SOCKET, SO_KEEPALIVE, &keepalive->on) &&
	       keepalive_get(socket, IPPROTO_TCP, TCP_KEEPIDLE, &keepalive->idle_s) &&
	       keepalive_get(socket, IPPROTO_TCP, TCP_KEEPINTVL, &keepalive->interval_s) &&
	       keepalive_get(socket, IPPROTO_TCP, TCP_KEEPCNT, &keepalive->probes) &&
	       keepalive_get(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, &keepalive->user_timeout_ms);
}

/* The time between probes that goes with an idle time, in seconds. */
static __always_inline int keepalive_interval(int idle_s)
{
	__u32 interval_s = (__u32)idle_s / KEEPALIVE_INTERVALS;

	return interval_s > 0 ? interval_s : 1;
}

static __always_inline bool keepalive_switch_on(void *socket, int idle_s)
{
	return keepalive_set(socket, IPPROTO_TCP, TCP_KEEPIDLE, idle_s) &&
	       keepalive_set(socket, IPPROTO_TCP, TCP_KEEPINTVL, keepalive_interval(idle_s)) &&
	       keepalive_set(socket, IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE_PROBES) &&
	       keepalive_set(socket, SOL_SOCKET, SO_KEEPALIVE, 1);
}

/*
 * True if what a socket has is to stay: the choice of the server, or ours as it should be.
 * Ours does not go where the server has set a user timeout: it would end the connections of
 * phones that sleep. Where the server has switched it off behind us it stays off.
 */
static __always_inline bool keepalive_stays(const struct keepalive *has, bool is_ours, int idle_s)
{
	if (has->user_timeout_ms)
		return !has->on || !is_ours;
	return is_ours ? !has->on || has->idle_s == idle_s : has->on && has->idle_s <= idle_s;
}

/* The server's own is only ever made earlier. */
static __always_inline bool keepalive_change(void *socket, const struct keepalive *has,
					     bool is_ours, int idle_s)
{
	if (has->user_timeout_ms)
		return keepalive_set(socket, SOL_SOCKET, SO_KEEPALIVE, 0);
	if (has->on && !is_ours)
		return keepalive_set(socket, IPPROTO_TCP, TCP_KEEPIDLE, idle_s);
	return keepalive_switch_on(socket, idle_s);
}

/* What became of it. */
enum keepalive_outcome {
	KEEPALIVE_NONE, /* nothing probes the socket in time, by the server's choice or ours */
	KEEPALIVE_REFUSED, /* the same, because the kernel refused */
	KEEPALIVE_STANDS,
};

/* Has a socket probed after so many quiet seconds, if that is for us to choose; 0 is never. */
static __always_inline enum keepalive_outcome keepalive_see_to(void *socket, int idle_s)
{
	struct keepalive has = {};
	bool is_ours;

	if (idle_s == 0)
		return KEEPALIVE_NONE;
	if (!keepalive_read(socket, &has))
		return KEEPALIVE_REFUSED;
	is_ours =
		has.probes == KEEPALIVE_PROBES && has.interval_s == keepalive_interval(has.idle_s);
	if (keepalive_stays(&has, is_ours, idle_s))
		return has.on && has.idle_s <= idle_s ? KEEPALIVE_STANDS : KEEPALIVE_NONE;
	if (!keepalive_change(socket, &has, is_ours, idle_s))
		return KEEPALIVE_REFUSED;
	return has.user_timeout_ms ? KEEPALIVE_NONE : KEEPALIVE_STANDS;
}

#endif
