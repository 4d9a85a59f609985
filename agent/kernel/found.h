/* SPDX-License-Identifier: GPL-2.0-or-later */
/* found.h - what is on an interface already, whoever put it there. */
#ifndef AGENT_KERNEL_FOUND_H
#define AGENT_KERNEL_FOUND_H

#include <stdbool.h>
#include <stdint.h>

enum found_kind {
	FOUND_NOTHING,
	FOUND_OURS, /* by its name; of which version is for the caller to find out */
	FOUND_OURS_DISPATCHED, /* ours, behind the dispatcher of libxdp */
	FOUND_DISPATCHER, /* the dispatcher of libxdp, without a program of ours */
	FOUND_FOREIGN,
};

struct found {
	enum found_kind kind;
	uint32_t id; /* of our program; of what is in our place if there is none of ours */
	char name[16]; /* of the same */
	uint32_t place_id; /* XDP only: what is attached: it, or the dispatcher before it */
	bool native; /* XDP only: it runs in the driver */
};

/* The XDP program of an interface. -errno on failure, without a log line. */
int found_ingress(unsigned int interface, struct found *out);

/*
 * The id of an interface's XDP program, whatever it is; 0 for none. This takes no privileges.
 * -errno on failure, without a log line.
 */
int found_ingress_id(unsigned int interface, uint32_t *id);

/* What is in the place of our tc program at the egress of an interface; the same. */
int found_egress(unsigned int interface, struct found *out);

/*
 * True if an interface, of all that there are, carries an ingress program of ours with
 * this sip_paths map (its id in the kernel).
 */
bool found_in_use(uint32_t paths_map_id);

#endif
