/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "callcontrol/trust.h"

#include <string.h>

static bool lies_in(const struct trust_network *network, const uint8_t address[16])
{
	size_t bytes = network->prefix / 8U;
	unsigned int bits = network->prefix % 8U;
	uint8_t mask = (uint8_t)(0xff00U >> bits);

	if (memcmp(network->address, address, bytes) != 0)
		return false;
	return bits == 0 || ((network->address[bytes] ^ address[bytes]) & mask) == 0;
}

bool trust_has(const struct trust_network *networks, size_t count, const uint8_t address[16])
{
	for (size_t i = 0; i < count; i++)
		if (lies_in(&networks[i], address))
			return true;
	return false;
}
