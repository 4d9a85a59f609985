/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "state/nat.h"

#include <string.h>

#include "base/address.h"
#include "kernel_abi.h"

/* True if this host and port is where the packets of the flow come from. */
static bool is_source(const struct flow *flow, struct span host, uint16_t port)
{
	uint8_t address[16];

	if (address_read(host, address) || memcmp(address, flow->remote_addr, sizeof(address)) != 0)
		return false;
	if (flow->transport == FLOW_TCP)
		return true;
	return (port ? port : SIPPATH_PORT_DEFAULT) == flow->remote_port;
}

bool nat_between(const struct flow *flow, const struct facts *facts)
{
	if (facts->is_request ? !is_source(flow, facts->sent_by, facts->sent_by_port)
			      : facts->contact_count == 0)
		return true;
	for (uint32_t i = 0; i < facts->contact_count; i++)
		if (!is_source(flow, facts->contacts[i].host, facts->contacts[i].port))
			return true;
	return false;
}
