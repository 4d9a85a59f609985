/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the reader says of subscriptions, sessions and callers: headers that may be missing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>

#include "reader_world.h"
#include "sighting.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define METHOD(name) name " sip:b@c SIP/2.0\r\n" VIA FROM TO CALL_ID "CSeq: 1 " name "\r\n"

static void read_with(const char *message, const char *headers)
{
	char buffer[1024];
	struct text text = TEXT_OVER(buffer);

	text_format(&text, "%s%s\r\n\r\n", message, headers);
	assert_false(text.overflow);
	read_message(text_span(&text));
}

static void assert_optional(struct span span, const char *expected)
{
	if (expected)
		assert_span(span, expected);
	else
		assert_absent(span);
}

static void what_is_not_there_is_unstated(void **state)
{
	(void)state;
	/* What was read before must not show. */
	read_with(METHOD("NOTIFY"), "Event: a;id=1\r\nSubscription-State: terminated;expires=1\r\n"
				    "Session-Expires: 90;refresher=uas");
	assert_int_equal(facts.subscription_expires, 1);
	read_message(SPAN(REQUEST NEEDED END));
	assert_absent(facts.event);
	assert_absent(facts.event_id);
	assert_absent(facts.from_aor);
	assert_int_equal(facts.subscription_state, SUBSCRIPTION_UNSTATED);
	assert_true(facts.subscription_expires == FACTS_UNSTATED);
	assert_true(facts.session_expires == FACTS_UNSTATED);
	assert_int_equal(facts.refresher, REFRESHER_UNSTATED);
}

/* The 486 that ends a call matters whatever it says of Contacts. */
static void a_bad_contact_costs_a_register_alone_all_of_it(void **state)
{
	static const char *const contacts[] = {
		"Contact:",
		"Contact: <sip:b@>",
		"Contact: <sip:a@b>, <sip:c@d",
		"Contact: *, <sip:a@b>",
		"Contact: <sip:a@b>;expires=1;expires=2",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(contacts); i++) {
		char buffer[1024];
		struct text text = TEXT_OVER(buffer);

		read_with("SIP/2.0 486 Busy\r\n" VIA FROM TO CALL_ID "CSeq: 1 INVITE\r\n",
			  contacts[i]);
		assert_int_equal(facts.status, 486);
		assert_int_equal(facts.contact_count, 0);
		assert_false(facts.contact_star);
		text_format(&text, "%s%s\r\n\r\n", METHOD("REGISTER"), contacts[i]);
		assert_int_equal(sip_reader_read(reader, text_span(&text), &facts), -EBADMSG);
	}
}

static void trap_33_an_event_is_a_package_and_an_id(void **state)
{
	static const struct {
		const char *header, *package, *id;
	} events[] = {
		{ "Event: presence", "presence", NULL },
		{ "EVENT:\r\n Presence.winfo ;\r\n x=y ; ID = \"a;b\"", "Presence.winfo", "a;b" },
		{ "o: message-summary;id=7", "message-summary", "7" },
		{ "o:dialog;id", "dialog", NULL },
		{ "Event: dialog;id=", "dialog", NULL },
		{ "Event: dialog;sla;id=1;", "dialog", "1" },
		{ "Event: dialog;id=1;id=2", NULL, NULL },
		{ "Event: dialog;id=\"1", NULL, NULL },
		{ "Event: dialog, presence", NULL, NULL },
		{ "Event: two words", NULL, NULL },
		{ "Event: ;id=1", NULL, NULL },
		{ "Event:", NULL, NULL },
		{ "Event: dialog;id=1\r\no: dialog;id=1", NULL, NULL },
		{ "Event: \"\r\no: dialog;id=1", NULL, NULL },
		{ "Event: a\r\no: b\r\nEvent: c", NULL, NULL },
		{ "Allow-Events: dialog\r\nEvents: dialog\r\nu: dialog", NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(events); i++) {
		read_with(METHOD("SUBSCRIBE"), events[i].header);
		assert_optional(facts.event, events[i].package);
		assert_optional(facts.event_id, events[i].id);
	}
}

static void trap_33_a_notify_tells_the_state(void **state)
{
	static const struct {
		const char *header;
		enum subscription_state state;
		uint32_t expires;
	} states[] = {
		{ "active", SUBSCRIPTION_LIVE, FACTS_UNSTATED },
		{ "ACTIVE;expires=599", SUBSCRIPTION_LIVE, 599 },
		{ "pending ; Expires = \"0\"", SUBSCRIPTION_LIVE, 0 },
		{ "dormant;expires=1", SUBSCRIPTION_LIVE, 1 },
		{ "terminated", SUBSCRIPTION_TERMINATED, FACTS_UNSTATED },
		{ "Terminated\r\n ;reason=timeout;expires=4294967294", SUBSCRIPTION_TERMINATED,
		  4294967294 },
		{ "active;expires=4294967295", SUBSCRIPTION_LIVE, FACTS_UNSTATED },
		{ "active;expires=soon", SUBSCRIPTION_LIVE, FACTS_UNSTATED },
		{ "active;expires=-1", SUBSCRIPTION_LIVE, FACTS_UNSTATED },
		{ "active;expires=1;expires=2", SUBSCRIPTION_LIVE, FACTS_UNSTATED },
		{ "terminated;reason=\"", SUBSCRIPTION_TERMINATED, FACTS_UNSTATED },
		{ "terminated terminated", SUBSCRIPTION_UNSTATED, FACTS_UNSTATED },
		{ ";expires=1", SUBSCRIPTION_UNSTATED, FACTS_UNSTATED },
		{ "", SUBSCRIPTION_UNSTATED, FACTS_UNSTATED },
		{ "terminated\r\nSubscription-State: active;expires=9", SUBSCRIPTION_UNSTATED,
		  FACTS_UNSTATED },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(states); i++) {
		char header[256];
		struct text text = TEXT_OVER(header);

		text_format(&text, "Subscription-state: %s", states[i].header);
		read_with(METHOD("NOTIFY"), header);
		assert_int_equal(facts.subscription_state, states[i].state);
		assert_int_equal(facts.subscription_expires, states[i].expires);
	}
}

static void trap_35_a_session_states_its_timer(void **state)
{
	static const struct {
		const char *header;
		uint32_t expires;
		enum session_refresher refresher;
	} sessions[] = {
		{ "Session-Expires: 1800", 1800, REFRESHER_UNSTATED },
		{ "Session-Expires: 1800;refresher=uac", 1800, REFRESHER_UAC },
		{ "x: 90 ; Refresher = UAS", 90, REFRESHER_UAS },
		{ "x:\r\n 0089;lr;refresher=\"uac\"", 89, REFRESHER_UAC },
		{ "x: 0", 0, REFRESHER_UNSTATED },
		{ "x: 4294967294", 4294967294, REFRESHER_UNSTATED },
		{ "x: 4294967295;refresher=uac", FACTS_UNSTATED, REFRESHER_UNSTATED },
		{ "x: 99999999999999999999", FACTS_UNSTATED, REFRESHER_UNSTATED },
		{ "x: -1;refresher=uac", FACTS_UNSTATED, REFRESHER_UNSTATED },
		{ "x: 1800s;refresher=uac", FACTS_UNSTATED, REFRESHER_UNSTATED },
		{ "x: ;refresher=uac", FACTS_UNSTATED, REFRESHER_UNSTATED },
		{ "x: 1800;refresher=me", 1800, REFRESHER_UNSTATED },
		{ "x: 1800;refresher=uac;refresher=uas", 1800, REFRESHER_UNSTATED },
		{ "x: 1800;refresher=uac\r\nSession-Expires: 90", FACTS_UNSTATED,
		  REFRESHER_UNSTATED },
		{ "Min-SE: 90\r\nSession-Expire: 90", FACTS_UNSTATED, REFRESHER_UNSTATED },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(sessions); i++) {
		read_with(METHOD("INVITE"), sessions[i].header);
		assert_int_equal(facts.session_expires, sessions[i].expires);
		assert_int_equal(facts.refresher, sessions[i].refresher);
		read_with(ANSWER VIA FROM TO CALL_ID "CSeq: 1 UPDATE\r\n", sessions[i].header);
		assert_int_equal(facts.session_expires, sessions[i].expires);
	}
}

/* An unfinished header may say the contrary of what it will have said. */
static void trap_41_a_cut_header_refines_nothing(void **state)
{
	(void)state;
	read_message(SPAN(METHOD("INVITE") "Session-Expires: 1800"));
	assert_true(facts.session_expires == FACTS_UNSTATED);
	read_message(SPAN(METHOD("INVITE") "Session-Expires: 1800\r\nEvent: dia"));
	assert_int_equal(facts.session_expires, 1800);
	assert_absent(facts.event);
}

static void a_caller_is_told_by_its_aor(void **state)
{
	static const struct {
		const char *from, *aor;
	} callers[] = {
		{ "\"A\" <SIP:Alice:x@EXAMPLE.com:05070;user=phone>;tag=f",
		  "sip:Alice@example.com" },
		{ "sip:al%69ce@example.com;tag=f", "sip:alice@example.com" },
		{ "<tel:+15551234;phone-context=x>;tag=f", "tel:+15551234" },
		{ "<sip:a@b c>;tag=f", NULL },
		{ "<x:>;tag=f", NULL },
		{ "<>;tag=f", NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(callers); i++) {
		char from[256];
		struct text text = TEXT_OVER(from);

		text_format(&text, "f: %s", callers[i].from);
		read_with("INVITE sip:b@c SIP/2.0\r\n" VIA TO CALL_ID "CSeq: 1 INVITE\r\n", from);
		assert_optional(facts.from_aor, callers[i].aor);
		assert_span(facts.from_tag, "f");
		assert_span(facts.aor, "sip:alice@example.com");
		read_with(ANSWER VIA TO CALL_ID "CSeq: 1 BYE\r\n", from);
		assert_optional(facts.from_aor, callers[i].aor);
	}
}

static void a_register_is_about_to_alone(void **state)
{
	(void)state;
	read_message(SPAN(REQUEST NEEDED END));
	assert_absent(facts.from_aor);
	read_message(SPAN(ANSWER NEEDED END));
	assert_absent(facts.from_aor);
	assert_span(facts.from_tag, "from1");
}

static void a_request_inside_of_a_dialog_has_both_tags(void **state)
{
	(void)state;
	read_message(SPAN("BYE sip:b@c SIP/2.0\r\n" VIA FROM
			  "To: <sip:bob@example.com>;tag=to1\r\n" CALL_ID "CSeq: 9 BYE\r\n" END));
	assert_span(facts.from_tag, "from1");
	assert_span(facts.to_tag, "to1");
	assert_span(facts.from_aor, "sip:alice@example.com");
	assert_span(facts.aor, "sip:bob@example.com");
}

static void the_topmost_via_tells_the_port(void **state)
{
	static const struct {
		const char *sent_by, *host;
		uint16_t port;
	} vias[] = {
		{ "10.0.0.5:5062", "10.0.0.5", 5062 },
		{ "10.0.0.5", "10.0.0.5", 0 },
		{ "10.0.0.5:0", "10.0.0.5", 0 },
		{ "phone.local : 065535", "phone.local", 65535 },
		{ "[2001:db8::1]:5061", "2001:db8::1", 5061 },
		{ "[2001:db8::1]", "2001:db8::1", 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(vias); i++) {
		char via[256];
		struct text text = TEXT_OVER(via);

		text_format(&text, "Via: SIP/2.0/UDP %s;rport=9, SIP/2.0/UDP x:7", vias[i].sent_by);
		read_with(REQUEST FROM TO CALL_ID CSEQ, via);
		assert_span(facts.sent_by, vias[i].host);
		assert_int_equal(facts.sent_by_port, vias[i].port);
	}
}

/* Facts take the most room where a message is nearly all From and To. */
static void the_longest_from_and_to_fit(void **state)
{
	char message[SIGHTING_CAPTURE_MAX + 1];
	struct text text = TEXT_OVER(message);
	size_t half;

	(void)state;
	text_add(&text, SPAN("BYE sip:b@c SIP/2.0\r\nv:SIP/2.0/UDP a\r\ni:1\r\nCSeq:1 BYE\r\n"));
	half = (sizeof(message) - text.used) / 2;
	for (int i = 0; i < 2; i++) {
		size_t user;

		text_add(&text, i == 0 ? SPAN("f:sip:") : SPAN("t:sip:"));
		user = half - strlen("f:sip:@H\r\n") - 1;
		memset(message + text.used, 'u', user);
		text.used += user;
		text_add(&text, SPAN("@H\r\n"));
	}
	text_add(&text, SPAN(END));
	assert_false(text.overflow);
	read_message(text_span(&text));
	assert_false(facts.incomplete);
	assert_int_equal(facts.from_aor.length, facts.aor.length);
	assert_int_equal(facts.aor.length, half - strlen("f:\r\n") - 1);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(what_is_not_there_is_unstated),
		TEST(a_bad_contact_costs_a_register_alone_all_of_it),
		TEST(trap_33_an_event_is_a_package_and_an_id),
		TEST(trap_33_a_notify_tells_the_state),
		TEST(trap_35_a_session_states_its_timer),
		TEST(trap_41_a_cut_header_refines_nothing),
		TEST(a_caller_is_told_by_its_aor),
		TEST(a_register_is_about_to_alone),
		TEST(a_request_inside_of_a_dialog_has_both_tags),
		TEST(the_topmost_via_tells_the_port),
		TEST(the_longest_from_and_to_fit),
	};

	return cmocka_run_group_tests_name("reader_refinement", tests, NULL, NULL);
}
