/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * path.h - a flow with at least one binding: the noun that the schedule, the
 * policy and the prompter hand to each other.
 */
#ifndef AGENT_STATE_PATH_H
#define AGENT_STATE_PATH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/table.h"
#include "flow.h"
#include "state/binding.h"

/* Derived from the bindings alone (the seed's FIG. 2). */
enum path_state {
	PATH_IDLE, /* no binding: the path is about to be dropped */
	PATH_REGISTERED,
	PATH_REGISTERED_DIALOG,
	PATH_DIALOG,
	PATH_LINGERING,
	PATH_CONNECTED, /* a connection that stands, of which nothing more is known (TLS) */
	PATH_STATE_MAX
};

enum path_health {
	PATH_LIVE, /* heard within its threshold, as far as is known */
	PATH_AWAITING, /* a prompt is on its way */
	PATH_SILENT, /* prompts went unanswered; it is kept all the same (traps 15, 21) */
	PATH_HEALTH_MAX
};

/* Why a path is, or is not, prompted: what the latest look at it found. */
#define PATH_NOTES(X) \
	X(fresh, "not looked at yet") \
	X(talks, "heard within its threshold") \
	X(prompted, "quiet, so it is prompted") \
	X(answered, "answered its prompt") \
	X(backing_off, "answers nothing, so it is prompted less and less often") \
	X(ends_soon, "must refresh or ends before its NAT forgets it") \
	X(not_behind_nat, "not behind a NAT, and nat = auto") \
	X(ignored, "in a network that is ignored") \
	X(kept_by_tcp, "kept by the kernel's TCP keepalive") \
	X(not_kept, "nothing keeps this connection: TCP keepalive could not be switched on") \
	X(no_address, "its local address is not on this host") \
	X(refused, "the network refused its prompt") \
	X(waits, "waits for its turn") \
	X(capped, "waits because prompts to its address or network, or of this host, are capped") \
	X(unknown, "the programs do not say when it was heard")

#define PATH_NOTE_ENUM_(name, text) PATH_NOTE_##name,

enum path_note { PATH_NOTES(PATH_NOTE_ENUM_) PATH_NOTE_MAX };

#undef PATH_NOTE_ENUM_

/* A path with more bindings than this is a trunk's. */
#define PATH_TRUNK_BINDINGS 256

struct path_rules;

/* Links a path into one slot of the timing wheel; owned by keep/wheel. */
struct wheel_node {
	struct wheel_node *next;
	struct wheel_node **link; /* what points here; NULL while not in the wheel */
	uint64_t due_ns;
};

/* The latest prompt of a path: one at a time, however many bindings there are. */
struct prompt {
	uint64_t token; /* 0 before the first one */
	uint64_t sent_ns; /* the latest sending, repeats included */
	uint64_t first_ns; /* the first sending of this prompt */
	uint32_t cseq;
	uint8_t tries; /* sendings of this prompt; 0 while none is outstanding */
	uint8_t failures; /* prompts in a row that stayed unanswered */
};

struct path {
	struct flow flow;
	struct table_node by_flow; /* owned by state/paths */
	struct wheel_node due; /* owned by keep/wheel */
	struct binding *bindings; /* first of the list; owned by the rooms that made them */
	struct binding *connection; /* of these, the one of its connection; NULL for none */
	struct prompt prompt;
	uint64_t first_end_ns; /* owned by state/path and state/paths: see path_first_end_ns() */
	uint64_t opened_ns;
	uint64_t last_seen_ns; /* as last read from the kernel */
	uint64_t spared_ns; /* last prompted, or counted as avoided; 0 for neither yet */
	uint64_t ticket_ns; /* when it may try again that queues at a cap, see "tickets" */
	uint64_t answer_token; /* the latest prompt whose answer has been counted */
	uint32_t index; /* its place in the room, for walks */
	uint32_t prompts; /* sent, repeats not included */
	uint32_t answers;
	uint32_t avoided; /* prompts that one each threshold would have been, needlessly */
	uint32_t rtt_us; /* of the latest answered prompt, 0 for none yet */
	const struct path_rules
		*rules; /* of its remote network, see keep/rules.h; never NULL once kept */
	uint32_t binding_counts[BINDING_KIND_MAX]; /* one flow of a trunk carries many */
	uint32_t nat_count; /* bindings that say that the device is behind a NAT */
	uint16_t answer_status; /* of the latest answered prompt, 0 for none yet */
	uint8_t health; /* enum path_health */
	uint8_t note; /* enum path_note */
	bool held; /* its prompt waits for this host to hold the local address (trap 6) */
	uint8_t turns; /* how often the pacer has given it a turn that it waits for */
	uint8_t tickets; /* the caps that it has queued at, see keep/caps.h; 0: it does not queue */
};

/*
 * The state that the path's bindings make. A lingering dialog shows only where
 * nothing else keeps the path: it is then the reason why the path still stands.
 */
enum path_state path_state(const struct path *path);

/* "registered", "registered+dialog", ... and "live", "awaiting", "silent". */
const char *path_state_name(enum path_state state);
const char *path_health_name(enum path_health health);

/* Why it is, or is not, prompted: for people, and for programs ("ends_soon"). */
const char *path_note_text(enum path_note note);
const char *path_note_name(enum path_note note);

/* True if some binding of the path ends later than this. Cheap where the first one does. */
bool path_outlives(const struct path *path, uint64_t when_ns);

/*
 * When the first of the bindings ends; CLOCK_NEVER without bindings. It is not told
 * too late, but too early once that binding was renewed or has left: a flow of a trunk
 * carries too many bindings to look through them at each change. They are looked
 * through when the path has come off the wheel because that end was due, so an end
 * that has gone costs one look at the path. With more bindings than PATH_TRUNK_BINDINGS
 * ends are told as of the next whole second: so there is one look in a second, however many
 * end in it, and each of them is at most a second late.
 */
uint64_t path_first_end_ns(struct path *path);

#endif
