/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * wheel.h - a hierarchical timing wheel: which paths are due, without looking at
 * those that are not.
 *
 * Varghese and Lauck, "Hashed and hierarchical timing wheels", 1987. One tick is
 * WHEEL_TICK_NS; a path is never handed out before its time, and at most one tick
 * after it while the wheel is turned in time. It owns no path.
 */
#ifndef AGENT_KEEP_WHEEL_H
#define AGENT_KEEP_WHEEL_H

#include <stddef.h>
#include <stdint.h>

#include "state/path.h"

#define WHEEL_TICK_NS (UINT64_C(1) << 21) /* about 2 ms */

struct wheel;

/* A wheel whose time starts at now_ns; NULL without memory. */
struct wheel *wheel_new(uint64_t now_ns);
void wheel_free(struct wheel *wheel);

/*
 * Makes a path due at due_ns (moving it if it was due at another time). Past times
 * are due at once; any later time will do, and at CLOCK_NEVER it is never handed out.
 */
void wheel_set(struct wheel *wheel, struct path *path, uint64_t due_ns);

/* Takes a path off the wheel; harmless if it is not on it. */
void wheel_unset(struct wheel *wheel, struct path *path);

/*
 * Takes off and returns one path that is due at now_ns, or NULL when there is none
 * left. Call until NULL; a path made due in the past meanwhile is handed out too.
 * Its cost does not grow with the time that has passed since the last call.
 */
struct path *wheel_pop(struct wheel *wheel, uint64_t now_ns);

/*
 * When wheel_pop() may have something next: a lower bound, CLOCK_NEVER if it is
 * empty. Turned then, the wheel hands out a path or comes nearer to its time.
 */
uint64_t wheel_next_ns(const struct wheel *wheel);

/* How many paths are on the wheel. */
size_t wheel_count(const struct wheel *wheel);

#endif
