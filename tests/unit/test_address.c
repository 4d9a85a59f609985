/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>

#include "base/address.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void assert_text(const struct text *text, const char *expected)
{
	assert_false(text->overflow);
	assert_string_equal(text->buffer, expected);
}

static void ipv4_is_mapped_into_ipv6(void **state)
{
	static const uint8_t mapped[16] = { [10] = 0xff, [11] = 0xff, 192, 0, 2, 1 };
	uint8_t address[16];

	(void)state;
	assert_int_equal(address_read(SPAN("192.0.2.1"), address), 0);
	assert_memory_equal(address, mapped, sizeof(mapped));
	assert_true(address_is_ipv4(address));
	assert_int_equal(address_read(SPAN("2001:db8::1"), address), 0);
	assert_false(address_is_ipv4(address));
}

static void addresses_are_written_as_they_are_read(void **state)
{
	static const char *const written[] = { "192.0.2.1", "0.0.0.0", "2001:db8::1",
					       "::1",       "::",      "fe80::1:2:3:4" };

	(void)state;
	for (size_t i = 0; i < COUNT(written); i++) {
		char buffer[64];
		struct text text = TEXT_OVER(buffer);
		uint8_t address[16];

		assert_int_equal(address_read(span_of(written[i]), address), 0);
		address_write(&text, address);
		assert_text(&text, written[i]);
	}
}

static void a_host_in_a_uri_has_brackets_if_it_is_ipv6(void **state)
{
	char buffer[64];
	struct text text = TEXT_OVER(buffer);
	uint8_t address[16];

	(void)state;
	assert_int_equal(address_read(SPAN("2001:db8::1"), address), 0);
	address_write_host(&text, address);
	assert_int_equal(address_read(SPAN("192.0.2.1"), address), 0);
	address_write_host(&text, address);
	assert_text(&text, "[2001:db8::1]192.0.2.1");
}

static void what_is_no_address_is_refused(void **state)
{
	static const struct span wrong[] = {
		{ NULL, 0 },
		{ "", 0 },
		{ "192.0.2", 7 },
		{ "192.0.2.256", 11 },
		{ "192.0.2.1 ", 10 },
		{ "192.0.2.1\0", 10 },
		{ "[::1]", 5 },
		{ ":::", 3 },
		{ "fe80::1%eth0", 12 },
		{ "example.com", 11 },
		{ "0000:0000:0000:0000:0000:0000:0000:0000:0000:0000", 49 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		uint8_t address[16] = { 42 };

		assert_int_equal(address_read(wrong[i], address), -EINVAL);
		assert_int_equal(address[0], 42);
	}
}

static void a_span_needs_no_terminator(void **state)
{
	uint8_t address[16], expected[16];

	(void)state;
	assert_int_equal(address_read((struct span){ "192.0.2.17", 9 }, address), 0);
	assert_int_equal(address_read(SPAN("192.0.2.1"), expected), 0);
	assert_memory_equal(address, expected, sizeof(expected));
}

static void ports_are_read_and_written(void **state)
{
	static const char *const written[] = { "192.0.2.1:5060", "[2001:db8::1]:65535", "[::]:0" };

	(void)state;
	for (size_t i = 0; i < COUNT(written); i++) {
		char buffer[64];
		struct text text = TEXT_OVER(buffer);
		uint8_t address[16];
		uint16_t port;

		assert_int_equal(address_read_port(span_of(written[i]), address, &port), 0);
		address_write_port(&text, address, port);
		assert_text(&text, written[i]);
	}
}

static void what_is_no_address_with_port_is_refused(void **state)
{
	static const char *const wrong[] = {
		"",
		"192.0.2.1",
		"192.0.2.1:",
		"192.0.2.1:65536",
		"192.0.2.1:-1",
		"192.0.2.1:5060 ",
		":5060",
		"2001:db8::1:5060",
		"[2001:db8::1]5060",
		"[2001:db8::1]",
		"[192.0.2.1]:5060",
		"[]:5060",
		"[::1:5060",
		"::1]:5060",
		"192.0.2.1:4294972356",
		"::ffff:192.0.2.1:5060",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		uint8_t address[16] = { 42 };
		uint16_t port = 7;

		assert_int_equal(address_read_port(span_of(wrong[i]), address, &port), -EINVAL);
		assert_int_equal(address[0], 42);
		assert_int_equal(port, 7);
	}
}

static void flows_are_written_as_they_are_read(void **state)
{
	static const char *const written[] = { "udp 192.0.2.1:5060 198.51.100.7:40001",
					       "tcp [2001:db8::1]:5060 [2001:db8::2]:40001" };

	(void)state;
	for (size_t i = 0; i < COUNT(written); i++) {
		char buffer[128];
		struct text text = TEXT_OVER(buffer);
		struct flow flow;

		assert_int_equal(flow_read(span_of(written[i]), &flow), 0);
		flow_write(&text, &flow);
		assert_text(&text, written[i]);
	}
}

static void a_flow_that_was_read_is_a_key(void **state)
{
	static const struct flow expected = {
		.local_addr = { [10] = 0xff, [11] = 0xff, 192, 0, 2, 1 },
		.remote_addr = { [10] = 0xff, [11] = 0xff, 198, 51, 100, 7 },
		.local_port = 5060,
		.remote_port = 40001,
		.transport = FLOW_UDP,
	};
	struct flow flow;

	(void)state;
	memset(&flow, 0xa5, sizeof(flow));
	assert_int_equal(flow_read(SPAN("udp 192.0.2.1:5060 198.51.100.7:40001"), &flow), 0);
	assert_memory_equal(&flow, &expected, sizeof(flow));
}

static void what_is_no_flow_is_refused(void **state)
{
	static const char *const wrong[] = {
		"",
		"udp",
		"udp ",
		"udp 192.0.2.1:5060",
		"udp 192.0.2.1:5060 ",
		"udp  192.0.2.1:5060 198.51.100.7:40001",
		"udp 192.0.2.1:5060 198.51.100.7:40001 ",
		"udp 192.0.2.1:5060 198.51.100.7",
		"UDP 192.0.2.1:5060 198.51.100.7:40001",
		"sctp 192.0.2.1:5060 198.51.100.7:40001",
		"unknown 192.0.2.1:5060 198.51.100.7:40001",
		"192.0.2.1:5060 198.51.100.7:40001",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		struct flow flow = { .local_port = 7 };

		assert_int_equal(flow_read(span_of(wrong[i]), &flow), -EINVAL);
		assert_int_equal(flow.local_port, 7);
	}
	assert_int_equal(flow_read((struct span){ NULL, 0 }, &(struct flow){ 0 }), -EINVAL);
}

static void text_without_room_says_so(void **state)
{
	static const struct flow flow = { .transport = FLOW_UDP };
	char buffer[12];
	struct text text = TEXT_OVER(buffer);

	(void)state;
	flow_write(&text, &flow);
	assert_true(text.overflow);
}

static void transports_have_names(void **state)
{
	(void)state;
	assert_string_equal(flow_transport_name(FLOW_UDP), "udp");
	assert_string_equal(flow_transport_name(FLOW_TCP), "tcp");
	assert_string_equal(flow_transport_name(132), "unknown");
}

static void assert_network(const char *text, const char *expected)
{
	uint8_t address[16], network[16], wanted[16];

	assert_int_equal(address_read(span_of(text), address), 0);
	assert_int_equal(address_read(span_of(expected), wanted), 0);
	memset(network, 0xa5, sizeof(network));
	address_network(address, network);
	assert_memory_equal(network, wanted, sizeof(wanted));
}

static void an_address_is_counted_with_its_network(void **state)
{
	(void)state;
	assert_network("198.51.100.255", "198.51.100.0");
	assert_network("2001:db8:1:ffff:ffff:ffff:ffff:ffff", "2001:db8:1::");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_is_counted_with_its_network),
		cmocka_unit_test(ipv4_is_mapped_into_ipv6),
		cmocka_unit_test(addresses_are_written_as_they_are_read),
		cmocka_unit_test(a_host_in_a_uri_has_brackets_if_it_is_ipv6),
		cmocka_unit_test(what_is_no_address_is_refused),
		cmocka_unit_test(a_span_needs_no_terminator),
		cmocka_unit_test(ports_are_read_and_written),
		cmocka_unit_test(what_is_no_address_with_port_is_refused),
		cmocka_unit_test(flows_are_written_as_they_are_read),
		cmocka_unit_test(a_flow_that_was_read_is_a_key),
		cmocka_unit_test(what_is_no_flow_is_refused),
		cmocka_unit_test(text_without_room_says_so),
		cmocka_unit_test(transports_have_names),
	};

	return cmocka_run_group_tests_name("address", tests, NULL, NULL);
}
