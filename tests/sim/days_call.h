/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * days_call.h - a call of a simulated world, and the messages that it is made of: days_calls.c
 * lets it happen, days_messages.c says it. Nobody else includes it.
 */
#ifndef TESTS_SIM_DAYS_CALL_H
#define TESTS_SIM_DAYS_CALL_H

#include "days_parts.h"

#define FORKS_MAX 2

enum stage { STAGE_FREE, STAGE_RINGING, STAGE_TALKING, STAGE_OVER };

enum fate { FATE_ANSWERED, FATE_REJECTED, FATE_CANCELLED, FATE_UNANSWERED };

/* A leg's place: its mapping, and which one of those there; NULL for none. */
struct place {
	struct mapping *mapping;
	size_t index;
};

struct fork {
	struct phone *phone;
	struct mapping *rung; /* where the INVITE went */
	char tag[4];
	struct place leg, caller_leg;
};

struct call {
	enum stage stage;
	enum fate fate;
	uint32_t number, branch;
	char call_id[24];
	struct phone *caller;
	struct mapping *called_from;
	unsigned int fork_count;
	struct fork forks[FORKS_MAX]; /* the first one is who answers, if anybody does */
	unsigned int session_s; /* of the session timer; 0 without one */
	unsigned int cseq;
};

/* One side of a call, for what is said inside of the dialog. */
struct party {
	struct phone *phone;
	const char *tag;
	struct place *leg;
};

/* The INVITE of a call, its CANCEL or ACK; or the answer that a fork gives to it. */
struct message call_initial(const struct call *call, const struct fork *fork, const char *method,
			    unsigned int status);

/* A device's answer to the INVITE that the server has passed on to it. */
void call_answer_server(struct days *days, const struct call *call, const struct fork *fork,
			unsigned int status, const char *extra);

/* The server passes an answer on to the caller. */
void call_answer_caller(struct days *days, const struct call *call, const struct fork *fork,
			unsigned int status, const char *extra);

/* The caller acknowledges that it was accepted; false if that is lost, each time it is sent. */
bool call_acknowledge(struct days *days, const struct call *call, const struct fork *fork);

/* The server passes a request of the caller's on to a fork. */
void call_relay(struct days *days, const struct call *call, const struct fork *fork,
		const char *method);

/* Who says something inside of the dialog, and to whom; and what he says. */
void call_parties(struct call *call, bool by_caller, struct party *one, struct party *other);
struct message call_inside(struct days *days, struct call *call, const struct party *one,
			   const struct party *other, const char *method);

#endif
