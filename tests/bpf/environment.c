/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include "environment.h"

uint64_t environment_number(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);
	char *end;
	uint64_t number;

	if (!text)
		return otherwise;
	number = strtoull(text, &end, 10);
	if (*text == 0 || *end != 0)
		fail_msg("%s is no number: %s", name, text);
	return number;
}
