/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A device is called the same whichever proxy it registers through. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cluster/location.h"

#define INSTANCE "<urn:uuid:00000000-0000-1000-8000-000a95a0e128>"

static void assert_device(const struct record *record, const char *expected)
{
	char room[LOCATION_TEXT_MAX + 1];
	struct text memory = TEXT_OVER(room);
	struct span device = location_device(record, &memory);

	assert_non_null(device.at);
	assert_false(memory.overflow);
	assert_int_equal(device.length, strlen(expected));
	assert_memory_equal(device.at, expected, device.length);
}

static struct record registration(void)
{
	return (struct record){
		.kind = BINDING_REGISTRATION,
		.target = SPAN("sip:Alice@Phone.Example.NET:5062;Transport=UDP"),
		.instance = SPAN(INSTANCE),
		.call_id = SPAN("a84b4c76e66710"),
		.reg_id = 1,
	};
}

static void an_instance_counts_more_than_the_contact(void **state)
{
	struct record record = registration();

	(void)state;
	assert_device(&record, INSTANCE "#1");
	record.target = SPAN("sip:alice@192.0.2.9:1");
	assert_device(&record, INSTANCE "#1");
	/* A device as such, without flows of its own making. */
	record.reg_id = 0;
	assert_device(&record, INSTANCE "#0");
}

/* Trap 31: two reg-ids are two flows on purpose. */
static void trap_31_another_reg_id_is_another_device(void **state)
{
	struct record record = registration();

	(void)state;
	record.reg_id = 2;
	assert_device(&record, INSTANCE "#2");
}

static void case_does_not_count_in_an_instance(void **state)
{
	struct record record = registration();

	(void)state;
	record.instance = SPAN("<URN:UUID:00000000-0000-1000-8000-000A95A0E128>");
	assert_device(&record, INSTANCE "#1");
}

/* The user part counts exactly. */
static void without_an_instance_the_contact_counts(void **state)
{
	struct record record = registration();

	(void)state;
	record.instance = (struct span){ NULL, 0 };
	assert_device(&record, "sip:Alice@phone.example.net:5062;transport=udp");
	record.instance = SPAN("");
	assert_device(&record, "sip:Alice@phone.example.net:5062;transport=udp");
}

static void a_dialog_is_its_call_and_the_tag_of_the_device(void **state)
{
	struct record record = {
		.kind = BINDING_DIALOG,
		.target = SPAN("sip:alice@192.0.2.9"),
		.call_id = SPAN("Call@host"),
		.device_tag = SPAN("Tag"),
		.peer_tag = SPAN("peer"),
	};

	(void)state;
	assert_device(&record, "Call@host;Tag");
	record.kind = BINDING_LINGERING;
	assert_device(&record, "Call@host;Tag");
}

static void a_subscription_is_its_event_as_well(void **state)
{
	struct record record = {
		.kind = BINDING_SUBSCRIPTION,
		.call_id = SPAN("call"),
		.device_tag = SPAN("tag"),
		.event = SPAN("presence.winfo"),
	};

	(void)state;
	assert_device(&record, "call;tag;presence.winfo");
	record.event_id = SPAN("7");
	assert_device(&record, "call;tag;presence.winfo;7");
}

static void several_devices_share_a_memory(void **state)
{
	char room[64];
	struct text memory = TEXT_OVER(room);
	struct record record = registration();
	struct span first, second;

	(void)state;
	record.instance = SPAN("<urn:a>");
	first = location_device(&record, &memory);
	record.instance = SPAN("<URN:B>");
	second = location_device(&record, &memory);
	assert_true(span_equal(first, SPAN("<urn:a>#1")));
	assert_true(span_equal(second, SPAN("<urn:b>#1")));
}

static void assert_absent(const struct record *record, char *room, size_t size)
{
	struct text memory = { .buffer = room, .size = size };

	assert_null(location_device(record, &memory).at);
}

static void what_does_not_fit_is_absent(void **state)
{
	static char long_text[LOCATION_TEXT_MAX + 1], room[2 * LOCATION_TEXT_MAX];
	struct text memory = TEXT_OVER(room);
	struct record record = registration();

	(void)state;
	assert_absent(&record, room, sizeof(INSTANCE "#1") - 1);
	record.instance = (struct span){ NULL, 0 };
	assert_absent(&record, room, 10);
	/* It fits, but not into the cluster. */
	memset(long_text, 'x', sizeof(long_text));
	record.target = (struct span){ long_text, sizeof(long_text) };
	assert_absent(&record, room, sizeof(room));
	record.target.length--;
	assert_int_equal(location_device(&record, &memory).length, LOCATION_TEXT_MAX);
	record.target = (struct span){ NULL, 0 };
	assert_absent(&record, room, sizeof(room));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_instance_counts_more_than_the_contact),
		cmocka_unit_test(trap_31_another_reg_id_is_another_device),
		cmocka_unit_test(case_does_not_count_in_an_instance),
		cmocka_unit_test(without_an_instance_the_contact_counts),
		cmocka_unit_test(a_dialog_is_its_call_and_the_tag_of_the_device),
		cmocka_unit_test(a_subscription_is_its_event_as_well),
		cmocka_unit_test(several_devices_share_a_memory),
		cmocka_unit_test(what_does_not_fit_is_absent),
	};

	return cmocka_run_group_tests_name("location", tests, NULL, NULL);
}
