/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * file.h - the file that records are in, an LMDB environment: whose it is, and whether it can
 * be opened at all. Included by the store's files.
 */
#ifndef AGENT_STORE_FILE_H
#define AGENT_STORE_FILE_H

#include <lmdb.h>
#include <stdbool.h>
#include <stdint.h>

#include "store/place.h"

struct file {
	MDB_env *env; /* NULL while it is not open */
	MDB_dbi records; /* by id; under 0 is what the file says of itself */
	MDB_assert_func *on_assertion; /* told what LMDB finds impossible; NULL: that ends us */
	bool other_boot; /* it was written in another boot of the host, as the next one */
	bool other_netns; /* in another network namespace */
	bool older; /* its records are of ENCODING_VERSION_OLDER */
};

/*
 * Opens what is there, to read it only. An error of LMDB, or 0; *file is then to be closed.
 * MDB_VERSION_MISMATCH if it is a store of a version that cannot be read here.
 */
int file_find(const char *path, const struct place *place, struct file *file);

/* Makes a new file, in the place of one that may be there. An error of LMDB, or 0. */
int file_make(const char *path, const struct place *place, struct file *file);

/* Opens a file that was just made here, to go on with it. An error of LMDB, or 0. */
int file_resume(const char *path, struct file *file);

/* Harmless if it is not open. */
void file_close(struct file *file);

static inline MDB_val file_key(const uint64_t *id)
{
	return (MDB_val){ sizeof(*id), (void *)id };
}

#endif
