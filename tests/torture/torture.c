/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * torture.c - reads each file of a directory as a datagram, and says what the agent makes of it.
 *
 *   torture [--crlf] DIRECTORY
 *
 * One line for each file, in the words of outcome.h. With --crlf each bare LF counts as CRLF, for
 * messages that were saved as text. A file is read in a process of its own: one that crashes, or
 * takes too long, is named, and the others are still read. The exit status is 1 then.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "outcome.h"

/* A reader that is at one message for so long never ends. */
#define SECONDS_MAX 20

/* Also after its bare LFs have become CRLF a message is no longer than a datagram can be. */
struct datagram {
	char bytes[MESSAGE_MAX];
	size_t length;
};

static void put(struct datagram *datagram, char byte)
{
	if (datagram->length < sizeof(datagram->bytes))
		datagram->bytes[datagram->length++] = byte;
}

/* What a datagram has no room for is left out. */
static int load(const char *path, bool crlf, struct datagram *datagram)
{
	FILE *file = fopen(path, "re");
	int byte, before = EOF;

	if (!file)
		return -errno;
	datagram->length = 0;
	for (; (byte = getc(file)) != EOF; before = byte) {
		if (crlf && byte == '\n' && before != '\r')
			put(datagram, '\r');
		put(datagram, (char)byte);
	}
	fclose(file);
	return 0;
}

/* The process ends with a status of its own if it is of no use, or with the sanitizers'. */
static void read_and_exit(const char *name, const struct datagram *datagram)
{
	static char line[OUTCOME_MAX];
	struct text text = TEXT_OVER(line);
	struct sip_reader *reader = sip_reader_new();
	char *exact = malloc(datagram->length > 0 ? datagram->length : 1);

	if (!reader || !exact)
		exit(EXIT_FAILURE);
	alarm(SECONDS_MAX);
	memcpy(exact, datagram->bytes, datagram->length);
	outcome_write(reader, (struct span){ exact, datagram->length }, &text);
	free(exact);
	sip_reader_free(reader);
	printf("%-36s %s%s\n", name, line, text.overflow ? " ..." : "");
	exit(EXIT_SUCCESS);
}

static int try(const char *name, const struct datagram *datagram)
{
	int status;
	pid_t child;

	fflush(stdout);
	child = fork();
	if (child == 0)
		read_and_exit(name, datagram);
	if (child < 0 || waitpid(child, &status, 0) != child)
		return -errno;
	if (WIFSIGNALED(status))
		printf("%-36s CRASHED: %s\n", name, strsignal(WTERMSIG(status)));
	else if (WEXITSTATUS(status))
		printf("%-36s CRASHED: exit status %d\n", name, WEXITSTATUS(status));
	return status ? -ECHILD : 0;
}

/* 0 if nothing crashed. */
static int try_file(const char *directory, const char *name, bool crlf)
{
	static struct datagram datagram;
	char path[4096];
	struct stat what;
	int error;

	if ((size_t)snprintf(path, sizeof(path), "%s/%s", directory, name) >= sizeof(path))
		return -ENAMETOOLONG;
	if (stat(path, &what) == 0 && !S_ISREG(what.st_mode))
		return 0;
	error = load(path, crlf, &datagram);
	if (error) {
		printf("%-36s cannot be read: %s\n", name, strerror(-error));
		return error;
	}
	return try(name, &datagram);
}

static int try_directory(const char *directory, bool crlf)
{
	struct dirent **entries;
	int count = scandir(directory, &entries, NULL, alphasort), failed = 0;

	if (count < 0) {
		fprintf(stderr, "%s: %s\n", directory, strerror(errno));
		return EXIT_FAILURE;
	}
	for (int i = 0; i < count; i++) {
		failed += try_file(directory, entries[i]->d_name, crlf) != 0;
		free(entries[i]);
	}
	free(entries);
	if (failed)
		fprintf(stderr, "%d failed\n", failed);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int count, char **arguments)
{
	bool crlf = count == 3 && strcmp(arguments[1], "--crlf") == 0;

	if (count != 2 + crlf) {
		fprintf(stderr, "usage: torture [--crlf] DIRECTORY\n");
		return 2;
	}
	return try_directory(arguments[1 + crlf], crlf);
}
