/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * inquiry.h - one question to the cluster, and its answer until it has been shown.
 *
 * The answer comes when it comes: within the asking, later, or never if the inquiry is freed
 * first. It is copied, so what is shown does not change while a slow client reads it.
 */
#ifndef AGENT_SURFACE_INQUIRY_H
#define AGENT_SURFACE_INQUIRY_H

#include "cluster/directory.h"

struct inquiry;

/* Who is to be told that an answer has come; told at most once, and never after inquiry_free(). */
struct waker {
	void (*wake)(void *context);
	void *context;
};

/*
 * These ask. 0 and *out, the caller's; or -errno as the directory says it, or -ENOMEM, and then
 * nothing will come.
 */
int inquiry_where(const struct directory *directory, struct waker waker, struct span aor,
		  struct inquiry **out);
int inquiry_cluster(const struct directory *directory, struct waker waker, struct inquiry **out);
int inquiry_order(const struct directory *directory, struct waker waker, struct span node,
		  const struct order *order, struct inquiry **out);

/*
 * The answer, NULL until it has come; good while the inquiry is. Locations stand newest accepted
 * first, and have neither their AOR nor their device; nodes stand by name.
 */
const struct directory_answer *inquiry_answer(const struct inquiry *inquiry);

/* Takes the question back if it has not been answered. NULL is none. */
void inquiry_free(struct inquiry *inquiry);

#endif
