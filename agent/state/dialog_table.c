/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "state/dialog_table.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "state/span_pack.h"

/* One allocation; the texts that never change follow. */
struct kept {
	struct dialog dialog; /* first: callers hold a pointer to it */
	char texts[];
};

int dialog_table_init(struct dialog_table *table, size_t limit)
{
	*table = (struct dialog_table){ .limit = limit };
	return hash_key_make(&table->key);
}

void dialog_table_clear(struct dialog_table *table)
{
	for (size_t i = 0; i < table->by_call_id.bucket_count; i++)
		while (table->by_call_id.buckets[i])
			dialog_table_remove(table, table_element(table->by_call_id.buckets[i],
								 struct dialog, by_call_id));
	table_clear(&table->by_call_id);
}

static struct dialog *same_call_id(struct table_node *node, struct span call_id)
{
	for (; node; node = table_next(node)) {
		struct dialog *dialog = table_element(node, struct dialog, by_call_id);

		if (span_equal(dialog->call_id, call_id))
			return dialog;
	}
	return NULL;
}

static uint64_t call_id_hash(const struct dialog_table *table, struct span call_id)
{
	return hash_bytes(&table->key, call_id.at, call_id.length);
}

struct dialog *dialog_table_first(const struct dialog_table *table, struct span call_id)
{
	return same_call_id(table_first(&table->by_call_id, call_id_hash(table, call_id)), call_id);
}

struct dialog *dialog_table_next(const struct dialog *dialog)
{
	return same_call_id(table_next(&dialog->by_call_id), dialog->call_id);
}

/* The legs of a Call-ID that are this device's, from "dialog" on. */
static struct dialog *same_side(struct dialog *dialog, const struct side *side)
{
	while (dialog && (!span_equal(dialog->device_tag, side->tag) ||
			  !span_equal(dialog->peer_tag, side->peer_tag)))
		dialog = dialog_table_next(dialog);
	return dialog;
}

static struct dialog *first_of_side(const struct dialog_table *table, struct span call_id,
				    const struct side *side)
{
	return same_side(dialog_table_first(table, call_id), side);
}

static struct dialog *next_of_side(const struct dialog *dialog, const struct side *side)
{
	return same_side(dialog_table_next(dialog), side);
}

static bool is_on(const struct dialog *dialog, const struct flow *flow)
{
	return binding_kept_on(&dialog->binding, flow) == BINDING_RENEWED;
}

struct dialog *dialog_table_find_made(const struct dialog_table *table, struct span call_id,
				      const struct side *side, uint64_t invite,
				      const struct flow *flow)
{
	struct dialog *dialog = first_of_side(table, call_id, side);

	while (dialog && dialog->invite != invite && !is_on(dialog, flow))
		dialog = next_of_side(dialog, side);
	return dialog;
}

/* Which of a device's legs it is that a request on neither's flow is about. */
static struct dialog *likelier(struct dialog *a, struct dialog *b)
{
	if (!a || dialog_has_ended(b))
		return a ? a : b;
	/* Trap 36: of a spiral's two legs, the one that has not been told of this move yet. */
	return dialog_has_ended(a) || b->accepted_ns < a->accepted_ns ? b : a;
}

struct dialog *dialog_table_find_known(const struct dialog_table *table, struct span call_id,
				       const struct side *side, const struct flow *flow)
{
	struct dialog *dialog = first_of_side(table, call_id, side), *found = NULL;

	for (; dialog; dialog = next_of_side(dialog, side)) {
		if (is_on(dialog, flow))
			return dialog;
		found = likelier(found, dialog);
	}
	return found;
}

struct dialog *dialog_table_find_on(const struct dialog_table *table, struct span call_id,
				    const struct side *side, const struct flow *flow)
{
	struct dialog *dialog = first_of_side(table, call_id, side);

	while (dialog && !is_on(dialog, flow))
		dialog = next_of_side(dialog, side);
	return dialog;
}

struct dialog *dialog_table_find_near(const struct dialog_table *table, struct span call_id,
				      const struct side *side, const struct flow *flow)
{
	struct dialog *dialog = dialog_table_find_on(table, call_id, side, flow);

	if (dialog)
		return dialog;
	dialog = first_of_side(table, call_id, side);
	while (dialog && (dialog_has_ended(dialog) || !side_is_near(&dialog->binding, flow)))
		dialog = next_of_side(dialog, side);
	return dialog;
}

struct dialog *dialog_table_find_lesser(const struct dialog_table *table, struct span call_id)
{
	struct dialog *dialog = dialog_table_first(table, call_id), *early = NULL;

	for (; dialog; dialog = dialog_table_next(dialog)) {
		if (dialog->displaced)
			continue;
		if (dialog_has_ended(dialog))
			return dialog;
		if (dialog->early)
			early = dialog;
	}
	return early;
}

bool dialog_table_has_room(const struct dialog_table *table, struct span call_id)
{
	struct dialog *dialog = dialog_table_first(table, call_id);
	size_t count = 0;

	for (; dialog; dialog = dialog_table_next(dialog))
		count += !dialog->displaced;
	return count < DIALOG_LEGS_MAX && !dialog_table_full(table);
}

void dialog_table_displace(struct dialog_table *table, struct dialog *dialog)
{
	dialog->displaced = true;
	table->displaced++;
}

static struct kept *make(struct span call_id, const struct side *side)
{
	struct kept *kept = calloc(1, sizeof(*kept) + call_id.length + side->tag.length +
					      side->peer_tag.length + side->aor.length);
	char *at;

	if (!kept)
		return NULL;
	at = kept->texts;
	kept->dialog = (struct dialog){
		.binding = {
			.kind = BINDING_DIALOG,
			.aor = span_pack(side->aor, &at),
			.behind_nat = true,
		},
		.call_id = span_pack(call_id, &at),
		.device_tag = span_pack(side->tag, &at),
		.peer_tag = span_pack(side->peer_tag, &at),
		.accepted_cseq = { -1, -1 },
		.session_expires = FACTS_UNSTATED,
	};
	return kept;
}

struct dialog *dialog_table_add(struct dialog_table *table, struct span call_id,
				const struct side *side)
{
	cleanup_free struct kept *kept =
		dialog_table_has_room(table, call_id) ? make(call_id, side) : NULL;

	if (!kept ||
	    table_put(&table->by_call_id, &kept->dialog.by_call_id, call_id_hash(table, call_id)))
		return NULL;
	return &take_ptr(kept)->dialog;
}

void dialog_table_remove(struct dialog_table *table, struct dialog *dialog)
{
	table_take(&table->by_call_id, &dialog->by_call_id);
	table->displaced -= dialog->displaced;
	side_free_target(&dialog->binding);
	free(dialog);
}

uint64_t dialog_table_name(const struct dialog_table *table, const void *bytes, size_t length)
{
	uint64_t name = hash_bytes(&table->key, bytes, length);

	return name ? name : 1;
}

bool dialog_table_full(const struct dialog_table *table)
{
	return dialog_table_count(table) - table->displaced >= table->limit;
}

size_t dialog_table_count(const struct dialog_table *table)
{
	return table->by_call_id.count;
}
