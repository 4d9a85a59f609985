/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/file.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "store/encoding.h"

#define FILE_MODE 0600

/* Address space, not memory: the file grows with what is in it. */
#define MAP_BYTES (UINT64_C(16) << 30)

/* What the file says of itself, under the id 0. */
struct about {
	char magic[8];
	uint32_t version;
	char boot_id[PLACE_BOOT_ID_LENGTH];
	uint64_t netns; /* inode of the network namespace */
};

_Static_assert(sizeof(struct about) == 56, "struct about is stored: no hidden padding");

static const char magic[8] = "sippath";

static int take_about(const MDB_val *key, const MDB_val *value, struct about *about)
{
	uint64_t id;

	if (key->mv_size != sizeof(id) || value->mv_size != sizeof(*about))
		return MDB_INVALID;
	memcpy(&id, key->mv_data, sizeof(id));
	memcpy(about, value->mv_data, sizeof(*about));
	if (id != 0 || memcmp(about->magic, magic, sizeof(magic)) != 0)
		return MDB_INVALID;
	if (about->version != ENCODING_VERSION && about->version != ENCODING_VERSION_OLDER)
		return MDB_VERSION_MISMATCH;
	return 0;
}

/* In no other way than it has been tried: to search for a key reads the pages differently. */
static int read_about(struct file *file, MDB_txn *txn, struct about *about)
{
	MDB_val key, value;
	MDB_cursor *cursor;
	int error = mdb_dbi_open(txn, NULL, 0, &file->records);

	if (!error)
		error = mdb_cursor_open(txn, file->records, &cursor);
	if (error)
		return error;
	error = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
	if (!error)
		error = take_about(&key, &value, about);
	mdb_cursor_close(cursor);
	return error;
}

static int write_about(struct file *file, MDB_txn *txn, const struct place *place)
{
	struct about about = { .version = ENCODING_VERSION, .netns = place->netns };
	uint64_t zero = 0;
	MDB_val key = file_key(&zero), value = { sizeof(about), &about };
	int error = mdb_dbi_open(txn, NULL, MDB_INTEGERKEY | MDB_CREATE, &file->records);

	memcpy(about.magic, magic, sizeof(magic));
	memcpy(about.boot_id, place->boot_id, sizeof(about.boot_id));
	return error ? error : mdb_put(txn, file->records, &key, &value, 0);
}

/* LMDB's own lock would be a second file: the directory is locked. */
static int open_environment(struct file *file, const char *path, unsigned int flags)
{
	int error = mdb_env_create(&file->env);

	if (error) {
		file->env = NULL;
		return error;
	}
	if (file->on_assertion)
		mdb_env_set_assert(file->env, file->on_assertion);
	error = mdb_env_set_mapsize(file->env, MAP_BYTES);
	if (!error)
		error = mdb_env_open(file->env, path, MDB_NOSUBDIR | MDB_NOLOCK | flags, FILE_MODE);
	return error;
}

/* Ends with a commit, or the handle would go with the transaction. */
static int finish(MDB_txn *txn, int error)
{
	if (!error)
		return mdb_txn_commit(txn);
	mdb_txn_abort(txn);
	return error;
}

static int look_at(struct file *file, const char *path, unsigned int flags, struct about *about)
{
	int error = open_environment(file, path, flags);
	MDB_txn *txn;

	if (!error)
		error = mdb_txn_begin(file->env, NULL, flags & MDB_RDONLY, &txn);
	if (!error)
		error = finish(txn, read_about(file, txn, about));
	if (error)
		file_close(file);
	return error;
}

int file_find(const char *path, const struct place *place, struct file *file)
{
	struct about about;
	int error = look_at(file, path, MDB_RDONLY, &about);

	if (error)
		return error;
	file->other_boot = memcmp(about.boot_id, place->boot_id, PLACE_BOOT_ID_LENGTH) != 0;
	file->other_netns = about.netns != place->netns;
	file->older = about.version == ENCODING_VERSION_OLDER;
	return 0;
}

int file_make(const char *path, const struct place *place, struct file *file)
{
	MDB_txn *txn;
	int error;

	if (unlink(path) && errno != ENOENT)
		place_set_aside(path, "cannot be removed");
	error = open_environment(file, path, MDB_NOSYNC);
	if (!error)
		error = mdb_txn_begin(file->env, NULL, 0, &txn);
	if (!error)
		error = finish(txn, write_about(file, txn, place));
	if (error)
		file_close(file);
	return error;
}

int file_resume(const char *path, struct file *file)
{
	struct about about;

	return look_at(file, path, MDB_NOSYNC, &about);
}

void file_close(struct file *file)
{
	if (file->env)
		mdb_env_close(file->env);
	file->env = NULL;
}
