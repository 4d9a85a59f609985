/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "callcontrol/choice.h"

#include "cluster/directory.h"

/* The candidates of one AOR, and what has been chosen of them so far. */
struct selection {
	const struct view *view;
	const struct choice_doubt *doubt;
	uint64_t now_ns;
	const struct location *locations; /* newest accepted first */
	size_t location_count;
	struct choice *choices;
	size_t count;
};

bool choice_is_silent(const struct location *location, const struct choice_doubt *doubt)
{
	if (location->health == PATH_SILENT)
		return true;
	return doubt && span_equal(location->node, doubt->node) &&
	       memcmp(&location->flow, &doubt->flow, sizeof(location->flow)) == 0;
}

static bool is_chosen(const struct selection *selection, struct span node)
{
	for (size_t i = 0; i < selection->count; i++)
		if (span_equal(selection->choices[i].location.node, node))
			return true;
	return false;
}

/* Appends the nodes of one class that are not chosen yet, the newest accepted first. */
static void choose(struct selection *selection, bool draining, bool silent)
{
	for (size_t i = 0; i < selection->location_count && selection->count < CHOICE_MAX; i++) {
		const struct location *location = &selection->locations[i];
		const struct node *node;

		if (location->kind != BINDING_REGISTRATION ||
		    choice_is_silent(location, selection->doubt) != silent ||
		    is_chosen(selection, location->node) ||
		    !view_node_is_alive(selection->view, location->node, selection->now_ns))
			continue;
		node = view_find_node(selection->view, location->node);
		if (node && node->draining == draining)
			selection->choices[selection->count++] =
				(struct choice){ .location = *location, .node = node };
	}
}

size_t choice_make(const struct view *view, struct span aor, const struct choice_doubt *doubt,
		   uint64_t now_ns, uint64_t now_ms, struct choice choices[CHOICE_MAX])
{
	struct location locations[DIRECTORY_LOCATIONS_MAX];
	struct selection selection = {
		.view = view,
		.doubt = doubt,
		.now_ns = now_ns,
		.locations = locations,
		.choices = choices,
	};

	selection.location_count =
		view_registrations(view, aor, now_ms, locations, DIRECTORY_LOCATIONS_MAX);
	choose(&selection, false, false);
	if (selection.count == 0)
		choose(&selection, true, false);
	choose(&selection, false, true);
	if (selection.count == 0)
		choose(&selection, true, true);
	return selection.count;
}
