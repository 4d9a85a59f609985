/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "store/encoding.h"
#include "store/file.h"
#include "store/place.h"
#include "store/takeover.h"

#define FILE_NAME "bindings.mdb"
#define NEW_FILE_NAME FILE_NAME ".new"

/* To write everything down takes a while, and in vain as long as the disk is full. */
#define ANEW_PAUSE_NS (30 * NS_PER_S)

struct store {
	struct file
		found; /* of the last agent, if its own goes on being read only; until walked through */
	struct file file; /* of this one */
	bool unwalked; /* it has been taken over and not walked through yet */
	bool walking; /* a cursor is in one of the files: neither is closed before it is gone */
	MDB_txn *writing; /* NULL while nothing waits to be written */
	struct encoding_clock clock;
	bool behind; /* there is no file of this agent, or it does not say what is kept */
	bool under_new_name; /* it is not in the place of the one before it */
	bool complete; /* all that there is has been put into it */
	bool failing; /* said once, until a transaction succeeds */
	uint64_t anew_ns; /* not before this time is it begun anew */
	uint64_t last_id; /* none is given twice */
	struct place place;
	char path[PATH_MAX];
	char new_path[PATH_MAX];
};

/* There is no transaction any more. */
static void fall_behind(struct store *store, int error)
{
	if (!store->failing)
		log_warning("cannot write bindings down in %s: %s; they are kept, but a restart "
			    "would forget them: make room there",
			    store->path, mdb_strerror(error));
	store->failing = true;
	store->behind = true;
	if (!store->walking)
		file_close(&store->file);
	if (store->under_new_name)
		unlink(store->new_path); /* half of a file fills a disk, too */
}

static void read_clock(struct store *store)
{
	store->clock.now_ns = clock_now_ns();
	store->clock.wall_offset_ns = (int64_t)(clock_wall_ns() - store->clock.now_ns);
}

/* The transaction that gathers what is to be written; NULL if there cannot be one. */
static MDB_txn *writing(struct store *store)
{
	int error;

	if (store->writing || store->behind)
		return store->writing;
	error = mdb_txn_begin(store->file.env, NULL, 0, &store->writing);
	if (error) {
		store->writing = NULL;
		fall_behind(store, error);
		return NULL;
	}
	read_clock(store);
	return store->writing;
}

/* A transaction in which something failed is worth nothing. */
static void give_up(struct store *store, int error)
{
	mdb_txn_abort(store->writing);
	store->writing = NULL;
	fall_behind(store, error);
}

static int put(struct store *store, uint64_t id, const void *bytes, size_t length)
{
	MDB_val key = file_key(&id), value = { length, (void *)bytes };
	MDB_txn *txn = writing(store);
	int error;

	if (!txn)
		return -EIO;
	error = mdb_put(txn, store->file.records, &key, &value, 0);
	if (!error)
		return 0;
	give_up(store, error);
	return -EIO;
}

static int name_files(struct store *store, const char *state_dir)
{
	int length =
		snprintf(store->new_path, sizeof(store->new_path), "%s/" NEW_FILE_NAME, state_dir);

	snprintf(store->path, sizeof(store->path), "%s/" FILE_NAME, state_dir);
	if ((size_t)length >= sizeof(store->new_path))
		return log_errno(ENAMETOOLONG, "the state directory %s: its name is too long",
				 state_dir);
	return 0;
}

static void take_over(struct store *store)
{
	struct file file;

	switch (takeover(store->path, store->new_path, &store->place, &file)) {
	case TAKEOVER_DONE:
		store->file = file;
		store->unwalked = true;
		store->behind = false;
		break;
	case TAKEOVER_FOUND:
		store->found = file;
		break;
	case TAKEOVER_NONE:
		break;
	}
}

int store_open(const char *state_dir, struct store **out)
{
	struct store *store = calloc(1, sizeof(*store));
	int error;

	if (!store)
		return log_errno(ENOMEM, "out of memory");
	store->behind = true;
	error = place_take(state_dir, &store->place);
	if (!error)
		error = name_files(store, state_dir);
	if (error) {
		store_close(store);
		return error;
	}
	if (store->place.cut_off) {
		log_info("the host went down without notice: the bindings that were remembered "
			 "are dropped");
		unlink(store->path);
	}
	take_over(store);
	*out = store;
	return 0;
}

/* It is there for the next agent even if none of this one could be written. */
static bool is_synced(const struct store *store)
{
	cleanup_close int fd = open(store->path, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? errno == ENOENT : fsync(fd) == 0;
}

void store_close(struct store *store)
{
	if (!store)
		return;
	store_flush(store);
	file_close(&store->found);
	file_close(&store->file);
	place_leave(&store->place, is_synced(store));
	free(store);
}

/* One walk, and what it met. */
struct walk {
	struct store *store;
	const struct file *file;
	const struct store_listener *listener;
	int told;
	int unreadable;
	int untimely;
};

static int tell_of_binding(struct walk *walk, uint64_t id, struct span bytes)
{
	struct record record;
	int error;

	error = (walk->file->older ? encoding_read_older : encoding_read)(
		bytes, walk->file->other_boot, &walk->store->clock, &record);
	if (error)
		return error;
	walk->told++;
	walk->listener->binding(walk->listener->context, id, &record);
	return 0;
}

/* What waited when the host went down waits no more. */
static int tell_of_request(struct walk *walk, uint64_t id, struct span bytes)
{
	struct waiting waiting;
	struct facts facts;
	int error;

	if (walk->file->other_boot)
		return 0;
	error = encoding_read_request(bytes, &walk->store->clock, &facts, &waiting);
	if (!error)
		walk->listener->request(walk->listener->context, id, &waiting);
	return error;
}

static void tell(struct walk *walk, const MDB_val *key, const MDB_val *value)
{
	struct span bytes = { value->mv_data, value->mv_size };
	uint64_t id = 0;
	int error = -EBADMSG;

	if (key->mv_size == sizeof(id)) {
		memcpy(&id, key->mv_data, sizeof(id));
		error = !walk->file->older && encoding_is_request(bytes)
				? tell_of_request(walk, id, bytes)
				: tell_of_binding(walk, id, bytes);
	}
	if (id > walk->store->last_id)
		walk->store->last_id = id;
	if (!error)
		return;
	if (error == -ESTALE)
		walk->untimely++;
	else
		walk->unreadable++;
	store_delete(walk->store, id);
}

static int tell_all(struct walk *walk, MDB_txn *txn)
{
	MDB_val key, value;
	MDB_cursor *cursor;
	int error = mdb_cursor_open(txn, walk->file->records, &cursor);

	if (error)
		return error;
	/* The first is about the file itself. */
	error = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
	while (!error && (error = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == 0)
		tell(walk, &key, &value);
	mdb_cursor_close(cursor);
	return error == MDB_NOTFOUND ? 0 : error;
}

static void say_what_is_left_out(const struct walk *walk)
{
	if (walk->unreadable > 0)
		log_warning("%d of the remembered bindings cannot be read and are dropped",
			    walk->unreadable);
	if (walk->untimely > 0)
		log_warning("%d bindings were written down later than it is now by this host's "
			    "clock and are dropped: set the clock before sippathd starts",
			    walk->untimely);
}

/*
 * What is deleted on the way, in a transaction of its own, changes nothing in what is read: pages
 * that are in use are written over by a later transaction at the earliest.
 */
int store_walk(struct store *store, const struct store_listener *listener)
{
	struct walk walk = { .store = store, .listener = listener };
	MDB_txn *txn;
	int error;

	walk.file = store->unwalked ? &store->file : &store->found;
	store->unwalked = false;
	if (!walk.file->env)
		return 0;
	read_clock(store);
	store->walking = true;
	error = mdb_txn_begin(walk.file->env, NULL, MDB_RDONLY, &txn);
	if (!error) {
		error = tell_all(&walk, txn);
		mdb_txn_abort(txn);
	}
	store->walking = false;
	file_close(&store->found);
	if (store->behind) /* since something could not be deleted on the way */
		file_close(&store->file);
	say_what_is_left_out(&walk);
	if (!error)
		return walk.told;
	return log_errno(EIO, "cannot read %s: %s; %d bindings are remembered, the others are not",
			 store->path, mdb_strerror(error), walk.told);
}

/* Puts what was encoded; nothing is left of it if it was too long to be. */
static uint64_t put_encoded(struct store *store, uint64_t id, const char *bytes, size_t length)
{
	if (length == 0) {
		store_delete(store, id); /* it says what is no longer so */
		return 0;
	}
	if (id == 0)
		id = ++store->last_id;
	return put(store, id, bytes, length) ? 0 : id;
}

uint64_t store_put_request(struct store *store, uint64_t id, const struct waiting *waiting)
{
	char bytes[ENCODING_BYTES_MAX];

	if (!store || !writing(store))
		return 0;
	return put_encoded(store, id, bytes, encoding_write_request(waiting, &store->clock, bytes));
}

uint64_t store_put(struct store *store, uint64_t id, const struct record *record)
{
	char bytes[ENCODING_BYTES_MAX];

	if (!store || !writing(store))
		return 0;
	return put_encoded(store, id, bytes, encoding_write(record, &store->clock, bytes));
}

void store_delete(struct store *store, uint64_t id)
{
	MDB_val key = file_key(&id);
	MDB_txn *txn;
	int error;

	if (!store || id == 0)
		return;
	txn = writing(store);
	if (!txn)
		return;
	error = mdb_del(txn, store->file.records, &key, NULL);
	if (error && error != MDB_NOTFOUND)
		give_up(store, error);
}

/* What was there before is kept until all is in the new one. */
static int take_its_place(struct store *store)
{
	if (!store->under_new_name || !store->complete)
		return 0;
	if (rename(store->new_path, store->path))
		return errno;
	store->under_new_name = false;
	return 0;
}

void store_flush(struct store *store)
{
	int error = 0;

	if (!store || store->behind)
		return;
	if (store->writing)
		error = mdb_txn_commit(store->writing);
	store->writing = NULL;
	if (!error)
		error = take_its_place(store);
	if (error) {
		fall_behind(store, error);
		return;
	}
	if (store->failing && !store->under_new_name) {
		log_info("bindings are written down again");
		store->failing = false;
	}
}

bool store_is_behind(const struct store *store)
{
	return store && store->behind;
}

void store_complete(struct store *store)
{
	if (store)
		store->complete = true;
}

bool store_is_incomplete(const struct store *store)
{
	return store && !store->behind && store->under_new_name;
}

bool store_begin_anew(struct store *store, uint64_t now_ns)
{
	int error;

	if (!store_is_behind(store) || now_ns < store->anew_ns)
		return false;
	store->anew_ns = now_ns + ANEW_PAUSE_NS;
	file_close(&store->file);
	store->under_new_name = true;
	store->complete = false;
	error = file_make(store->new_path, &store->place, &store->file);
	if (error) {
		fall_behind(store, error);
		return false;
	}
	store->behind = false;
	return true;
}
