/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "keep/rules.h"

#include <string.h>

#include "base/address.h"

/* Compares two networks for the order of the table: the longest prefix first. */
static int compare(const struct rules_network *a, const struct rules_network *b)
{
	if (a->prefix != b->prefix)
		return a->prefix > b->prefix ? -1 : 1;
	return memcmp(a->address, b->address, sizeof(a->address));
}

/* That IPv4 stands among the addresses of IPv6 is our own way of writing: ::/0 is IPv6 alone. */
static bool contains(const struct rules_network *network, const uint8_t address[16])
{
	unsigned int bytes = network->prefix / 8, bits = network->prefix % 8;

	if (network->prefix < RULES_IPV4_PREFIX && address_is_ipv4(address))
		return false;
	if (memcmp(network->address, address, bytes) != 0)
		return false;
	return bits == 0 || (network->address[bytes] ^ address[bytes]) >> (8 - bits) == 0;
}

/* What is given for a network over the defaults. */
static struct path_rules in_force(const struct path_rules *defaults,
				  const struct rules_network *network)
{
	struct path_rules rules = *defaults;

	if (network->has_threshold)
		rules.threshold_ns = network->own.threshold_ns;
	if (network->has_method)
		rules.method = network->own.method;
	if (network->has_nat)
		rules.nat = network->own.nat;
	rules.ignored = network->own.ignored;
	return rules;
}

static void enforce(struct rules *rules)
{
	for (size_t i = 0; i < rules->count; i++)
		rules->networks[i] = in_force(&rules->defaults, &rules->given[i]);
}

/* Puts a network to its place, or over the one that was given before. */
static void insert(struct rules *rules, const struct rules_network *network)
{
	size_t at = 0;

	while (at < rules->count && compare(&rules->given[at], network) < 0)
		at++;
	if (at == rules->count || compare(&rules->given[at], network) != 0) {
		memmove(&rules->given[at + 1], &rules->given[at],
			(rules->count - at) * sizeof(rules->given[0]));
		rules->count++;
	}
	rules->given[at] = *network;
}

void rules_init(struct rules *rules, const struct path_rules *defaults,
		const struct rules_network *networks, size_t count)
{
	*rules = (struct rules){ .defaults = *defaults };
	for (size_t i = 0; i < count && i < RULES_NETWORKS_MAX; i++)
		insert(rules, &networks[i]);
	enforce(rules);
}

void rules_set_threshold(struct rules *rules, uint64_t threshold_ns)
{
	rules->defaults.threshold_ns = threshold_ns;
	enforce(rules);
}

const struct path_rules *rules_find(const struct rules *rules, const uint8_t address[16])
{
	for (size_t i = 0; i < rules->count; i++)
		if (contains(&rules->given[i], address))
			return &rules->networks[i];
	return &rules->defaults;
}
