/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is in the place of the store's files and is none of them, or another version's. */
#include <dlfcn.h>
#include <errno.h>
#include <lmdb.h>

#include "base/hash.h"
#include "store_world.h"

static int opening_error; /* of every environment, instead of opening it; 0: they are opened */

/* Stands before LMDB's own. */
int mdb_env_open(MDB_env *env, const char *path, unsigned int flags, mdb_mode_t mode)
{
	int (*next)(MDB_env *, const char *, unsigned int, mdb_mode_t);

	if (opening_error)
		return opening_error;
	*(void **)&next = dlsym(RTLD_NEXT, "mdb_env_open");
	return next(env, path, flags, mode);
}

static void forget_all(void)
{
	assert_int_equal(tear_down(NULL), 0);
	assert_int_equal(mkdir(directory, 0700), 0);
}

static void make_fifo(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	assert_int_equal(mkfifo(path, 0600), 0);
}

static void make_directory(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	assert_int_equal(mkdir(path, 0700), 0);
}

/* To open a FIFO waits for whoever writes into it: the agent would never start. */
static void what_is_no_file_is_set_aside(void **state)
{
	static const char *const names[] = { "bindings.mdb", "bindings.mdb.new", "in-use" };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char aside[64];

		snprintf(aside, sizeof(aside), "%s.aside-*", names[i]);
		make_fifo(names[i]);
		in_a_child(put_flush_and_die);
		assert_int_equal(found().count, 1);
		assert_int_equal(files(aside), i != 1); /* that one was half of a file */
		forget_all();
		make_directory(names[i]);
		in_a_child(put_flush_and_die);
		assert_int_equal(found().count, 1);
		assert_int_equal(files(aside), 1);
		forget_all();
	}
}

static int write_foreign(MDB_txn *txn)
{
	MDB_val key = { 1, (void *)"k" }, value = { 1, (void *)"v" };
	MDB_dbi dbi;
	int error = mdb_dbi_open(txn, NULL, 0, &dbi);

	return error ? error : mdb_put(txn, dbi, &key, &value, 0);
}

static void write_file(int (*write_into)(MDB_txn *txn))
{
	char path[128];
	MDB_env *env;
	MDB_txn *txn;

	snprintf(path, sizeof(path), "%s/bindings.mdb", directory);
	assert_int_equal(mdb_env_create(&env), 0);
	assert_int_equal(mdb_env_open(env, path, MDB_NOSUBDIR | MDB_NOLOCK, 0600), 0);
	assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
	assert_int_equal(write_into(txn), 0);
	assert_int_equal(mdb_txn_commit(txn), 0);
	mdb_env_close(env);
}

static void another_programs_store_is_set_aside(void **state)
{
	(void)state;
	write_file(write_foreign);
	assert_int_equal(found().count, 0);
	assert_int_equal(files("bindings.mdb.aside-*"), 1);
	in_a_child(put_flush_and_die);
	assert_int_equal(found().count, 1);
}

static int put_numbered(MDB_txn *txn, MDB_dbi dbi, uint64_t id, void *bytes, size_t length)
{
	MDB_val key = { sizeof(id), &id }, value = { length, bytes };

	return mdb_put(txn, dbi, &key, &value, 0);
}

/* What a file says of itself, in every version: under the number 0. */
static int put_about(MDB_txn *txn, MDB_dbi dbi, uint32_t version)
{
	struct {
		char magic[8];
		uint32_t version;
		char boot_id[36];
		uint64_t netns;
	} about = { .magic = "sippath", .version = version };
	struct stat status;
	FILE *file = fopen("/proc/sys/kernel/random/boot_id", "r");

	assert_non_null(file);
	assert_int_equal(fread(about.boot_id, 1, sizeof(about.boot_id), file), 36);
	fclose(file);
	assert_int_equal(stat("/proc/self/ns/net", &status), 0);
	about.netns = status.st_ino;
	return put_numbered(txn, dbi, 0, &about, sizeof(about));
}

/* As version 3 wrote it: a dialog of alice's, that ends in an hour. */
static size_t write_version_3(char *bytes)
{
	static const char *const texts[] = { "sip:alice@example.org",
					     "sip:alice@10.0.0.2",
					     "of version 3",
					     NULL,
					     "a",
					     "",
					     NULL,
					     NULL };
	static const struct hash_key key = { { 0 } };
	struct record record = dialog_record("");
	struct {
		struct flow flow;
		uint64_t ends_ns, accepted_ns, written_ns;
		int64_t wall_offset_ns;
		uint32_t cseq, reg_id, session_expires;
		uint8_t kind, expiry, flags, reserved;
	} fixed = {
		.flow = record.flow,
		.ends_ns = 7,
		.written_ns = clock_now_ns() / 256 * 256 + BINDING_KIND_MAX, /* as if a request */
		.cseq = 7,
		.kind = BINDING_DIALOG,
		.expiry = REASON_dialog_session_expired,
	};
	char *at = mempcpy(bytes, &fixed, sizeof(fixed));
	uint64_t sum;

	_Static_assert(sizeof(fixed) == 88, "it has no hidden padding");
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		uint16_t length = texts[i] ? (uint16_t)strlen(texts[i]) : UINT16_MAX;

		at = mempcpy(at, &length, sizeof(length));
		if (texts[i])
			at = mempcpy(at, texts[i], length);
	}
	sum = hash_bytes(&key, bytes, (size_t)(at - bytes));
	at = mempcpy(at, &sum, sizeof(sum));
	return (size_t)(at - bytes);
}

static int write_older(MDB_txn *txn)
{
	char bytes[512];
	size_t length = write_version_3(bytes);
	MDB_dbi dbi;
	int error = mdb_dbi_open(txn, NULL, MDB_INTEGERKEY | MDB_CREATE, &dbi);

	if (!error)
		error = put_about(txn, dbi, 3);
	return error ? error : put_numbered(txn, dbi, 1, bytes, length);
}

static int write_newer(MDB_txn *txn)
{
	char bytes[] = "a record of another shape";
	MDB_dbi dbi;
	int error = mdb_dbi_open(txn, NULL, MDB_INTEGERKEY | MDB_CREATE, &dbi);

	if (!error)
		error = put_about(txn, dbi, 1000);
	return error ? error : put_numbered(txn, dbi, 1, bytes, sizeof(bytes));
}

static void the_bindings_of_the_version_before_are_read(void **state)
{
	struct store *store;
	struct seen seen;

	(void)state;
	write_file(write_older);
	store = opened();
	seen = walk(store);
	assert_int_equal(seen.count, 1);
	assert_int_equal(seen.ids[0], 1);
	assert_int_equal(seen.ends_ns[0], 7);
	assert_string_equal(seen.call_ids[0], "of version 3");
	assert_true(store_is_behind(store)); /* all is written in this version's shape */
	store_close(store);
	assert_int_equal(files("bindings.mdb.aside-*"), 0);
	assert_int_equal(found().count, 1);
}

/* What is said on standard error while a store is opened and found empty. */
static void say_what_is_found(char *said, size_t size)
{
	int standard_error = dup(STDERR_FILENO);
	FILE *file = tmpfile();

	assert_non_null(file);
	dup2(fileno(file), STDERR_FILENO);
	assert_int_equal(found().count, 0);
	dup2(standard_error, STDERR_FILENO);
	close(standard_error);
	rewind(file);
	said[fread(said, 1, size - 1, file)] = '\0';
	fclose(file);
}

/* It is no damage that an operator would look for. */
static void another_versions_store_is_set_aside(void **state)
{
	char said[1024];

	(void)state;
	write_file(write_newer);
	say_what_is_found(said, sizeof(said));
	assert_non_null(strstr(said, "another version"));
	assert_int_equal(files("bindings.mdb.aside-*"), 1);
	in_a_child(put_flush_and_die);
	assert_int_equal(found().count, 1);
}

static void give_its_name_back(void)
{
	char path[128];
	glob_t found;

	snprintf(path, sizeof(path), "%s/bindings.mdb.aside-*", directory);
	assert_int_equal(glob(path, 0, NULL, &found), 0);
	snprintf(path, sizeof(path), "%s/bindings.mdb", directory);
	assert_int_equal(rename(found.gl_pathv[0], path), 0);
	globfree(&found);
}

static void what_the_system_cannot_open_is_sound(void **state)
{
	static const int errors[] = { ENOMEM, EMFILE, EACCES };
	char said[1024];

	(void)state;
	in_a_child(put_flush_and_die);
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		opening_error = errors[i];
		say_what_is_found(said, sizeof(said));
		assert_non_null(strstr(said, strerror(errors[i])));
		opening_error = 0;
		assert_int_equal(files("bindings.mdb.aside-*"), 1);
		give_its_name_back();
		assert_int_equal(found().count, 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_no_file_is_set_aside),
		TEST(another_programs_store_is_set_aside),
		TEST(the_bindings_of_the_version_before_are_read),
		TEST(another_versions_store_is_set_aside),
		TEST(what_the_system_cannot_open_is_sound),
	};

	return cmocka_run_group_tests_name("what is no store", tests, NULL, NULL);
}
