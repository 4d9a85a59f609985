/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * another_build - writes what another compiler could have made of a file: of the BPF object, or
 * of a sippathd that has this object built in.
 *
 *     another_build OBJECT FILE >OUT
 */
#define _GNU_SOURCE /* memmem() */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "another_build.h"

struct bytes {
	unsigned char *at;
	size_t length;
};

static int die(const char *what)
{
	fprintf(stderr, "another_build: %s\n", what);
	return 1;
}

static struct bytes read_file(const char *path)
{
	struct bytes bytes = { NULL, 0 };
	FILE *file = fopen(path, "rb");
	long length;

	if (!file)
		return bytes;
	fseek(file, 0, SEEK_END);
	length = ftell(file);
	rewind(file);
	bytes.at = length > 0 ? malloc((size_t)length) : NULL;
	if (bytes.at)
		bytes.length = fread(bytes.at, 1, (size_t)length, file);
	fclose(file);
	return bytes;
}

/* 0 once it is written. What it has read is the kernel's to free: it ends now. */
int main(int argc, char **argv)
{
	struct bytes object, file;
	unsigned char *inside;

	if (argc != 3)
		return die("wanted: OBJECT FILE");
	object = read_file(argv[1]);
	file = read_file(argv[2]);
	if (!object.at || !file.at)
		return die("cannot read the files");
	inside = memmem(file.at, file.length, object.at, object.length);
	if (!inside)
		return die("the object is not in the file");
	if (another_build_of_object(inside) == 0)
		return die("there is nothing to change in the object");
	if (fwrite(file.at, 1, file.length, stdout) != file.length || fflush(stdout))
		return die("cannot write");
	return 0;
}
