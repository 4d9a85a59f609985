/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/networks.h"

#include <errno.h>

#include "base/address.h"
#include "base/number.h"
#include "config/apply.h"

/* Of a written value no more than this is said in an error. */
#define SAID_MAX 80

static int said_length(struct span text)
{
	return text.length < SAID_MAX ? (int)text.length : SAID_MAX;
}

/* Cuts a text at the first such character; false, and nothing done, if it has none. */
static bool cut(struct span *text, char at, struct span *rest)
{
	const char *found = memchr(text->at, at, text->length);

	if (!found)
		return false;
	*rest = (struct span){ found + 1, text->length - (size_t)(found - text->at) - 1 };
	text->length = (size_t)(found - text->at);
	return true;
}

/* The network of an address and a length: no bits beyond it. */
static struct rules_network network_of(const uint8_t address[16], unsigned int prefix)
{
	struct rules_network network = { .prefix = (uint8_t)prefix };
	unsigned int bytes = prefix / 8, bits = prefix % 8;

	memcpy(network.address, address, bytes);
	if (bits > 0)
		network.address[bytes] = address[bytes] & (uint8_t)(0xff00 >> bits);
	return network;
}

/* Bits beyond the length are more likely a mistake than meant: which network, then? */
static int refuse_bits(const struct rules_network *network, struct text *mistake)
{
	text_format(mistake, "expected no bits beyond the prefix length, as in ");
	networks_write(mistake, network);
	return -EINVAL;
}

int networks_read(struct span text, struct rules_network *out, struct text *mistake)
{
	struct span host = text, digits = { 0 };
	bool has_length = cut(&host, '/', &digits);
	unsigned int longest = memchr(host.at, ':', host.length) ? 128 : 32;
	uint64_t length = longest;
	struct rules_network network;
	uint8_t address[16];

	if (address_read(host, address)) {
		text_format(mistake,
			    "expected a network such as 203.0.113.0/24 or 2001:db8::/32, "
			    "not \"%.*s\"",
			    said_length(text), text.at);
		return -EINVAL;
	}
	if (has_length && number_read(digits, 0, longest, &length)) {
		text_format(mistake, "expected a prefix length from 0 to %u, not \"%.*s\"", longest,
			    said_length(digits), digits.at);
		return -EINVAL;
	}
	network = network_of(address, 128 - longest + (unsigned int)length);
	if (memcmp(network.address, address, sizeof(address)) != 0)
		return refuse_bits(&network, mistake);
	*out = network;
	return 0;
}

void networks_write(struct text *out, const struct rules_network *network)
{
	bool ipv4 = network->prefix >= 96 && address_is_ipv4(network->address);

	address_write(out, network->address);
	text_format(out, "/%u", network->prefix - (ipv4 ? 96U : 0U));
}

struct rules_network *networks_place(struct config *config, const struct rules_network *network,
				     struct text *mistake)
{
	for (size_t i = 0; i < config->network_count; i++) {
		struct rules_network *known = &config->networks[i];

		if (known->prefix == network->prefix &&
		    memcmp(known->address, network->address, sizeof(known->address)) == 0)
			return known;
	}
	if (config->network_count == RULES_NETWORKS_MAX) {
		text_format(mistake, "expected at most %d networks", RULES_NETWORKS_MAX);
		return NULL;
	}
	config->networks[config->network_count] = *network;
	return &config->networks[config->network_count++];
}

/* Puts "KEY=VALUE" into a network; "ignore" alone stands for "ignore=yes". */
static int apply_piece(struct rules_network *network, struct span piece, struct text *mistake)
{
	char key[16], why[256];
	struct text name = TEXT_OVER(key), reason = TEXT_OVER(why);
	struct span value = SPAN("yes");
	bool has_value = cut(&piece, '=', &value);
	const struct option_entry *entry;

	text_add(&name, piece);
	entry = name.overflow ? NULL : options_find_key(OPTIONS_NETWORK, key);
	if (!entry || (!has_value && !span_equal(piece, SPAN("ignore")))) {
		text_format(mistake,
			    "expected threshold=TIME, prompt=METHOD, nat=always|auto or ignore "
			    "after the network, not \"%.*s\"",
			    said_length(piece), piece.at);
		return -EINVAL;
	}
	if (options_apply(network, entry, value, &reason)) {
		text_format(mistake, "%s: %s", key, why);
		return -EINVAL;
	}
	return 0;
}

int networks_apply(void *target, const struct option_value *value)
{
	struct rules_network network, *place;
	struct span list = value->text, piece;

	apply_next_piece(&list, &piece);
	if (networks_read(piece, &network, value->mistake))
		return -EINVAL;
	while (apply_next_piece(&list, &piece))
		if (apply_piece(&network, piece, value->mistake))
			return -EINVAL;
	place = networks_place(target, &network, value->mistake);
	if (!place)
		return -ENOSPC;
	*place = network;
	return 0;
}
