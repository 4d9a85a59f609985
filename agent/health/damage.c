/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "health/damage.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"

/* Which trouble it is that a part is missing. */
static const struct part {
	uint32_t parts; /* enum attach_part, or'ed */
	enum trouble trouble;
} parts[] = {
	{ ATTACH_PART_INTERFACE, TROUBLE_interface_gone },
	{ ATTACH_PART_CARRIER, TROUBLE_interface_down },
	{ ATTACH_PART_INGRESS | ATTACH_PART_EGRESS, TROUBLE_programs_lost },
	{ ATTACH_PART_SETTINGS, TROUBLE_settings_lost },
	{ ATTACH_PART_PINS, TROUBLE_pins_lost },
	{ ATTACH_PART_CONNECTIONS, TROUBLE_connections_unseen },
};

#define PARTS (sizeof(parts) / sizeof(parts[0]))

/* How one trouble stands, of all interfaces. */
struct standing {
	uint32_t missing, left;
	struct text *detail; /* what, where and why */
};

static uint32_t left_of(const struct attach_finding *found)
{
	return found->missing & ~found->mended;
}

static bool is_gone(const struct attach_finding *found)
{
	return (left_of(found) & ATTACH_PART_INTERFACE) && found->error == -ENODEV;
}

/* Over what is not there, or is down, no packet passes, and so none unseen. */
static bool lets_pass(const struct attach_finding *found)
{
	return !is_gone(found) && !(left_of(found) & ATTACH_PART_CARRIER);
}

static void add(struct damage *damage, const struct attach_finding *found)
{
	bool is_blind = lets_pass(found) && (left_of(found) & ATTACH_PARTS_OF_SIGHT);

	damage->is_blind |= is_blind;
	damage->was_blind |= is_blind || (found->mended & ATTACH_PARTS_OF_SIGHT);
}

/* Nobody can answer, which is no silence of theirs. */
static bool are_all_gone(const struct attach_repair *repair)
{
	uint32_t gone = 0;

	while (gone < repair->count && is_gone(&repair->found[gone]))
		gone++;
	return gone > 0 && gone == repair->count;
}

struct damage damage_assess(const struct attach_repair *repair)
{
	struct damage damage = { 0 };

	add(&damage, &repair->shared);
	for (uint32_t i = 0; i < repair->count; i++)
		add(&damage, &repair->found[i]);
	damage.is_blind |= are_all_gone(repair);
	damage.was_blind |= damage.is_blind;
	return damage;
}

/* Of several parts that are left the error is not the carrier's. */
static const char *reason(const struct attach_finding *found, uint32_t left)
{
	if (!left)
		return "put back";
	if (left == ATTACH_PART_CARRIER && left != left_of(found))
		return strerror(ENETDOWN);
	return found->error ? strerror(-found->error) : "not put back yet";
}

static void describe(struct text *detail, const char *where, const struct attach_finding *found,
		     uint32_t left)
{
	text_format(detail, "%s%s: %s", detail->used > 0 ? "; " : "", where, reason(found, left));
	if (left & found->other_part)
		text_format(detail, ", \"%.*s\" (program %u) is in the place",
			    (int)sizeof(found->other_name), found->other_name, found->other_id);
}

static void take(struct standing *standing, const struct part *part, const char *where,
		 const struct attach_finding *found)
{
	uint32_t missing = found->missing & part->parts, left = missing & left_of(found);

	standing->missing |= missing;
	standing->left |= left;
	if (missing)
		describe(standing->detail, where, found, left);
}

static void tell(const struct part *part, const struct attach_repair *repair,
		 struct troubles *troubles, uint64_t now_ns)
{
	char buffer[TROUBLES_DETAIL_MAX];
	struct text detail = TEXT_OVER(buffer);
	struct standing standing = { .detail = &detail };
	const char *shown;

	take(&standing, part, "all interfaces", &repair->shared);
	for (uint32_t i = 0; i < repair->count; i++)
		take(&standing, part, repair->interfaces[i].name, &repair->found[i]);
	shown = detail.overflow ? "several interfaces" : buffer;
	if (standing.left)
		troubles_set(troubles, part->trouble, now_ns, "%s", shown);
	else if (standing.missing)
		troubles_note(troubles, part->trouble, now_ns, "%s", shown);
	else
		troubles_clear(troubles, part->trouble, now_ns);
}

void damage_tell(const struct attach_repair *repair, struct troubles *troubles, uint64_t now_ns)
{
	for (size_t i = 0; i < PARTS; i++)
		tell(&parts[i], repair, troubles, now_ns);
}
