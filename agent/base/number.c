/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/number.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"

/* The first unit that matches wins: "ms" stands before "m", the empty one last. */
static const struct unit {
	struct span name;
	uint64_t ns;
} units[] = {
	{ { "ms", 2 }, NS_PER_MS }, { { "h", 1 }, 3600 * NS_PER_S }, { { "m", 1 }, 60 * NS_PER_S },
	{ { "s", 1 }, NS_PER_S },   { { "", 0 }, NS_PER_S },
};

int number_read(struct span digits, uint64_t lowest, uint64_t highest, uint64_t *out)
{
	uint64_t value = 0;

	if (digits.length == 0)
		return -EINVAL;
	for (size_t i = 0; i < digits.length; i++) {
		char digit = digits.at[i];

		if (digit < '0' || digit > '9')
			return -EINVAL;
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(digit - '0'), &value))
			value = UINT64_MAX; /* stays out of range: further digits only overflow again */
	}
	if (value < lowest || value > highest)
		return -ERANGE;
	*out = value;
	return 0;
}

int number_read_duration(struct span text, uint64_t lowest_ns, uint64_t highest_ns,
			 uint64_t *out_ns)
{
	const struct unit *unit = units;
	struct span digits = text;
	uint64_t count, ns;
	int error;

	while (text.length < unit->name.length || memcmp(text.at + text.length - unit->name.length,
							 unit->name.at, unit->name.length) != 0)
		unit++;
	digits.length -= unit->name.length;
	error = number_read(digits, 0, UINT64_MAX - 1, &count);
	if (error)
		return error;
	if (__builtin_mul_overflow(count, unit->ns, &ns) || ns < lowest_ns || ns > highest_ns)
		return -ERANGE;
	*out_ns = ns;
	return 0;
}

void number_write_duration(uint64_t ns, char out[NUMBER_DURATION_MAX])
{
	if (ns % NS_PER_S != 0)
		snprintf(out, NUMBER_DURATION_MAX, "%" PRIu64 "ms", ns / NS_PER_MS);
	else
		snprintf(out, NUMBER_DURATION_MAX, "%" PRIu64 "s", ns / NS_PER_S);
}
