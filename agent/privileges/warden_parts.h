/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * warden_parts.h - what the agent and its warden say to each other, over a socket that keeps
 * messages whole (SOCK_SEQPACKET): included by warden.c and warden_service.c alone. Both are
 * the same program, so the structs need no other agreement.
 */
#ifndef AGENT_PRIVILEGES_WARDEN_PARTS_H
#define AGENT_PRIVILEGES_WARDEN_PARTS_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/attach.h"
#include "privileges/warden.h"

/* What can be asked for, tasks first; whoever sends anything else is not served any more. */
enum warden_verb {
	WARDEN_VERB_MEND = WARDEN_MEND,
	WARDEN_VERB_VISIT = WARDEN_VISIT,
	WARDEN_VERB_KEEPALIVE = WARDEN_TASK_MAX,
	WARDEN_VERB_KEEP,
	WARDEN_VERB_END,
};

/* Of the reply that nobody has asked for: the warden serves from now on. Requests begin with 1. */
#define WARDEN_NUMBER_OF_START 0

struct warden_request {
	uint32_t verb;
	uint32_t number; /* comes back with the reply */
	uint64_t threshold_ns; /* of WARDEN_VERB_KEEPALIVE */
};

/* To all requests but WARDEN_VERB_END. */
struct warden_reply {
	uint32_t verb;
	uint32_t number;
	int32_t error;
	uint32_t connections; /* not 0: TCP connections are seen and kept */
	struct attach_repair repair;
};

/* What the child does until it ends; its exit status. "channel" is its end of the socket. */
int warden_serve(const struct warden_options *options, int channel);

#endif
