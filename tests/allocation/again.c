/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * again.c - every unit test again, with memory that runs out at each place in turn.
 *
 * Linked into every unit test. With FAILING_ALLOCATIONS in the environment, "1" or the name of one
 * test, each test is run in a process of its own, again and again, until a run has had no failure
 * left to meet: see failing.h. FAILING_COARSELY is how the names of slow programs begin.
 *
 * A test may well fail then, or wait in vain for what does not come; that is given up. What must
 * not happen is that anything crashes, leaks or spins: neither a room, nor a test that goes on
 * with what a room could not make.
 */
#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <sanitizer/lsan_interface.h>

#include "failing.h"

#define NS_PER_S UINT64_C(1000000000)
#define LOOK_MS 50 /* between two looks at a process that goes on */
#define ASLEEP_MAX_NS (NS_PER_S * 7 / 10) /* who sleeps longer after its failure waits in vain */
#define GIVING_UP_MAX_NS (NS_PER_S * 10) /* asleep while it should be giving up */
#define SPIN_MAX_S 5 /* of processor time */
#define REPORT_MAX 65536
#define REPORT_LINES 60
#define DEFECT 99 /* exit status of whoever the sanitizers end */

/* Signals are the sanitizers' to report, not the test library's to take for a failed check. */
#define ADDRESS_OPTIONS "exitcode=99:handle_segv=2:handle_sigbus=2:handle_sigfpe=2:handle_sigill=2"
#define WAITS_IN_VAIN "waits in vain"
#define UNDEFINED_OPTIONS "print_stacktrace=1"

/*
 * jansson 2.14 ends a process that has no memory for a string of some length with an escape in it.
 * That is beyond us, and as rare as it is plain: the agent is started again.
 */
#define JANSSON_GIVES_UP "lex_scan_string: Assertion"

/* A test that is run by itself. */
struct trial {
	const struct CMUnitTest *test;
	CMFixtureFunction setup, teardown; /* of its group */
	int report; /* what it says on standard error */
	bool *ending; /* shared: it looks for leaks, and is not to be disturbed */
};

static bool alone; /* in the process of a trial */
static bool leaked;
static struct trial trial;

void __longjmp_chk(struct __jmp_buf_tag where[1], int value) __attribute__((noreturn));
int __real__cmocka_run_group_tests(const char *name, const struct CMUnitTest *tests, size_t count,
				   CMFixtureFunction setup, CMFixtureFunction teardown);
int __wrap__cmocka_run_group_tests(const char *name, const struct CMUnitTest *tests, size_t count,
				   CMFixtureFunction setup, CMFixtureFunction teardown);

static bool leaks(void)
{
	bool found = false;

	*trial.ending = true;
#ifdef __SANITIZE_ADDRESS__
	found = __lsan_do_recoverable_leak_check() != 0;
#endif
	*trial.ending = false;
	return found;
}

/*
 * How the test library leaves a test that has failed. What the test owns is lost after that; as
 * long as its frames are there, only what a room has lost is a leak.
 */
void __longjmp_chk(struct __jmp_buf_tag where[1], int value)
{
	void (*leave)(struct __jmp_buf_tag[1], int) __attribute__((noreturn));

	*(void **)&leave = dlsym(RTLD_NEXT, "__longjmp_chk");
	if (alone && leaks())
		leaked = true;
	leave(where, value);
}

/* What a setup that has failed has made is still in its hands. */
static int look_after(int status)
{
	if (status != 0 && leaks())
		leaked = true;
	return status;
}

static int set_up_group(void **state)
{
	return look_after(trial.setup(state));
}

static int set_up_test(void **state)
{
	return look_after(trial.test->setup_func(state));
}

/* Comes while the process sleeps in a call of the system. */
static void give_up(int number)
{
	(void)number;
	fail_msg(WAITS_IN_VAIN);
}

/* Runs the test and ends. */
static void run_alone(void)
{
	const struct rlimit limit = { SPIN_MAX_S, SPIN_MAX_S + 1 };
	struct CMUnitTest test = *trial.test;
	int failures;

	test.setup_func = test.setup_func ? set_up_test : NULL;
	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (!freopen("/dev/null", "w", stdout) || dup2(trial.report, STDERR_FILENO) < 0)
		_exit(DEFECT);
	setrlimit(RLIMIT_CPU, &limit);
	signal(SIGTERM, give_up);
	alone = true;
	failures = __real__cmocka_run_group_tests(
		"alone", &test, 1, trial.setup ? set_up_group : NULL, trial.teardown);
	alone = false;
	if (leaked)
		_exit(DEFECT);
	if (failures)
		_exit(0);
	*trial.ending = true;
	exit(0);
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

/* How long a process has slept since then: neither run, nor waited for a processor. */
static uint64_t asleep_ns(pid_t process, uint64_t begun_ns)
{
	unsigned long long ran, queued;
	char path[64];
	FILE *file;
	int read;

	snprintf(path, sizeof(path), "/proc/%d/schedstat", (int)process);
	file = fopen(path, "re");
	if (!file)
		return 0;
	read = fscanf(file, "%llu %llu", &ran, &queued);
	fclose(file);
	if (read != 2 || begun_ns + ran + queued > now_ns())
		return 0;
	return now_ns() - begun_ns - ran - queued;
}

/* Waits until the process ends, and makes it end where it sleeps on after its failure. */
static int wait_for(pid_t process)
{
	const uint64_t begun_ns = now_ns();
	struct pollfd ended = { pidfd_open(process, 0), POLLIN, 0 };
	uint64_t asleep_before = 0, asleep;
	bool told = false;
	int status = 0;

	while (poll(&ended, 1, LOOK_MS) == 0) {
		asleep = asleep_ns(process, begun_ns);
		if (!failing_happened() || *trial.ending) {
			asleep_before = asleep;
		} else if (asleep > asleep_before + GIVING_UP_MAX_NS) {
			kill(process, SIGKILL);
		} else if (!told && asleep > asleep_before + ASLEEP_MAX_NS) {
			told = kill(process, SIGTERM) == 0;
		}
	}
	close(ended.fd);
	waitpid(process, &status, 0);
	kill(-process, SIGKILL); /* whatever it has started */
	return status;
}

/* What the trial has shown, or NULL if it ended as it may. */
static const char *defect_of(int status)
{
	static char text[REPORT_MAX];
	ssize_t length = pread(trial.report, text, sizeof(text) - 1, 0);

	text[length > 0 ? length : 0] = '\0';
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU)
		return "spins";
	if (strstr(text, JANSSON_GIVES_UP))
		return NULL;
	if (WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL)
		return strsignal(WTERMSIG(status));
	if (!WIFEXITED(status) || WEXITSTATUS(status) != DEFECT)
		return NULL;
	if (strstr(text, "LeakSanitizer"))
		return "leaks";
	/* What was torn out of a call may stumble on its way out. */
	return strstr(text, WAITS_IN_VAIN) ? NULL : "crashes";
}

static void say_report(const char *defect)
{
	FILE *text = fdopen(dup(trial.report), "r");
	char line[512];

	printf("# %s %s when this allocation fails:\n", trial.test->name, defect);
	failing_say("#   ");
	if (!text)
		return;
	rewind(text);
	for (int i = 0; i < REPORT_LINES && fgets(line, sizeof(line), text); i++)
		printf("# %s", line);
	fclose(text);
}

/* Runs a test once more; false if that has shown a defect. */
static bool try_again(void)
{
	const char *defect;
	pid_t child;

	trial.report = memfd_create("report", MFD_CLOEXEC);
	*trial.ending = false;
	failing_rearm();
	fflush(NULL);
	child = fork();
	if (child == 0)
		run_alone();
	if (trial.report < 0 || child < 0) {
		printf("# cannot run %s: %s\n", trial.test->name, strerror(errno));
		return false;
	}
	defect = defect_of(wait_for(child));
	if (defect)
		say_report(defect);
	close(trial.report);
	return !defect;
}

/* The sanitizers read their options once, when a program starts. */
static void start_again_with_options(void)
{
	const char *options = getenv("ASAN_OPTIONS");

	if (options && strcmp(options, ADDRESS_OPTIONS) == 0)
		return;
	setenv("ASAN_OPTIONS", ADDRESS_OPTIONS, 1);
	setenv("UBSAN_OPTIONS", UNDEFINED_OPTIONS, 1);
	execl("/proc/self/exe", program_invocation_name, NULL);
	perror("cannot start again");
	exit(1);
}

static bool is_slow(void)
{
	const char *begins = getenv("FAILING_COARSELY");

	return begins && strncmp(program_invocation_short_name, begins, strlen(begins)) == 0;
}

/* The number of trials of these tests that have shown a defect. */
static size_t try_all(const struct CMUnitTest *tests, size_t count, const char *only)
{
	size_t defects = 0;

	for (size_t i = 0; i < count; i++) {
		if (strcmp(only, "1") != 0 && strcmp(only, tests[i].name) != 0)
			continue;
		trial.test = &tests[i];
		do {
			defects += !try_again();
		} while (failing_happened());
	}
	return defects;
}

int __wrap__cmocka_run_group_tests(const char *name, const struct CMUnitTest *tests, size_t count,
				   CMFixtureFunction setup, CMFixtureFunction teardown)
{
	const char *only = getenv("FAILING_ALLOCATIONS");
	size_t defects;

	if (!only)
		return __real__cmocka_run_group_tests(name, tests, count, setup, teardown);
	start_again_with_options();
	trial = (struct trial){ .setup = setup, .teardown = teardown };
	trial.ending = mmap(NULL, sizeof(*trial.ending), PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (trial.ending == MAP_FAILED || failing_begin(is_slow()))
		return 1;
	defects = try_all(tests, count, only);
	printf("1..1\n%s 1 - of %zu allocations each fails, and the rooms bear it\n",
	       defects ? "not ok" : "ok", failing_count());
	return defects ? 1 : 0;
}
