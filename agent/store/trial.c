/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/trial.h"

#include <errno.h>
#include <lmdb.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/file.h"

/* LMDB's own name for the list of pages that are free; read-only transactions may walk it. */
#define FREE_PAGES 0

/* The first pages are the meta pages, and never free. */
#define META_PAGES 2

/* So many records are copied in one transaction: it is held in memory. */
#define COPIED_AT_ONCE 8192

enum status { STATUS_READ, STATUS_COPIED, STATUS_DAMAGED };

static void fail_assertion(MDB_env *env, const char *message)
{
	(void)env;
	(void)message;
	_exit(STATUS_DAMAGED);
}

/* With whoever made it, also if that was before this could be asked for. */
static void die_quietly(pid_t parent)
{
	static const int deaths[] = { SIGBUS, SIGSEGV, SIGABRT, SIGFPE, SIGILL };

	for (size_t i = 0; i < sizeof(deaths) / sizeof(deaths[0]); i++)
		signal(deaths[i], SIG_DFL);
	prctl(PR_SET_DUMPABLE, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(STATUS_READ);
}

/* Every byte is asked for: what lies beyond the end of the file shows with SIGBUS. */
static void touch(const MDB_val *value)
{
	const volatile char *bytes = value->mv_data;

	for (size_t i = 0; i < value->mv_size; i++)
		(void)bytes[i];
}

/* Both are kept by numbers, in ascending order: where they are not, a page is not what it was. */
static bool is_in_order(const MDB_val *key, uint64_t *lowest)
{
	uint64_t number;

	if (key->mv_size != sizeof(number))
		return false;
	memcpy(&number, key->mv_data, sizeof(number));
	if (number < *lowest)
		return false;
	*lowest = number + 1;
	return true;
}

/* A list of page numbers after its length, in descending order: pages to write over. */
static bool are_free_pages(const MDB_val *value, size_t last_page)
{
	const char *bytes = value->mv_data;
	size_t count, page, above = last_page + 1;

	if (value->mv_size < sizeof(count))
		return false;
	memcpy(&count, bytes, sizeof(count));
	if (count >= value->mv_size / sizeof(page))
		return false;
	for (size_t i = 1; i <= count; i++) {
		memcpy(&page, bytes + i * sizeof(page), sizeof(page));
		if (page < META_PAGES || page >= above)
			return false;
		above = page;
	}
	return true;
}

/* One after the other, until one is not what it must be. */
static int read_free_pages(MDB_txn *txn, size_t last_page)
{
	MDB_val key, value;
	MDB_cursor *cursor;
	uint64_t lowest = 0;
	int error = mdb_cursor_open(txn, FREE_PAGES, &cursor);

	while (!error && (error = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == 0) {
		touch(&key);
		touch(&value);
		if (!is_in_order(&key, &lowest) || !are_free_pages(&value, last_page))
			return MDB_CORRUPTED;
	}
	return error == MDB_NOTFOUND ? 0 : error;
}

/* The copy, while it can be made: what is said of the file itself is in it already. */
struct copy {
	struct file file;
	MDB_txn *txn; /* NULL once it cannot be made */
	size_t records; /* in the transaction */
};

static void begin_copy(struct copy *copy)
{
	copy->records = 0;
	if (mdb_txn_begin(copy->file.env, NULL, 0, &copy->txn))
		copy->txn = NULL;
}

static void commit_copy(struct copy *copy)
{
	int error = mdb_txn_commit(copy->txn);

	copy->txn = NULL;
	if (!error)
		begin_copy(copy);
}

static void add_to_copy(struct copy *copy, MDB_val *key, MDB_val *value)
{
	if (!copy->txn)
		return;
	if (mdb_put(copy->txn, copy->file.records, key, value, MDB_APPEND)) {
		mdb_txn_abort(copy->txn);
		copy->txn = NULL;
	} else if (++copy->records == COPIED_AT_ONCE) {
		commit_copy(copy);
	}
}

static int read_records(MDB_txn *txn, MDB_dbi records, struct copy *copy)
{
	MDB_val key, value;
	MDB_cursor *cursor;
	uint64_t lowest = 0;
	int error = mdb_cursor_open(txn, records, &cursor);

	while (!error && (error = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == 0) {
		touch(&key);
		touch(&value);
		if (!is_in_order(&key, &lowest))
			return MDB_CORRUPTED;
		if (lowest > 1) /* what the file says of itself is the copy's own */
			add_to_copy(copy, &key, &value);
	}
	return error == MDB_NOTFOUND ? 0 : error;
}

/* Nothing is released: the process ends with it. */
static int read_file(const char *path, const struct place *place, struct file *file, MDB_txn **txn)
{
	MDB_envinfo info;
	int error;

	file->on_assertion = fail_assertion;
	error = file_find(path, place, file);
	if (!error)
		error = mdb_env_info(file->env, &info);
	if (!error)
		error = mdb_txn_begin(file->env, NULL, MDB_RDONLY, txn);
	return error ? error : read_free_pages(*txn, info.me_last_pgno);
}

/*
 * Errors of the system (there is no such file, no memory) are for whoever opens it in earnest, as
 * is a version that nobody here can read.
 */
static enum status status_of(int error)
{
	return error < 0 && error != MDB_VERSION_MISMATCH ? STATUS_DAMAGED : STATUS_READ;
}

static enum status read_and_copy(const char *path, const char *new_path, const struct place *place)
{
	struct copy copy = { 0 };
	struct file file = { 0 };
	MDB_txn *txn;
	int error = read_file(path, place, &file, &txn);

	if (error)
		return status_of(error);
	if (!file.other_boot && !file.other_netns && !file.older &&
	    file_make(new_path, place, &copy.file) == 0)
		begin_copy(&copy);
	error = read_records(txn, file.records, &copy);
	if (error || !copy.txn)
		return status_of(error);
	return mdb_txn_commit(copy.txn) == 0 ? STATUS_COPIED : STATUS_READ;
}

enum trial trial_hold(const char *path, const char *new_path, const struct place *place)
{
	pid_t parent = getpid(), child = fork();
	int status;

	if (child < 0)
		return TRIAL_READ;
	if (child == 0) {
		close(place->fd); /* or the lock would outlive an agent that is killed now */
		die_quietly(parent);
		_exit(read_and_copy(path, new_path, place));
	}
	while (waitpid(child, &status, 0) < 0) {
		if (errno != EINTR)
			return TRIAL_READ;
	}
	if (WIFSIGNALED(status)) /* a SIGKILL says nothing about the file */
		return WTERMSIG(status) == SIGKILL ? TRIAL_READ : TRIAL_FAILED;
	if (WEXITSTATUS(status) == STATUS_COPIED)
		return TRIAL_COPIED;
	return WEXITSTATUS(status) == STATUS_READ ? TRIAL_READ : TRIAL_FAILED;
}
