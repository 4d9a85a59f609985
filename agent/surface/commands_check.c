/* SPDX-License-Identifier: GPL-2.0-or-later */
/* commands_check.c - "check": what is wrong, in one document that lists every trouble there can be. */
#include "surface/commands_parts.h"
#include "surface/row.h"

static json_t *row_of_trouble(const struct troubles *troubles, enum trouble which, uint64_t now_ns)
{
	const struct trouble_state *state = troubles_look(troubles, which);
	struct row row = row_begin();

	row_put_word(&row, "name", trouble_name(which));
	row_put_flag(&row, "active", state->present);
	if (state->present)
		row_put_ms_between(&row, "since_ms", state->since_ns, now_ns);
	else
		row_put_null(&row, "since_ms");
	row_put_number(&row, "times", state->times);
	row_put_word(&row, "wrong", trouble_wrong(which));
	row_put_text(&row, "detail", state->times > 0 ? span_of(state->detail) : span_of(NULL));
	row_put_word(&row, "remedy", trouble_remedy(which));
	return row_end(&row);
}

static json_t *row_of_troubles(const struct troubles *troubles, uint64_t now_ns)
{
	json_t *array = json_array();

	for (enum trouble which = 0; which < TROUBLE_MAX; which++) {
		if (json_array_append_new(array, row_of_trouble(troubles, which, now_ns))) {
			json_decref(array);
			return NULL;
		}
	}
	return array;
}

enum command_result commands_check(const struct subject *subject, struct progress *progress,
				   json_t **out)
{
	const struct troubles *troubles = subject->options.troubles;
	struct row row = row_begin();

	row_put_flag(&row, "healthy", troubles_present(troubles) == 0);
	row_put(&row, "troubles", row_of_troubles(troubles, progress->now_ns));
	*out = row_end(&row);
	return commands_with_row(*out, COMMAND_LAST_ROW);
}
