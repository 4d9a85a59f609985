/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * store.h - bindings on disk, so that an agent that starts again goes on where the last one
 * stopped, however that was (trap 40).
 *
 * One LMDB environment, "bindings.mdb" in the state directory. What the last agent left is never
 * written into, as it may be damaged: this agent goes on with a copy of it, which is made as it
 * starts (takeover.h), or with a file of its own, which takes the other's place once all is in
 * it. What is put is written with the next store_flush(), in one transaction: it then outlives
 * the agent, killed or not, and a host that is shut down in order.
 *
 * Besides the bindings it remembers the requests that wait for their answers. Nothing else has
 * to be: that a subscription has ended a moment ago (state/terminations.h) costs some prompts if
 * it is forgotten, and half of a message on a TCP stream (sip/streams.h) never decides over a
 * path, which stands as long as its connection; to wait for the other half before the ring
 * buffer is released would let anybody fill that with messages he does not finish.
 */
#ifndef AGENT_STORE_STORE_H
#define AGENT_STORE_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "state/record.h"
#include "state/waiting.h"

/* When more is to be put, this many of a kind are in one turn: a few milliseconds. */
#define STORE_PUTS_AT_ONCE 2048

struct store;

/*
 * Opens the store of a state directory, which is made if it is not there; it belongs to one
 * agent at a time, and is behind if nothing could be taken over. What cannot be read, or ends
 * whoever reads it, is set aside under another name, and said; the bindings of the version of
 * sippathd before this one can be. Records that were made in another network namespace are
 * dropped: they are about somebody else's addresses. May wait for some seconds, for the agent
 * before this one to be gone: for whoever starts. -errno after one log line.
 */
int store_open(const char *state_dir, struct store **out);

/* Writes what is not written yet, and closes; NULL is fine. */
void store_close(struct store *store);

/* Told of a record, or of a request; its texts are good for the call. */
typedef void store_handler(void *context, uint64_t id, const struct record *record);
typedef void store_request_handler(void *context, uint64_t id, const struct waiting *waiting);

struct store_listener {
	store_handler *binding;
	store_request_handler *request;
	void *context;
};

/*
 * Tells of everything that the last agent left; once, before anything is put. The listener
 * may delete it, and must not put: where that fails the store is behind, and the walk goes on.
 * Times are those of this boot's CLOCK_MONOTONIC: those of an earlier boot are converted by the
 * wall clock, and what had ended by then has an end of 0; see encoding_read(). Requests of
 * another boot are left out, as what cannot be read is, or was written later than it is now,
 * which is counted and said. Returns how many bindings were told of, or -errno after one log line
 * if that was not all.
 */
int store_walk(struct store *store, const struct store_listener *listener);

/*
 * Puts a record in the place of the one with this id, or as a new one if it is 0, and returns
 * its id; 0 if it could not be put, which is said once: the id is then as good as before. The
 * store may be NULL: 0.
 */
uint64_t store_put(struct store *store, uint64_t id, const struct record *record);

/* The same of a request that waits; ids are given to either alike. */
uint64_t store_put_request(struct store *store, uint64_t id, const struct waiting *waiting);

/* Deletes a record or a request; nothing for 0. The store may be NULL. */
void store_delete(struct store *store, uint64_t id);

/* Writes what was put and deleted since the last time. The store may be NULL. */
void store_flush(struct store *store);

/*
 * True at first if nothing was taken over, and once something could not be written (a full
 * disk): the file does not say what is so, and nothing is put or deleted before it begins anew.
 * The store may be NULL: false.
 */
bool store_is_behind(const struct store *store);

/*
 * Begins a store that is behind anew, with an empty file; again only after a while if that was
 * in vain. If true, the caller puts everything there is, with the ids that it knows, and flushes,
 * as often as it likes, and then calls store_complete(): with the next flush the file takes the
 * place of the one that was there before, which remains until then. False if the store is not
 * behind, or still cannot be written. The store may be NULL: false.
 */
bool store_begin_anew(struct store *store, uint64_t now_ns);
void store_complete(struct store *store);

/*
 * True from store_begin_anew() until the file has taken its place: what is put does not outlive
 * the agent yet, but will. Until then the ring buffer is not to be released, or a killed agent's
 * successor would find what it had learnt neither there nor here; see pipeline_is_safe() for what
 * that costs in a flood. The store may be NULL: false.
 */
bool store_is_incomplete(const struct store *store);

#endif
