/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What nodes write for each other comes back as it was. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/address.h"
#include "cluster/notation.h"

#define IPV4_FLOW "udp 192.0.2.1:5060 198.51.100.7:40001"
#define IPV6_FLOW "tcp [2001:db8::1]:5060 [2001:db8::7]:40001"

static const struct location registration = {
	.node = { "proxy-1.example_net", 19 },
	.device = { "<urn:uuid:00000000-0000-1000-8000-000a95a0e128>#1", 50 },
	.kind = BINDING_REGISTRATION,
	.health = PATH_AWAITING,
	.accepted_ms = 1700000000123,
	.ends_ms = 1700003600123,
	.heard_ms = 1700000001000,
	.epoch = UINT64_MAX,
};

static struct flow flow_of(const char *text)
{
	struct flow flow;

	assert_int_equal(flow_read(span_of(text), &flow), 0);
	return flow;
}

static void assert_span_equal(struct span got, struct span expected)
{
	assert_int_equal(got.length, expected.length);
	assert_memory_equal(got.at, expected.at, expected.length);
}

static void assert_location_survives(const struct location *location)
{
	char field_room[NOTATION_MAX], value_room[NOTATION_MAX];
	struct text field = TEXT_OVER(field_room), value = TEXT_OVER(value_room);
	struct location back;

	notation_write_field(&field, location);
	notation_write_value(&value, location);
	assert_false(field.overflow || value.overflow);
	assert_int_equal(notation_read_location(text_span(&field), text_span(&value), &back), 0);
	assert_int_equal(back.kind, location->kind);
	assert_int_equal(back.health, location->health);
	assert_int_equal(back.epoch, location->epoch);
	assert_int_equal(back.accepted_ms, location->accepted_ms);
	assert_int_equal(back.ends_ms, location->ends_ms);
	assert_int_equal(back.heard_ms, location->heard_ms);
	assert_memory_equal(&back.flow, &location->flow, sizeof(back.flow));
	assert_span_equal(back.node, location->node);
	assert_span_equal(back.device, location->device);
	assert_null(back.aor.at);
}

static void a_location_of_any_kind_and_health_comes_back(void **state)
{
	struct location location = registration;

	(void)state;
	for (uint8_t kind = 0; kind < BINDING_CONNECTION; kind++) {
		for (uint8_t health = 0; health < PATH_HEALTH_MAX; health++) {
			location.kind = kind;
			location.health = health;
			location.flow = flow_of(health == PATH_LIVE ? IPV4_FLOW : IPV6_FLOW);
			assert_location_survives(&location);
		}
	}
}

static void a_device_may_have_any_bytes(void **state)
{
	static const char longest[LOCATION_TEXT_MAX] = { [0 ... LOCATION_TEXT_MAX - 1] = '"' };
	static const struct span devices[] = {
		{ " ", 1 },
		{ "a b  c ", 7 },
		{ "\"quoted\" 'too'", 14 },
		{ "%s%n%20", 7 },
		{ "a\0b\r\nc", 6 },
		{ "\xff\xfe", 2 },
		{ "r n d 1 2 3", 11 },
		{ longest, sizeof(longest) },
	};
	struct location location = registration;

	(void)state;
	location.flow = flow_of(IPV6_FLOW);
	for (size_t i = 0; i < sizeof(devices) / sizeof(devices[0]); i++) {
		location.device = devices[i];
		assert_location_survives(&location);
	}
}

static void what_a_person_reads_is_as_documented(void **state)
{
	char room[NOTATION_MAX];
	struct text text = TEXT_OVER(room);
	struct location location = registration;

	(void)state;
	location.device = SPAN("<urn:x>#1");
	location.flow = flow_of(IPV4_FLOW);
	notation_write_field(&text, &location);
	assert_string_equal(room, "r proxy-1.example_net <urn:x>#1");
	text = TEXT_OVER(room);
	notation_write_value(&text, &location);
	assert_string_equal(room, "1 18446744073709551615 1700000000123 1700003600123 "
				  "1700000001000 awaiting " IPV4_FLOW);
}

static void a_field_alone_says_node_kind_and_device(void **state)
{
	struct location back = { .epoch = 1 };

	(void)state;
	assert_int_equal(notation_read_field(SPAN("l b call 1;tag"), &back), 0);
	assert_int_equal(back.kind, BINDING_LINGERING);
	assert_span_equal(back.node, SPAN("b"));
	assert_span_equal(back.device, SPAN("call 1;tag"));
	assert_int_equal(back.epoch, 0);
}

static void a_node_comes_back_with_the_time_between_its_pieces(void **state)
{
	char room[NOTATION_MAX];
	struct text text = TEXT_OVER(room);
	struct node back, node = {
		.name = SPAN("a"),
		.uri = SPAN("sip:[2001:db8::1]:5060;transport=tcp"),
		.incarnation = UINT64_MAX,
		.begun = 8,
		.whole = 7,
		.paths = UINT32_MAX,
		.lag_ms = 12,
	};

	(void)state;
	for (int draining = 0; draining <= 1; draining++) {
		node.draining = draining;
		text = TEXT_OVER(room);
		notation_write_node_head(&text, &node);
		text_add(&text, SPAN(" 1700000000123 "));
		notation_write_node_tail(&text, &node);
		assert_false(text.overflow);
		assert_int_equal(notation_read_node(node.name, text_span(&text), &back), 0);
		assert_int_equal(back.incarnation, UINT64_MAX);
		assert_int_equal(back.beat_ms, 1700000000123);
		assert_int_equal(back.begun, 8);
		assert_int_equal(back.whole, 7);
		assert_int_equal(back.paths, UINT32_MAX);
		assert_int_equal(back.lag_ms, 12);
		assert_int_equal(back.draining, draining);
		assert_span_equal(back.uri, node.uri);
		assert_span_equal(back.name, node.name);
	}
}

static void a_node_that_has_counted_as_far_as_it_can_comes_back(void **state)
{
	struct node back;

	(void)state;
	assert_int_equal(notation_read_node(SPAN("a"),
					    SPAN("1 5 10 9007199254740991 9007199254740991 3 4 "
						 "serving sip:a"),
					    &back),
			 0);
	assert_int_equal(back.begun, (UINT64_C(1) << 53) - 1);
	assert_int_equal(back.whole, back.begun);
}

static void assert_order_survives(const struct order *order)
{
	char room[NOTATION_MAX];
	struct text text = TEXT_OVER(room);
	struct order back;

	notation_write_order(&text, order);
	assert_false(text.overflow);
	assert_int_equal(notation_read_order(text_span(&text), &back), 0);
	assert_int_equal(back.kind, order->kind);
	assert_int_equal(back.issued_ms, order->issued_ms);
	assert_int_equal(back.accepted_ms, order->accepted_ms);
	assert_memory_equal(&back.flow, &order->flow, sizeof(back.flow));
	assert_span_equal(back.node, order->node);
	assert_span_equal(back.aor, order->aor);
	assert_span_equal(back.device, order->device);
}

static void every_order_comes_back(void **state)
{
	(void)state;
	for (enum order_kind kind = 0; kind < ORDER_MAX; kind++) {
		struct order order = { .kind = kind, .issued_ms = 1700000000123 };

		assert_int_equal(order_find(span_of(order_name(kind))), kind);
		if (kind == ORDER_drop || kind == ORDER_prompt)
			order.flow = flow_of(IPV6_FLOW);
		if (kind == ORDER_leave) {
			order.node = SPAN("b");
			order.aor = SPAN("sip:a b@example.net");
			order.device = SPAN(" \"<urn:x>\" %d#1 ");
			order.accepted_ms = 1700000000100;
		}
		assert_order_survives(&order);
	}
	assert_int_equal(order_find(SPAN("leav")), ORDER_MAX);
	assert_int_equal(order_find(SPAN("")), ORDER_MAX);
}

/* NOTATION_MAX is room for the longest of them all. */
static void the_longest_order_fits(void **state)
{
	static const char bytes[LOCATION_TEXT_MAX] = { [0 ... LOCATION_TEXT_MAX - 1] = ' ' };
	static const char name[NODE_NAME_MAX] = { [0 ... NODE_NAME_MAX - 1] = 'n' };
	struct order order = {
		.kind = ORDER_leave,
		.issued_ms = (UINT64_C(1) << 53) - 1,
		.accepted_ms = (UINT64_C(1) << 53) - 1,
		.node = { name, sizeof(name) },
		.aor = { bytes, sizeof(bytes) },
		.device = { bytes, sizeof(bytes) },
	};

	(void)state;
	assert_order_survives(&order);
}

static void what_does_not_fit_is_said(void **state)
{
	struct location location = registration;
	struct order order = { .kind = ORDER_drain };
	struct node node = { .uri = SPAN("sip:192.0.2.1") };
	char room[8];

	(void)state;
	location.flow = flow_of(IPV4_FLOW);
#define ASSERT_OVERFLOWS(write, noun) \
	do { \
		struct text text = TEXT_OVER(room); \
		write(&text, noun); \
		assert_true(text.overflow); \
	} while (0)
	ASSERT_OVERFLOWS(notation_write_field, &location);
	ASSERT_OVERFLOWS(notation_write_value, &location);
	ASSERT_OVERFLOWS(notation_write_order, &order);
	ASSERT_OVERFLOWS(notation_write_node_tail, &node);
#undef ASSERT_OVERFLOWS
}

static void a_key_says_whose_it_is(void **state)
{
	(void)state;
	assert_span_equal(notation_aor_of(SPAN("sippath:aor:sip:a@example.net")),
			  SPAN("sip:a@example.net"));
	assert_int_equal(notation_aor_of(SPAN(NOTATION_AOR)).length, 0);
	assert_null(notation_aor_of(SPAN("sippath:ao")).at);
	assert_null(notation_aor_of(SPAN(NOTATION_CHANGES)).at);
	assert_null(notation_aor_of((struct span){ NULL, 0 }).at);
}

static void a_name_has_letters_digits_and_three_marks(void **state)
{
	static const char longest[NODE_NAME_MAX + 1] = { [0 ... NODE_NAME_MAX] = 'n' };

	(void)state;
	assert_true(node_name_is_good(SPAN("proxy-1.example_NET")));
	assert_true(node_name_is_good((struct span){ longest, NODE_NAME_MAX }));
	assert_false(node_name_is_good((struct span){ longest, NODE_NAME_MAX + 1 }));
	assert_false(node_name_is_good(SPAN("")));
	assert_false(node_name_is_good((struct span){ NULL, 0 }));
	for (int c = 0; c < 256; c++) {
		char byte = (char)c;
		bool good = c > 0 && c < 128 &&
			    strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				   "0123456789.-_",
				   c);

		assert_int_equal(node_name_is_good((struct span){ &byte, 1 }), good);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_location_of_any_kind_and_health_comes_back),
		cmocka_unit_test(a_device_may_have_any_bytes),
		cmocka_unit_test(what_a_person_reads_is_as_documented),
		cmocka_unit_test(a_field_alone_says_node_kind_and_device),
		cmocka_unit_test(a_node_comes_back_with_the_time_between_its_pieces),
		cmocka_unit_test(a_node_that_has_counted_as_far_as_it_can_comes_back),
		cmocka_unit_test(every_order_comes_back),
		cmocka_unit_test(the_longest_order_fits),
		cmocka_unit_test(what_does_not_fit_is_said),
		cmocka_unit_test(a_key_says_whose_it_is),
		cmocka_unit_test(a_name_has_letters_digits_and_three_marks),
	};

	return cmocka_run_group_tests_name("notation", tests, NULL, NULL);
}
