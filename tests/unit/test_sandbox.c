/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_sandbox.c - what a process can and cannot do once it has given up its privileges: each
 * attempt is made in a child of its own, which does for good what the agent does.
 */
#include "sandbox_world.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/bpf.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

static int map = -1; /* made while it is allowed */

static long bpf(uint64_t command, union bpf_attr *attributes)
{
	return syscall(SYS_bpf, command, attributes, sizeof(*attributes));
}

static long run_program(void)
{
	return execl("/bin/true", "true", NULL);
}

static long run_program_by_descriptor(void)
{
	static char name[] = "true";
	char *const arguments[] = { name, NULL };
	int fd = open("/bin/true", O_PATH | O_CLOEXEC);

	return fexecve(fd, arguments, environ);
}

static long trace(void)
{
	return ptrace(PTRACE_TRACEME, 0, NULL, NULL);
}

static long read_memory_of_parent(void)
{
	return syscall(SYS_process_vm_readv, getppid(), NULL, 0, NULL, 0, 0);
}

static long mount_something(void)
{
	return mount("none", "/mnt", "tmpfs", 0, NULL);
}

static long make_namespace(void)
{
	return unshare(CLONE_NEWUSER);
}

static long load_module(void)
{
	return syscall(SYS_init_module, NULL, 0, "");
}

static void what_nothing_honest_does_ends_the_process(void **state)
{
	static attempt *const attempts[] = {
		run_program,
		run_program_by_descriptor,
		read_memory_of_parent,
		mount_something,
		make_namespace,
		load_module,
#ifndef __SANITIZE_ADDRESS__
		trace,
#endif
	};

	(void)state;
	(void)trace;
	for (size_t i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++) {
		assert_int_equal(outcome(SANDBOX_AGENT, attempts[i]), KILLED);
		assert_int_equal(outcome(SANDBOX_WARDEN, attempts[i]), KILLED);
	}
}

static long packet_socket(void)
{
	return socket(AF_PACKET, SOCK_RAW, 0);
}

static long raw_socket(void)
{
	return socket(AF_INET, SOCK_RAW, IPPROTO_RAW);
}

static long raw_socket6(void)
{
	return socket(AF_INET6, SOCK_RAW, IPPROTO_RAW);
}

static long vsock(void)
{
	return socket(AF_VSOCK, SOCK_STREAM, 0);
}

static long audit_socket(void)
{
	return socket(AF_NETLINK, SOCK_RAW, 9); /* NETLINK_AUDIT */
}

static long stream_socket(void)
{
	return socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

static long datagram_socket(void)
{
	return socket(AF_INET6, SOCK_DGRAM, 0);
}

static long unix_socket(void)
{
	return socket(AF_UNIX, SOCK_DGRAM, 0);
}

static void sockets_are_of_the_kinds_that_are_needed(void **state)
{
	static attempt *const refused[] = { packet_socket, raw_socket, raw_socket6, vsock,
					    audit_socket };
	static attempt *const granted[] = { stream_socket, datagram_socket, unix_socket };

	(void)state;
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		assert_int_equal(outcome(SANDBOX_AGENT, refused[i]), ENOSYS);
		assert_int_equal(outcome(SANDBOX_WARDEN, refused[i]), ENOSYS);
	}
	for (size_t i = 0; i < sizeof(granted) / sizeof(granted[0]); i++)
		assert_int_equal(outcome(SANDBOX_AGENT, granted[i]), SUCCESS);
	assert_int_equal(outcome(SANDBOX_WARDEN, stream_socket), ENOSYS);
}

static long load_bpf_program(void)
{
	union bpf_attr attributes = { .prog_type = BPF_PROG_TYPE_SOCKET_FILTER };

	return bpf(BPF_PROG_LOAD, &attributes);
}

/* The kernel looks at the lower half alone; so must the filter. */
static long load_bpf_program_in_disguise(void)
{
	union bpf_attr attributes = { .prog_type = BPF_PROG_TYPE_SOCKET_FILTER };

	return bpf(UINT64_C(1) << 32 | BPF_PROG_LOAD, &attributes);
}

static long make_map(void)
{
	union bpf_attr attributes = {
		.map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 8, .max_entries = 1
	};

	return bpf(BPF_MAP_CREATE, &attributes);
}

static long open_pin(void)
{
	union bpf_attr attributes = { .pathname = (uintptr_t) "/sys/fs/bpf/any" };

	return bpf(BPF_OBJ_GET, &attributes);
}

static long open_program_by_id(void)
{
	union bpf_attr attributes = { .prog_id = 1 };

	return bpf(BPF_PROG_GET_FD_BY_ID, &attributes);
}

static void no_bpf_object_can_be_made_or_opened(void **state)
{
	static attempt *const attempts[] = { load_bpf_program, load_bpf_program_in_disguise,
					     make_map, open_pin, open_program_by_id };

	(void)state;
	for (size_t i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++)
		assert_int_equal(outcome(SANDBOX_AGENT, attempts[i]), ENOSYS);
}

static long use_map(void)
{
	uint32_t key = 0;
	uint64_t value = 7, found = 0;
	union bpf_attr attributes = { .map_fd = (uint32_t)map,
				      .key = (uintptr_t)&key,
				      .value = (uintptr_t)&value };

	if (bpf(BPF_MAP_UPDATE_ELEM, &attributes))
		return -1;
	attributes.value = (uintptr_t)&found;
	if (bpf(BPF_MAP_LOOKUP_ELEM, &attributes))
		return -1;
	errno = EIO;
	return found == value ? 0 : -1;
}

static void maps_that_are_open_can_be_worked_with(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	map = (int)make_map();
	assert_true(map >= 0);
	assert_int_equal(outcome(SANDBOX_AGENT, use_map), SUCCESS);
	close(map);
}

static long write_elsewhere(void)
{
	return open("/etc/passwd", O_WRONLY);
}

static long make_file_elsewhere(void)
{
	return open("/etc/sippath-test", O_WRONLY | O_CREAT, 0600);
}

static long read_what_all_may(void)
{
	return open("/etc/passwd", O_RDONLY | O_CLOEXEC);
}

static long become_root(void)
{
	return setuid(0);
}

static void files_are_the_business_of_the_user(void **state)
{
	(void)state;
	assert_int_equal(outcome(SANDBOX_AGENT, write_elsewhere), EACCES);
	assert_int_equal(outcome(SANDBOX_AGENT, make_file_elsewhere), EACCES);
	assert_int_equal(outcome(SANDBOX_AGENT, read_what_all_may), SUCCESS);
	assert_int_equal(outcome(SANDBOX_AGENT, become_root), ENOSYS);
}

static void the_warden_writes_no_file(void **state)
{
	(void)state;
	assert_int_equal(outcome(SANDBOX_WARDEN, write_elsewhere), ENOSYS);
	assert_int_equal(outcome(SANDBOX_WARDEN, make_file_elsewhere), ENOSYS);
	assert_int_equal(outcome(SANDBOX_WARDEN, read_what_all_may), SUCCESS);
}

static long signal_oneself(void)
{
	return syscall(SYS_tgkill, getpid(), gettid(), 0);
}

static long signal_parent(void)
{
	return syscall(SYS_tgkill, getppid(), getppid(), 0);
}

static void signals_reach_nobody_else(void **state)
{
	(void)state;
	assert_int_equal(outcome(SANDBOX_AGENT, signal_oneself), SUCCESS);
	assert_int_equal(outcome(SANDBOX_AGENT, signal_parent), ENOSYS);
	assert_int_equal(outcome(SANDBOX_WARDEN, signal_oneself), SUCCESS);
	assert_int_equal(outcome(SANDBOX_WARDEN, signal_parent), ENOSYS);
}

#ifndef __SANITIZE_ADDRESS__
static long end_with_parent(void)
{
	return prctl(PR_SET_PDEATHSIG, SIGKILL);
}

static long rename_oneself(void)
{
	return prctl(PR_SET_NAME, "sshd");
}

static void the_warden_binds_its_life_to_the_agents_and_no_more(void **state)
{
	(void)state;
	assert_int_equal(outcome(SANDBOX_WARDEN, end_with_parent), SUCCESS);
	assert_int_equal(outcome(SANDBOX_WARDEN, rename_oneself), ENOSYS);
	assert_int_equal(outcome(SANDBOX_AGENT, end_with_parent), ENOSYS);
}

static long map_code(void)
{
	void *at = mmap(NULL, 4096, PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return at == MAP_FAILED ? -1 : 0;
}

static long turn_into_code(void)
{
	void *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return at == MAP_FAILED ? 0 : mprotect(at, 4096, PROT_READ | PROT_EXEC);
}

static long make_process(void)
{
	return fork();
}

/* Only without sanitizers, which need all of that themselves. */
static void neither_code_nor_processes_can_be_made(void **state)
{
	(void)state;
	assert_int_equal(outcome(SANDBOX_AGENT, map_code), ENOSYS);
	assert_int_equal(outcome(SANDBOX_AGENT, turn_into_code), ENOSYS);
	assert_int_equal(outcome(SANDBOX_AGENT, make_process), ENOSYS);
	assert_int_equal(outcome(SANDBOX_WARDEN, make_process), ENOSYS);
}
#endif

/* Names are looked up in a thread of the C library's; all that it needs is there. */
static long look_a_name_up(void)
{
	struct gaicb question = { .ar_name = "localhost" }, *questions[] = { &question };

	errno = EIO;
	return getaddrinfo_a(GAI_WAIT, questions, 1, NULL) == 0 && gai_error(&question) == 0 ? 0
											     : -1;
}

static void names_can_be_looked_up(void **state)
{
	(void)state;
	assert_int_equal(outcome(SANDBOX_AGENT, look_a_name_up), SUCCESS);
}

static pthread_barrier_t confined;

static void *try_in_thread(void *result)
{
	pthread_barrier_wait(&confined);
	*(bool *)result = packet_socket() == -1 && errno == ENOSYS;
	return NULL;
}

static int threads_too(void)
{
	bool refused = false;
	pthread_t thread;

	if (capabilities_leave((uid_t)-1, NOBODY))
		return 255;
	pthread_barrier_init(&confined, NULL, 2);
	if (pthread_create(&thread, NULL, try_in_thread, &refused) || sandbox_enter(SANDBOX_AGENT))
		return 255;
	pthread_barrier_wait(&confined);
	pthread_join(thread, NULL);
	return refused ? 0 : 1;
}

static void threads_that_run_already_are_confined_too(void **state)
{
	pid_t child = fork();
	int status;

	(void)state;
	if (child == 0)
		_exit(threads_too());
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* In words of the kernel: no capability, no group, no way back. */
static long look_at_oneself(void)
{
	static const char *const wanted[] = { "\nGroups:\t\n",
					      "\nCapInh:\t0000000000000000\n",
					      "\nCapPrm:\t0000000000000000\n",
					      "\nCapEff:\t0000000000000000\n",
					      "\nCapBnd:\t0000000000000000\n",
					      "\nCapAmb:\t0000000000000000\n",
					      "\nNoNewPrivs:\t1\n",
					      "\nSeccomp:\t2\n",
					      "\nUid:\t65534\t65534\t65534\t65534\n",
					      "\nGid:\t65534\t65534\t65534\t65534\n" };
	char status[8192] = "";
	int fd = open("/proc/self/status", O_RDONLY);
	ssize_t length = read(fd, status, sizeof(status) - 1);
	char *groups = strstr(status, "\nGroups:\t ");

	if (groups)
		memmove(groups + 9, groups + 10, strlen(groups + 10) + 1);
	errno = EIO;
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		if (length <= 0 || !strstr(status, wanted[i]))
			return -1;
	return 0;
}

static void nothing_is_left_of_root(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(outcome(SANDBOX_AGENT, look_at_oneself), SUCCESS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_nothing_honest_does_ends_the_process),
		cmocka_unit_test(sockets_are_of_the_kinds_that_are_needed),
		cmocka_unit_test(no_bpf_object_can_be_made_or_opened),
		cmocka_unit_test(maps_that_are_open_can_be_worked_with),
		cmocka_unit_test(files_are_the_business_of_the_user),
		cmocka_unit_test(the_warden_writes_no_file),
#ifndef __SANITIZE_ADDRESS__
		cmocka_unit_test(the_warden_binds_its_life_to_the_agents_and_no_more),
		cmocka_unit_test(neither_code_nor_processes_can_be_made),
#endif
		cmocka_unit_test(signals_reach_nobody_else),
		cmocka_unit_test(names_can_be_looked_up),
		cmocka_unit_test(threads_that_run_already_are_confined_too),
		cmocka_unit_test(nothing_is_left_of_root),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
