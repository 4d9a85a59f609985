/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * requests.h - the requests that wait for their answers: where they do, and that they outlive
 * the agent. What it was killed over is answered after it is back (trap 40).
 *
 * A request is written down when a turn ends and it still waits, and once more when its stage
 * has changed; most are answered by then, and cost nothing. What is restored has the time at
 * which it was seen and waits on as it did.
 */
#ifndef AGENT_REQUESTS_H
#define AGENT_REQUESTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/counts.h"
#include "sighting.h"
#include "sip/facts.h"
#include "state/transactions.h"
#include "store/store.h"

struct requests;

/*
 * Room for "limit" INVITEs, which ring for minutes, and as many others. "counts" and "store"
 * outlive it; store may be NULL: nothing is written down. NULL without memory or randomness.
 */
struct requests *requests_new(size_t limit, struct store *store, struct counts *counts);

/* What is written down stays. */
void requests_free(struct requests *requests);

/* As transactions_remember(). */
int requests_remember(struct requests *requests, const struct sighting *sighting,
		      const struct facts *request);

/* As transactions_match(). */
const struct transaction *requests_match(struct requests *requests, const struct sighting *sighting,
					 const struct facts *response);

/* A response has answered what requests_match() returned: that waits on, or is forgotten. */
void requests_answered(struct requests *requests, const struct transaction *request,
		       const struct facts *response, uint64_t now_ns);

/* Forgets what has waited too long. */
void requests_expire(struct requests *requests, uint64_t now_ns);

size_t requests_count(const struct requests *requests);

/*
 * Puts what waits into the store, where it is not yet as it is: some of it with each call, true
 * once there is nothing left to put. The caller flushes.
 */
bool requests_note_on(struct requests *requests);

/* All of it is to be put anew, since the store has begun anew. */
void requests_note_anew(struct requests *requests);

/* One is back that was stored under this id; false if it is not: then it is deleted there. */
bool requests_restore(struct requests *requests, uint64_t stored, const struct waiting *waiting);

#endif
