/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * requirements.h - what this host must offer before a program can be attached.
 *
 * Each check writes one log line that says what is missing and what to do, and
 * returns -errno.
 */
#ifndef AGENT_KERNEL_REQUIREMENTS_H
#define AGENT_KERNEL_REQUIREMENTS_H

/* The privileges to load and attach programs. */
int requirements_privileges(void);

/* A kernel that is new enough, takes BTF and has its own. */
int requirements_kernel(void);

/* pin_dir, or the directory it is to be made in, lies on a BPF file system. */
int requirements_bpf_file_system(const char *pin_dir);

/* The interface has an Ethernet header before the IP header, as the programs expect. */
int requirements_ethernet(const char *interface);

#endif
