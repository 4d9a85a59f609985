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

static void add(struct damage *damage, const struct attach_finding *found)
{
	damage->was_blind |= (found->missing & ATTACH_PARTS_OF_SIGHT) != 0;
	damage->is_blind |= (left_of(found) & ATTACH_PARTS_OF_SIGHT) != 0;
}

struct damage damage_assess(const struct attach_repair *repair)
{
	struct damage damage = { 0 };

	add(&damage, &repair->shared);
	for (uint32_t i = 0; i < repair->count; i++)
		add(&damage, &repair->found[i]);
	return damage;
}

static const char *reason(const struct attach_finding *found, uint32_t left)
{
	if (!left)
		return "put back";
	return found->error ? strerror(-found->error) : "not put back yet";
}

static void describe(struct text *detail, const char *where, const struct attach_finding *found,
		     uint32_t left)
{
	text_format(detail, "%s%s: %s", detail->used > 0 ? "; " : "", where, reason(found, left));
	if (left && found->other_id)
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
