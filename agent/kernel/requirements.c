/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/requirements.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <net/if.h>
#include <net/if_arp.h>

#include <linux/capability.h>
#include <linux/limits.h>
#include <linux/magic.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "kernel/libbpf_log.h"

/* The first kernel that has everything which the programs use. */
#define OLDEST_KERNEL "5.18"

static bool has_capability(int capability)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	if (syscall(SYS_capget, &header, data) < 0)
		return false;
	return data[CAP_TO_INDEX(capability)].effective & CAP_TO_MASK(capability);
}

/* Programs and maps of others can be opened by their ids with CAP_SYS_ADMIN only. */
int requirements_privileges(void)
{
	if (has_capability(CAP_SYS_ADMIN) && has_capability(CAP_NET_ADMIN))
		return 0;
	return log_errno(EPERM, "needs root (CAP_SYS_ADMIN and CAP_NET_ADMIN) to load and attach"
				" its programs: run it as root");
}

static int too_old(const char *missing)
{
	struct utsname host = { .release = "unknown" };

	uname(&host);
	return log_errno(EOPNOTSUPP,
			 "this kernel (%s) lacks %s: needs Linux " OLDEST_KERNEL
			 " or newer, with BPF",
			 host.release, missing);
}

/* Loads the smallest possible piece of BTF. */
static bool takes_btf(void)
{
	struct btf *btf = btf__new_empty();
	bool taken = btf && btf__add_int(btf, "int", 4, BTF_INT_SIGNED) > 0 &&
		     btf__load_into_kernel(btf) == 0;

	btf__free(btf);
	return taken;
}

/* By which the library finds its way in the kernel's structs, whichever version it has. */
static bool tells_btf(void)
{
	struct btf *btf = btf__load_vmlinux_btf();
	bool told = btf != NULL;

	btf__free(btf);
	return told;
}

int requirements_kernel(void)
{
	libbpf_log_begin();
	if (libbpf_probe_bpf_prog_type(BPF_PROG_TYPE_XDP, NULL) != 1)
		return too_old("XDP programs");
	if (libbpf_probe_bpf_prog_type(BPF_PROG_TYPE_SCHED_CLS, NULL) != 1)
		return too_old("tc programs");
	if (libbpf_probe_bpf_map_type(BPF_MAP_TYPE_RINGBUF, NULL) != 1)
		return too_old("the BPF ring buffer");
	if (libbpf_probe_bpf_helper(BPF_PROG_TYPE_XDP, BPF_FUNC_ktime_get_coarse_ns, NULL) != 1)
		return too_old("bpf_ktime_get_coarse_ns");
	if (libbpf_probe_bpf_helper(BPF_PROG_TYPE_XDP, BPF_FUNC_xdp_load_bytes, NULL) != 1)
		return too_old("bpf_xdp_load_bytes");
	if (!takes_btf())
		return too_old("BTF");
	if (!tells_btf())
		return too_old("its own BTF (CONFIG_DEBUG_INFO_BTF)");
	return 0;
}

static bool is_bpf_file_system(const char *path)
{
	struct statfs file_system;

	return statfs(path, &file_system) == 0 && file_system.f_type == BPF_FS_MAGIC;
}

int requirements_bpf_file_system(const char *pin_dir)
{
	char parent[PATH_MAX];
	char *slash;
	size_t length = strlen(pin_dir);

	if (length >= sizeof(parent) || pin_dir[0] != '/')
		return log_errno(EINVAL, "the pin directory '%s' is no absolute path", pin_dir);
	if (is_bpf_file_system(pin_dir))
		return 0;
	memcpy(parent, pin_dir, length + 1);
	while (length > 1 && parent[length - 1] == '/')
		parent[--length] = '\0';
	slash = strrchr(parent, '/');
	slash[slash == parent] = '\0';
	if (access(pin_dir, F_OK) != 0 && is_bpf_file_system(parent))
		return 0;
	return log_errno(ENOTDIR,
			 "the pin directory %s is not on a BPF file system: type"
			 " `mount -t bpf bpf /sys/fs/bpf` and choose a directory there",
			 pin_dir);
}

int requirements_ethernet(const char *interface)
{
	cleanup_close int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request = { 0 };

	strncpy(request.ifr_name, interface, sizeof(request.ifr_name) - 1);
	if (fd < 0 || ioctl(fd, SIOCGIFHWADDR, &request) < 0)
		return log_errno(errno, "%s: cannot find out what kind of interface it is: %s",
				 interface, strerror(errno));
	if (request.ifr_hwaddr.sa_family != ARPHRD_ETHER &&
	    request.ifr_hwaddr.sa_family != ARPHRD_LOOPBACK)
		return log_errno(EOPNOTSUPP,
				 "%s carries packets without an Ethernet header (tunnel, wg, ppp),"
				 " which the programs cannot read: name only others, such as eth0",
				 interface);
	return 0;
}
