/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/file.h"

#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "config/networks.h"
#include "config/options.h"

#define SECTION_MAX 49 /* bytes that inih keeps of a section's name */

struct reading {
	FILE *stream;
	struct config *config;
	int line; /* the one that was read last, from 1 */
	int wrong_line; /* the first one with a mistake, 0 for none */
	char mistake[512];
	/* Where each option was given, 0 for nowhere: in [agent] and the like, and of each network. */
	int given_line[1 + RULES_NETWORKS_MAX][OPTIONS_MAX];
};

/* What the keys of a section are about. */
struct subject {
	void *target; /* the configuration, or one of its networks */
	const char *section; /* as the option table has it */
	int *given_line; /* of the target's options */
};

static void close_stream(FILE **stream)
{
	if (*stream)
		fclose(*stream);
}

/* Where to say what is wrong with the line that was read last. */
static struct text mistake_in(struct reading *reading)
{
	reading->wrong_line = reading->line;
	return TEXT_OVER(reading->mistake);
}

/* The subject of a section [network NET]; false, and that is the mistake, if it is none. */
static bool find_network(struct reading *reading, const char *section, struct subject *subject)
{
	struct config *config = reading->config;
	struct rules_network network, *place = NULL;
	char buffer[256];
	struct text why = TEXT_OVER(buffer), mistake;

	if (networks_read(span_trim(span_of(section + strlen(OPTIONS_NETWORK))), &network, &why) ==
	    0)
		place = networks_place(config, &network, &why);
	if (!place) {
		mistake = mistake_in(reading);
		text_format(&mistake, "[%s]: %s", section, buffer);
		return false;
	}
	*subject = (struct subject){ place, OPTIONS_NETWORK,
				     reading->given_line[1 + (place - config->networks)] };
	return true;
}

static bool find_subject(struct reading *reading, const char *section, struct subject *subject)
{
	size_t length = strlen(OPTIONS_NETWORK);

	if (strncmp(section, OPTIONS_NETWORK, length) == 0 &&
	    (section[length] == '\0' || span_is_blank(section[length])))
		return find_network(reading, section, subject);
	*subject = (struct subject){ reading->config, section, reading->given_line[0] };
	return true;
}

static bool is_section(const char *name)
{
	const struct option_entry *entries;
	size_t count;

	entries = options_all(&count);
	for (size_t i = 0; i < count; i++)
		if (entries[i].section && strcmp(entries[i].section, name) == 0)
			return true;
	return false;
}

/* inih tells of sections by their keys only: one without any would never be looked at. */
static void check_section(struct reading *reading, const char *line)
{
	size_t length = strcspn(line + 1, "]");
	char name[SECTION_MAX + 1];
	struct text mistake, section = TEXT_OVER(name);
	struct subject subject;

	if (line[1 + length] == '\0')
		return; /* inih says so */
	if (length > SECTION_MAX) {
		mistake = mistake_in(reading);
		text_format(&mistake, "expected a section of at most %d bytes", SECTION_MAX);
		return;
	}
	text_add(&section, (struct span){ line + 1, length });
	if (find_subject(reading, name, &subject) && subject.target == reading->config &&
	    !is_section(name)) {
		mistake = mistake_in(reading);
		text_format(&mistake, "there is no section [%s]: see --help", name);
	}
}

/*
 * Gives inih the next line, without its indentation: inih takes an indented line
 * for more of the value before it. A line longer than its buffer would be taken
 * for two lines, and a longer section's name be cut, so they are refused.
 */
static char *next_line(char *line, int size, void *context)
{
	struct reading *reading = context;
	struct text mistake;
	size_t length;

	if (reading->wrong_line || !fgets(line, size, reading->stream))
		return NULL;
	reading->line++;
	length = strlen(line);
	if ((length == 0 || line[length - 1] != '\n') && !feof(reading->stream)) {
		mistake = mistake_in(reading);
		if (length + 1 == (size_t)size)
			text_format(&mistake, "expected a line of at most %d bytes", size - 2);
		else
			text_format(&mistake, "expected text, without NUL bytes");
		return NULL;
	}
	memmove(line, line + strspn(line, " \t"), length - strspn(line, " \t") + 1);
	if (line[0] == '[')
		check_section(reading, line);
	return reading->wrong_line ? NULL : line;
}

static int take_value(void *context, const char *section, const char *key, const char *value)
{
	struct reading *reading = context;
	const struct option_entry *entry;
	struct subject subject;
	char buffer[400];
	struct text mistake, why = TEXT_OVER(buffer);
	int *given_line;
	size_t count;

	if (!find_subject(reading, section, &subject))
		return 0;
	entry = options_find_key(subject.section, key);
	if (!entry) {
		mistake = mistake_in(reading);
		text_format(&mistake,
			    "there is no option \"%.64s\" in a section [%.64s]: see --help", key,
			    section);
		return 0;
	}
	given_line = &subject.given_line[entry - options_all(&count)];
	if (*given_line) {
		mistake = mistake_in(reading);
		text_format(&mistake, "%s: given in line %d already", key, *given_line);
		return 0;
	}
	*given_line = reading->line;
	if (options_apply(subject.target, entry, span_of(value), &why)) {
		mistake = mistake_in(reading);
		text_format(&mistake, "%s: %s", key, buffer);
		return 0;
	}
	return 1;
}

/* Whoever writes into a pipe may never do so: it is not waited for. */
static int open_file(const char *path, FILE **out)
{
	cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat status;

	if (fd < 0 && errno == ENOENT)
		return -ENOENT;
	if (fd < 0 || fstat(fd, &status))
		return log_errno(errno, "%s: cannot be opened: %s", path, strerror(errno));
	if (S_ISFIFO(status.st_mode))
		return log_errno(EINVAL, "%s: is a pipe: expected a regular file", path);
	*out = fdopen(fd, "r");
	if (!*out)
		return log_errno(errno, "%s: cannot be read: %s", path, strerror(errno));
	(void)take_fd(fd);
	return 0;
}

int config_read_file(const char *path, struct config *config)
{
	__attribute__((cleanup(close_stream))) FILE *stream = NULL;
	struct reading reading = { .config = config };
	int first_wrong, error = open_file(path, &stream);

	if (error)
		return error;
	reading.stream = stream;

	/* The first line that inih itself, or take_value(), did not like; next_line()'s is ours. */
	first_wrong = ini_parse_stream(next_line, &reading, take_value, &reading);
	if (ferror(stream))
		return log_errno(EIO, "%s: cannot be read: is it a regular file?", path);
	if (first_wrong && (!reading.wrong_line || first_wrong < reading.wrong_line))
		return log_errno(EINVAL, "%s:%d: expected [section] or option = value", path,
				 first_wrong);
	if (reading.wrong_line)
		return log_errno(EINVAL, "%s:%d: %s", path, reading.wrong_line, reading.mistake);
	return 0;
}
