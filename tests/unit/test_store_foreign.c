/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is in the place of the store's files and is none of them. */
#include <lmdb.h>

#include "store_world.h"

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

static void another_programs_store_is_set_aside(void **state)
{
	char path[128];
	MDB_env *env;
	MDB_txn *txn;

	(void)state;
	snprintf(path, sizeof(path), "%s/bindings.mdb", directory);
	assert_int_equal(mdb_env_create(&env), 0);
	assert_int_equal(mdb_env_open(env, path, MDB_NOSUBDIR | MDB_NOLOCK, 0600), 0);
	assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
	assert_int_equal(write_foreign(txn), 0);
	assert_int_equal(mdb_txn_commit(txn), 0);
	mdb_env_close(env);
	assert_int_equal(found().count, 0);
	assert_int_equal(files("bindings.mdb.aside-*"), 1);
	in_a_child(put_flush_and_die);
	assert_int_equal(found().count, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_no_file_is_set_aside),
		TEST(another_programs_store_is_set_aside),
	};

	return cmocka_run_group_tests_name("what is no store", tests, NULL, NULL);
}
