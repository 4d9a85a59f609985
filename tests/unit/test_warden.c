/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_warden.c - the warden does what it is for, trusts nobody, and ends in every case; the
 * agent waits for it never long. What it would do to the kernel is replaced: it is noted in
 * memory that both processes share.
 */
#include "warden_world.h"

#include <errno.h>
#include <ev.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "kernel/connection_hook.h"
#include "kernel/keepalive.h"
#include "privileges/warden.h"
#include "privileges/warden_parts.h"

#define PATIENCE_NS (20 * NS_PER_S)
#define THRESHOLD_NS (24 * NS_PER_S)

static char socket_path[] = "/tmp/sippath-test-warden-XXXXXX";
static struct ev_loop *loop;
static struct warden *warden;
static struct warden_report report;
static unsigned int reports;

static void take_report(void *context, const struct warden_report *taken)
{
	assert_ptr_equal(context, &reports);
	report = *taken;
	reports++;
}

static struct warden_options options(void)
{
	return (struct warden_options){ .attachment = &attachment, .socket_path = socket_path };
}

static int begin(void **state)
{
	struct warden_options told = options();
	int fd;

	(void)state;
	log_set_level(LOG_LEVEL_ERROR);
	notes = mmap(NULL, sizeof(*notes), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		     0);
	strcpy(socket_path + sizeof(socket_path) - 7, "XXXXXX");
	fd = mkstemp(socket_path);
	reports = 0;
	loop = ev_loop_new(EVFLAG_AUTO);
	if (notes == MAP_FAILED || fd < 0 || !loop || warden_begin(&told, &warden))
		return -1;
	close(fd);
	warden_watch(warden, loop, take_report, &reports);
	return 0;
}

static int end(void **state)
{
	(void)state;
	notes->held_up = false;
	warden_end(warden);
	ev_loop_destroy(loop);
	while (waitpid(-1, NULL, 0) > 0)
		continue; /* one that was killed */
	unlink(socket_path);
	return munmap(notes, sizeof(*notes));
}

/* What is fed to the loop from outside is delivered before it waits: it must not wait for long. */
static void wake(struct ev_loop *ours, ev_timer *timer, int events)
{
	(void)ours;
	(void)timer;
	(void)events;
}

static void run_until_reports(unsigned int wanted)
{
	uint64_t end_ns = clock_now_ns() + PATIENCE_NS;
	ev_timer timer;

	ev_timer_init(&timer, wake, 0.02, 0.02);
	ev_timer_start(loop, &timer);
	while (reports < wanted) {
		assert_true(clock_now_ns() < end_ns);
		ev_run(loop, EVRUN_ONCE);
	}
	ev_timer_stop(loop, &timer);
	assert_int_equal(reports, wanted);
}

static bool socket_is_there(void)
{
	return access(socket_path, F_OK) == 0;
}

static void what_is_asked_for_is_done_elsewhere_and_told(void **state)
{
	(void)state;
	assert_int_equal(warden_ask(warden, WARDEN_MEND, 5), 0);
	assert_int_equal(reports, 0);
	run_until_reports(1);
	assert_int_equal(report.task, WARDEN_MEND);
	assert_int_equal(report.error, 0);
	assert_int_equal(report.begun_ns, 5);
	assert_true(report.connections);
	assert_int_equal(report.repair.interfaces[0].ingress_id, PROGRAM);
	assert_int_not_equal(notes->mended_by, getpid());
	assert_int_equal(notes->left, 1);

	assert_int_equal(warden_ask(warden, WARDEN_VISIT, 6), 0);
	run_until_reports(2);
	assert_int_equal(report.task, WARDEN_VISIT);
	assert_int_equal(report.error, -ESRCH);
	assert_int_equal(notes->visited, 1);
}

static void one_task_at_a_time_and_none_is_waited_for(void **state)
{
	(void)state;
	notes->held_up = true;
	assert_int_equal(warden_ask(warden, WARDEN_MEND, 0), 0);
	assert_int_equal(warden_ask(warden, WARDEN_VISIT, 1), -EBUSY);
	assert_int_equal(warden_ask(warden, WARDEN_MEND, WARDEN_PATIENCE_NS), -ETIMEDOUT);
	assert_true(warden_lives(warden));
	notes->held_up = false;
	run_until_reports(1);
	assert_int_equal(warden_ask(warden, WARDEN_MEND, WARDEN_PATIENCE_NS), 0);
	run_until_reports(2);
	assert_int_equal(notes->visited, 0);
}

static void a_threshold_is_set_and_no_report_lost_over_it(void **state)
{
	(void)state;
	assert_int_equal(warden_ask(warden, WARDEN_MEND, 7), 0);
	assert_int_equal(warden_set_keepalive(warden, THRESHOLD_NS), 0);
	assert_int_equal(notes->threshold_ns, THRESHOLD_NS);
	assert_int_equal(reports, 0);
	run_until_reports(1);
	assert_int_equal(report.begun_ns, 7);
	assert_int_equal(report.repair.interfaces[0].ingress_id, PROGRAM);
}

static void a_threshold_that_no_option_admits_is_refused(void **state)
{
	(void)state;
	assert_int_equal(warden_set_keepalive(warden, NS_PER_S - 1), -ERANGE);
	assert_int_equal(warden_set_keepalive(warden, UINT64_MAX), -ERANGE);
	assert_int_equal(notes->threshold_ns, 0);
	assert_true(warden_lives(warden));
}

static void who_does_not_answer_is_not_waited_for_long(void **state)
{
	(void)state;
	notes->held_up = true;
	assert_int_equal(warden_ask(warden, WARDEN_MEND, 0), 0);
	assert_int_equal(warden_set_keepalive(warden, THRESHOLD_NS), -ETIMEDOUT);
	notes->held_up = false;
	/* The reply comes too late for anybody; the report does not. */
	run_until_reports(1);
	assert_int_equal(warden_ask(warden, WARDEN_MEND, 1), 0);
	run_until_reports(2);
}

static void one_that_was_killed_is_missed_and_owes_nothing(void **state)
{
	(void)state;
	assert_int_equal(warden_ask(warden, WARDEN_MEND, 0), 0);
	run_until_reports(1);
	notes->held_up = true;
	assert_int_equal(warden_ask(warden, WARDEN_MEND, 1), 0);
	assert_int_equal(kill(notes->mended_by, SIGKILL), 0);
	run_until_reports(2);
	assert_int_equal(report.error, -EPIPE);
	assert_false(warden_lives(warden));
	assert_int_equal(warden_ask(warden, WARDEN_MEND, 2), -EPIPE);
	assert_int_equal(warden_set_keepalive(warden, THRESHOLD_NS), -EPIPE);
}

static void one_that_has_ended_keeps_nothing(void **state)
{
	(void)state;
	assert_int_equal(warden_ask(warden, WARDEN_MEND, 0), 0);
	run_until_reports(1);
	assert_int_equal(kill(notes->mended_by, SIGKILL), 0);
	assert_int_equal(warden_keep(warden), -EPIPE);
}

static void one_that_cannot_serve_is_none_and_undoes_nothing(void **state)
{
	struct warden_options told = options();
	struct warden *none = NULL;

	(void)state;
	told.socket_path = "/nonexistent/socket";
	assert_int_equal(warden_begin(&told, &none), -EPIPE);
	assert_null(none);
	/* Kept first: closing it changed nothing. */
	assert_int_equal(notes->kept, 1);
	assert_int_equal(notes->closed, 1);
}

static void confined_it_lives_no_longer_than_the_agent_all_the_same(void **state)
{
	struct warden_options told = options();
	struct warden *confined;

	(void)state;
	told.sandbox = true;
	assert_int_equal(warden_begin(&told, &confined), 0);
	assert_int_equal(warden_keep(confined), 0);
	warden_end(confined);
}

static void it_pauses_between_tasks(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 3; i++) {
		assert_int_equal(warden_ask(warden, WARDEN_MEND, i), 0);
		run_until_reports(i + 1);
	}
	for (unsigned int i = 0; i < 2; i++)
		assert_true(notes->mended_ns[i + 1] - notes->mended_ns[i] >= WARDEN_PAUSE_NS);
}

static void at_the_end_it_removes_the_socket_and_has_kept_what_it_should(void **state)
{
	(void)state;
	assert_int_equal(warden_keep(warden), 0);
	warden_end(warden);
	warden = NULL;
	assert_int_equal(notes->kept, 1);
	assert_int_equal(notes->closed, 1);
	assert_false(socket_is_there());
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

static void what_was_not_to_be_kept_is_undone(void **state)
{
	(void)state;
	warden_end(warden);
	warden = NULL;
	assert_int_equal(notes->kept, 0);
	assert_int_equal(notes->closed, 1);
	assert_false(socket_is_there());
}

/* One that serves, and is spoken to by the test itself; the process, which is to be waited for. */
static pid_t serve(int *channel)
{
	struct warden_options told = options();
	struct warden_reply begun;
	int pair[2];
	pid_t child;

	/* One before may have removed it. */
	close(open(socket_path, O_WRONLY | O_CREAT, 0600));
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		close(pair[0]);
		_exit(warden_serve(&told, pair[1]));
	}
	close(pair[1]);
	*channel = pair[0];
	assert_int_equal(recv(*channel, &begun, sizeof(begun), 0), sizeof(begun));
	assert_int_equal(begun.number, WARDEN_NUMBER_OF_START);
	return child;
}

static void assert_ends(pid_t child)
{
	int status;

	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void whoever_says_what_is_no_request_is_not_served_any_more(void **state)
{
	struct warden_request unknown = { .verb = WARDEN_VERB_END + 1 };
	struct warden_request huge = { .verb = UINT32_MAX };
	struct {
		struct warden_request request;
		char more;
	} longer = { .request.verb = WARDEN_VERB_MEND };
	const struct {
		const void *bytes;
		size_t length;
	} messages[] = {
		{ &unknown, sizeof(unknown) },
		{ &huge, sizeof(huge) },
		{ &longer, sizeof(longer) },
		{ &longer, sizeof(longer.request) - 1 },
		{ "x", 1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++) {
		int channel;
		pid_t child = serve(&channel);

		assert_int_equal(send(channel, messages[i].bytes, messages[i].length, 0),
				 messages[i].length);
		assert_ends(child);
		close(channel);
		assert_int_equal(notes->closed, i + 1);
	}
	assert_int_equal(notes->mended, 0);
}

static void an_agent_that_is_killed_takes_it_along(void **state)
{
	struct warden_request keep = { .verb = WARDEN_VERB_KEEP };
	int channel;
	pid_t child = serve(&channel);

	(void)state;
	close(channel);
	assert_ends(child);
	assert_false(socket_is_there());

	/* Later its successor may have a socket there already. */
	child = serve(&channel);
	assert_int_equal(send(channel, &keep, sizeof(keep), 0), sizeof(keep));
	close(channel);
	assert_ends(child);
	assert_int_equal(notes->kept, 1);
	assert_true(socket_is_there());
}

static void the_socket_of_somebody_else_is_left_alone(void **state)
{
	struct warden_request ends = { .verb = WARDEN_VERB_END };
	char other[sizeof(socket_path) + 8];
	int channel;
	pid_t child = serve(&channel);

	(void)state;
	snprintf(other, sizeof(other), "%s.other", socket_path);
	close(open(other, O_WRONLY | O_CREAT, 0600));
	assert_int_equal(rename(other, socket_path), 0);
	assert_int_equal(send(channel, &ends, sizeof(ends), 0), sizeof(ends));
	assert_ends(child);
	close(channel);
	assert_true(socket_is_there());
}

#define WARDEN_TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WARDEN_TEST(what_is_asked_for_is_done_elsewhere_and_told),
		WARDEN_TEST(one_task_at_a_time_and_none_is_waited_for),
		WARDEN_TEST(a_threshold_is_set_and_no_report_lost_over_it),
		WARDEN_TEST(a_threshold_that_no_option_admits_is_refused),
		WARDEN_TEST(who_does_not_answer_is_not_waited_for_long),
		WARDEN_TEST(one_that_was_killed_is_missed_and_owes_nothing),
		WARDEN_TEST(one_that_has_ended_keeps_nothing),
		WARDEN_TEST(one_that_cannot_serve_is_none_and_undoes_nothing),
		WARDEN_TEST(confined_it_lives_no_longer_than_the_agent_all_the_same),
		WARDEN_TEST(it_pauses_between_tasks),
		WARDEN_TEST(at_the_end_it_removes_the_socket_and_has_kept_what_it_should),
		WARDEN_TEST(what_was_not_to_be_kept_is_undone),
		WARDEN_TEST(whoever_says_what_is_no_request_is_not_served_any_more),
		WARDEN_TEST(an_agent_that_is_killed_takes_it_along),
		WARDEN_TEST(the_socket_of_somebody_else_is_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
