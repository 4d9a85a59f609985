/* SPDX-License-Identifier: GPL-2.0-or-later */
/* answer.h - turns one request, a line of JSON, into the lines of its answer. */
#ifndef AGENT_SURFACE_ANSWER_H
#define AGENT_SURFACE_ANSWER_H

#include <jansson.h>

#include "surface/commands.h"

/* Visible because it is a value that its owner embeds; only answer.c touches its members. */
struct answer {
	const struct command *command; /* NULL while no answer is being given */
	bool ending; /* only the end is left to say */
	bool quiet; /* nothing is left to say until something happens */
	struct progress progress;
};

/*
 * Begins the answer to a request; "waker" is told when what it waits for has come. If that is refused, *line becomes an error line,
 * the caller's, and nothing else will follow: -EBADMSG if it is no request at all,
 * -EINVAL if it asks for something that does not exist. -ENOMEM without a line.
 */
int answer_begin(struct answer *answer, struct span request, struct waker waker, json_t **line);

/* An error line, the caller's; NULL without memory. */
json_t *answer_error(const char *reason);

/* True while an answer is being given. */
bool answer_going_on(const struct answer *answer);

/* True while it is one of all events to come: it ends with the client. */
bool answer_listens(const struct answer *answer);

/* True while it waits for the cluster's answer to its question. */
bool answer_waits(const struct answer *answer);

/* The client goes, whatever it is still owed. */
void answer_drop(struct answer *answer, const struct subject *subject);

/* True if there is nothing to be said until something happens: then answer_wake() is called. */
bool answer_is_quiet(const struct answer *answer);

/* To be called at each wake-up before answer_next(): paths may have changed. */
void answer_wake(struct answer *answer, uint64_t now_ns);

/*
 * The next line of the answer, the caller's; NULL, with 0, if there is none yet.
 * -ENOMEM ends the answer.
 */
int answer_next(struct answer *answer, const struct subject *subject, json_t **line);

#endif
