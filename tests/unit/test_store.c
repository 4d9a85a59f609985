/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is put into the store is there for the next agent, and nothing else is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <glob.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "state/binding.h"
#include "store/encoding.h"
#include "store/store.h"

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

/* What a walk told of. */
struct seen {
	size_t count;
	uint64_t ids[8];
	uint64_t ends_ns[8];
	char call_ids[8][32];
};

static char directory[64];

static int set_up(void **state)
{
	(void)state;
	strcpy(directory, "/tmp/sippath-store-XXXXXX");
	return mkdtemp(directory) ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *walk)
{
	(void)status;
	(void)type;
	(void)walk;
	return remove(path);
}

static int tear_down(void **state)
{
	(void)state;
	return nftw(directory, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static struct record dialog_record(const char *call_id)
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

static struct store *opened(void)
{
	struct store *store = NULL;

	assert_int_equal(store_open(directory, &store), 0);
	return store;
}

static void note(void *context, uint64_t id, const struct record *record)
{
	struct seen *seen = context;

	assert_true(seen->count < 8);
	seen->ids[seen->count] = id;
	seen->ends_ns[seen->count] = record->ends_ns;
	snprintf(seen->call_ids[seen->count], sizeof(seen->call_ids[0]), "%.*s",
		 (int)record->call_id.length, record->call_id.at);
	seen->count++;
}

static struct seen walk(struct store *store)
{
	struct seen seen = { 0 };
	int told = store_walk(store, note, &seen);

	assert_int_equal(told, seen.count);
	return seen;
}

static void a_record_is_there_for_the_next_agent(void **state)
{
	struct record first = dialog_record("first"), second = dialog_record("second");
	struct store *store = opened();
	struct seen seen;
	uint64_t id;

	(void)state;
	id = store_put(store, 0, &first);
	assert_int_not_equal(id, 0);
	assert_int_not_equal(store_put(store, 0, &second), id);
	store_close(store);

	store = opened();
	seen = walk(store);
	assert_int_equal(seen.count, 2);
	assert_int_equal(seen.ids[0], id);
	assert_string_equal(seen.call_ids[0], "first");
	assert_string_equal(seen.call_ids[1], "second");
	assert_int_equal(seen.ends_ns[0], first.ends_ns);
	store_close(store);
}

static void a_record_is_replaced_and_deleted(void **state)
{
	struct record record = dialog_record("old");
	struct store *store = opened();
	struct seen seen;
	uint64_t id, other;

	(void)state;
	id = store_put(store, 0, &record);
	other = store_put(store, 0, &record);
	record.call_id = SPAN("new");
	assert_int_equal(store_put(store, id, &record), id);
	store_delete(store, other);
	store_delete(store, 12345); /* there is none: no harm */
	seen = walk(store);
	assert_int_equal(seen.count, 1);
	assert_string_equal(seen.call_ids[0], "new");
	store_close(store);
}

/* Runs "act" in a child that ends without closing anything. */
static void in_a_child(void (*act)(void))
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

static void put_flush_and_die(void)
{
	struct record record = dialog_record("killed");
	struct store *store;

	if (store_open(directory, &store))
		_exit(1);
	store_put(store, 0, &record);
	store_flush(store);
	record.call_id = SPAN("unflushed");
	store_put(store, 0, &record);
}

static void trap_40_what_was_flushed_outlives_a_killed_agent(void **state)
{
	struct store *store;
	struct seen seen;

	(void)state;
	in_a_child(put_flush_and_die);
	store = opened();
	seen = walk(store);
	assert_int_equal(seen.count, 1);
	assert_string_equal(seen.call_ids[0], "killed");
	store_close(store);
}

static void a_store_belongs_to_one_agent_at_a_time(void **state)
{
	struct store *store = opened(), *second = NULL;

	(void)state;
	assert_int_equal(store_open(directory, &second), -EWOULDBLOCK);
	assert_null(second);
	store_close(store);
	store_close(opened());
}

static size_t files(const char *pattern)
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

static void overwrite(const char *name, const char *text)
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

static void what_cannot_be_read_is_set_aside(void **state)
{
	struct record record = dialog_record("after");
	struct store *store;

	(void)state;
	overwrite("bindings.mdb", "this is no store\n");
	store = opened();
	assert_int_equal(files("bindings.mdb.aside-*"), 1);
	assert_int_equal(walk(store).count, 0);
	assert_int_not_equal(store_put(store, 0, &record), 0);
	store_close(store);
	store = opened();
	assert_int_equal(walk(store).count, 1);
	store_close(store);
}

static void a_host_that_went_down_without_notice_begins_anew(void **state)
{
	struct store *store;

	(void)state;
	in_a_child(put_flush_and_die);
	overwrite("in-use", "00000000-0000-0000-0000-000000000000");
	store = opened();
	assert_int_equal(walk(store).count, 0);
	store_close(store);
	assert_int_equal(files("in-use"), 0);
}

static void put_in_another_namespace(void)
{
	if (unshare(CLONE_NEWNET))
		_exit(2);
	put_flush_and_die();
}

static void what_another_network_namespace_left_is_dropped(void **state)
{
	struct store *store;

	(void)state;
	in_a_child(put_in_another_namespace);
	store = opened();
	assert_int_equal(walk(store).count, 0);
	store_close(store);
}

static void a_directory_is_made_with_those_above_it(void **state)
{
	struct store *store = NULL;
	char path[128];

	(void)state;
	snprintf(path, sizeof(path), "%s/a/b", directory);
	assert_int_equal(store_open(path, &store), 0);
	store_close(store);
	overwrite("file", "x");
	snprintf(path, sizeof(path), "%s/file/b", directory);
	assert_int_not_equal(store_open(path, &store), 0);
}

static void no_store_is_fine_everywhere(void **state)
{
	struct record record = dialog_record("x");

	(void)state;
	assert_int_equal(store_put(NULL, 0, &record), 0);
	store_delete(NULL, 1);
	store_flush(NULL);
	store_close(NULL);
}

static void a_record_comes_back_as_it_was(void **state)
{
	struct encoding_times times = { .wall_offset_ns = INT64_C(1700000000000000000) };
	struct record record = dialog_record("call"), back;
	static char bytes[ENCODING_BYTES_MAX];
	size_t length = encoding_write(&record, &times, bytes);
	struct span whole = { bytes, length };

	(void)state;
	assert_int_equal(encoding_read(whole, false, &times, &back), 0);
	assert_memory_equal(&back.flow, &record.flow, sizeof(record.flow));
	assert_int_equal(back.ends_ns, record.ends_ns);
	assert_int_equal(back.kind, BINDING_DIALOG);
	assert_int_equal(back.session_expires, 1800);
	assert_true(back.behind_nat && back.device_called && !back.early && !back.device_refreshes);
	assert_true(span_equal(back.aor, record.aor));
	assert_true(span_equal(back.device_tag, record.device_tag));
	assert_non_null(back.peer_tag.at); /* empty is not absent */
	assert_int_equal(back.peer_tag.length, 0);
	assert_null(back.event.at);
}

/* Another boot: the monotonic clock began anew, the wall clock went on. */
static void times_of_another_boot_are_converted(void **state)
{
	struct encoding_times then = { .wall_offset_ns = 1000 * NS_PER_S };
	struct encoding_times now = { .wall_offset_ns = 1500 * NS_PER_S };
	struct record record = dialog_record("call"), back;
	static char bytes[ENCODING_BYTES_MAX];
	size_t length;

	(void)state;
	record.ends_ns = 700 * NS_PER_S;
	record.accepted_ns = 400 * NS_PER_S;
	length = encoding_write(&record, &then, bytes);
	assert_int_equal(encoding_read((struct span){ bytes, length }, true, &now, &back), 0);
	assert_int_equal(back.ends_ns, 200 * NS_PER_S);
	assert_int_equal(back.accepted_ns, 0); /* before this boot */
}

static void what_is_cut_or_foreign_is_no_record(void **state)
{
	struct encoding_times times = { 0 };
	struct record record = dialog_record("call"), back;
	static char bytes[ENCODING_BYTES_MAX];
	size_t length = encoding_write(&record, &times, bytes);

	(void)state;
	for (size_t cut = 0; cut < length; cut++) {
		char *exact = malloc(cut ? cut : 1); /* so that a sanitizer sees what lies behind */

		assert_non_null(exact);
		memcpy(exact, bytes, cut);
		assert_int_equal(encoding_read((struct span){ exact, cut }, false, &times, &back),
				 -EBADMSG);
		free(exact);
	}
	bytes[length] = 0;
	assert_int_equal(encoding_read((struct span){ bytes, length + 1 }, false, &times, &back),
			 -EBADMSG);
	record.kind = BINDING_CONNECTION;
	length = encoding_write(&record, &times, bytes);
	assert_int_equal(encoding_read((struct span){ bytes, length }, false, &times, &back),
			 -EBADMSG);
}

static void a_text_that_is_too_long_is_not_written(void **state)
{
	struct encoding_times times = { 0 };
	struct record record = dialog_record("call");
	static char bytes[ENCODING_BYTES_MAX];
	static char text[RECORD_TEXT_MAX + 1];

	(void)state;
	memset(text, 'x', sizeof(text));
	record.target = (struct span){ text, RECORD_TEXT_MAX };
	assert_true(encoding_write(&record, &times, bytes) > RECORD_TEXT_MAX);
	record.target.length++;
	assert_int_equal(encoding_write(&record, &times, bytes), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_record_is_there_for_the_next_agent),
		TEST(a_record_is_replaced_and_deleted),
		TEST(trap_40_what_was_flushed_outlives_a_killed_agent),
		TEST(a_store_belongs_to_one_agent_at_a_time),
		TEST(what_cannot_be_read_is_set_aside),
		TEST(a_host_that_went_down_without_notice_begins_anew),
		TEST(what_another_network_namespace_left_is_dropped),
		TEST(a_directory_is_made_with_those_above_it),
		TEST(no_store_is_fine_everywhere),
		cmocka_unit_test(a_record_comes_back_as_it_was),
		cmocka_unit_test(times_of_another_boot_are_converted),
		cmocka_unit_test(what_is_cut_or_foreign_is_no_record),
		cmocka_unit_test(a_text_that_is_too_long_is_not_written),
	};

	return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
