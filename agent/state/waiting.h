/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * waiting.h - a request that waits for its answer as it is written down, so that it outlives the
 * agent: the noun between the transactions and the store.
 */
#ifndef AGENT_STATE_WAITING_H
#define AGENT_STATE_WAITING_H

#include <stdint.h>

#include "flow.h"
#include "sip/facts.h"

struct waiting {
	struct flow flow;
	uint64_t seen_ns; /* CLOCK_MONOTONIC, as the next one */
	uint64_t since_ns; /* it waits from then on */
	uint8_t direction; /* enum sighting_direction: which way it went */
	uint8_t stage; /* what it waits for; the transactions' own */
	const struct facts *facts; /* ends after its contact_count contacts */
};

#endif
