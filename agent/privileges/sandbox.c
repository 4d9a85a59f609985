/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "privileges/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/netlink.h>
#include <sched.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include "base/log.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Whose list a call is on. */
#define AGENT (1U << SANDBOX_AGENT)
#define WARDEN (1U << SANDBOX_WARDEN)
#define BOTH (AGENT | WARDEN)

/* As the kernel, which takes the lower half of a register for an int. */
#define INT_EQUALS(argument, value) \
	SCMP_CMP(argument, SCMP_CMP_MASKED_EQ, UINT32_MAX, (uint32_t)(value))
#define BITS_EQUAL(argument, bits, value) SCMP_CMP(argument, SCMP_CMP_MASKED_EQ, bits, value)

#define WRITING (O_ACCMODE | O_CREAT | O_TRUNC)

#define SOCKET_TYPE 0xf /* without SOCK_CLOEXEC and SOCK_NONBLOCK */

struct entry {
	unsigned int whose;
	int call;
};

static const struct entry allowed[] = {
	/* Files that are open, and memory. */
	{ BOTH, SCMP_SYS(read) },
	{ BOTH, SCMP_SYS(readv) },
	{ BOTH, SCMP_SYS(write) },
	{ BOTH, SCMP_SYS(writev) },
	{ BOTH, SCMP_SYS(pread64) },
	{ BOTH, SCMP_SYS(lseek) },
	{ BOTH, SCMP_SYS(close) },
	{ BOTH, SCMP_SYS(fcntl) },
	{ BOTH, SCMP_SYS(fstat) },
	{ BOTH, SCMP_SYS(fstatfs) },
	{ BOTH, SCMP_SYS(flock) },
	{ BOTH, SCMP_SYS(brk) },
	{ BOTH, SCMP_SYS(mremap) },
	{ BOTH, SCMP_SYS(munmap) },
	{ BOTH, SCMP_SYS(madvise) },
	{ AGENT, SCMP_SYS(pwrite64) },
	{ AGENT, SCMP_SYS(pwritev) },
	{ AGENT, SCMP_SYS(ftruncate) },
	{ AGENT, SCMP_SYS(fallocate) },
	{ AGENT, SCMP_SYS(fsync) },
	{ AGENT, SCMP_SYS(fdatasync) },
	{ AGENT, SCMP_SYS(msync) },

	/* Files by their names: the store, the resolver's, the kernel's. */
	{ AGENT, SCMP_SYS(open) },
	{ AGENT, SCMP_SYS(openat) },
	{ BOTH, SCMP_SYS(stat) },
	{ BOTH, SCMP_SYS(lstat) },
	{ BOTH, SCMP_SYS(newfstatat) },
	{ BOTH, SCMP_SYS(statx) },
	{ BOTH, SCMP_SYS(statfs) },
	{ BOTH, SCMP_SYS(access) },
	{ BOTH, SCMP_SYS(faccessat) },
	{ BOTH, SCMP_SYS(faccessat2) },
	{ BOTH, SCMP_SYS(readlink) },
	{ BOTH, SCMP_SYS(readlinkat) },
	{ BOTH, SCMP_SYS(getdents64) },
	{ BOTH, SCMP_SYS(mkdir) },
	{ BOTH, SCMP_SYS(mkdirat) },
	{ BOTH, SCMP_SYS(unlink) },
	{ BOTH, SCMP_SYS(unlinkat) },
	{ WARDEN, SCMP_SYS(rmdir) },
	{ AGENT, SCMP_SYS(rename) },
	{ AGENT, SCMP_SYS(renameat) },
	{ AGENT, SCMP_SYS(renameat2) },

	/* Time, chance, and what the process is. */
	{ BOTH, SCMP_SYS(clock_gettime) },
	{ BOTH, SCMP_SYS(clock_getres) },
	{ BOTH, SCMP_SYS(clock_nanosleep) },
	{ BOTH, SCMP_SYS(nanosleep) },
	{ BOTH, SCMP_SYS(gettimeofday) },
	{ BOTH, SCMP_SYS(time) },
	{ BOTH, SCMP_SYS(getrandom) },
	{ BOTH, SCMP_SYS(getpid) },
	{ BOTH, SCMP_SYS(getppid) },
	{ BOTH, SCMP_SYS(gettid) },
	{ BOTH, SCMP_SYS(getuid) },
	{ BOTH, SCMP_SYS(geteuid) },
	{ BOTH, SCMP_SYS(getgid) },
	{ BOTH, SCMP_SYS(getegid) },
	{ BOTH, SCMP_SYS(uname) },
	{ BOTH, SCMP_SYS(sysinfo) },
	{ BOTH, SCMP_SYS(getrusage) },
	{ BOTH, SCMP_SYS(getrlimit) },
	{ BOTH, SCMP_SYS(getcpu) },
	{ BOTH, SCMP_SYS(sched_getaffinity) },
	{ BOTH, SCMP_SYS(sched_yield) },
	{ BOTH, SCMP_SYS(capget) },

	/* Signals, and the end. */
	{ BOTH, SCMP_SYS(rt_sigaction) },
	{ BOTH, SCMP_SYS(rt_sigprocmask) },
	{ BOTH, SCMP_SYS(rt_sigreturn) },
	{ BOTH, SCMP_SYS(sigaltstack) },
	{ BOTH, SCMP_SYS(restart_syscall) },
	{ BOTH, SCMP_SYS(exit) },
	{ BOTH, SCMP_SYS(exit_group) },
	{ AGENT, SCMP_SYS(wait4) },
	{ AGENT, SCMP_SYS(waitid) },

	/* The resolver's threads. */
	{ BOTH, SCMP_SYS(futex) },
	{ BOTH, SCMP_SYS(rseq) },
	{ BOTH, SCMP_SYS(set_robust_list) },
	{ AGENT, SCMP_SYS(set_tid_address) },
	{ AGENT, SCMP_SYS(membarrier) },

	/* The loop. */
	{ BOTH, SCMP_SYS(poll) },
	{ BOTH, SCMP_SYS(ppoll) },
	{ AGENT, SCMP_SYS(select) },
	{ AGENT, SCMP_SYS(pselect6) },
	{ AGENT, SCMP_SYS(epoll_create) },
	{ AGENT, SCMP_SYS(epoll_create1) },
	{ AGENT, SCMP_SYS(epoll_ctl) },
	{ AGENT, SCMP_SYS(epoll_wait) },
	{ AGENT, SCMP_SYS(epoll_pwait) },
	{ AGENT, SCMP_SYS(epoll_pwait2) },
	{ AGENT, SCMP_SYS(eventfd2) },
	{ AGENT, SCMP_SYS(pipe2) },
	{ AGENT, SCMP_SYS(signalfd4) },
	{ AGENT, SCMP_SYS(timerfd_create) },
	{ AGENT, SCMP_SYS(timerfd_settime) },
	{ AGENT, SCMP_SYS(timerfd_gettime) },

	/* Sockets that are open; of which kinds: see below. */
	{ BOTH, SCMP_SYS(bind) },
	{ BOTH, SCMP_SYS(sendto) },
	{ BOTH, SCMP_SYS(recvfrom) },
	{ BOTH, SCMP_SYS(sendmsg) },
	{ BOTH, SCMP_SYS(recvmsg) },
	{ BOTH, SCMP_SYS(getsockname) },
	{ BOTH, SCMP_SYS(getsockopt) },
	{ BOTH, SCMP_SYS(setsockopt) },
	{ AGENT, SCMP_SYS(getpeername) },
	{ AGENT, SCMP_SYS(sendmmsg) },
	{ AGENT, SCMP_SYS(recvmmsg) },
	{ AGENT, SCMP_SYS(shutdown) },
	{ AGENT, SCMP_SYS(connect) },
	{ AGENT, SCMP_SYS(accept) },
	{ AGENT, SCMP_SYS(accept4) },

	/* Programs, maps, links: what it is there for. */
	{ WARDEN, SCMP_SYS(bpf) },

#ifdef __SANITIZE_ADDRESS__
	/* The leak check stops all threads from a process of its own; reports look things up. */
	{ BOTH, SCMP_SYS(clone) },
	{ BOTH, SCMP_SYS(getdents) },
	{ BOTH, SCMP_SYS(ptrace) },
	{ BOTH, SCMP_SYS(prctl) },
	{ BOTH, SCMP_SYS(wait4) },
	{ BOTH, SCMP_SYS(mmap) },
	{ BOTH, SCMP_SYS(mprotect) },
	{ BOTH, SCMP_SYS(pipe) },
	{ BOTH, SCMP_SYS(pipe2) },
	{ BOTH, SCMP_SYS(kill) },
	{ BOTH, SCMP_SYS(setrlimit) },
	{ BOTH, SCMP_SYS(prlimit64) },
#endif
};

/* With an argument that is looked at. */
struct narrow_entry {
	unsigned int whose;
	int call;
	unsigned int count;
	struct scmp_arg_cmp arguments[3];
};

#define ONE_ARGUMENT(argument) .count = 1, .arguments = { argument }

#define BPF_COMMAND(name) \
	{ \
		AGENT, SCMP_SYS(bpf), ONE_ARGUMENT(INT_EQUALS(0, name)) \
	}

#define SOCKET(whose, family, type) \
	{ \
		whose, SCMP_SYS(socket), 2, \
		{ \
			INT_EQUALS(0, family), BITS_EQUAL(1, SOCKET_TYPE, type) \
		} \
	}

#define CONTROL(name) \
	{ \
		BOTH, SCMP_SYS(ioctl), ONE_ARGUMENT(INT_EQUALS(1, name)) \
	}

#define MEMORY(call, protection) \
	{ \
		BOTH, SCMP_SYS(call), \
			ONE_ARGUMENT(BITS_EQUAL(2, PROT_WRITE | PROT_EXEC, protection)) \
	}

/*
 * clone3() keeps its flags where no filter sees them; the C library does without it. Threads
 * can be made, processes cannot.
 */
static const struct narrow_entry allowed_narrowly[] = {
	{ AGENT, SCMP_SYS(clone),
	  ONE_ARGUMENT(BITS_EQUAL(0, CLONE_THREAD | CLONE_NEWUSER, CLONE_THREAD)) },
	{ BOTH, SCMP_SYS(prlimit64), ONE_ARGUMENT(SCMP_CMP(2, SCMP_CMP_EQ, 0)) },

	{ WARDEN, SCMP_SYS(prctl), ONE_ARGUMENT(INT_EQUALS(0, PR_SET_PDEATHSIG)) },
	{ WARDEN, SCMP_SYS(open), ONE_ARGUMENT(BITS_EQUAL(1, WRITING, 0)) },
	{ WARDEN, SCMP_SYS(openat), ONE_ARGUMENT(BITS_EQUAL(2, WRITING, 0)) },

	MEMORY(mmap, 0),
	MEMORY(mmap, PROT_WRITE),
	MEMORY(mmap, PROT_EXEC), /* name services are loaded when they are asked first */
	MEMORY(mprotect, 0),
	MEMORY(mprotect, PROT_WRITE),

	CONTROL(FIONREAD),
	CONTROL(FIONBIO),
	CONTROL(TCGETS),
	{ WARDEN, SCMP_SYS(ioctl), ONE_ARGUMENT(INT_EQUALS(1, SIOCGIFHWADDR)) },
	CONTROL(SIOCGIFINDEX), /* see attach_look() */
	CONTROL(SIOCGIFNAME),
	CONTROL(SIOCGIFFLAGS),

	/* Redis; the resolver; who says to systemd that it lives; local addresses. */
	SOCKET(AGENT, AF_INET, SOCK_STREAM),
	SOCKET(AGENT, AF_INET6, SOCK_STREAM),
	SOCKET(AGENT, AF_UNIX, SOCK_STREAM),
	SOCKET(BOTH, AF_INET, SOCK_DGRAM),
	SOCKET(AGENT, AF_INET6, SOCK_DGRAM),
	SOCKET(BOTH, AF_UNIX, SOCK_DGRAM),
	{ BOTH, SCMP_SYS(socket), 2, { INT_EQUALS(0, AF_NETLINK), INT_EQUALS(2, NETLINK_ROUTE) } },

	BPF_COMMAND(BPF_MAP_LOOKUP_ELEM),
	BPF_COMMAND(BPF_MAP_UPDATE_ELEM),
	BPF_COMMAND(BPF_MAP_DELETE_ELEM),
	BPF_COMMAND(BPF_MAP_GET_NEXT_KEY),
	BPF_COMMAND(BPF_MAP_LOOKUP_BATCH),
	BPF_COMMAND(BPF_MAP_LOOKUP_AND_DELETE_BATCH),
	BPF_COMMAND(BPF_MAP_UPDATE_BATCH),
	BPF_COMMAND(BPF_MAP_DELETE_BATCH),
	BPF_COMMAND(BPF_OBJ_GET_INFO_BY_FD),
};

/* Whoever makes one of these is not us any more. */
static const int deadly[] = {
	SCMP_SYS(execve),
	SCMP_SYS(execveat),
#ifndef __SANITIZE_ADDRESS__
	SCMP_SYS(ptrace),
#endif
	SCMP_SYS(process_vm_readv),
	SCMP_SYS(process_vm_writev),
	SCMP_SYS(mount),
	SCMP_SYS(umount2),
	SCMP_SYS(move_mount),
	SCMP_SYS(open_tree),
	SCMP_SYS(mount_setattr),
	SCMP_SYS(fsopen),
	SCMP_SYS(pivot_root),
	SCMP_SYS(chroot),
	SCMP_SYS(setns),
	SCMP_SYS(unshare),
	SCMP_SYS(init_module),
	SCMP_SYS(finit_module),
	SCMP_SYS(delete_module),
	SCMP_SYS(kexec_load),
	SCMP_SYS(kexec_file_load),
	SCMP_SYS(reboot),
};

static int allow(scmp_filter_ctx filter, unsigned int whose)
{
	int error = 0;

	for (size_t i = 0; !error && i < COUNT(allowed); i++)
		if (allowed[i].whose & whose)
			error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i].call, 0);
	return error;
}

static int allow_narrowly(scmp_filter_ctx filter, unsigned int whose)
{
	int error = 0;

	for (size_t i = 0; !error && i < COUNT(allowed_narrowly); i++) {
		const struct narrow_entry *entry = &allowed_narrowly[i];

		if (entry->whose & whose)
			error = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, entry->call,
						       entry->count, entry->arguments);
		/* On the other list without an argument: so much the better. */
		if (error == -EEXIST)
			error = 0;
	}
	return error;
}

/* abort() is one to oneself; the agent's user may have other processes. */
static int allow_signals_to_oneself(scmp_filter_ctx filter)
{
	return seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
				INT_EQUALS(0, getpid()));
}

static int forbid(scmp_filter_ctx filter)
{
	int error = 0;

	for (size_t i = 0; !error && i < COUNT(deadly); i++)
		error = seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, deadly[i], 0);
	return error;
}

/* All threads, and with a note in the log of what is refused, where the kernel keeps one. */
static int fill(scmp_filter_ctx filter, unsigned int whose)
{
	int error = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);

	if (!error)
		error = seccomp_attr_set(filter, SCMP_FLTATR_CTL_LOG, 1);
	if (!error)
		error = allow(filter, whose);
	if (!error)
		error = allow_narrowly(filter, whose);
	if (!error)
		error = allow_signals_to_oneself(filter);
	if (!error)
		error = forbid(filter);
	return error ? error : seccomp_load(filter);
}

int sandbox_enter(enum sandbox_of whose)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
	int error;

	if (!filter)
		return log_errno(ENOMEM, "no memory for the list of system calls");
	error = fill(filter, 1U << whose);
	seccomp_release(filter);
	if (error)
		return log_errno(-error,
				 "cannot confine sippathd to the system calls that it needs: %s"
				 " (does the kernel have CONFIG_SECCOMP_FILTER?)",
				 strerror(-error));
	return 0;
}
