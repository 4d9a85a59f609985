/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * store.h - bindings on disk, so that an agent that starts again goes on where the last one
 * stopped, however that was (trap 40).
 *
 * One LMDB environment, "bindings.mdb" in the state directory. What is put is written with
 * the next store_flush(), in one transaction: it then outlives the agent, killed or not, and a
 * host that is shut down in order.
 */
#ifndef AGENT_STORE_STORE_H
#define AGENT_STORE_STORE_H

#include <stdint.h>

#include "state/record.h"

struct store;

/*
 * Opens the store of a state directory, which is made if it is not there; it belongs to one
 * agent at a time. What cannot be read is set aside under another name, and said. Records
 * that were made in another network namespace during this boot of the host are dropped:
 * they are about somebody else's addresses. -errno after one log line.
 */
int store_open(const char *state_dir, struct store **out);

/* Writes what is not written yet, and closes; NULL is fine. */
void store_close(struct store *store);

/* Told of a record; its texts are good for the call. */
typedef void store_handler(void *context, uint64_t id, const struct record *record);

/*
 * Tells of every record. Their times are those of this boot's CLOCK_MONOTONIC: those of an
 * earlier boot are converted by the wall clock, and what had ended by then has an end of 0.
 * A record that cannot be read is left out, counted and said. Returns how many were told of,
 * or -errno. The handler may put and delete, but not flush.
 */
int store_walk(struct store *store, store_handler *handler, void *context);

/*
 * Puts a record in the place of the one with this id, or as a new one if it is 0, and returns
 * its id; 0 if it could not be put, which is said once. The store may be NULL: 0.
 */
uint64_t store_put(struct store *store, uint64_t id, const struct record *record);

/* Deletes a record; nothing for 0. The store may be NULL. */
void store_delete(struct store *store, uint64_t id);

/* Writes what was put and deleted since the last time. The store may be NULL. */
void store_flush(struct store *store);

#endif
