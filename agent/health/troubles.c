/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "health/troubles.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"

enum logged { BEFORE, HERE };

#define DESCRIPTION(name, logged, wrong, remedy) \
	{ #name, logged, wrong, remedy, COUNT_trouble_##name },

/* A trouble without a counter does not compile; a counter without a trouble neither. */
static const struct description {
	const char *name;
	enum logged logged;
	const char *wrong;
	const char *remedy;
	enum agent_counter counter;
} descriptions[] = { TROUBLES(DESCRIPTION) };

_Static_assert(COUNT_trouble_helper_gone - COUNT_trouble_programs_lost + 1 == TROUBLE_MAX,
	       "every counter of a trouble has its trouble");

struct entry {
	struct trouble_state state;
	uint64_t until_ns; /* an event counts as present until then; CLOCK_NEVER: until cleared */
};

struct troubles {
	struct counts *counts;
	uint64_t crossings;
	struct entry entries[TROUBLE_MAX];
};

struct troubles *troubles_new(struct counts *counts)
{
	struct troubles *troubles = calloc(1, sizeof(*troubles));

	if (troubles)
		troubles->counts = counts;
	return troubles;
}

void troubles_free(struct troubles *troubles)
{
	free(troubles);
}

static void begin(struct troubles *troubles, enum trouble which, uint64_t now_ns)
{
	const struct description *description = &descriptions[which];
	struct trouble_state *state = &troubles->entries[which].state;

	state->present = true;
	state->since_ns = now_ns;
	state->times++;
	troubles->crossings++;
	troubles->counts->value[description->counter]++;
	if (description->logged == HERE)
		log_warning("%s: %s (%s): %s", description->name, description->wrong, state->detail,
			    description->remedy);
}

static void end(struct troubles *troubles, enum trouble which, uint64_t now_ns)
{
	struct trouble_state *state = &troubles->entries[which].state;

	state->present = false;
	troubles->crossings++;
	if (descriptions[which].logged == HERE)
		log_info("%s: over after %.0f s", descriptions[which].name,
			 (double)(now_ns - state->since_ns) / NS_PER_S);
}

static void happen(struct troubles *troubles, enum trouble which, uint64_t now_ns,
		   uint64_t until_ns, const char *detail, va_list arguments)
{
	struct entry *entry = &troubles->entries[which];

	vsnprintf(entry->state.detail, sizeof(entry->state.detail), detail, arguments);
	entry->until_ns = until_ns;
	if (!entry->state.present)
		begin(troubles, which, now_ns);
}

void troubles_set(struct troubles *troubles, enum trouble which, uint64_t now_ns,
		  const char *detail, ...)
{
	va_list arguments;

	va_start(arguments, detail);
	happen(troubles, which, now_ns, CLOCK_NEVER, detail, arguments);
	va_end(arguments);
}

void troubles_clear(struct troubles *troubles, enum trouble which, uint64_t now_ns)
{
	const struct entry *entry = &troubles->entries[which];

	if (entry->state.present && entry->until_ns == CLOCK_NEVER)
		end(troubles, which, now_ns);
}

void troubles_note(struct troubles *troubles, enum trouble which, uint64_t now_ns,
		   const char *detail, ...)
{
	va_list arguments;

	va_start(arguments, detail);
	happen(troubles, which, now_ns, now_ns + TROUBLES_EVENT_NS, detail, arguments);
	va_end(arguments);
}

void troubles_turn(struct troubles *troubles, uint64_t now_ns)
{
	for (enum trouble which = 0; which < TROUBLE_MAX; which++) {
		const struct entry *entry = &troubles->entries[which];

		if (entry->state.present && entry->until_ns <= now_ns)
			end(troubles, which, now_ns);
	}
}

const struct trouble_state *troubles_look(const struct troubles *troubles, enum trouble which)
{
	return &troubles->entries[which].state;
}

size_t troubles_present(const struct troubles *troubles)
{
	size_t present = 0;

	for (enum trouble which = 0; which < TROUBLE_MAX; which++)
		present += troubles->entries[which].state.present;
	return present;
}

uint64_t troubles_crossings(const struct troubles *troubles)
{
	return troubles->crossings;
}

const char *trouble_name(enum trouble which)
{
	return descriptions[which].name;
}

const char *trouble_wrong(enum trouble which)
{
	return descriptions[which].wrong;
}

const char *trouble_remedy(enum trouble which)
{
	return descriptions[which].remedy;
}
