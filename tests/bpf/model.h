/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * model.h - what the ingress and the egress program are to do with a frame, said a second
 * time: in plain C that cares for nothing but being right, from the agreements in include/,
 * the RFCs, and what the comments of bpf/ promise.
 *
 * It knows no clock, no full map, no limits, and no handshake that is still under way.
 */
#ifndef TESTS_BPF_MODEL_H
#define TESTS_BPF_MODEL_H

#include <stddef.h>
#include <stdint.h>

#include "counters.h"
#include "flow.h"
#include "kernel_abi.h"
#include "path_entry.h"
#include "sighting.h"

#define MODEL_PATHS_MAX 8
#define MODEL_CONNECTIONS_MAX 4
#define MODEL_FLOWS_MAX 512
#define MODEL_REPORTS_MAX 20 /* pieces of the longest segment */

struct model_path {
	struct flow flow;
	struct path_entry entry;
};

struct model_flow {
	struct flow flow;
	struct flow_entry entry;
};

struct model_connection {
	struct flow flow;
	struct connection_entry entry;
};

/* A record of the ring buffer. */
struct model_report {
	struct flow flow;
	enum sighting_direction direction;
	enum sighting_kind kind;
	uint32_t wire_length;
	uint32_t sequence;
	const uint8_t *bytes; /* of the frame */
	size_t captured;
};

/* The maps, and what the latest frame has brought. All zero but the paths that it is given. */
struct model {
	struct sip_settings settings;
	struct model_path paths[MODEL_PATHS_MAX];
	size_t path_count;
	struct model_connection connections[MODEL_CONNECTIONS_MAX];
	size_t connection_count;
	struct model_flow flows[MODEL_FLOWS_MAX];
	size_t flow_count;
	uint64_t counts[KERNEL_COUNTER_MAX];
	struct model_report reports[MODEL_REPORTS_MAX];
	size_t report_count;
};

/* The verdict on a frame of so many bytes at this time; the model is then what the maps are. */
int model_ingress(struct model *model, const uint8_t *bytes, size_t length, uint64_t now_ns);
int model_egress(struct model *model, const uint8_t *bytes, size_t length, uint32_t mark,
		 uint64_t now_ns);

#endif
