/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * attach_world.h - a network and a BPF file system of the test's own, and what the
 * attach tests ask of them.
 *
 * world_make() leaves the host's namespaces for new ones with the interfaces "v0" and
 * "v1" (a veth pair each) and "lo". The kernel takes all of it away when the next
 * world is made or the process ends.
 */
#ifndef TESTS_UNIT_ATTACH_WORLD_H
#define TESTS_UNIT_ATTACH_WORLD_H

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <net/if.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "kernel/attach.h"
#include "kernel_abi.h"

#define BPF_FILE_SYSTEM "/sys/fs/bpf"
#define PIN_DIR ATTACH_PIN_DIR_DEFAULT

/* What the code under test wrote on standard error during the last open_said() or remove_said(). */
static char said[8192];

__attribute__((format(printf, 1, 2))) static inline int run(const char *format, ...)
{
	char command[512];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(command, sizeof(command), format, arguments);
	va_end(arguments);
	return system(command);
}

/* The host's, and that of the world before, go in this mount namespace only. */
static inline void no_bpf_file_system(void)
{
	while (umount2(BPF_FILE_SYSTEM, MNT_DETACH) == 0)
		continue;
}

static inline int world_make(void **state)
{
	(void)state;
	if (unshare(CLONE_NEWNS | CLONE_NEWNET) < 0 ||
	    mount(NULL, "/sys", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return -1;
	no_bpf_file_system();
	if (mount("bpf", BPF_FILE_SYSTEM, "bpf", 0, "mode=0700") < 0)
		return -1;
	return run("ip link add v0 type veth peer name p0") ||
	       run("ip link add v1 type veth peer name p1");
}

static inline const char *object_path(void)
{
	const char *path = getenv("SIPPATH_BPF_OBJECT");

	return path ? path : "build/sippath.bpf.o";
}

static inline struct attach_options options_for(const char *const *interfaces, size_t count)
{
	return (struct attach_options){
		.interfaces = interfaces,
		.interface_count = count,
		.pin_dir = PIN_DIR,
		.paths_max = 1000,
		.settings = { .port_count = 1, .ports = { 5070 } },
	};
}

/* Puts standard error into memory; returns what to give to listen_end(). */
static inline int listen_begin(int *memory)
{
	int before = dup(STDERR_FILENO);

	*memory = memfd_create("said", MFD_CLOEXEC);
	assert_true(before >= 0 && *memory >= 0);
	assert_true(dup2(*memory, STDERR_FILENO) >= 0);
	return before;
}

static inline void listen_end(int memory, int before)
{
	ssize_t length = pread(memory, said, sizeof(said) - 1, 0);

	dup2(before, STDERR_FILENO);
	close(before);
	close(memory);
	assert_true(length >= 0);
	said[length] = '\0';
	fputs(said, stderr);
}

static inline int open_said(const struct attach_options *options, struct attachment **out)
{
	int memory, before = listen_begin(&memory), err = attach_open(options, out);

	listen_end(memory, before);
	return err;
}

static inline int remove_said(const char *interface)
{
	int memory, before = listen_begin(&memory), err = attach_remove(interface, PIN_DIR);

	listen_end(memory, before);
	return err;
}

/* A refusal is one line, and this is in it. */
static inline void assert_said(const char *part)
{
	const char *newline = strchr(said, '\n');

	if (!strstr(said, part))
		fail_msg("'%s' was not said", part);
	assert_true(newline && newline[1] == '\0');
}

static inline struct attachment *must_open(const struct attach_options *options)
{
	struct attachment *attachment = NULL;

	assert_int_equal(attach_open(options, &attachment), 0);
	attach_keep(attachment);
	return attachment;
}

static inline struct attachment *must_open_one(const char *interface)
{
	const char *const interfaces[] = { interface };
	struct attach_options options = options_for(interfaces, 1);

	return must_open(&options);
}

/* Both ends, so that the interface has a carrier. */
static inline void set_up(const char *interface, const char *peer)
{
	assert_int_equal(run("ip link set %s up && ip link set %s up", interface, peer), 0);
}

static inline struct attachment *must_open_up(const char *interface)
{
	set_up("v0", "p0");
	set_up("v1", "p1");
	return must_open_one(interface);
}

static inline const struct attach_interface *interface_of(const struct attachment *attachment,
							  size_t at)
{
	size_t count;
	const struct attach_interface *interfaces = attach_interfaces(attachment, &count);

	assert_in_range(at, 0, count - 1);
	return &interfaces[at];
}

static inline struct sip_settings settings_of(const struct attachment *attachment)
{
	struct sip_settings settings;
	uint32_t key = 0;

	assert_int_equal(
		bpf_map_lookup_elem(attach_map(attachment, SIPPATH_MAP_SETTINGS), &key, &settings),
		0);
	return settings;
}

/* The XDP program of an interface, 0 for none. */
static inline uint32_t xdp_of(const char *interface)
{
	uint32_t id = 0;

	assert_int_equal(bpf_xdp_query_id((int)if_nametoindex(interface), 0, &id), 0);
	return id;
}

/* How many tc filters of ours hang at the egress of an interface. */
static inline int filters_on(const char *interface)
{
	return WEXITSTATUS(
		run("exit $(tc filter show dev %s egress | grep -c sippath_egress)", interface));
}

static inline bool has_clsact(const char *interface)
{
	return run("tc qdisc show dev %s | grep -q clsact", interface) == 0;
}

static inline uint32_t map_id(int map_fd)
{
	struct bpf_map_info info = { 0 };
	uint32_t length = sizeof(info);

	assert_int_equal(bpf_obj_get_info_by_fd(map_fd, &info, &length), 0);
	return info.id;
}

/* A map of a loaded program, by its name; 0 if the program has none of that name. */
static inline uint32_t map_of_program(uint32_t program_id, const char *name)
{
	uint32_t ids[64], length = sizeof(struct bpf_prog_info), found = 0;
	struct bpf_prog_info info = { .nr_map_ids = 64, .map_ids = (uintptr_t)ids };
	int program = bpf_prog_get_fd_by_id(program_id);

	assert_true(program >= 0);
	assert_int_equal(bpf_obj_get_info_by_fd(program, &info, &length), 0);
	close(program);
	for (uint32_t i = 0; i < info.nr_map_ids && found == 0; i++) {
		struct bpf_map_info map = { 0 };
		int fd = bpf_map_get_fd_by_id(ids[i]);

		length = sizeof(map);
		assert_int_equal(bpf_obj_get_info_by_fd(fd, &map, &length), 0);
		close(fd);
		if (strcmp(map.name, name) == 0)
			found = map.id;
	}
	return found;
}

static inline bool is_pinned_by_ip_link(const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), BPF_FILE_SYSTEM "/tc/globals/%s", name);
	return access(path, F_OK) == 0;
}

static inline bool is_pinned(const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), PIN_DIR "/%s", name);
	return access(path, F_OK) == 0;
}

/* What sees TCP connections, as it is pinned; false if nothing is. */
static inline bool find_link(const char *pin_dir, struct bpf_link_info *info)
{
	uint32_t length = sizeof(*info);
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/" SIPPATH_PROGRAM_ACCEPT, pin_dir);
	fd = bpf_obj_get(path);
	if (fd < 0)
		return false;
	memset(info, 0, sizeof(*info));
	assert_int_equal(bpf_obj_get_info_by_fd(fd, info, &length), 0);
	close(fd);
	return true;
}

static inline struct bpf_link_info link_in(const char *pin_dir)
{
	struct bpf_link_info info;

	assert_true(find_link(pin_dir, &info));
	assert_int_equal(info.type, BPF_LINK_TYPE_CGROUP);
	assert_int_equal(info.cgroup.attach_type, BPF_CGROUP_SOCK_OPS);
	return info;
}

/* Neither a program nor a qdisc of ours is on the interface. */
static inline void assert_untouched(const char *interface)
{
	assert_int_equal(xdp_of(interface), 0);
	assert_false(has_clsact(interface));
}

/* A program that is none of ours. */
static inline int load_foreign(enum bpf_prog_type type, const char *name)
{
	const struct bpf_insn pass[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 2 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	int fd = bpf_prog_load(type, name, "GPL", pass, 2, NULL);

	assert_true(fd >= 0);
	return fd;
}

/* Attaches an XDP program that is none of ours, and returns its id. */
static inline uint32_t attach_foreign(const char *interface, const char *name)
{
	int fd = load_foreign(BPF_PROG_TYPE_XDP, name);

	assert_int_equal(bpf_xdp_attach((int)if_nametoindex(interface), fd, 0, NULL), 0);
	close(fd);
	return xdp_of(interface);
}

/* Hangs a tc filter that is none of ours on a clsact qdisc that is there. */
static inline void filter_foreign(const char *interface, enum bpf_tc_attach_point where,
				  uint32_t priority, uint32_t handle)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .attach_point = where);
	LIBBPF_OPTS(bpf_tc_opts, place, .priority = priority, .handle = handle);

	hook.ifindex = (int)if_nametoindex(interface);
	place.prog_fd = load_foreign(BPF_PROG_TYPE_SCHED_CLS, "somebody");
	assert_int_equal(bpf_tc_attach(&hook, &place), 0);
	close(place.prog_fd);
}

static inline void attach_by_ip_link(const char *interface)
{
	assert_int_equal(run("ip link set dev %s xdp obj %s sec xdp", interface, object_path()), 0);
}

#endif
