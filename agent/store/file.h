/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * file.h - the file that records are in, an LMDB environment: whose it is, and whether it can
 * be read at all. Included by store.c.
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
	bool other_boot; /* it was written in another boot of the host */
};

/*
 * Opens what is there, to read it only: it may be damaged in ways that show when it is written.
 * If it cannot even be read it is set aside, and said; if it is of another network namespace
 * that is said. True if *file is open.
 */
bool file_open_found(const char *path, const struct place *place, struct file *file);

/* Makes a new file, in the place of one that may be there. An error of LMDB, or 0. */
int file_make(const char *path, const struct place *place, struct file *file);

/* Harmless if it is not open. */
void file_close(struct file *file);

static inline MDB_val file_key(const uint64_t *id)
{
	return (MDB_val){ sizeof(*id), (void *)id };
}

#endif
