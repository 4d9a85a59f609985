/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "surface/rows.h"

#include "base/address.h"
#include "base/counts.h"
#include "keep/policy.h"
#include "state/registration.h"
#include "surface/row.h"

static const char *const binding_kind_names[] = {
	[BINDING_REGISTRATION] = "registration",
	[BINDING_SUBSCRIPTION] = "subscription",
	[BINDING_DIALOG] = "dialog",
	[BINDING_LINGERING] = "lingering",
};

_Static_assert(sizeof(binding_kind_names) / sizeof(binding_kind_names[0]) == BINDING_KIND_MAX,
	       "every kind of binding has a name");

/* The agent counts an answer when it looks at the path again: here it is told at once. */
static struct path with_answer(const struct path *path, const struct path_entry *entry)
{
	struct policy_verdict answered = {
		.answered = true,
		.health = PATH_LIVE,
		.spared_ns = path->spared_ns,
	};
	struct counts nobodys = { 0 };
	struct path seen = *path;

	if (entry && path->prompt.tries > 0 && entry->answer_token == path->prompt.token)
		policy_apply(&seen, entry, &answered, &nobodys);
	return seen;
}

static void put_path(struct row *row, const struct path *kept, const struct path_entry *entry,
		     uint64_t now_ns)
{
	const struct path seen = with_answer(kept, entry), *path = &seen;
	const struct flow *flow = &path->flow;

	row_put_word(row, "transport", flow_transport_name(flow->transport));
	row_put_address(row, "local", flow->local_addr, flow->local_port);
	row_put_address(row, "remote", flow->remote_addr, flow->remote_port);
	row_put_word(row, "state", path_state_name(path_state(path)));
	row_put_word(row, "health", path_health_name((enum path_health)path->health));
	if (entry && entry->last_seen_ns)
		row_put_ms_between(row, "idle_ms", entry->last_seen_ns, now_ns);
	else
		row_put_null(row, "idle_ms");
	if (path->due.link)
		row_put_ms_between(row, "due_in_ms", now_ns, path->due.due_ns);
	else
		row_put_null(row, "due_in_ms");
	row_put_number(row, "prompts", path->prompts);
	row_put_number(row, "answers", path->answers);
	row_put_number(row, "avoided", path->avoided);
	row_put_known(row, "rtt_us", path->rtt_us);
	row_put_known(row, "answer_status", path->answer_status);
	row_put_number(row, "registrations", path->binding_counts[BINDING_REGISTRATION]);
	row_put_number(row, "subscriptions", path->binding_counts[BINDING_SUBSCRIPTION]);
	row_put_number(row, "dialogs", path->binding_counts[BINDING_DIALOG]);
	row_put_word(row, "kept_by", "options");
	row_put_ms_between(row, "opened_ago_ms", path->opened_ns, now_ns);
	row_put_flow(row, "flow", flow);
}

json_t *rows_path(const struct path *path, const struct path_entry *entry, uint64_t now_ns)
{
	struct row row = row_begin();

	put_path(&row, path, entry, now_ns);
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

json_t *rows_path_in_full(const struct path *path, const struct path_entry *entry, uint64_t now_ns)
{
	struct row row = row_begin();

	put_path(&row, path, entry, now_ns);
	put_bindings(&row, path, now_ns);
	if (entry)
		row_put(&row, "entry", row_of_entry(entry, now_ns));
	else
		row_put_null(&row, "entry");
	return row_end(&row);
}

/* What a registration knows, and other kinds of bindings do not. */
static void put_registration(struct row *row, const struct registration *registration,
			     uint64_t now_ns)
{
	row_put_text(row, "aor", registration->aor);
	row_put_text(row, "instance", registration->instance);
	row_put_known(row, "reg_id", registration->reg_id);
	row_put_text(row, "call_id", registration->call_id);
	put_ago(row, "accepted_ago_ms", registration->accepted_ns, now_ns);
}

json_t *rows_binding(const struct binding *binding, uint64_t now_ns)
{
	static const struct registration unknown;
	const struct flow *flow = &binding->path->flow;
	struct row row = row_begin();

	row_put_word(&row, "kind", binding_kind_names[binding->kind]);
	put_registration(
		&row, binding->kind == BINDING_REGISTRATION ? registration_of(binding) : &unknown,
		now_ns);
	row_put_text(&row, "contact", binding->target);
	row_put_ms_between(&row, "expires_in_ms", now_ns, binding->ends_ns);
	row_put_address(&row, "remote", flow->remote_addr, flow->remote_port);
	row_put_flow(&row, "flow", flow);
	return row_end(&row);
}

json_t *rows_counts(const uint64_t kernel[KERNEL_COUNTER_MAX], const struct counts *agent,
		    uint64_t paths)
{
	struct row row = row_begin();

	row_put_number(&row, "paths", paths);
#define PUT_KERNEL(name, help) row_put_number(&row, #name, kernel[COUNTER_##name]);
	SIPPATH_KERNEL_COUNTERS(PUT_KERNEL)
#undef PUT_KERNEL
#define PUT_AGENT(name, help) row_put_number(&row, #name, agent->value[COUNT_##name]);
	SIPPATH_AGENT_COUNTERS(PUT_AGENT)
#undef PUT_AGENT
	return row_end(&row);
}

json_t *rows_interfaces(const struct attach_interface *interfaces, size_t count)
{
	json_t *array = json_array();

	for (size_t i = 0; i < count; i++) {
		struct row row = row_begin();

		row_put_text(&row, "name", span_of(interfaces[i].name));
		row_put_word(&row, "mode", interfaces[i].native ? "native" : "generic");
		row_put_word(&row, "attached", interfaces[i].found ? "found" : "agent");
		row_put_number(&row, "index", interfaces[i].index);
		row_put_number(&row, "ingress_id", interfaces[i].ingress_id);
		row_put_number(&row, "egress_id", interfaces[i].egress_id);
		if (json_array_append_new(array, row_end(&row))) {
			json_decref(array);
			return NULL;
		}
	}
	return array;
}
