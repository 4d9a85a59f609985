/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "surface/rows.h"

#include "surface/row.h"

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
