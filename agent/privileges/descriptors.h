/* SPDX-License-Identifier: GPL-2.0-or-later */
/* descriptors.h - what a forked process goes on to hold. Included by warden.c. */
#ifndef AGENT_PRIVILEGES_DESCRIPTORS_H
#define AGENT_PRIVILEGES_DESCRIPTORS_H

/*
 * Closes all descriptors but standard input, output and error, "kept", and those of BPF objects
 * and of the BPF file system. What somebody opens tomorrow is so not held by accident. -errno
 * after one log line.
 */
int descriptors_close_others(int kept);

#endif
