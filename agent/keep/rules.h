/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rules.h - how the paths of a remote network are kept: the defaults, and the networks
 * for which the configuration says otherwise.
 */
#ifndef AGENT_KEEP_RULES_H
#define AGENT_KEEP_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sip/prompt_msg.h"

#define RULES_NETWORKS_MAX 64

/* Of all IPv4 addresses, as they are mapped; a shorter prefix contains none of them. */
#define RULES_IPV4_PREFIX 96

/* Which devices are prompted. */
enum rules_nat {
	RULES_NAT_ALWAYS, /* all: a firewall without NAT forgets just as well */
	RULES_NAT_AUTO, /* those behind a NAT, see state/nat.h */
};

struct path_rules {
	uint64_t threshold_ns;
	enum prompt_method method;
	enum rules_nat nat;
	bool ignored; /* trunks, other proxies: never prompted */
};

/* A remote network and what is said of it; what is not said is as the defaults are. */
struct rules_network {
	uint8_t address[16]; /* network byte order, IPv4 mapped; bits beyond the prefix are zero */
	uint8_t prefix; /* 0..128; an IPv4 prefix plus RULES_IPV4_PREFIX */
	bool has_threshold, has_method, has_nat;
	struct path_rules own;
};

/* Visible because it is a value that its owner embeds; only rules.c changes its members. */
struct rules {
	struct path_rules defaults;
	struct path_rules
		networks[RULES_NETWORKS_MAX]; /* in force: the own ones over the defaults */
	struct rules_network given[RULES_NETWORKS_MAX]; /* the longest prefix first */
	size_t count;
};

/* Makes the rules. At most RULES_NETWORKS_MAX networks; a network given twice: the later one. */
void rules_init(struct rules *rules, const struct path_rules *defaults,
		const struct rules_network *networks, size_t count);

/* Another default threshold, for whatever has none of its own. */
void rules_set_threshold(struct rules *rules, uint64_t threshold_ns);

/* The rules of a remote address: the longest prefix wins. Never NULL; good as long as the rules. */
const struct path_rules *rules_find(const struct rules *rules, const uint8_t address[16]);

#endif
