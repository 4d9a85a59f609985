/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cluster/location.h"

#include "state/uri.h"

/* An instance is a URN; those in use compare without regard to case. */
static void fold_case(char *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (bytes[i] >= 'A' && bytes[i] <= 'Z')
			bytes[i] = (char)(bytes[i] - 'A' + 'a');
}

static void add_instance(struct text *memory, const struct record *record)
{
	size_t begin = memory->used;

	text_add(memory, record->instance);
	fold_case(memory->buffer + begin, memory->used - begin);
	text_format(memory, "#%u", record->reg_id);
}

/* As all equal URIs are written, whichever node the device wrote it to. */
static void add_contact(struct text *memory, const struct record *record)
{
	size_t begin = memory->used;

	text_add(memory, record->target);
	uri_fold((struct span){ memory->buffer + begin, memory->used - begin },
		 memory->buffer + begin);
}

/* Neither a Call-ID nor a token has a semicolon (RFC 3261 section 25.1). */
static void add_call(struct text *memory, const struct record *record)
{
	text_add(memory, record->call_id);
	text_add(memory, SPAN(";"));
	text_add(memory, record->device_tag);
}

static void add_event(struct text *memory, const struct record *record)
{
	text_add(memory, SPAN(";"));
	text_add(memory, record->event);
	if (record->event_id.at) {
		text_add(memory, SPAN(";"));
		text_add(memory, record->event_id);
	}
}

static void add_device(struct text *memory, const struct record *record)
{
	if (record->kind == BINDING_REGISTRATION) {
		if (record->instance.length > 0)
			add_instance(memory, record);
		else
			add_contact(memory, record);
		return;
	}
	add_call(memory, record);
	if (record->kind == BINDING_SUBSCRIPTION)
		add_event(memory, record);
}

struct span location_device(const struct record *record, struct text *memory)
{
	size_t begin = memory->used;
	struct span device;

	add_device(memory, record);
	device = (struct span){ memory->buffer + begin, memory->used - begin };
	if (memory->overflow || device.length == 0 || device.length > LOCATION_TEXT_MAX)
		return (struct span){ NULL, 0 };
	return device;
}
