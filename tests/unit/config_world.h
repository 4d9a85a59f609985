/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * config_world.h - a configuration file in a directory of its own, a command line, and what
 * config_read() makes of them and says. Include cmocka first.
 */
#ifndef TESTS_UNIT_CONFIG_WORLD_H
#define TESTS_UNIT_CONFIG_WORLD_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "config/config.h"

#define ARGUMENTS_MAX 16
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* What config_read() has made of a command line, and what it has written. */
struct reading {
	enum config_result result;
	struct config config;
	char errors[4096];
	char output[8192];
};

static char directory[] = "/tmp/sippath-test-config-XXXXXX";
static char file[sizeof(directory) + 16];

/* A stream that collects what is written to a descriptor, and where that went before. */
struct capture {
	FILE *collected;
	FILE *stream;
	int before;
};

static inline struct capture capture_begin(FILE *stream)
{
	struct capture capture = { .collected = tmpfile(), .stream = stream };

	assert_non_null(capture.collected);
	fflush(stream);
	capture.before = dup(fileno(stream));
	assert_true(capture.before >= 0);
	assert_true(dup2(fileno(capture.collected), fileno(stream)) >= 0);
	return capture;
}

static inline void capture_end(struct capture *capture, char *text, size_t size)
{
	size_t length;

	fflush(capture->stream);
	assert_true(dup2(capture->before, fileno(capture->stream)) >= 0);
	close(capture->before);
	rewind(capture->collected);
	length = fread(text, 1, size - 1, capture->collected);
	text[length] = '\0';
	fclose(capture->collected);
}

static inline void read_config(struct reading *reading, enum config_use use,
			       const char *const *flags)
{
	char *argv[ARGUMENTS_MAX] = { strdup("sippathd") };
	struct capture errors, output;
	int argc = 1;

	for (; flags[argc - 1]; argc++)
		argv[argc] = strdup(flags[argc - 1]);
	errors = capture_begin(stderr);
	output = capture_begin(stdout);
	reading->result = config_read(argc, argv, use, &reading->config);
	capture_end(&output, reading->output, sizeof(reading->output));
	capture_end(&errors, reading->errors, sizeof(reading->errors));
	for (int i = 0; i < argc; i++)
		free(argv[i]);
}

#define READ(reading, ...) \
	read_config(reading, CONFIG_FOR_PATHS, (const char *const[]){ __VA_ARGS__, NULL })

static inline void write_file(const char *text, size_t length)
{
	FILE *stream = fopen(file, "w");

	assert_non_null(stream);
	assert_int_equal(fwrite(text, 1, length, stream), length);
	assert_int_equal(fclose(stream), 0);
}

static inline size_t lines_of(const char *text)
{
	size_t lines = 0;

	for (; *text; text++)
		lines += *text == '\n';
	return lines;
}

static inline void assert_one_line_with(const struct reading *reading, const char *wanted)
{
	if (lines_of(reading->errors) != 1 || !strstr(reading->errors, wanted))
		fail_msg("expected one line with \"%s\", not \"%s\"", wanted, reading->errors);
}

static inline int config_world_begin(void **state)
{
	(void)state;
	if (!mkdtemp(directory))
		return -1;
	snprintf(file, sizeof(file), "%s/sippath.conf", directory);
	return 0;
}

static inline int config_world_end(void **state)
{
	(void)state;
	unlink(file);
	return rmdir(directory);
}

#endif
