/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "flows.h"

#include <errno.h>
#include <string.h>

#include "fuzz.h"
#include "seam.h"

struct device {
	struct path_entry entry;
	bool has_entry;
	bool answers;
	uint64_t seen_ns; /* 0 for never */
};

static struct device devices[FUZZ_FLOWS];
static uint64_t latest_ns;

static struct device *find(const struct flow *flow)
{
	for (uint8_t i = 0; i < FUZZ_FLOWS; i++) {
		struct flow known = fuzz_flow(i);

		if (memcmp(&known, flow, sizeof(known)) == 0)
			return &devices[i];
	}
	fuzz_fail(__FILE__, __LINE__, "every path is that of a flow that was seen");
}

static int read_entry(const struct flow *flow, struct path_entry *entry)
{
	const struct device *device = find(flow);

	if (!device->has_entry)
		return -ENOENT;
	*entry = device->entry;
	return 0;
}

static int insert_entry(const struct flow *flow, uint64_t last_seen_ns)
{
	struct device *device = find(flow);

	if (!device->has_entry)
		device->entry = (struct path_entry){ .last_seen_ns = last_seen_ns };
	device->has_entry = true;
	return 0;
}

static int erase_entry(const struct flow *flow)
{
	find(flow)->has_entry = false;
	return 0;
}

static void erase_all(void)
{
	for (size_t i = 0; i < FUZZ_FLOWS; i++)
		devices[i].has_entry = false;
}

static int flow_last_seen(const struct flow *flow, uint64_t *last_seen_ns)
{
	const struct device *device = find(flow);

	if (device->seen_ns == 0)
		return -ENOENT;
	*last_seen_ns = device->seen_ns;
	return 0;
}

static bool holds(const struct flow *flow)
{
	(void)flow;
	return true;
}

/* Nothing is prompted but a path, and nothing but a datagram goes out. */
static int send_prompt(const struct flow *flow, uint64_t token)
{
	struct device *device = find(flow);

	fuzz_demand(device->has_entry && flow->transport == FLOW_UDP);
	seam_stamp_prompt(&device->entry, token, latest_ns);
	if (device->answers)
		seam_stamp_answer(&device->entry, token, 200, latest_ns);
	return 0;
}

static void flush(void)
{
}

void fuzz_flows_begin(void)
{
	static const struct seam seam = {
		.read = read_entry,
		.insert = insert_entry,
		.erase = erase_entry,
		.erase_all = erase_all,
		.flow_last_seen = flow_last_seen,
		.holds = holds,
		.send = send_prompt,
		.flush = flush,
	};

	memset(devices, 0, sizeof(devices));
	latest_ns = 0;
	seam_set(&seam);
}

void fuzz_flows_hear(uint8_t number, uint64_t now_ns, bool answers)
{
	struct device *device = &devices[number % FUZZ_FLOWS];

	latest_ns = now_ns;
	device->seen_ns = now_ns;
	device->answers = answers;
	if (device->has_entry)
		device->entry.last_seen_ns = now_ns;
}

bool fuzz_flows_has_entry(const struct flow *flow)
{
	return find(flow)->has_entry;
}
