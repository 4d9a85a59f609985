/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "callcontrol/peers.h"

#include <stdlib.h>

#include "callcontrol/passing.h"

/* The view is read anew so often at least: follow.h reads the nodes as often. */
#define READ_NS (UINT64_C(500) * 1000000)

#define ANY_PORT 0

struct peer {
	uint8_t address[16];
	uint16_t port;
	uint8_t name_length;
	char name[NODE_NAME_MAX];
};

struct peers {
	const struct view *view;
	uint64_t read_ns; /* 0: never */
	size_t count;
	struct peer peer[VIEW_NODES_MAX];
	struct node nodes[VIEW_NODES_MAX]; /* room to read them into */
};

struct peers *peers_new(const struct view *view)
{
	struct peers *peers = calloc(1, sizeof(*peers));

	if (peers)
		peers->view = view;
	return peers;
}

void peers_free(struct peers *peers)
{
	free(peers);
}

static void add(struct peers *peers, const struct node *node)
{
	struct peer *peer = &peers->peer[peers->count];

	if (node->name.length > NODE_NAME_MAX ||
	    passing_target(node->uri, peer->address, &peer->port))
		return;
	peer->name_length = (uint8_t)node->name.length;
	memcpy(peer->name, node->name.at, node->name.length);
	peers->count++;
}

static void read_view(struct peers *peers, uint64_t now_ns)
{
	size_t count = view_nodes(peers->view, peers->nodes, VIEW_NODES_MAX);

	peers->count = 0;
	for (size_t i = 0; i < count; i++)
		add(peers, &peers->nodes[i]);
	peers->read_ns = now_ns;
}

static const struct peer *look(const struct peers *peers, const uint8_t address[16], uint16_t port)
{
	for (size_t i = 0; i < peers->count; i++) {
		const struct peer *peer = &peers->peer[i];

		if ((port == ANY_PORT || peer->port == port) &&
		    memcmp(peer->address, address, sizeof(peer->address)) == 0)
			return peer;
	}
	return NULL;
}

static const struct peer *find(struct peers *peers, const uint8_t address[16], uint16_t port,
			       uint64_t now_ns)
{
	bool is_recent = peers->read_ns && now_ns - peers->read_ns < READ_NS;
	const struct peer *known = is_recent ? look(peers, address, port) : NULL;

	if (known)
		return known;
	read_view(peers, now_ns);
	return look(peers, address, port);
}

bool peers_has_address(struct peers *peers, const uint8_t address[16], uint64_t now_ns)
{
	return find(peers, address, ANY_PORT, now_ns);
}

bool peers_has(struct peers *peers, const uint8_t address[16], uint16_t port, uint64_t now_ns)
{
	return port != ANY_PORT && find(peers, address, port, now_ns);
}

bool peers_has_alive(struct peers *peers, const uint8_t address[16], uint16_t port, uint64_t now_ns)
{
	const struct peer *peer = port == ANY_PORT ? NULL : find(peers, address, port, now_ns);

	return peer && view_node_is_alive(peers->view,
					  (struct span){ peer->name, peer->name_length }, now_ns);
}
