/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mending.h - has the warden look after what is on the interfaces: programs, settings, and what
 * sees TCP connections. Those are also looked at one by one, every MENDING_VISIT_NS, because
 * nobody notices each one's beginning and end.
 *
 * While the warden says nothing, or is gone, what is there is looked at without it, see
 * attach_look(): nothing is put back then, but what is missing is known.
 */
#ifndef AGENT_MENDING_H
#define AGENT_MENDING_H

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>

#include "kernel/attach.h"
#include "kernel/connection_map.h"

#define MENDING_VISIT_NS UINT64_C(30000000000)

/* After so long without a word of the warden nobody waits for it to look. */
#define MENDING_PATIENCE_NS UINT64_C(3000000000)

struct mending;

struct mending_options {
	struct attachment *attachment;
	const char *socket_path; /* removed in the end */
	bool sandbox;
};

/* Whom to tell what; called from the loop. */
struct mending_handlers {
	void (*repaired)(void *context, const struct attach_repair *repair);
	connection_handler *stands; /* told of every connection, again and again */
	connection_handler *gone; /* told of one whose end nobody noticed */
	void (*told)(void *context, uint64_t now_ns); /* called after one of these */
	void *context; /* of all functions here */
};

/*
 * Forks the warden: with all privileges, see warden_begin(). What only it needs of the attachment
 * is lent to it, see attach_lend().
 */
int mending_begin(const struct mending_options *options, struct mending **out);

/* What attach_open() did stays from now on. -errno after one log line. */
int mending_keep(struct mending *mending);

/* Begins to tell. */
void mending_watch(struct mending *mending, struct ev_loop *loop,
		   const struct mending_handlers *handlers);

/* To be called about once a second: asks for what is due, and waits for nothing. */
void mending_turn(struct mending *mending, uint64_t now_ns);

/*
 * Sets after how long a quiet connection is probed, and has all of them visited at once. -errno
 * after one log line if it stays as it is; a host where they cannot be tracked is left alone.
 */
int mending_set_threshold(struct mending *mending, uint64_t threshold_ns, uint64_t now_ns);

/* True if TCP connections are seen and kept, as far as is known. */
bool mending_sees_connections(const struct mending *mending);

/* False while nobody mends: the warden is gone, or does not answer. */
bool mending_works(const struct mending *mending);

/* Ends the warden, which undoes what was not to be kept. Harmless on NULL. */
void mending_end(struct mending *mending);

#endif
