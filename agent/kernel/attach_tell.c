/* SPDX-License-Identifier: GPL-2.0-or-later */
/* attach_tell.c - what attach_mend() says: crossings, each in one line. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "kernel/attach_parts.h"

static const struct words {
	enum attach_part part;
	const char *missing;
	const char *mended;
} words[] = {
	{ ATTACH_PART_INTERFACE, "the interface is gone", "the interface is back" },
	{ ATTACH_PART_CARRIER, "the interface is down or has no carrier, nothing is heard there",
	  "the interface is up" },
	{ ATTACH_PART_INGRESS, "it does not carry our XDP program any more",
	  "it carries our XDP program again" },
	{ ATTACH_PART_EGRESS, "it does not carry our tc filter any more",
	  "it carries our tc filter again" },
	{ ATTACH_PART_SETTINGS, "somebody has changed " SIPPATH_MAP_SETTINGS,
	  SIPPATH_MAP_SETTINGS " is as it was" },
	{ ATTACH_PART_PINS, "pins have been removed", "all is pinned again" },
	{ ATTACH_PART_CONNECTIONS,
	  "what sees TCP connections has been taken off the cgroup v2 hierarchy",
	  "TCP connections are seen again" },
};

static uint32_t left_of(const struct attach_finding *finding)
{
	return finding->missing & ~finding->mended;
}

static void say_left(const char *where, const struct words *of, const struct attach_finding *now)
{
	if (of->part == ATTACH_PART_CARRIER || now->error == -ENODEV)
		log_error("%s: %s", where, of->missing);
	else if (now->other_part == of->part)
		log_error(
			"%s: %s: the program '%s' (id %u) is in its place: take that off, and ours"
			" comes back by itself",
			where, of->missing, now->other_name, now->other_id);
	else
		log_error("%s: %s: %s, which is tried again every second", where, of->missing,
			  strerror(-now->error));
}

static void tell_part(const char *where, const struct words *of,
		      const struct attach_finding *before, const struct attach_finding *now)
{
	bool was_left = left_of(before) & of->part, is_left = left_of(now) & of->part;

	if (is_left && !was_left)
		say_left(where, of, now);
	else if (was_left && !is_left)
		log_info("%s: %s", where, of->mended);
	else if (!is_left && (now->missing & of->part))
		log_warning("%s: %s; %s", where, of->missing, of->mended);
}

/* What is only put off is told when it has been tried. */
static void tell(const char *where, struct attach_finding *before, const struct attach_finding *now)
{
	if (now->error == -EAGAIN)
		return;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		tell_part(where, &words[i], before, now);
	*before = *now;
}

void attach_tell(struct attachment *attachment, const struct attach_repair *now)
{
	for (uint32_t i = 0; i < now->count; i++)
		tell(now->interfaces[i].name, &attachment->told.found[i], &now->found[i]);
	tell(attachment->pins.directory, &attachment->told.shared, &now->shared);
}
