/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * trust.h - whose requests call control serves, and to whom it may return more than they have sent:
 * the carriers and proxies that the operator names, whose addresses nobody else can use.
 */
#ifndef AGENT_CALLCONTROL_TRUST_H
#define AGENT_CALLCONTROL_TRUST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TRUST_NETWORKS_MAX 64

struct trust_network {
	uint8_t address[16]; /* network byte order, IPv4 mapped; bits beyond the prefix are zero */
	uint8_t prefix; /* 0..128; of an IPv4 network its own and 96 */
};

/* True if an address lies in one of the networks. */
bool trust_has(const struct trust_network *networks, size_t count, const uint8_t address[16]);

#endif
