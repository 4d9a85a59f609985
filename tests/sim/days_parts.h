/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * days_parts.h - what the parts of days.h share: days.c has the time, days_network.c
 * the kernel and the network, days_phones.c and days_calls.c what phones and the SIP server do. Nobody else
 * includes it.
 */
#ifndef TESTS_SIM_DAYS_PARTS_H
#define TESTS_SIM_DAYS_PARTS_H

#include "agenda.h"
#include "days.h"
#include "messages.h"

#define MINUTE_NS (60 * NS_PER_S)
#define HOUR_NS (60 * MINUTE_NS)

#define DAYS_MAPPINGS_MAX 150000

#define DAYS_LINGER_NS (32 * NS_PER_S)
#define DAYS_DIALOG_MAX_NS (4 * HOUR_NS)

/* Things to come; the subject is a phone's number, a call's, or nobody's. */
enum happening {
	HAPPENS_REGISTRATION,
	HAPPENS_SUBSCRIPTION,
	HAPPENS_CALL,
	HAPPENS_CALL_STEP,
	HAPPENS_REVIVAL,
	HAPPENS_CHATTER,
	HAPPENS_MOVE,
	HAPPENS_OUTAGE,
	HAPPENS_HUSH,
	HAPPENS_STALL,
	HAPPENS_SUSPENSION,
	HAPPENS_WALL_STEP,
	HAPPENS_LOOK,
	HAPPENS_AUDIT,
};

/* One leg of a dialog, as the server and the device have made it; past ends are none. */
struct leg {
	uint64_t ends_ns;
	bool lingering;
};

#define LEGS_MAX 8

/* What a NAT has made for a phone: one flow, until it reboots. */
struct mapping {
	struct flow flow;
	struct account_side side;
	bool alive; /* a packet gets through, and the phone is there */
	bool present; /* sip_paths has it */
	struct path_entry entry;
	uint64_t talks_every_ns, talks_from_ns; /* what the phone sends by itself; 0: nothing */
	uint64_t answer_due_ns, answer_token; /* an answer on its way; CLOCK_NEVER for none */
	uint64_t registered_until_ns, subscribed_until_ns;
	struct leg legs[LEGS_MAX];
};

struct phone {
	struct mapping *mapping;
	char name[12];
	bool is_guest, is_mobile, is_short; /* registered for short times */
	bool alive;
	bool busy; /* in a call */
	uint64_t talks_every_ns;
	unsigned int register_cseq, subscribe_cseq, subscription; /* its Call-ID's number */
};

struct call;
struct backlog;

struct days {
	struct days_options options;
	uint64_t began_ns, now_ns, random;
	struct pipeline *pipeline;
	struct counts counts;
	struct account account;
	struct days_tally tally;
	struct agenda agenda;
	struct phone *phones;
	struct mapping *mappings;
	uint32_t mapping_count;
	struct call *calls;
	uint32_t branch; /* of the latest transaction */
	uint64_t deaf_from_ns, deaf_until_ns; /* when packets came to nothing last */
	uint64_t stalled_until_ns; /* the agent does not run */
	size_t missed; /* paths that were due when the agent or the host last stood still */
	struct backlog *backlog; /* what it has not read for that */
	size_t backlog_count, backlog_room;
};

/* --- days.c --- */

/* Chance: from..to, both included; true with that probability. */
uint64_t days_between(struct days *days, uint64_t from, uint64_t to);
bool days_chance(struct days *days, unsigned int percent);

/* Something happens in so long. */
void days_plan(struct days *days, uint64_t in_ns, enum happening kind, uint32_t subject);

/* --- days_network.c --- */

/* Puts the world onto the pipeline's seam, NULL: takes it off. */
void days_connect(struct days *days);

/* Hands the agent what it has not read while it was stalled. */
void days_read_backlog(struct days *days);

/* Brings a mapping's account up to now. */
void days_settle(struct days *days, struct mapping *mapping);

/* When the last of the mapping's bindings ends, or has ended. */
uint64_t days_bound_until(const struct mapping *mapping);

/* The phone sends a packet over its mapping. */
void days_speak(struct days *days, struct mapping *mapping);

/* A SIP message goes by, sometimes twice. A device's own is heard. */
void days_see(struct days *days, struct mapping *mapping, bool from_device,
	      const struct message *message);

/* The phone's NAT gives it a new mapping; the former one leads nowhere from now on. */
void days_map(struct days *days, struct phone *phone);

/* The phone begins or ceases to speak by itself. */
void days_chatter(struct days *days, struct phone *phone, bool talks);

/* --- days_phones.c: all that is not a call --- */

void days_make_phones(struct days *days);
void days_phone_happens(struct days *days, enum happening kind, uint32_t subject);

/* --- days_calls.c --- */

void days_make_calls(struct days *days);
void days_call_happens(struct days *days, enum happening kind, uint32_t subject);

#endif
