/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cgroup.h - the cgroup v2 hierarchy, on which programs see every socket of the host. */
#ifndef AGENT_KERNEL_CGROUP_H
#define AGENT_KERNEL_CGROUP_H

/*
 * Opens the root of the hierarchy, wherever it is mounted: alone or beside the older
 * hierarchies. To be closed; -ENOENT if it is not mounted, or another -errno.
 */
int cgroup_open_root(void);

#endif
