/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pipeline_parts.h - what the two halves of the pipeline share: pipeline.c takes what is sighted,
 * pipeline_recall.c what is remembered. Nobody else includes it.
 */
#ifndef AGENT_PIPELINE_PARTS_H
#define AGENT_PIPELINE_PARTS_H

#include <stdbool.h>
#include <stdint.h>

#include "ledger.h"
#include "orders.h"
#include "pipeline.h"
#include "requests.h"
#include "sip/reader.h"
#include "sip/streams.h"
#include "state/hearsay.h"

struct pipeline {
	struct counts *counts;
	struct streams *streams;
	struct sip_reader *reader;
	struct requests *requests;
	struct hearsay *hearsay;
	struct store *store; /* NULL: nothing is written down */
	struct ledger *ledger;
	struct keeper *keeper;
	struct orders orders;
	bool noted; /* all that was learnt before the last turn has been put into the store */
	bool heard; /* a message has been seen since the last turn */
	uint64_t heard_ns; /* the last turn before which one had been */
	uint64_t latest_ns; /* when the newest message went by */
};

/* Carries out a change; "seen_ns" is when the device was heard that it is about. */
void pipeline_apply(struct pipeline *pipeline, const struct binding_change *change,
		    uint64_t seen_ns, uint64_t now_ns);

#endif
