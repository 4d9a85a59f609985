/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/store.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "store/encoding.h"
#include "store/place.h"

#define FILE_NAME "bindings.mdb"
#define FILE_MODE 0600

/* Address space, not memory: the file grows with what is in it. */
#define MAP_BYTES (UINT64_C(16) << 30)

/* What the store says of itself, under the id 0. */
struct about {
	char magic[8];
	uint32_t version;
	char boot_id[PLACE_BOOT_ID_LENGTH];
	uint64_t netns; /* inode of the network namespace */
};

_Static_assert(sizeof(struct about) == 56, "struct about is stored: no hidden padding");

struct store {
	MDB_env *env;
	MDB_dbi records;
	MDB_txn *writing; /* NULL while nothing waits to be written */
	struct encoding_times times;
	struct about about; /* of this agent */
	bool other_boot; /* what was found was written in another boot of the host */
	bool failing; /* said once, until a transaction succeeds */
	uint64_t last_id;
	struct place place;
};

static void say_failure(struct store *store, int error)
{
	if (!store->failing)
		log_warning("cannot write down bindings: %s; they are kept, but would be "
			    "forgotten with a restart",
			    mdb_strerror(error));
	store->failing = true;
}

/* The transaction that gathers what is to be written; NULL if there cannot be one. */
static MDB_txn *writing(struct store *store)
{
	int error;

	if (store->writing)
		return store->writing;
	error = mdb_txn_begin(store->env, NULL, 0, &store->writing);
	if (error) {
		store->writing = NULL;
		say_failure(store, error);
		return NULL;
	}
	store->times.wall_offset_ns = (int64_t)(clock_wall_ns() - clock_now_ns());
	return store->writing;
}

/* A transaction in which something failed is worth nothing. */
static void give_up(struct store *store, int error)
{
	mdb_txn_abort(store->writing);
	store->writing = NULL;
	say_failure(store, error);
}

static MDB_val key_of(const uint64_t *id)
{
	return (MDB_val){ sizeof(*id), (void *)(uintptr_t)id };
}

static int put(struct store *store, uint64_t id, const void *bytes, size_t length)
{
	MDB_val key = key_of(&id), value = { length, (void *)(uintptr_t)bytes };
	MDB_txn *txn = writing(store);
	int error;

	if (!txn)
		return -EIO;
	error = mdb_put(txn, store->records, &key, &value, 0);
	if (!error)
		return 0;
	give_up(store, error);
	return -EIO;
}

/* What the store that is there says of itself; all zero if it is new. MDB_INVALID if it is no store of ours. */
static int read_found(struct store *store, MDB_txn *txn, struct about *found)
{
	uint64_t zero = 0;
	MDB_val key = key_of(&zero), value;
	int error = mdb_get(txn, store->records, &key, &value);

	*found = (struct about){ 0 };
	if (error == MDB_NOTFOUND)
		return 0;
	if (error)
		return error;
	if (value.mv_size != sizeof(*found))
		return MDB_INVALID;
	memcpy(found, value.mv_data, sizeof(*found));
	if (memcmp(found->magic, store->about.magic, sizeof(found->magic)) != 0 ||
	    found->version != store->about.version)
		return MDB_INVALID;
	return 0;
}

/* Makes of what was found the store of this agent. */
static int adopt(struct store *store, MDB_txn *txn, const struct about *found)
{
	uint64_t zero = 0;
	MDB_val key = key_of(&zero), value = { sizeof(store->about), &store->about };
	bool known = found->version != 0;
	int error = 0;

	store->other_boot =
		known && memcmp(found->boot_id, store->about.boot_id, PLACE_BOOT_ID_LENGTH) != 0;
	if (known && !store->other_boot && found->netns != store->about.netns) {
		log_info("the bindings that were remembered are of another network namespace, and "
			 "are dropped");
		error = mdb_drop(txn, store->records, 0);
	}
	return error ? error : mdb_put(txn, store->records, &key, &value, 0);
}

static int read_last_id(struct store *store, MDB_txn *txn)
{
	MDB_val key, value;
	MDB_cursor *cursor;
	int error = mdb_cursor_open(txn, store->records, &cursor);

	if (error)
		return error;
	error = mdb_cursor_get(cursor, &key, &value, MDB_LAST);
	if (!error && key.mv_size == sizeof(store->last_id))
		memcpy(&store->last_id, key.mv_data, sizeof(store->last_id));
	mdb_cursor_close(cursor);
	return error;
}

static int open_records(struct store *store)
{
	struct about found;
	MDB_txn *txn;
	int error = mdb_txn_begin(store->env, NULL, 0, &txn);

	if (error)
		return error;
	error = mdb_dbi_open(txn, NULL, MDB_INTEGERKEY | MDB_CREATE, &store->records);
	if (!error)
		error = read_found(store, txn, &found);
	if (!error)
		error = adopt(store, txn, &found);
	if (!error)
		error = read_last_id(store, txn);
	if (!error)
		return mdb_txn_commit(txn);
	mdb_txn_abort(txn);
	return error;
}

static int open_environment(struct store *store, const char *path)
{
	int error = mdb_env_create(&store->env);

	if (!error)
		error = mdb_env_set_mapsize(store->env, MAP_BYTES);
	if (!error)
		error = mdb_env_open(store->env, path, MDB_NOSUBDIR | MDB_NOSYNC | MDB_NOLOCK,
				     FILE_MODE);
	if (!error)
		error = open_records(store);
	if (error) {
		mdb_env_close(store->env);
		store->env = NULL;
	}
	return error;
}

static bool is_damage(int error)
{
	return error == MDB_INVALID || error == MDB_VERSION_MISMATCH || error == MDB_CORRUPTED ||
	       error == MDB_INCOMPATIBLE || error == MDB_BAD_VALSIZE || error == MDB_PAGE_NOTFOUND;
}

/* Nothing is thrown away: somebody may want to look at it. */
static int set_aside(const char *path)
{
	char aside[PATH_MAX + 32];

	snprintf(aside, sizeof(aside), "%s.aside-%" PRIu64, path, clock_wall_ns() / NS_PER_S);
	if (rename(path, aside))
		return log_errno(errno, "cannot set %s aside: %s", path, strerror(errno));
	log_warning("%s cannot be read: it is %s now, and a new one begins", path, aside);
	return 0;
}

static struct about describe(const struct place *place)
{
	struct about about = {
		.magic = "sippath",
		.version = ENCODING_VERSION,
		.netns = place->netns,
	};

	memcpy(about.boot_id, place->boot_id, sizeof(about.boot_id));
	return about;
}

static int open_at(struct store *store, const char *path)
{
	int error;

	if (store->place.cut_off) {
		log_info("the host went down without notice: the bindings that were remembered "
			 "are dropped");
		unlink(path);
	}
	error = open_environment(store, path);
	if (is_damage(error) && set_aside(path) == 0)
		error = open_environment(store, path);
	if (error)
		return log_errno(error > 0 ? error : EIO, "cannot open %s: %s", path,
				 mdb_strerror(error));
	return 0;
}

int store_open(const char *state_dir, struct store **out)
{
	struct store *store = calloc(1, sizeof(*store));
	char path[PATH_MAX];
	int error;

	if (!store)
		return log_errno(ENOMEM, "out of memory");
	error = place_take(state_dir, &store->place);
	if (!error) {
		store->about = describe(&store->place);
		store->times.wall_offset_ns = (int64_t)(clock_wall_ns() - clock_now_ns());
		snprintf(path, sizeof(path), "%s/" FILE_NAME, state_dir);
		error = open_at(store, path);
	}
	if (error) {
		store_close(store);
		return error;
	}
	*out = store;
	return 0;
}

void store_close(struct store *store)
{
	bool synced = false;

	if (!store)
		return;
	if (store->env) {
		store_flush(store);
		synced = mdb_env_sync(store->env, 1) == 0;
		mdb_env_close(store->env);
	}
	place_leave(&store->place, synced);
	free(store);
}

/* True if it is about a binding, and could be read. */
static bool tell(const struct store *store, const MDB_val *key, const MDB_val *value,
		 store_handler *handler, void *context)
{
	struct span bytes = { value->mv_data, value->mv_size };
	struct record record;
	uint64_t id;

	if (key->mv_size != sizeof(id))
		return false;
	memcpy(&id, key->mv_data, sizeof(id));
	if (encoding_read(bytes, store->other_boot, &store->times, &record))
		return false;
	handler(context, id, &record);
	return true;
}

int store_walk(struct store *store, store_handler *handler, void *context)
{
	int told = 0, unreadable = 0, error;
	MDB_val key, value;
	MDB_cursor *cursor;
	MDB_txn *txn;

	store_flush(store);
	error = mdb_txn_begin(store->env, NULL, MDB_RDONLY, &txn);
	if (error)
		return -EIO;
	error = mdb_cursor_open(txn, store->records, &cursor);
	if (!error) {
		/* The first is about the store itself. */
		error = mdb_cursor_get(cursor, &key, &value, MDB_FIRST);
		while (!error && (error = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == 0) {
			if (tell(store, &key, &value, handler, context))
				told++;
			else
				unreadable++;
		}
		mdb_cursor_close(cursor);
	}
	mdb_txn_abort(txn);
	if (unreadable > 0)
		log_warning("%d of the remembered bindings cannot be read and are left out",
			    unreadable);
	return error == MDB_NOTFOUND ? told : -EIO;
}

uint64_t store_put(struct store *store, uint64_t id, const struct record *record)
{
	char bytes[ENCODING_BYTES_MAX];
	size_t length;

	if (!store || !writing(store))
		return 0;
	length = encoding_write(record, &store->times, bytes);
	if (length == 0)
		return 0;
	if (id == 0)
		id = ++store->last_id;
	return put(store, id, bytes, length) ? 0 : id;
}

void store_delete(struct store *store, uint64_t id)
{
	MDB_val key = key_of(&id);
	MDB_txn *txn;
	int error;

	if (!store || id == 0)
		return;
	txn = writing(store);
	if (!txn)
		return;
	error = mdb_del(txn, store->records, &key, NULL);
	if (error && error != MDB_NOTFOUND)
		give_up(store, error);
}

void store_flush(struct store *store)
{
	int error;

	if (!store || !store->writing)
		return;
	error = mdb_txn_commit(store->writing);
	store->writing = NULL;
	if (error)
		say_failure(store, error);
	else
		store->failing = false;
}
