/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "cluster/location.h"
#include "told.h"

static struct told *told_of_share(const struct share *share)
{
	return (struct told *)(void *)share;
}

static void copy(char *out, size_t size, struct span text)
{
	assert_true(text.length < size);
	memcpy(out, text.at, text.length);
	out[text.length] = '\0';
}

static struct told_location name_of(const struct record *record)
{
	struct told_location location = { .kind = record->kind };
	char buffer[LOCATION_TEXT_MAX];
	struct text memory = TEXT_OVER(buffer);

	copy(location.aor, sizeof(location.aor), record->aor);
	copy(location.device, sizeof(location.device), location_device(record, &memory));
	return location;
}

static struct told_location *find(struct told *told, const struct told_location *name)
{
	for (size_t i = 0; i < told->count; i++) {
		struct told_location *known = &told->locations[i];

		if (known->kind == name->kind && strcmp(known->aor, name->aor) == 0 &&
		    strcmp(known->device, name->device) == 0)
			return known;
	}
	return NULL;
}

static void put(struct share *share, const struct share_report *report, uint64_t now_ns)
{
	struct told *told = told_of_share(share);
	struct told_location location = name_of(report->record), *place = find(told, &location);

	(void)now_ns;
	location.health = report->health;
	location.seen_ns = report->seen_ns;
	location.flow = report->record->flow;
	if (!place) {
		assert_true(told->count < TOLD_MAX);
		place = &told->locations[told->count++];
	}
	*place = location;
	told->puts++;
	if (told->room > 0)
		told->room--;
}

static void drop(struct share *share, const struct record *record)
{
	struct told *told = told_of_share(share);
	struct told_location name = name_of(record), *place = find(told, &name);

	told->drops++;
	if (place)
		*place = told->locations[--told->count];
}

static uint64_t epoch(const struct share *share)
{
	return told_of_share(share)->epoch;
}

static size_t room(const struct share *share)
{
	return told_of_share(share)->room;
}

static void announced(struct share *share, uint64_t whole)
{
	struct told *told = told_of_share(share);

	told->announced = whole;
	told->epoch = 0;
}

static const struct share_operations operations = {
	.put = put,
	.drop = drop,
	.epoch = epoch,
	.room = room,
	.announced = announced,
};

void told_begin(struct told *told)
{
	memset(told, 0, sizeof(*told));
	told->share.operations = &operations;
	told->room = SIZE_MAX;
}

const struct told_location *told_of(const struct told *told, uint8_t kind, const char *aor)
{
	for (size_t i = 0; i < told->count; i++) {
		if (told->locations[i].kind == kind && strcmp(told->locations[i].aor, aor) == 0)
			return &told->locations[i];
	}
	return NULL;
}
