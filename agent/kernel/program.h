/* SPDX-License-Identifier: GPL-2.0-or-later */
/* program.h - what the kernel knows of a program that is loaded. */
#ifndef AGENT_KERNEL_PROGRAM_H
#define AGENT_KERNEL_PROGRAM_H

#include <stdbool.h>
#include <stdint.h>

/* The kernel's number for a program, 0 if it cannot be told. */
uint32_t program_id(int program_fd);

/* Its name; -errno, *name untouched then. */
int program_name(uint32_t id, char name[16]);

/*
 * True if both consist of the same instructions: the kernel makes a tag of them, whichever
 * maps they use. So two builds are told apart without a number that somebody would
 * have to count up. False, too, if it cannot be told.
 */
bool program_is_alike(int program_fd, uint32_t other_id);

#endif
