/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "state/dialogs.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "state/dialogs_parts.h"
#include "state/paths.h"
#include "state/restored.h"
#include "state/side.h"

struct dialogs *dialogs_new(const struct dialogs_options *options)
{
	cleanup_free struct dialogs *dialogs = calloc(1, sizeof(*dialogs));

	if (!dialogs || dialog_table_init(&dialogs->table, options->limit))
		return NULL;
	dialogs->options = *options;
	return take_ptr(dialogs);
}

void dialogs_free(struct dialogs *dialogs)
{
	if (!dialogs)
		return;
	dialog_table_clear(&dialogs->table);
	free(dialogs);
}

void dialogs_refuse(struct dialogs *dialogs)
{
	count_up(dialogs->options.counts, bindings_refused);
	if (dialogs->refusing || !dialog_table_full(&dialogs->table))
		return;
	dialogs->refusing = true;
	log_warning("%zu legs of dialogs are kept, which is the limit, so new ones are not: raise "
		    "--paths-max",
		    dialog_table_count(&dialogs->table));
}

struct dialog *dialogs_add(struct dialogs *dialogs, struct span call_id, const struct side *side)
{
	struct dialog *leg = dialog_table_add(&dialogs->table, call_id, side);

	if (leg)
		dialogs->refusing &= dialog_table_full(&dialogs->table);
	else
		dialogs_refuse(dialogs);
	return leg;
}

struct binding_change dialogs_end(const struct dialogs *dialogs, struct dialog *leg,
				  enum binding_reason reason, uint64_t now_ns)
{
	uint64_t linger_ns = dialogs->options.linger_ns;
	bool lingers = leg->binding.path && linger_ns > 0;
	struct binding_change change = {
		.kind = lingers ? BINDING_LINGERS : BINDING_ENDS,
		.reason = reason,
		.binding = &leg->binding,
		.ends_ns = now_ns + linger_ns,
	};

	leg->ended_ns = now_ns;
	binding_count_change(dialogs->options.counts, change.kind);
	return change;
}

void dialogs_time_session(const struct dialogs *dialogs, struct dialog *leg)
{
	uint64_t lasts_ns = dialogs->options.max_lifetime_ns;
	uint32_t interval_s = leg->session_expires;

	leg->binding.expiry = REASON_dialog_too_long;
	if (interval_s != FACTS_UNSTATED && interval_s * NS_PER_S <= lasts_ns) {
		lasts_ns = (interval_s > 0 ? interval_s : 1) * NS_PER_S;
		leg->binding.expiry = REASON_dialog_session_expired;
	}
	paths_set_end(&leg->binding, leg->accepted_ns + lasts_ns);
}

size_t dialogs_acknowledged(struct dialogs *dialogs, const struct flow *flow,
			    enum sighting_direction direction, const struct facts *ack,
			    struct binding_change *change)
{
	struct side side = side_of_request(direction, ack);
	struct dialog *leg;

	if (direction != SIGHTING_FROM_DEVICE || side.tag.length == 0 || side.peer_tag.length == 0)
		return 0;
	leg = dialog_table_find_on(&dialogs->table, ack->call_id, &side, flow);
	if (!leg || dialog_has_ended(leg) || leg->binding.expiry != REASON_dialog_unacknowledged)
		return 0;
	dialogs_time_session(dialogs, leg);
	*change = (struct binding_change){
		.kind = BINDING_RENEWED,
		.reason = REASON_dialog_confirmed,
		.binding = &leg->binding,
	};
	binding_count_change(dialogs->options.counts, change->kind);
	return 1;
}

size_t dialogs_bye(struct dialogs *dialogs, const struct flow *flow,
		   enum sighting_direction direction, const struct facts *bye, uint64_t now_ns,
		   struct binding_change *change)
{
	struct side side = side_of_request(direction, bye);
	struct dialog *leg;

	if (side.tag.length == 0 || side.peer_tag.length == 0)
		return 0;
	leg = dialog_table_find_near(&dialogs->table, bye->call_id, &side, flow);
	if (!leg || dialog_has_ended(leg))
		return 0;
	*change = dialogs_end(dialogs, leg, REASON_dialog_bye, now_ns);
	return 1;
}

void dialogs_write(const struct binding *binding, struct record *record)
{
	const struct dialog *leg = dialog_of(binding);

	record->call_id = leg->call_id;
	record->device_tag = leg->device_tag;
	record->peer_tag = leg->peer_tag;
	record->accepted_ns = leg->accepted_ns;
	record->session_expires = leg->session_expires;
	record->early = leg->early;
	record->device_called = leg->device_called;
	record->device_refreshes = leg->device_refreshes;
}

bool dialogs_restore(struct dialogs *dialogs, const struct record *record,
		     struct binding_change *change)
{
	struct side side = {
		.tag = record->device_tag,
		.peer_tag = record->peer_tag,
		.aor = record->aor,
	};
	struct dialog *leg = dialog_table_add(&dialogs->table, record->call_id, &side);

	if (!leg)
		return false;
	leg->accepted_ns = record->accepted_ns;
	leg->session_expires = record->session_expires;
	leg->early = record->early;
	leg->device_called = record->device_called;
	leg->device_refreshes = record->device_refreshes;
	side_set_target(&leg->binding, record->target);
	*change = binding_restored(&leg->binding, record);
	return true;
}

void dialogs_forget(struct dialogs *dialogs, struct binding *binding)
{
	dialog_table_remove(&dialogs->table, (struct dialog *)(void *)binding);
}

size_t dialogs_count(const struct dialogs *dialogs)
{
	return dialog_table_count(&dialogs->table);
}
