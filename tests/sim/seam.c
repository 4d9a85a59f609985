/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "seam.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "kernel/flow_map.h"
#include "kernel/path_map.h"
#include "kernel_abi.h"

static const struct seam *seam;
static uint64_t bytes_sent;
static wire_refusal_handler *on_refusal;
static void *refusal_context;
static bool clocks_watched;
static int64_t wall_step_ns;
static uint64_t clock_readings;

void seam_set(const struct seam *world)
{
	seam = world;
	bytes_sent = 0;
}

uint64_t seam_bytes_sent(void)
{
	return bytes_sent;
}

uint64_t seam_coarse_ns(uint64_t now_ns)
{
	return now_ns - now_ns % SEAM_TICK_NS;
}

void seam_stamp_prompt(struct path_entry *entry, uint64_t token, uint64_t now_ns)
{
	if (token != entry->prompt_token)
		entry->earlier_token = entry->prompt_token;
	entry->prompt_token = token;
	entry->prompt_ns = now_ns;
	entry->prompts++;
}

void seam_stamp_answer(struct path_entry *entry, uint64_t token, uint16_t status, uint64_t now_ns)
{
	if (token != entry->prompt_token && token != entry->earlier_token)
		return;
	entry->answers++;
	entry->answer_ns = now_ns;
	entry->answer_token = token;
	entry->answer_status = status;
}

void seam_see(struct pipeline *pipeline, const struct flow *flow, uint64_t when_ns,
	      bool from_device, const char *message)
{
	size_t length = strlen(message);
	struct sighting *sighting = calloc(1, sizeof(*sighting) + length);

	assert_non_null(sighting);
	sighting->flow = *flow;
	sighting->when_ns = when_ns;
	sighting->wire_length = (uint32_t)length;
	sighting->captured = (uint16_t)length;
	sighting->direction = from_device ? SIGHTING_FROM_DEVICE : SIGHTING_TO_DEVICE;
	memcpy(sighting->bytes, message, length);
	pipeline_sighting(pipeline, sighting);
	free(sighting);
}

/* --- in place of kernel/path_map and kernel/flow_map --- */

int path_map_read(int map_fd, const struct flow *flow, struct path_entry *entry)
{
	(void)map_fd;
	return seam->read(flow, entry);
}

int path_map_insert(int map_fd, const struct flow *flow, uint64_t last_seen_ns)
{
	(void)map_fd;
	return seam->insert(flow, last_seen_ns);
}

int path_map_delete(int map_fd, const struct flow *flow)
{
	(void)map_fd;
	return seam->erase(flow);
}

int path_map_sweep(int map_fd, bool (*keep)(void *context, const struct flow *flow), void *context)
{
	(void)map_fd;
	(void)keep;
	(void)context;
	seam->erase_all();
	return 0;
}

int flow_map_last_seen(int map_fd, const struct flow *flow, uint64_t *last_seen_ns)
{
	(void)map_fd;
	return seam->flow_last_seen(flow, last_seen_ns);
}

/* --- in place of keep/wire --- */

static uint64_t token_of(struct span payload)
{
	const char *branch = memmem(payload.at, payload.length, SIPPATH_BRANCH_PREFIX,
				    sizeof(SIPPATH_BRANCH_PREFIX) - 1);

	assert_non_null(branch);
	return strtoull(branch + sizeof(SIPPATH_BRANCH_PREFIX) - 1, NULL, 16);
}

bool wire_holds(struct wire *wire, const struct flow *flow)
{
	(void)wire;
	return seam->holds(flow);
}

int wire_queue(struct wire *wire, const struct flow *flow, struct span payload)
{
	(void)wire;
	bytes_sent += payload.length;
	return seam->send(flow, token_of(payload));
}

void wire_flush(struct wire *wire)
{
	(void)wire;
	seam->flush();
}

void wire_on_refusal(struct wire *wire, wire_refusal_handler *handler, void *context)
{
	(void)wire;
	on_refusal = handler;
	refusal_context = context;
}

void seam_refuse(const struct flow *flow, bool congested)
{
	on_refusal(refusal_context, flow, congested);
}

void wire_addresses_changed(struct wire *wire)
{
	(void)wire;
}

/* --- in place of the C library's clocks --- */

void seam_watch_clocks(bool watch)
{
	clocks_watched = watch;
	clock_readings = 0;
	wall_step_ns = 0;
}

void seam_step_wall_clock(int64_t step_ns)
{
	wall_step_ns += step_ns;
}

uint64_t seam_clock_readings(void)
{
	return clock_readings;
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
	int error = (int)syscall(SYS_clock_gettime, clock, now);

	if (!clocks_watched || error)
		return error;
	clock_readings++;
	if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)
		now->tv_sec += wall_step_ns / (int64_t)NS_PER_S;
	return 0;
}

time_t time(time_t *out)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	if (out)
		*out = now.tv_sec;
	return now.tv_sec;
}

int gettimeofday(struct timeval *restrict out, void *restrict zone)
{
	struct timespec now;

	(void)zone;
	clock_gettime(CLOCK_REALTIME, &now);
	*out = (struct timeval){ .tv_sec = now.tv_sec, .tv_usec = now.tv_nsec / 1000 };
	return 0;
}
