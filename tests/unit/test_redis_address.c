/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cluster/redis_link.h"

static void reads_all(const char *url, const struct redis_address *expected)
{
	struct redis_address address;

	memset(&address, 'x', sizeof(address));
	assert_int_equal(redis_address_read(span_of(url), &address), 0);
	assert_string_equal(address.host, expected->host);
	assert_int_equal(address.port, expected->port);
	assert_int_equal(address.database, expected->database);
	assert_string_equal(address.user, expected->user);
	assert_string_equal(address.password, expected->password);
}

static void reads_place(const char *url, const char *host, uint16_t port, uint32_t database)
{
	struct redis_address expected = { .port = port, .database = database };

	strcpy(expected.host, host);
	reads_all(url, &expected);
}

/* Before a host "a". */
static void reads_credentials(const char *url, const char *user, const char *password)
{
	struct redis_address expected = { .host = "a", .port = REDIS_PORT_DEFAULT };

	strcpy(expected.user, user);
	strcpy(expected.password, password);
	reads_all(url, &expected);
}

static void refuses(struct span url)
{
	struct redis_address address, before;

	memset(&address, 'x', sizeof(address));
	before = address;
	assert_int_equal(redis_address_read(url, &address), -EINVAL);
	assert_memory_equal(&address, &before, sizeof(address));
}

static void a_host_is_enough(void **state)
{
	(void)state;
	reads_place("redis://redis.example.com", "redis.example.com", 6379, 0);
	reads_place("redis://192.0.2.1/", "192.0.2.1", 6379, 0);
	reads_place("REDIS://my_host-1", "my_host-1", 6379, 0);
}

static void port_and_database_are_read(void **state)
{
	(void)state;
	reads_place("redis://a:1", "a", 1, 0);
	reads_place("redis://a:65535/15", "a", 65535, 15);
	reads_place("redis://a/2", "a", 6379, 2);
}

static void an_ipv6_address_stands_in_brackets(void **state)
{
	(void)state;
	reads_place("redis://[2001:db8::1]", "2001:db8::1", 6379, 0);
	reads_place("redis://[::1]:7000/1", "::1", 7000, 1);
	refuses(span_of("redis://::1"));
	refuses(span_of("redis://[::1"));
	refuses(span_of("redis://[]"));
	refuses(span_of("redis://[name]"));
	refuses(span_of("redis://[192.0.2.1]"));
	refuses(span_of("redis://[::1]7000"));
}

static void user_and_password_are_read(void **state)
{
	(void)state;
	reads_credentials("redis://:secret@a", "", "secret");
	reads_credentials("redis://node:secret@a", "node", "secret");
	reads_credentials("redis://node@a", "node", "");
	reads_credentials("redis://node:se:cr@et@a", "node", "se:cr@et");
}

static void escapes_stand_for_any_character(void **state)
{
	(void)state;
	reads_credentials("redis://n%3ao:%2F%40%25x@a", "n:o", "/@%x");
	refuses(span_of("redis://:%4@a"));
	refuses(span_of("redis://:%@a"));
	refuses(span_of("redis://:%zz@a"));
	refuses(span_of("redis://:%00@a"));
	refuses(SPAN("redis://:a\0b@a"));
}

static void anything_else_is_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"redis:",
		"redis://",
		"redis:///1",
		"redis://:1",
		"redis://@",
		"rediss://a",
		"http://a",
		"redis://a:",
		"redis://a:0",
		"redis://a:65536",
		"redis://a:12x",
		"redis://a/x",
		"redis://a/-1",
		"redis://a/65536",
		"redis://a/1/2",
		"redis://a b",
		"redis://a?x=1",
		"redis://a:1:2",
		" redis://a",
		"redis://a#1",
		"redis://a/1 ",
		"redis://a%2eb",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		refuses(span_of(bad[i]));
	refuses(span_of(NULL));
}

/* Writes so many letters between the pieces. */
static struct span around(char *url, const char *before, size_t letters, const char *after)
{
	size_t length = strlen(before);

	memcpy(url, before, length);
	memset(url + length, 'a', letters);
	strcpy(url + length + letters, after);
	return span_of(url);
}

static void what_does_not_fit_is_refused(void **state)
{
	static const struct {
		const char *before;
		size_t room;
		const char *after;
	} places[] = { { "redis://", 253, "" },
		       { "redis://", 127, ":b@host" },
		       { "redis://:", 255, "@host" } };
	struct redis_address address;
	char url[512];

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(redis_address_read(around(url, places[i].before, places[i].room,
							   places[i].after),
						    &address),
				 0);
		refuses(around(url, places[i].before, places[i].room + 1, places[i].after));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_host_is_enough),
		cmocka_unit_test(port_and_database_are_read),
		cmocka_unit_test(an_ipv6_address_stands_in_brackets),
		cmocka_unit_test(user_and_password_are_read),
		cmocka_unit_test(escapes_stand_for_any_character),
		cmocka_unit_test(anything_else_is_refused),
		cmocka_unit_test(what_does_not_fit_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
