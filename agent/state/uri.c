/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "state/uri.h"

/* Where the user part, which counts exactly, begins and ends; it may be empty. */
struct user_part {
	size_t begin;
	size_t end;
};

static struct user_part user_part(struct span uri)
{
	const char *colon = uri.length > 0 ? memchr(uri.at, ':', uri.length) : NULL;
	const char *at = uri.length > 0 ? memrchr(uri.at, '@', uri.length) : NULL;

	if (!colon || !at || at < colon)
		return (struct user_part){ 0, 0 };
	return (struct user_part){ (size_t)(colon - uri.at), (size_t)(at - uri.at) };
}

bool uri_equal(struct span a, struct span b)
{
	struct user_part user = user_part(a);

	if (!span_equal_nocase(a, b))
		return false;
	return user.begin == user.end ||
	       memcmp(a.at + user.begin, b.at + user.begin, user.end - user.begin) == 0;
}

static char lower(char c)
{
	return (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

struct span uri_fold(struct span uri, char *out)
{
	struct user_part user = user_part(uri);

	for (size_t i = 0; i < uri.length; i++) {
		char c = uri.at[i];

		if (i < user.begin || i >= user.end)
			c = lower(c);
		out[i] = c;
	}
	return (struct span){ out, uri.length };
}
