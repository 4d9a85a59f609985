/* SPDX-License-Identifier: GPL-2.0-or-later */
/* store_world.h - a state directory of one's own, and agents that come and go in it. */
#ifndef TESTS_STORE_WORLD_H
#define TESTS_STORE_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <ftw.h>
#include <glob.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "state/binding.h"
#include "store/store.h"

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

/* What a walk told of: the first few. */
struct seen {
	size_t count;
	size_t requests;
	uint64_t ids[8];
	uint64_t ends_ns[8];
	char call_ids[8][32];
};

static char directory[64];

static inline int set_up(void **state)
{
	(void)state;
	strcpy(directory, "/tmp/sippath-store-XXXXXX");
	return mkdtemp(directory) ? 0 : -1;
}

static inline int remove_one(const char *path, const struct stat *status, int type,
			     struct FTW *walk)
{
	(void)status;
	(void)type;
	(void)walk;
	return remove(path);
}

static inline int tear_down(void **state)
{
	(void)state;
	umount2(directory, MNT_DETACH); /* those tests that mounted something there */
	return nftw(directory, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static inline struct record dialog_record(const char *call_id)
{
	return (struct record){
		.flow = { .local_addr = { [10] = 0xff, [11] = 0xff, 192, 0, 2, 1 },
			  .remote_addr = { [10] = 0xff, [11] = 0xff, 198, 51, 100, 7 },
			  .local_port = 5060,
			  .remote_port = 40001,
			  .transport = FLOW_UDP },
		.ends_ns = clock_now_ns() + 3600 * NS_PER_S,
		.cseq = 7,
		.session_expires = 1800,
		.kind = BINDING_DIALOG,
		.expiry = REASON_dialog_session_expired,
		.behind_nat = true,
		.device_called = true,
		.aor = SPAN("sip:alice@example.org"),
		.target = SPAN("sip:alice@10.0.0.2:5060"),
		.call_id = span_of(call_id),
		.device_tag = SPAN("a"),
		.peer_tag = SPAN(""),
	};
}

static inline struct store *opened(void)
{
	struct store *store = NULL;

	assert_int_equal(store_open(directory, &store), 0);
	return store;
}

/* A file of its own, and all that there is will have been put by the next flush. */
static inline bool begin_anew(struct store *store, uint64_t now_ns)
{
	if (!store_begin_anew(store, now_ns))
		return false;
	store_complete(store);
	return true;
}

/* An agent that knows nothing, and has begun to write. */
static inline struct store *begun(void)
{
	struct store *store = opened();

	assert_true(store_is_behind(store));
	assert_true(begin_anew(store, clock_now_ns()));
	assert_false(store_is_behind(store));
	return store;
}

static inline void note(void *context, uint64_t id, const struct record *record)
{
	struct seen *seen = context;

	if (seen->count++ >= 8)
		return;
	seen->ids[seen->count - 1] = id;
	seen->ends_ns[seen->count - 1] = record->ends_ns;
	snprintf(seen->call_ids[seen->count - 1], sizeof(seen->call_ids[0]), "%.*s",
		 (int)record->call_id.length, record->call_id.at);
}

static inline void note_request(void *context, uint64_t id, const struct waiting *waiting)
{
	struct seen *seen = context;

	(void)id;
	(void)waiting;
	seen->requests++;
}

static inline struct seen walk(struct store *store)
{
	struct seen seen = { 0 };
	struct store_listener listener = { note, note_request, &seen };
	int told = store_walk(store, &listener);

	assert_int_equal(told, seen.count);
	return seen;
}

/* Runs "act" in a child that ends without closing anything. */
static inline void in_a_child(void (*act)(void))
{
	int status;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		act();
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static inline void put_flush_and_die(void)
{
	struct record record = dialog_record("killed");
	struct store *store;

	if (store_open(directory, &store) ||
	    (store_is_behind(store) && !begin_anew(store, clock_now_ns())))
		_exit(1);
	store_put(store, 0, &record);
	store_flush(store);
	record.call_id = SPAN("unflushed");
	store_put(store, 0, &record);
}

static inline size_t files(const char *pattern)
{
	char path[128];
	size_t count;
	glob_t found;

	snprintf(path, sizeof(path), "%s/%s", directory, pattern);
	glob(path, 0, NULL, &found);
	count = found.gl_pathc;
	globfree(&found);
	return count;
}

static inline void overwrite(const char *name, const char *text)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	file = fopen(path, "w");
	assert_non_null(file);
	for (size_t i = 0; i < 1000; i++)
		fputs(text, file);
	fclose(file);
}

static inline size_t file_size(const char *name)
{
	char path[128];
	struct stat status;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	assert_int_equal(stat(path, &status), 0);
	return (size_t)status.st_size;
}

/* A file of this process may grow to so many bytes: a disk that is full. */
static inline void leave_room(rlim_t bytes)
{
	struct rlimit limit;

	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = bytes;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* Walks through what the next agent finds. */
static inline struct seen found(void)
{
	struct store *store = opened();
	struct seen seen = walk(store);

	store_close(store);
	return seen;
}

#endif
