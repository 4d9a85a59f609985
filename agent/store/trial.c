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

#define FILE_MODE 0600

/* LMDB's own name for the list of pages that are free; read-only transactions may walk it. */
#define FREE_PAGES 0

/* The first pages are the meta pages, and never free. */
#define META_PAGES 2

#define STATUS_DAMAGED 1

static void fail_assertion(MDB_env *env, const char *message)
{
	(void)env;
	(void)message;
	_exit(STATUS_DAMAGED);
}

static void die_quietly(void)
{
	static const int deaths[] = { SIGBUS, SIGSEGV, SIGABRT, SIGFPE, SIGILL };

	for (size_t i = 0; i < sizeof(deaths) / sizeof(deaths[0]); i++)
		signal(deaths[i], SIG_DFL);
	prctl(PR_SET_DUMPABLE, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
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

static int read_all(MDB_txn *txn, MDB_dbi dbi, size_t last_page)
{
	MDB_val key, value;
	MDB_cursor *cursor;
	uint64_t lowest = 0;
	int error = mdb_cursor_open(txn, dbi, &cursor);

	while (!error && (error = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == 0) {
		touch(&key);
		touch(&value);
		if (!is_in_order(&key, &lowest))
			return MDB_CORRUPTED;
		if (dbi == FREE_PAGES && !are_free_pages(&value, last_page))
			return MDB_CORRUPTED;
	}
	return error == MDB_NOTFOUND ? 0 : error;
}

/* Nothing is released: the process ends with it. */
static int read_file(const char *path, size_t map_bytes)
{
	MDB_envinfo info;
	MDB_env *env;
	MDB_txn *txn;
	MDB_dbi records;
	int error = mdb_env_create(&env);

	if (error)
		return error;
	mdb_env_set_assert(env, fail_assertion);
	mdb_env_set_mapsize(env, map_bytes);
	error = mdb_env_open(env, path, MDB_RDONLY | MDB_NOSUBDIR | MDB_NOLOCK, FILE_MODE);
	if (!error)
		error = mdb_env_info(env, &info);
	if (!error)
		error = mdb_txn_begin(env, NULL, MDB_RDONLY, &txn);
	if (!error)
		error = mdb_dbi_open(txn, NULL, 0, &records);
	if (!error)
		error = read_all(txn, FREE_PAGES, info.me_last_pgno);
	if (!error)
		error = read_all(txn, records, info.me_last_pgno);
	return error;
}

/* Errors of the system (there is no such file, no memory) are for whoever opens it in earnest. */
static int status_of(int error)
{
	return error < 0 ? STATUS_DAMAGED : 0;
}

bool trial_passed(const char *path, size_t map_bytes)
{
	pid_t child = fork();
	int status;

	if (child < 0)
		return true;
	if (child == 0) {
		die_quietly();
		_exit(status_of(read_file(path, map_bytes)));
	}
	while (waitpid(child, &status, 0) < 0) {
		if (errno != EINTR)
			return true;
	}
	if (WIFSIGNALED(status))
		return WTERMSIG(status) == SIGKILL; /* says nothing about the file */
	return WEXITSTATUS(status) == 0;
}
