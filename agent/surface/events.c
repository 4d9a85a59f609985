/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "surface/events.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/address.h"
#include "base/clock.h"
#include "surface/row.h"

/* "2026-01-31T23:59:59.999Z" */
#define TIME_TEXT_MAX 32

/* A copy: neither the path nor the binding need outlive its event. */
struct held_event {
	uint64_t number; /* 0 while nothing is held here */
	uint64_t wall_ns; /* CLOCK_REALTIME */
	struct flow flow;
	struct span aor; /* owned; may be absent */
	enum path_state state_before;
	enum path_state state_after;
	enum path_health health_after;
	const char *reason; /* for programs */
	const char *text; /* for people */
};

struct events {
	uint64_t next; /* number of the next one; the first is 1 */
	size_t listeners;
	struct held_event held[EVENTS_HELD]; /* at its number modulo EVENTS_HELD */
};

/* What a change of health means; a binding's change brings its own reason. */
static const char *const health_texts[] = {
	[PATH_LIVE] = "heard again",
	[PATH_AWAITING] = "prompted",
	[PATH_SILENT] = "its prompts were not answered",
};

_Static_assert(sizeof(health_texts) / sizeof(health_texts[0]) == PATH_HEALTH_MAX,
	       "every health of a path has a text");

struct events *events_new(void)
{
	struct events *events = calloc(1, sizeof(*events));

	if (events)
		events->next = 1;
	return events;
}

void events_free(struct events *events)
{
	if (!events)
		return;
	for (size_t i = 0; i < EVENTS_HELD; i++)
		free((char *)events->held[i].aor.at);
	free(events);
}

bool events_join(struct events *events, size_t most)
{
	if (events->listeners >= most)
		return false;
	events->listeners++;
	return true;
}

void events_part(struct events *events)
{
	events->listeners--;
}

/* The wall clock may be set at any time: only now is it known how far apart the two are. */
static uint64_t wall_ns(uint64_t when_ns)
{
	struct timespec wall;

	clock_gettime(CLOCK_REALTIME, &wall);
	return (uint64_t)wall.tv_sec * NS_PER_S + (uint64_t)wall.tv_nsec - clock_now_ns() + when_ns;
}

/* Copies text that may be absent; false without memory. */
static bool copy_span(struct span text, struct span *out)
{
	char *copy = text.at ? malloc(text.length + 1) : NULL;

	if (text.at && !copy)
		return false;
	if (copy)
		memcpy(copy, text.at, text.length);
	*out = (struct span){ copy, text.length };
	return true;
}

void events_note(struct events *events, const struct path_event *event)
{
	struct held_event *held = &events->held[events->next % EVENTS_HELD];
	struct span aor = event->binding ? event->binding->aor : (struct span){ NULL, 0 };
	bool of_health = event->health_before != event->health_after;
	uint64_t number = events->next++;

	if (!copy_span(aor, &aor))
		return;
	free((char *)held->aor.at);
	*held = (struct held_event){
		.number = number,
		.wall_ns = wall_ns(event->when_ns),
		.flow = event->path->flow,
		.aor = aor,
		.state_before = event->state_before,
		.state_after = event->state_after,
		.health_after = event->health_after,
		.reason = of_health ? path_health_name(event->health_after)
				    : reason_name(event->reason),
		.text = of_health ? health_texts[event->health_after] : reason_text(event->reason),
	};
}

uint64_t events_next(const struct events *events)
{
	return events->next;
}

static void put_time(struct row *row, const char *name, uint64_t when_ns)
{
	time_t seconds = (time_t)(when_ns / NS_PER_S);
	char buffer[TIME_TEXT_MAX];
	size_t length;
	struct tm utc;

	gmtime_r(&seconds, &utc);
	length = strftime(buffer, sizeof(buffer), "%Y-%m-%dT%H:%M:%S", &utc);
	snprintf(buffer + length, sizeof(buffer) - length, ".%03uZ",
		 (unsigned int)(when_ns % NS_PER_S / NS_PER_MS));
	row_put_word(row, name, buffer);
}

static json_t *row_of(const struct held_event *held, uint64_t missed)
{
	const struct flow *flow = &held->flow;
	struct row row = row_begin();

	put_time(&row, "time", held->wall_ns);
	row_put_flow(&row, "path", flow);
	row_put_word(&row, "transport", flow_transport_name(flow->transport));
	row_put_address(&row, "local", flow->local_addr, flow->local_port);
	row_put_address(&row, "remote", flow->remote_addr, flow->remote_port);
	row_put_text(&row, "aor", held->aor);
	row_put_word(&row, "from", path_state_name(held->state_before));
	row_put_word(&row, "to", path_state_name(held->state_after));
	row_put_word(&row, "health", path_health_name(held->health_after));
	row_put_word(&row, "reason", held->reason);
	row_put_word(&row, "text", held->text);
	row_put_number(&row, "missed", missed);
	return row_end(&row);
}

/* The first event of this number or a later one that is held; NULL for none. */
static const struct held_event *find(const struct events *events, uint64_t number)
{
	if (events->next > EVENTS_HELD && number < events->next - EVENTS_HELD)
		number = events->next - EVENTS_HELD;
	for (; number < events->next; number++) {
		const struct held_event *held = &events->held[number % EVENTS_HELD];

		if (held->number == number)
			return held;
	}
	return NULL;
}

int events_read(const struct events *events, uint64_t *number, json_t **row)
{
	const struct held_event *held = find(events, *number);

	if (!held)
		return -EAGAIN;
	*row = row_of(held, held->number - *number);
	if (!*row)
		return -ENOMEM;
	*number = held->number + 1;
	return 0;
}
