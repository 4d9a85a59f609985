/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * transactions.h - requests that wait for their answers, whichever way they went.
 *
 * Nothing is learnt from a request: only the matching response that comes back on the
 * same flow, the server's own or the device's, proves that it was accepted. So what
 * unauthenticated traffic can cost is this room's bounded memory, and it never causes a
 * prompt (trap 44).
 */
#ifndef AGENT_STATE_TRANSACTIONS_H
#define AGENT_STATE_TRANSACTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/counts.h"
#include "flow.h"
#include "sighting.h"
#include "sip/facts.h"
#include "state/waiting.h"

/*
 * What is not an INVITE is forgotten after 64*T1 = 32 s (RFC 3261 section 17.1.2.2, timer F);
 * so is an INVITE after its first 2xx, as its forks have no longer (section 13.2.2.4).
 */
#define TRANSACTION_LIFETIME_NS (32 * UINT64_C(1000000000))

/* A request whose texts need more bytes than this is not kept. */
#define TRANSACTION_BYTES_MAX 2048

struct transactions;

/*
 * A remembered request, in one allocation: some 500 bytes for a usual REGISTER,
 * never more than 5 KiB. "facts" ends after its contact_count contacts: it is not
 * to be assigned as a whole.
 */
struct transaction {
	struct flow flow;
	enum sighting_direction direction; /* which way the request went */
	uint64_t seen_ns;
	const struct facts *facts;
};

/*
 * A room for at most "limit" requests (1 or more), each forgotten when it has waited for
 * longer than lifetime_ns; NULL without memory or randomness. "counts" outlives the room, or
 * is NULL: then nothing is counted.
 */
struct transactions *transactions_new(size_t limit, uint64_t lifetime_ns, struct counts *counts);
void transactions_free(struct transactions *transactions);

/*
 * Remembers a request that went in "direction". A retransmission (same flow, direction,
 * method, Call-ID, CSeq, branch) changes nothing. -E2BIG if it is larger than
 * TRANSACTION_BYTES_MAX, -ENOMEM. In a full room the oldest one makes room to which nobody
 * has said anything yet; if there is none, the oldest that was accepted, and what rings goes
 * last: so a flood of requests that are not answered takes the place of its own (trap 44).
 * One remote network, a /24 or, of IPv6, a /48, holds at most a quarter of the room (64 in a
 * smaller one): beyond that it makes room in the same order at its own expense, which is
 * counted (requests_crowded).
 * A request that is evicted or expires without a final answer is counted
 * (requests_unanswered).
 */
int transactions_remember(struct transactions *transactions, const struct flow *flow,
			  enum sighting_direction direction, const struct facts *facts,
			  uint64_t now_ns);

/*
 * The request that a response on "flow", going in "direction", answers: one that went the
 * other way, with the same method, Call-ID, CSeq and branch; NULL if none is remembered. The
 * request stays remembered (and the returned memory good) until transactions_forget(), or
 * until the next transactions_remember() or transactions_expire().
 */
const struct transaction *transactions_match(struct transactions *transactions,
					     const struct flow *flow,
					     enum sighting_direction direction,
					     const struct facts *response);

/*
 * A response has answered a request that transactions_match() returned. A provisional one
 * above 100 makes it wait anew (RFC 3261 section 16.7, timer C); the first final one leaves
 * it TRANSACTION_LIFETIME_NS for others like it (trap 34).
 */
void transactions_answered(struct transactions *transactions, const struct transaction *transaction,
			   uint16_t status, uint64_t now_ns);

/* Forgets a request that transactions_match() returned. */
void transactions_forget(struct transactions *transactions, const struct transaction *transaction);

/* Forgets what has waited too long. Costs what it forgets. */
void transactions_expire(struct transactions *transactions, uint64_t now_ns);

/*
 * Writes a request down, and returns the id under which it is stored, higher than any before; 0 if
 * it could not be written.
 */
typedef uint64_t transactions_writer(void *context, const struct waiting *waiting);

/* Told of what is stored of a request that is forgotten, or about to be written as it is now. */
typedef void transactions_eraser(void *context, uint64_t stored);

/*
 * How requests outlive the agent. transactions_write_down() writes those that are new, or wait
 * for something else, since the last time: what is answered in between is never written. At most
 * "limit" of them; true if none is left. Those that wait for the same are in the order of their
 * ids since when they do, so that whoever brings them back by their ids need not sort them. The
 * eraser is called from within the calls above, too; transactions_free() erases nothing.
 */
void transactions_on_forget(struct transactions *transactions, transactions_eraser *eraser,
			    void *context);
bool transactions_write_down(struct transactions *transactions, size_t limit,
			     transactions_writer *writer, void *context);

/* Nothing is stored any more: the next calls of transactions_write_down() write all. */
void transactions_write_anew(struct transactions *transactions);

/*
 * Brings back what was written down; it waits as it did. -EINVAL if no room writes that; -EEXIST
 * if it is remembered; else as transactions_remember(). What is not brought back is not erased.
 */
int transactions_restore(struct transactions *transactions, uint64_t stored,
			 const struct waiting *waiting);

/* How many requests are remembered. */
size_t transactions_count(const struct transactions *transactions);

#endif
