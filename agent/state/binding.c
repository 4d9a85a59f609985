/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "state/binding.h"

#include <stdlib.h>
#include <string.h>

#include "state/path.h"

enum binding_change_kind binding_kept_on(const struct binding *binding, const struct flow *flow)
{
	if (!binding->path)
		return BINDING_BEGINS;
	return memcmp(&binding->path->flow, flow, sizeof(*flow)) == 0 ? BINDING_RENEWED
								      : BINDING_MOVED;
}

void binding_count_change(struct counts *counts, enum binding_change_kind kind)
{
	switch (kind) {
	case BINDING_BEGINS:
		count_up(counts, bindings_begun);
		break;
	case BINDING_RENEWED:
		count_up(counts, bindings_renewed);
		break;
	case BINDING_MOVED:
		count_up(counts, bindings_moved);
		break;
	case BINDING_ENDS:
		count_up(counts, bindings_ended);
		break;
	case BINDING_LINGERS: /* counted when that is over */
		break;
	}
}
