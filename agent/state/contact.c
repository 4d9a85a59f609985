/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "state/contact.h"

#include "state/uri.h"

static bool both_have_instance(const struct facts_contact *a, const struct facts_contact *b)
{
	return a->instance.length > 0 && b->instance.length > 0;
}

bool contact_other_instance(const struct facts_contact *a, const struct facts_contact *b)
{
	/* An instance is a URN; those in use compare without regard to case. */
	return both_have_instance(a, b) && !span_equal_nocase(a->instance, b->instance);
}

bool contact_same_binding(const struct facts_contact *a, const struct facts_contact *b)
{
	if (contact_other_instance(a, b))
		return false;
	if (both_have_instance(a, b) && a->reg_id > 0 && b->reg_id > 0)
		return a->reg_id == b->reg_id;
	return uri_equal(a->uri, b->uri);
}

bool contact_same_device(const struct facts_contact *a, const struct facts_contact *b)
{
	if (contact_same_binding(a, b))
		return true;
	return both_have_instance(a, b) && !contact_other_instance(a, b) && a->reg_id == b->reg_id;
}
