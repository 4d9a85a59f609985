/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * peers.h - which addresses are those of nodes of the set: nobody else's responses are passed
 * on, and nowhere else does a request go.
 *
 * Included by server_parts.h. They are read off the view from time to time, and when somebody is
 * asked for who is not known.
 */
#ifndef AGENT_CALLCONTROL_PEERS_H
#define AGENT_CALLCONTROL_PEERS_H

#include <stdbool.h>
#include <stdint.h>

#include "cluster/view.h"

struct peers;

/* The view outlives it; NULL without memory. */
struct peers *peers_new(const struct view *view);
void peers_free(struct peers *peers);

/* True if calls for a node of the set go to that address, to whichever port. */
bool peers_has_address(struct peers *peers, const uint8_t address[16], uint64_t now_ns);

/* True if calls for a node of the set go to that address and port. */
bool peers_has(struct peers *peers, const uint8_t address[16], uint16_t port, uint64_t now_ns);

/* True if there is one, and it lives. */
bool peers_has_alive(struct peers *peers, const uint8_t address[16], uint16_t port,
		     uint64_t now_ns);

#endif
