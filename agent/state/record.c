/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "state/record.h"

#include "state/dialogs.h"
#include "state/path.h"
#include "state/registrations.h"
#include "state/subscriptions.h"

bool record_describe(const struct binding *binding, struct record *record)
{
	*record = (struct record){
		.ends_ns = binding->ends_ns,
		.kind = binding->kind,
		.expiry = binding->expiry,
		.behind_nat = binding->behind_nat,
		.aor = binding->aor,
		.target = binding->target,
	};
	if (binding->path)
		record->flow = binding->path->flow;
	switch ((enum binding_kind)binding->kind) {
	case BINDING_REGISTRATION:
		registrations_write(binding, record);
		return true;
	case BINDING_SUBSCRIPTION:
		subscriptions_write(binding, record);
		return true;
	case BINDING_DIALOG:
	case BINDING_LINGERING:
		dialogs_write(binding, record);
		return true;
	default:
		return false;
	}
}
