/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * frames.h - frames drawn by chance: well-made ones of every kind that the programs read, and
 * what bit errors, liars and other protocols make of them. Most get past the first checks.
 */
#ifndef TESTS_BPF_FRAMES_H
#define TESTS_BPF_FRAMES_H

#include "chance.h"
#include "frame.h"
#include "kernel_abi.h"
#include "path_entry.h"

#define FRAMES_PATHS 8
#define FRAMES_CONNECTIONS 4
#define FRAMES_ALSO_PORT 5062 /* of half of them, besides the default port */

/* What the maps hold before the first frame. */
struct frames_world {
	struct sip_settings settings;
	struct path_entry paths[FRAMES_PATHS];
	struct connection_entry connections[FRAMES_CONNECTIONS];
};

struct frames {
	struct chance chance;
	struct frames_world world;
	/* The latest. */
	struct frame frame;
	enum sighting_direction direction;
	uint32_t mark;
};

/* The flows of the paths and of the connections; the last paths are the first connections. */
struct flow frames_path(size_t index);
struct flow frames_connection(size_t index);

/* Draws a new world; frames are drawn for it. The same numbers give the same again. */
void frames_begin(struct frames *frames, uint64_t seed, uint64_t number);

/* Draws the next frame. */
void frames_next(struct frames *frames);

#endif
