/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * warden.h - the small half of the agent that keeps the privileges which mending takes.
 *
 * The agent reads what the internet sends, so it has none. What it cannot do without them,
 * to look at the programs by their ids, to put them back, to run the iterator over TCP
 * connections, to change the settings in turn, a child of its own does: the warden. It
 * reads nothing but requests of fixed size, which name one of the tasks below and leave it
 * no choice: it mends the attachment that it was born with, and nothing else.
 *
 * It pauses for WARDEN_PAUSE_NS after each task: somebody who got into the agent cannot keep the
 * kernel busy with it.
 *
 * It ends when the agent does, however that ends. If it ends first, the agent goes on and can
 * mend no more; kernel and phones do not notice. Before warden_keep() it also undoes what
 * attach_open() did, when the agent ends: the agent could not.
 */
#ifndef AGENT_PRIVILEGES_WARDEN_H
#define AGENT_PRIVILEGES_WARDEN_H

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>

#include "kernel/attach.h"

/* An answer that has not come by then does not come: the warden is stuck. */
#define WARDEN_PATIENCE_NS UINT64_C(10000000000)

#define WARDEN_PAUSE_NS UINT64_C(100000000)

struct warden;

enum warden_task {
	WARDEN_MEND, /* attach_mend(), and how all stands then */
	WARDEN_VISIT, /* connection_hook_visit(): then read the map of connections */
	WARDEN_TASK_MAX,
};

/* What became of a task. */
struct warden_report {
	enum warden_task task;
	int error; /* 0, or -errno of the task itself */
	uint64_t begun_ns; /* when it was asked for: what was visited is confirmed since */
	bool connections; /* TCP connections are seen and kept */
	struct attach_repair repair; /* of WARDEN_MEND */
};

/* Called from the loop, once for each task that was taken. */
typedef void warden_handler(void *context, const struct warden_report *report);

struct warden_options {
	struct attachment *attachment; /* NULL for call control, which has none */
	const char *socket_path; /* it is there, and is removed in the end */
	bool sandbox; /* the warden confines itself to the system calls that it needs */
};

/*
 * Forks the warden, to be called with all privileges and by the only thread. Of the descriptors
 * it keeps those of BPF objects, the turn to attach, and standard input, output and error.
 * Waits until it serves, WARDEN_PATIENCE_NS at most. -errno after one log line; there is no
 * warden then, and what attach_open() did is the caller's to undo.
 */
int warden_begin(const struct warden_options *options, struct warden **out);

/*
 * What attach_open() did is to stay; waits for the warden's word. -errno after one log line: it is
 * all undone then, or nobody is left to mend it.
 */
int warden_keep(struct warden *warden);

/* Reports go to the handler from now on. */
void warden_watch(struct warden *warden, struct ev_loop *loop, warden_handler *handler,
		  void *context);

/*
 * Asks for a task, which is never waited for. One at a time: -EBUSY while a report is owed,
 * -ETIMEDOUT if it is overdue (WARDEN_PATIENCE_NS), -EPIPE if there is no warden any more.
 */
int warden_ask(struct warden *warden, enum warden_task task, uint64_t now_ns);

/*
 * keepalive_set() by the warden, waited for half a second at most. -errno after one log line;
 * -EOPNOTSUPP, without one, where TCP connections cannot be kept.
 */
int warden_set_keepalive(struct warden *warden, uint64_t threshold_ns);

/* False once it has ended; that is said once. */
bool warden_lives(const struct warden *warden);

/*
 * Lets it remove the socket, or undo what was not to be kept, and end; waits for that, not
 * for ever. Harmless on NULL.
 */
void warden_end(struct warden *warden);

#endif
