/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>

#include "callcontrol/choice.h"
#include "cluster_day_parts.h"

#define AUDIT_EVERY_NS (20 * NS_PER_MS)

/* A binding that a living node keeps, as the view should have it. */
struct kept {
	const struct cluster_day_node *node;
	unsigned int device;
	uint8_t kind;
	bool silent;
	uint64_t ends_ms;
	char name[120]; /* what tells it from the others of its AOR */
};

struct audit {
	struct cluster_day *day;
	struct kept *kept;
	size_t count, room;
	unsigned int *registered; /* of each phone: how many living nodes keep its registration */
	uint64_t looked_ns; /* as of when calls are routed */
	uint64_t choices, stranded;
	char problem[256];
};

static bool __attribute__((format(printf, 2, 3)))
blame(struct audit *audit, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(audit->problem, sizeof(audit->problem), format, arguments);
	va_end(arguments);
	return false;
}

static bool is_dead(const struct cluster_day *day, size_t node)
{
	return day->nodes[node].is_dead;
}

/* --- what living nodes keep --- */

static void add(struct audit *audit, const struct kept *kept)
{
	if (audit->count == audit->room) {
		audit->room = audit->room ? 2 * audit->room : 4096;
		audit->kept = realloc(audit->kept, audit->room * sizeof(*audit->kept));
		assert_non_null(audit->kept);
	}
	audit->kept[audit->count++] = *kept;
}

static bool take_binding(struct audit *audit, const struct cluster_day_node *node,
			 const struct path *path, const struct binding *binding)
{
	size_t phone = cluster_day_phone_of(audit->day, &path->flow);
	struct kept kept = {
		.node = node,
		.device = audit->day->phones[phone].device,
		.kind = binding->kind,
		.silent = path->health == PATH_SILENT,
		.ends_ms = audit->day->epoch_ms + binding->ends_ns / NS_PER_MS,
	};
	struct text name = TEXT_OVER(kept.name);
	struct record record;

	assert_true(record_describe(binding, &record));
	assert_non_null(location_device(&record, &name).at);
	add(audit, &kept);
	if (binding->kind != BINDING_REGISTRATION)
		return true;
	audit->registered[phone]++;
	if (&audit->day->nodes[audit->day->phones[phone].node] != node)
		return blame(audit, "%s keeps a registration of device %u, which is with %s",
			     node->name, kept.device,
			     audit->day->nodes[audit->day->phones[phone].node].name);
	return true;
}

static bool take_node(struct audit *audit, const struct cluster_day_node *node)
{
	const struct paths *paths = keeper_paths(pipeline_keeper(node->pipeline));
	const struct path *path;
	uint32_t cursor = 0;

	while ((path = paths_walk(paths, &cursor)))
		for (const struct binding *binding = path->bindings; binding;
		     binding = binding->next)
			if (!take_binding(audit, node, path, binding))
				return false;
	return true;
}

static bool take_nodes(struct audit *audit)
{
	for (size_t i = 0; i < CLUSTER_DAY_NODES; i++)
		if (!is_dead(audit->day, i) && !take_node(audit, &audit->day->nodes[i]))
			return false;
	return true;
}

static bool has_lost_none(struct audit *audit)
{
	for (size_t i = 0; i < audit->day->phone_count; i++) {
		const struct cluster_day_phone *phone = &audit->day->phones[i];
		unsigned int expected = is_dead(audit->day, phone->node) ? 0 : 1;

		audit->stranded += 1 - expected;
		if (audit->registered[i] != expected)
			return blame(audit, "%u living nodes keep device %u, which is with %s",
				     audit->registered[i], phone->device,
				     audit->day->nodes[phone->node].name);
	}
	return true;
}

/* --- what call control has --- */

static const struct cluster_day_node *find_node(const struct cluster_day *day, struct span name)
{
	for (size_t i = 0; i < CLUSTER_DAY_NODES; i++)
		if (span_equal(span_of(day->nodes[i].name), name))
			return &day->nodes[i];
	return NULL;
}

static bool is_it(const struct kept *kept, const struct location *location)
{
	return kept->kind == location->kind &&
	       span_equal(span_of(kept->node->name), location->node) &&
	       span_equal(span_of(kept->name), location->device);
}

static bool check_location(struct audit *audit, const struct location *location, size_t first,
			   size_t end)
{
	for (size_t i = first; i < end; i++) {
		const struct kept *kept = &audit->kept[i];

		if (!is_it(kept, location))
			continue;
		if (kept->ends_ms != location->ends_ms ||
		    kept->silent != (location->health == PATH_SILENT))
			return blame(audit, "the view has another end, or health, of %s at %s",
				     kept->name, kept->node->name);
		return true;
	}
	return blame(audit, "the view has something of device %.*s at %.*s that is not there",
		     (int)location->device.length, location->device.at, (int)location->node.length,
		     location->node.at);
}

/* What is kept of the device is from "first" to before "end". */
static bool check_device(struct audit *audit, unsigned int device, size_t first, size_t end)
{
	struct location locations[DIRECTORY_LOCATIONS_MAX];
	size_t count, living = 0;
	char aor[40];

	cluster_day_write_aor(device, aor);
	count = view_where(audit->day->view, span_of(aor), cluster_day_ms(audit->day), locations,
			   DIRECTORY_LOCATIONS_MAX);
	for (size_t i = 0; i < count; i++) {
		const struct cluster_day_node *node = find_node(audit->day, locations[i].node);

		if (!node)
			return blame(audit, "the view has a node that there is not");
		if (node->is_dead)
			continue;
		living++;
		if (!check_location(audit, &locations[i], first, end))
			return false;
	}
	if (living != end - first)
		return blame(audit, "the view has %zu of %zu locations of %s", living, end - first,
			     aor);
	return true;
}

static int compare(const void *one, const void *other)
{
	const struct kept *a = one, *b = other;

	return (a->device > b->device) - (a->device < b->device);
}

static bool check_view(struct audit *audit)
{
	size_t first = 0, end = 0;

	qsort(audit->kept, audit->count, sizeof(*audit->kept), compare);
	for (unsigned int device = 0; device < audit->day->options.devices; device++) {
		for (first = end; end < audit->count && audit->kept[end].device == device;)
			end++;
		if (!check_device(audit, device, first, end))
			return false;
	}
	return true;
}

/* --- where calls go --- */

/* Of the registrations of a device that living nodes keep the latest one first; returns how many. */
static size_t find_routes(const struct cluster_day *day, size_t index,
			  const struct cluster_day_phone *routes[2])
{
	const struct cluster_day_phone *phone = &day->phones[index], *swap;
	size_t count = 0;

	if (!is_dead(day, phone->node))
		routes[count++] = phone;
	if (phone->sibling == CLUSTER_DAY_NOWHERE || is_dead(day, day->phones[phone->sibling].node))
		return count;
	routes[count++] = &day->phones[phone->sibling];
	if (count == 2 && routes[0]->registered_ns < routes[1]->registered_ns) {
		swap = routes[0];
		routes[0] = routes[1];
		routes[1] = swap;
	}
	return count;
}

static bool check_route(struct audit *audit, size_t index)
{
	const struct cluster_day *day = audit->day;
	const struct cluster_day_phone *routes[2];
	struct choice choices[CHOICE_MAX];
	size_t expected = find_routes(day, index, routes), count;
	char aor[40];

	cluster_day_write_aor(day->phones[index].device, aor);
	count = choice_make(day->view, span_of(aor), NULL, audit->looked_ns, cluster_day_ms(day),
			    choices);
	audit->choices++;
	if (count != expected)
		return blame(audit, "a call for %s has %zu ways, not %zu", aor, count, expected);
	for (size_t i = 0; i < count; i++)
		if (!span_equal(choices[i].location.node,
				span_of(day->nodes[routes[i]->node].name)))
			return blame(audit, "a call for %s goes through %.*s, not %s", aor,
				     (int)choices[i].location.node.length,
				     choices[i].location.node.at, day->nodes[routes[i]->node].name);
	return true;
}

static bool check_routes(struct audit *audit)
{
	for (size_t i = 0; i < audit->day->phone_count; i++)
		if (!check_route(audit, i))
			return false;
	return true;
}

/* --- when it is looked at --- */

static struct audit latest;

static void begin_audit(struct cluster_day *day)
{
	free(latest.kept);
	free(latest.registered);
	latest = (struct audit){
		.day = day,
		.registered = calloc(day->phone_count, sizeof(*latest.registered)),
	};
	assert_non_null(latest.registered);
}

static void end_audit(void)
{
	latest.day->choices += latest.choices;
	latest.day->stranded += latest.stranded;
	free(latest.kept);
	free(latest.registered);
	latest = (struct audit){ 0 };
}

static uint64_t beat_ms(const struct cluster_day *day, const struct cluster_day_node *node)
{
	const struct node *said = view_find_node(day->view, span_of(node->name));

	return said ? said->beat_ms : 0;
}

/* Call control has heard of some node what that has said after the latest death. */
static bool has_heard_since(struct cluster_day *day)
{
	for (size_t i = 0; i < CLUSTER_DAY_NODES; i++)
		if (!is_dead(day, i) && beat_ms(day, &day->nodes[i]) > day->died_ms)
			return true;
	return false;
}

static bool has_heard_all_since(const struct cluster_day *day)
{
	for (size_t i = 0; i < CLUSTER_DAY_NODES; i++)
		if (!is_dead(day, i) && beat_ms(day, &day->nodes[i]) <= day->marked_ms)
			return false;
	return true;
}

/* Once the nodes have been missed for long enough that have not been heard since the mark. */
static uint64_t when_dead_ns(const struct cluster_day *day)
{
	uint64_t now_ns = clock_now_ns(), dead_ns = day->marked_ns + NODE_DEAD_NS;

	return now_ns > dead_ns ? now_ns : dead_ns;
}

static bool is_right(struct cluster_day *day)
{
	static uint64_t audited_ns;

	if (!cluster_day_is_answered(day, true) || !follow_is_current(day->follow, NULL) ||
	    !has_heard_all_since(day) || clock_now_ns() - audited_ns < AUDIT_EVERY_NS)
		return false;
	begin_audit(day);
	latest.looked_ns = when_dead_ns(day);
	audited_ns = clock_now_ns();
	if (!cluster_day_orders_are_read(day))
		return blame(&latest, "orders have not been read");
	return take_nodes(&latest) && has_lost_none(&latest) && check_view(&latest) &&
	       check_routes(&latest);
}

/*
 * A dead node would have to be waited for as long as nodes may be silent. But where calls go can
 * be asked as of any time: as of then, once it is known who else has been heard.
 */
void cluster_day_check(struct cluster_day *day)
{
	assert_true(cluster_day_wait(day, has_heard_since));
	day->marked_ns = clock_now_ns();
	day->marked_ms = cluster_day_ms(day);
	begin_audit(day);
	if (!cluster_day_wait(day, is_right))
		fail_msg("at %.3f h: %s",
			 (double)(day->now_ns - day->begun_ns) / (double)CLUSTER_DAY_HOUR,
			 latest.problem[0] ? latest.problem : "it does not become quiet");
	end_audit();
}

static bool is_known_since_before(const struct cluster_day *day,
				  const struct cluster_day_phone *phone)
{
	return phone->registered_ns < day->outage_ns && !is_dead(day, phone->node);
}

void cluster_day_check_last_known(struct cluster_day *day)
{
	begin_audit(day);
	latest.looked_ns = clock_now_ns();
	for (size_t i = 0; i < day->phone_count; i++) {
		const struct cluster_day_phone *phone = &day->phones[i];

		if (is_known_since_before(day, phone) &&
		    (phone->sibling == CLUSTER_DAY_NOWHERE ||
		     is_known_since_before(day, &day->phones[phone->sibling])) &&
		    !check_route(&latest, i))
			fail_msg("without redis: %s", latest.problem);
	}
	assert_true(latest.choices > 0);
	end_audit();
}
