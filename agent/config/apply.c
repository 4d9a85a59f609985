/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/apply.h"

#include <ctype.h>
#include <errno.h>

#include "base/number.h"

static void *member(struct config *config, const struct option_entry *entry)
{
	return (char *)config + entry->offset;
}

int apply_text(struct config *config, const struct option_entry *entry, struct span value)
{
	char *text = member(config, entry);

	if (value.length < entry->lowest || value.length > entry->highest)
		return -ERANGE;
	memcpy(text, value.at, value.length);
	text[value.length] = '\0';
	return 0;
}

int apply_number(struct config *config, const struct option_entry *entry, struct span value)
{
	uint64_t number;
	int error = number_read(value, entry->lowest, entry->highest, &number);

	if (!error)
		*(uint32_t *)member(config, entry) = (uint32_t)number;
	return error;
}

int apply_duration(struct config *config, const struct option_entry *entry, struct span value)
{
	return number_read_duration(value, entry->lowest, entry->highest, member(config, entry));
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

int apply_mark(struct config *config, const struct option_entry *entry, struct span value)
{
	uint64_t mark;

	if (value.length < 2 || value.at[0] != '0' || tolower((unsigned char)value.at[1]) != 'x')
		return apply_number(config, entry, value);
	if (read_hexadecimal((struct span){ value.at + 2, value.length - 2 }, &mark) ||
	    mark < entry->lowest)
		return -EINVAL;
	*(uint32_t *)member(config, entry) = (uint32_t)mark;
	return 0;
}

/* Takes the next piece of a comma-separated list off *list; false when there is none left. */
static bool next_piece(struct span *list, struct span *piece)
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

int apply_interfaces(struct config *config, const struct option_entry *entry, struct span value)
{
	char names[SIPPATH_HOOKS_MAX][16] = { 0 };
	size_t count = 0;
	struct span name;

	(void)entry;
	while (next_piece(&value, &name)) {
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

int apply_ports(struct config *config, const struct option_entry *entry, struct span value)
{
	uint16_t ports[SIPPATH_PORTS_MAX] = { 0 };
	struct span digits;
	size_t count = 0;
	uint64_t port;

	while (next_piece(&value, &digits)) {
		if (count == SIPPATH_PORTS_MAX ||
		    number_read(digits, entry->lowest, entry->highest, &port))
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

/* The place of a word among "count" words; -EINVAL if it is none of them. */
static int find_word(const char *const *words, int count, struct span word)
{
	for (int i = 0; i < count; i++) {
		if (span_equal(span_of(words[i]), word))
			return i;
	}
	return -EINVAL;
}

int apply_mode(struct config *config, const struct option_entry *entry, struct span value)
{
	static const char *const words[] = {
		[ATTACH_ANY] = "any",
		[ATTACH_NATIVE] = "native",
		[ATTACH_GENERIC] = "generic",
	};
	int mode = find_word(words, sizeof(words) / sizeof(words[0]), value);

	(void)entry;
	if (mode < 0)
		return mode;
	config->mode = (enum attach_mode)mode;
	return 0;
}

int apply_log_level(struct config *config, const struct option_entry *entry, struct span value)
{
	static const char *const words[] = {
		[LOG_LEVEL_ERROR] = "error",
		[LOG_LEVEL_WARNING] = "warning",
		[LOG_LEVEL_INFO] = "info",
		[LOG_LEVEL_DEBUG] = "debug",
	};
	int level = find_word(words, sizeof(words) / sizeof(words[0]), value);

	(void)entry;
	if (level < 0)
		return level;
	config->log_level = (enum log_level)level;
	return 0;
}
