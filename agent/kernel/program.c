/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/program.h"

#include <string.h>

#include <bpf/bpf.h>

#include "base/cleanup.h"

static int info_of(int program_fd, struct bpf_prog_info *info)
{
	uint32_t length = sizeof(*info);

	memset(info, 0, sizeof(*info));
	return bpf_obj_get_info_by_fd(program_fd, info, &length);
}

static int info_of_id(uint32_t id, struct bpf_prog_info *info)
{
	cleanup_close int fd = bpf_prog_get_fd_by_id(id);

	return fd < 0 ? fd : info_of(fd, info);
}

uint32_t program_id(int program_fd)
{
	struct bpf_prog_info info;

	return info_of(program_fd, &info) < 0 ? 0 : info.id;
}

int program_name(uint32_t id, char name[16])
{
	struct bpf_prog_info info;
	int err = info_of_id(id, &info);

	if (err < 0)
		return err;
	memcpy(name, info.name, sizeof(info.name));
	name[15] = '\0';
	return 0;
}

bool program_is_alike(int program_fd, uint32_t other_id)
{
	struct bpf_prog_info one, other;

	return info_of(program_fd, &one) == 0 && info_of_id(other_id, &other) == 0 &&
	       memcmp(one.tag, other.tag, sizeof(one.tag)) == 0;
}
