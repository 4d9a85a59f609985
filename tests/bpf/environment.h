/* SPDX-License-Identifier: GPL-2.0-or-later */
/* environment.h - numbers by which whoever runs a test makes it longer, or the same again. */
#ifndef TESTS_BPF_ENVIRONMENT_H
#define TESTS_BPF_ENVIRONMENT_H

#include <stdint.h>

/* The number in a variable; the other one if it is not set. Fails the test if it is none. */
uint64_t environment_number(const char *name, uint64_t otherwise);

#endif
