/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/apply_cluster.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/address.h"
#include "config/apply.h"
#include "config/networks.h"
#include "sip/values.h"

int apply_cluster(void *target, const struct option_value *value)
{
	struct config *config = target;
	int error = redis_address_read(value->text, &config->cluster);

	/* What was written may hold a password: it is not repeated in the log. */
	if (error)
		text_format(value->mistake, "expected %s", value->entry->expected);
	else
		config->in_cluster = true;
	return error;
}

int apply_node(void *target, const struct option_value *value)
{
	struct config *config = target;

	if (!node_name_is_good(value->text))
		return -EINVAL;
	memcpy(config->node, value->text.at, value->text.length);
	config->node[value->text.length] = '\0';
	return 0;
}

/* Nothing looks up names while calls wait, so there is no host name in it. */
int apply_node_uri(void *target, const struct option_value *value)
{
	struct span scheme = SPAN("sip:"), rest = value->text;
	struct config *config = target;
	uint8_t address[16];
	uint16_t port;

	if (rest.length <= scheme.length || rest.length > NODE_URI_MAX ||
	    memcmp(rest.at, scheme.at, scheme.length) != 0)
		return -EINVAL;
	rest.at += scheme.length;
	rest.length -= scheme.length;
	if (address_read_port(rest, address, &port) || port == 0)
		return -EINVAL;
	memcpy(config->node_uri, value->text.at, value->text.length);
	config->node_uri[value->text.length] = '\0';
	return 0;
}

static int read_listen(struct span text, struct ports_listen *listen)
{
	static const struct {
		struct span prefix;
		uint8_t transport;
	} transports[] = {
		{ { "udp:", 4 }, FLOW_UDP },
		{ { "tcp:", 4 }, FLOW_TCP },
	};

	for (size_t i = 0; i < sizeof(transports) / sizeof(transports[0]); i++) {
		struct span prefix = transports[i].prefix;
		struct span rest = { text.at + prefix.length, text.length - prefix.length };

		if (text.length <= prefix.length || memcmp(text.at, prefix.at, prefix.length) != 0)
			continue;
		listen->transport = transports[i].transport;
		if (address_read_port(rest, listen->address, &listen->port) || listen->port == 0)
			return -EINVAL;
		return 0;
	}
	return -EINVAL;
}

static bool listens_already(const struct config *config, const struct ports_listen *wanted)
{
	for (size_t i = 0; i < config->listen_count; i++) {
		const struct ports_listen *known = &config->listen[i];

		if (known->transport == wanted->transport && known->port == wanted->port &&
		    memcmp(known->address, wanted->address, sizeof(known->address)) == 0)
			return true;
	}
	return false;
}

int apply_listen(void *target, const struct option_value *value)
{
	struct config *config = target;
	size_t before = config->listen_count;
	struct span list = value->text, piece;
	struct ports_listen listen;

	while (apply_next_piece(&list, &piece)) {
		if (read_listen(piece, &listen) ||
		    (config->listen_count == PORTS_MAX && !listens_already(config, &listen))) {
			config->listen_count = before;
			return -EINVAL;
		}
		if (!listens_already(config, &listen))
			config->listen[config->listen_count++] = listen;
	}
	return 0;
}

static bool is_named_already(const struct config *config, const struct trust_network *network)
{
	for (size_t i = 0; i < config->peer_count; i++)
		if (memcmp(&config->peers[i], network, sizeof(*network)) == 0)
			return true;
	return false;
}

int apply_peers(void *target, const struct option_value *value)
{
	struct config *config = target;
	size_t before = config->peer_count;
	struct span list = value->text, piece;
	struct rules_network network;

	while (apply_next_piece(&list, &piece)) {
		struct trust_network peer;

		if (networks_read(piece, &network, value->mistake)) {
			config->peer_count = before;
			return -EINVAL;
		}
		memcpy(peer.address, network.address, sizeof(peer.address));
		peer.prefix = network.prefix;
		if (is_named_already(config, &peer))
			continue;
		if (config->peer_count == TRUST_NETWORKS_MAX) {
			config->peer_count = before;
			return -EINVAL;
		}
		config->peers[config->peer_count++] = peer;
	}
	return 0;
}

int apply_domain(void *target, const struct option_value *value)
{
	struct config *config = target;
	uint8_t address[16];

	if (value->text.length >= sizeof(config->domain) || !value_is_host(value->text) ||
	    address_read(value->text, address) == 0)
		return -EINVAL;
	for (size_t i = 0; i < value->text.length; i++)
		config->domain[i] = (char)tolower((unsigned char)value->text.at[i]);
	config->domain[value->text.length] = '\0';
	return 0;
}
