/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rows_path.c - what is known of a path: a row of "paths", and the one of "path". */
#include "surface/rows.h"

#include "base/address.h"
#include "base/clock.h"
#include "keep/policy.h"
#include "keep/rules.h"
#include "surface/row.h"

/* The agent counts an answer when it looks at the path again: here it is told at once. */
static struct path with_answer(const struct path *path, const struct path_entry *entry)
{
	struct policy_verdict answered = {
		.answered = true,
		.health = PATH_LIVE,
		.note = PATH_NOTE_answered,
		.spared_ns = path->spared_ns,
	};
	struct counts nobodys = { 0 };
	struct path seen = *path;

	if (entry && path->prompt.tries > 0 && entry->answer_token == path->prompt.token)
		policy_apply(&seen, entry, &answered, &nobodys);
	return seen;
}

/* What keeps the NAT's mapping: prompts, the kernel's keepalive, or nothing of ours. */
static const char *keeper_name(const struct path *path, const struct connection_entry *connection)
{
	const struct path_rules *rules = path->rules;

	if (path->flow.transport == FLOW_TCP)
		return connection && connection->keepalive ? "tcp-keepalive" : "none";
	if (rules->ignored || (rules->nat == RULES_NAT_AUTO && path->nat_count == 0))
		return "none";
	return prompt_method_name(rules->method);
}

static void put_identity(struct row *row, const struct flow *flow)
{
	row_put_word(row, "transport", flow_transport_name(flow->transport));
	row_put_address(row, "local", flow->local_addr, flow->local_port);
	row_put_address(row, "remote", flow->remote_addr, flow->remote_port);
	row_put_flow(row, "flow", flow);
}

static void put_times(struct row *row, const struct path *path, const struct path_entry *entry,
		      uint64_t now_ns)
{
	if (entry && entry->last_seen_ns)
		row_put_ms_between(row, "idle_ms", entry->last_seen_ns, now_ns);
	else
		row_put_null(row, "idle_ms");
	if (path->due.link)
		row_put_ms_between(row, "due_in_ms", now_ns, path->due.due_ns);
	else
		row_put_null(row, "due_in_ms");
	row_put_ms_between(row, "opened_ago_ms", path->opened_ns, now_ns);
}

static void put_prompts(struct row *row, const struct path *path)
{
	row_put_number(row, "prompts", path->prompts);
	row_put_number(row, "answers", path->answers);
	row_put_number(row, "avoided", path->avoided);
	row_put_known(row, "rtt_us", path->rtt_us);
	row_put_known(row, "answer_status", path->answer_status);
}

/* How many bindings of each kind there are; a connection is one at most. */
static void put_bindings_counted(struct row *row, const struct path *path)
{
	const uint32_t *counts = path->binding_counts;

	row_put_number(row, "registrations", counts[BINDING_REGISTRATION]);
	row_put_number(row, "subscriptions", counts[BINDING_SUBSCRIPTION]);
	row_put_number(row, "dialogs", counts[BINDING_DIALOG]);
	row_put_number(row, "lingering", counts[BINDING_LINGERING]);
	row_put_flag(row, "connection", counts[BINDING_CONNECTION] > 0);
}

/* How it is kept, and why it is or is not prompted. */
static void put_keeping(struct row *row, const struct path *path,
			const struct connection_entry *connection)
{
	row_put_word(row, "kept_by", keeper_name(path, connection));
	row_put_word(row, "why", path_note_text((enum path_note)path->note));
	row_put_word(row, "note", path_note_name((enum path_note)path->note));
	row_put_number(row, "threshold_ms", path->rules->threshold_ns / NS_PER_MS);
	row_put_flag(row, "behind_nat", path->nat_count > 0);
	row_put_flag(row, "readable", !(connection && connection->opaque));
}

static void put_path(struct row *row, const struct rows_path *shown, uint64_t now_ns)
{
	const struct path seen = with_answer(shown->path, shown->entry), *path = &seen;

	put_identity(row, &path->flow);
	row_put_word(row, "state", path_state_name(path_state(path)));
	row_put_word(row, "health", path_health_name((enum path_health)path->health));
	put_times(row, path, shown->entry, now_ns);
	put_prompts(row, path);
	put_bindings_counted(row, path);
	put_keeping(row, path, shown->connection);
}

json_t *rows_path(const struct rows_path *shown, uint64_t now_ns)
{
	struct row row = row_begin();

	put_path(&row, shown, now_ns);
	return row_end(&row);
}

static void put_ago(struct row *row, const char *name, uint64_t then_ns, uint64_t now_ns)
{
	if (then_ns == 0)
		row_put_null(row, name);
	else
		row_put_ms_between(row, name, then_ns, now_ns);
}

static json_t *row_of_entry(const struct path_entry *entry, uint64_t now_ns)
{
	struct row row = row_begin();

	put_ago(&row, "last_seen_ago_ms", entry->last_seen_ns, now_ns);
	row_put_number(&row, "packets_in", entry->packets_in);
	put_ago(&row, "last_sent_ago_ms", entry->last_sent_ns, now_ns);
	row_put_number(&row, "packets_out", entry->packets_out);
	put_ago(&row, "prompt_ago_ms", entry->prompt_ns, now_ns);
	put_ago(&row, "answer_ago_ms", entry->answer_ns, now_ns);
	row_put_number(&row, "prompts", entry->prompts);
	row_put_number(&row, "answers", entry->answers);
	row_put_known(&row, "answer_status", entry->answer_status);
	return row_end(&row);
}

/* Puts as many bindings as there is room for, and says how many are left out. */
static void put_bindings(struct row *row, const struct path *path, uint64_t now_ns)
{
	json_t *array = json_array();
	const struct binding *binding;
	size_t bytes = 0, omitted = 0;

	for (binding = path->bindings; binding; binding = binding->next) {
		json_t *item;

		if (bytes >= ROWS_BINDINGS_BYTES_MAX) {
			omitted++;
			continue;
		}
		item = rows_binding(binding, now_ns);
		bytes += json_dumpb(item, NULL, 0, JSON_COMPACT);
		if (json_array_append_new(array, item))
			row->failed = true;
	}
	row_put(row, "bindings", array);
	row_put_number(row, "bindings_omitted", omitted);
}

json_t *rows_path_in_full(const struct rows_path *shown, uint64_t now_ns)
{
	struct row row = row_begin();

	put_path(&row, shown, now_ns);
	put_bindings(&row, shown->path, now_ns);
	if (shown->entry)
		row_put(&row, "entry", row_of_entry(shown->entry, now_ns));
	else
		row_put_null(&row, "entry");
	return row_end(&row);
}
