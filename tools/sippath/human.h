/* SPDX-License-Identifier: GPL-2.0-or-later */
/* human.h - durations for people: two figures that matter, and a unit. */
#ifndef SIPPATH_HUMAN_H
#define SIPPATH_HUMAN_H

#include <stdint.h>

#define HUMAN_MAX 48

/* "0 ms", "850 ms", "4.2 s", "3 min 20 s", "1 h 2 min", "3 d 4 h". */
void human_ms(uint64_t ms, char out[HUMAN_MAX]);

/* "350 us", "12.3 ms", "1.4 s". */
void human_us(uint64_t us, char out[HUMAN_MAX]);

#endif
