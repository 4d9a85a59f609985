/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/apply.h"

#include <ctype.h>
#include <errno.h>

#include "base/number.h"

static void *member(void *target, const struct option_entry *entry)
{
	return (char *)target + entry->offset;
}

int apply_text(void *target, const struct option_value *value)
{
	const struct option_entry *entry = value->entry;
	char *text = member(target, entry);

	if (value->text.length < entry->lowest || value->text.length > entry->highest)
		return -ERANGE;
	memcpy(text, value->text.at, value->text.length);
	text[value->text.length] = '\0';
	return 0;
}

int apply_number(void *target, const struct option_value *value)
{
	const struct option_entry *entry = value->entry;
	uint64_t number;
	int error = number_read(value->text, entry->lowest, entry->highest, &number);

	if (!error)
		*(uint32_t *)member(target, entry) = (uint32_t)number;
	return error;
}

int apply_duration(void *target, const struct option_value *value)
{
	const struct option_entry *entry = value->entry;

	return number_read_duration(value->text, entry->lowest, entry->highest,
				    member(target, entry));
}

static int read_hexadecimal(struct span digits, uint64_t *out)
{
	uint64_t number = 0;

	if (digits.length < 1 || digits.length > 8)
		return -EINVAL;
	for (size_t i = 0; i < digits.length; i++) {
		int digit = tolower((unsigned char)digits.at[i]);

		if (!isxdigit(digit))
			return -EINVAL;
		number = number << 4 | (uint64_t)(isdigit(digit) ? digit - '0' : digit - 'a' + 10);
	}
	*out = number;
	return 0;
}

int apply_mark(void *target, const struct option_value *value)
{
	const struct option_entry *entry = value->entry;
	struct span text = value->text;
	uint64_t mark;

	if (text.length < 2 || text.at[0] != '0' || tolower((unsigned char)text.at[1]) != 'x')
		return apply_number(target, value);
	if (read_hexadecimal((struct span){ text.at + 2, text.length - 2 }, &mark) ||
	    mark < entry->lowest)
		return -EINVAL;
	*(uint32_t *)member(target, entry) = (uint32_t)mark;
	return 0;
}

/* The place of a word in a list that NULL ends; -EINVAL if it is not there. */
static int find_word(const char *const *words, struct span word)
{
	for (int i = 0; words[i]; i++)
		if (span_equal(span_of(words[i]), word))
			return i;
	return -EINVAL;
}

int apply_word(void *target, const struct option_value *value)
{
	int word = find_word(value->entry->words, value->text);

	if (word < 0)
		return word;
	*(unsigned int *)member(target, value->entry) = (unsigned int)word;
	return 0;
}

int apply_yes_or_no(void *target, const struct option_value *value)
{
	static const char *const words[] = { "no", "yes", NULL };
	int word = find_word(words, value->text);

	if (word < 0)
		return word;
	*(bool *)member(target, value->entry) = word == 1;
	return 0;
}

bool apply_next_piece(struct span *list, struct span *piece)
{
	const char *comma;

	if (!list->at)
		return false;
	comma = memchr(list->at, ',', list->length);
	if (!comma) {
		*piece = span_trim(*list);
		list->at = NULL;
		return true;
	}
	*piece = span_trim((struct span){ list->at, (size_t)(comma - list->at) });
	list->length -= (size_t)(comma - list->at) + 1;
	list->at = comma + 1;
	return true;
}

/* What the kernel accepts as the name of an interface (dev_valid_name()). */
static bool is_interface_name(struct span name)
{
	if (name.length < 1 || name.length > 15 || span_equal(name, SPAN(".")) ||
	    span_equal(name, SPAN("..")))
		return false;
	for (size_t i = 0; i < name.length; i++) {
		if (name.at[i] == '/' || name.at[i] == ':' || isspace((unsigned char)name.at[i]))
			return false;
	}
	return true;
}

int apply_interfaces(void *target, const struct option_value *value)
{
	char names[SIPPATH_HOOKS_MAX][16] = { 0 };
	struct span list = value->text, name;
	struct config *config = target;
	size_t count = 0;

	while (apply_next_piece(&list, &name)) {
		if (count == SIPPATH_HOOKS_MAX || !is_interface_name(name))
			return -EINVAL;
		memcpy(names[count], name.at, name.length);
		for (size_t i = 0; i < count; i++) {
			if (strcmp(names[i], names[count]) == 0)
				return -EEXIST;
		}
		count++;
	}
	memcpy(config->interface_names, names, sizeof(names));
	config->interface_count = count;
	return 0;
}

int apply_ports(void *target, const struct option_value *value)
{
	uint16_t ports[SIPPATH_PORTS_MAX] = { 0 };
	struct span list = value->text, digits;
	struct config *config = target;
	size_t count = 0;
	uint64_t port;

	while (apply_next_piece(&list, &digits)) {
		if (count == SIPPATH_PORTS_MAX ||
		    number_read(digits, value->entry->lowest, value->entry->highest, &port))
			return -EINVAL;
		for (size_t i = 0; i < count; i++) {
			if (ports[i] == port)
				return -EEXIST;
		}
		ports[count++] = (uint16_t)port;
	}
	memcpy(config->ports, ports, sizeof(ports));
	config->port_count = count;
	return 0;
}
