/* SPDX-License-Identifier: GPL-2.0-or-later */
/* restored.h - what every kind of binding has in common when it comes back from its record. */
#ifndef AGENT_STATE_RESTORED_H
#define AGENT_STATE_RESTORED_H

#include "state/binding.h"
#include "state/record.h"

/* Sets the common members of a binding that is on no path, and returns the change that it begins again with. */
static inline struct binding_change binding_restored(struct binding *binding,
						     const struct record *record)
{
	binding->kind = record->kind;
	binding->expiry = record->expiry;
	binding->ends_ns = record->ends_ns;
	binding->behind_nat = record->behind_nat;
	return (struct binding_change){
		.kind = BINDING_BEGINS,
		.reason = REASON_remembered,
		.binding = binding,
		.flow = record->flow,
	};
}

#endif
