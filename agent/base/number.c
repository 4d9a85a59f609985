/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/number.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"

/* From the largest to the smallest; a bare number is the last. */
static const struct unit {
	struct span name;
	uint64_t ns;
} units[] = {
	{ { "h", 1 }, 3600 * NS_PER_S }, { { "m", 1 }, 60 * NS_PER_S }, { { "s", 1 }, NS_PER_S },
	{ { "ms", 2 }, NS_PER_MS },      { { "", 0 }, NS_PER_S },
};

#define UNIT_COUNT (sizeof(units) / sizeof(units[0]))
#define UNIT_SMALLEST (UNIT_COUNT - 2)

int number_read(struct span digits, uint64_t lowest, uint64_t highest, uint64_t *out)
{
	uint64_t value = 0;
	bool overflow = false;

	if (digits.length == 0)
		return -EINVAL;
	for (size_t i = 0; i < digits.length; i++) {
		char digit = digits.at[i];

		if (digit < '0' || digit > '9')
			return -EINVAL;
		overflow |= __builtin_mul_overflow(value, 10, &value);
		overflow |= __builtin_add_overflow(value, (uint64_t)(digit - '0'), &value);
	}
	if (overflow || value < lowest || value > highest)
		return -ERANGE;
	*out = value;
	return 0;
}

static struct span leading_digits(struct span text)
{
	struct span digits = { text.at, 0 };

	while (digits.length < text.length && text.at[digits.length] >= '0' &&
	       text.at[digits.length] <= '9')
		digits.length++;
	return digits;
}

/* The nanoseconds of a unit, or 0 if there is none of this name. */
static uint64_t unit_ns(struct span name)
{
	for (size_t i = 0; i < UNIT_COUNT; i++)
		if (span_equal(name, units[i].name))
			return units[i].ns;
	return 0;
}

int number_read_duration(struct span text, uint64_t lowest_ns, uint64_t highest_ns,
			 uint64_t *out_ns)
{
	struct span digits = leading_digits(text);
	struct span name = { text.at, text.length - digits.length };
	uint64_t count, ns;
	int error;

	if (digits.length == 0)
		return -EINVAL;
	name.at += digits.length;
	if (unit_ns(name) == 0)
		return -EINVAL;
	error = number_read(digits, 0, UINT64_MAX, &count);
	if (error)
		return error;
	if (__builtin_mul_overflow(count, unit_ns(name), &ns) || ns < lowest_ns || ns > highest_ns)
		return -ERANGE;
	*out_ns = ns;
	return 0;
}

void number_write_duration(uint64_t ns, char out[NUMBER_DURATION_MAX])
{
	size_t i = 0;

	while (i < UNIT_SMALLEST && (ns < units[i].ns || ns % units[i].ns != 0))
		i++;
	snprintf(out, NUMBER_DURATION_MAX, "%" PRIu64 "%s", ns / units[i].ns, units[i].name.at);
}
