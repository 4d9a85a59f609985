/* SPDX-License-Identifier: GPL-2.0-or-later */
/* chance.h - random numbers that are the same again for the same seed. */
#ifndef TESTS_BPF_CHANCE_H
#define TESTS_BPF_CHANCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct chance {
	uint64_t state;
};

/* The stream of numbers "number" of a seed: streams have nothing to do with each other. */
static inline struct chance chance_begin(uint64_t seed, uint64_t number)
{
	return (struct chance){ (seed * 0xd1342543de82ef95 + number) * 0xda942042e4dd58b5 };
}

/* SplitMix64 (Steele, Lea, Flood 2014). */
static inline uint64_t chance_number(struct chance *chance)
{
	uint64_t value = chance->state += 0x9e3779b97f4a7c15;

	value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9;
	value = (value ^ value >> 27) * 0x94d049bb133111eb;
	return value ^ value >> 31;
}

/* A number from 0 to limit - 1. */
static inline size_t chance_below(struct chance *chance, size_t limit)
{
	return (size_t)((chance_number(chance) >> 32) * limit >> 32);
}

/* True in so many of a hundred cases. */
static inline bool chance_of(struct chance *chance, unsigned int percent)
{
	return chance_below(chance, 100) < percent;
}

/* One of the elements of an array. */
#define chance_pick(chance, array) \
	((array)[chance_below((chance), sizeof(array) / sizeof((array)[0]))])

#endif
