/* SPDX-License-Identifier: GPL-2.0-or-later */
/* days_phones.c - registrations, subscriptions, moves and outages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "days_parts.h"

/* The first registrations come within this time. */
#define OPENING_NS MINUTE_NS

#define HUSH_NS (30 * MINUTE_NS)
#define HOUSEHOLD_MAX 6 /* phones behind one NAT */

#define REFUSED 401

static uint32_t number_of(const struct days *days, const struct phone *phone)
{
	return (uint32_t)(phone - days->phones);
}

/* A request and the server's answer, whose Contact has the lifetime that is granted. */
static void exchange(struct days *days, struct phone *phone, struct message *request,
		     unsigned int status, const char *to_tag)
{
	struct message response = *request;

	request->branch = ++days->branch;
	days_see(days, phone->mapping, true, request);
	response.branch = request->branch;
	response.status = status;
	response.to_tag = to_tag;
	days_see(days, phone->mapping, false, &response);
}

/* --- registrations --- */

static void send_register(struct days *days, struct phone *phone, unsigned int status,
			  unsigned int expires_s)
{
	struct message request = {
		.method = "REGISTER",
		.cseq = ++phone->register_cseq,
		.call_id = phone->name,
		.from = phone->name,
		.from_tag = "f",
		.to = phone->name,
		.contact = phone->name,
		.contact_expires = (int)expires_s,
	};

	exchange(days, phone, &request, status, "t");
	if (status == REFUSED)
		days->tally.refusals++;
	else
		phone->mapping->registered_until_ns = days->now_ns + expires_s * NS_PER_S;
}

static unsigned int lifetime_s(struct days *days, const struct phone *phone)
{
	return phone->is_short ? (unsigned int)days_between(days, 60, 3600)
			       : (unsigned int)days_between(days, 4 * 3600, 24 * 3600);
}

static void register_anew(struct days *days, struct phone *phone, unsigned int expires_s)
{
	if (days_chance(days, 10))
		send_register(days, phone, REFUSED, expires_s);
	send_register(days, phone, 200, expires_s);
	days->tally.registrations++;
}

static void remove_registration(struct days *days, struct phone *phone)
{
	send_register(days, phone, 200, 0);
	days->tally.removals++;
}

/* Refreshes mostly, sometimes after a lapse, and sometimes a phone removes itself for a while. */
static void on_registration(struct days *days, struct phone *phone)
{
	uint64_t lifetime_ns = lifetime_s(days, phone) * NS_PER_S;
	uint64_t next_ns = lifetime_ns * days_between(days, 50, 95) / 100;

	if (!phone->alive) {
		next_ns = days_between(days, 30, 120) * NS_PER_S;
	} else if (days_chance(days, 4) && phone->mapping->registered_until_ns > days->now_ns) {
		remove_registration(days, phone);
		next_ns = days_between(days, 10, 7200) * NS_PER_S;
	} else {
		register_anew(days, phone, (unsigned int)(lifetime_ns / NS_PER_S));
		if (days_chance(days, 5)) {
			days->tally.lapses++;
			next_ns = lifetime_ns + days_between(days, 1, 3600) * NS_PER_S;
		}
	}
	days_plan(days, next_ns, HAPPENS_REGISTRATION, number_of(days, phone));
}

/* --- subscriptions --- */

struct subscribing {
	char call_id[32], expires[64];
	struct message request;
};

static void write_subscribe(struct subscribing *subscribing, struct phone *phone,
			    unsigned int expires_s)
{
	snprintf(subscribing->call_id, sizeof(subscribing->call_id), "%s-s%u", phone->name,
		 phone->subscription);
	snprintf(subscribing->expires, sizeof(subscribing->expires),
		 "Event: message-summary\r\nExpires: %u\r\n", expires_s);
	subscribing->request = (struct message){
		.method = "SUBSCRIBE",
		.cseq = ++phone->subscribe_cseq,
		.call_id = subscribing->call_id,
		.from = phone->name,
		.from_tag = "s",
		.to = phone->name,
		.to_tag = phone->subscribe_cseq > 1 ? "n" : NULL,
		.contact = phone->name,
		.contact_expires = -1,
		.extra = subscribing->expires,
	};
}

static void subscribe(struct days *days, struct phone *phone, unsigned int expires_s)
{
	struct subscribing subscribing;

	write_subscribe(&subscribing, phone, expires_s);
	exchange(days, phone, &subscribing.request, 200, "n");
	phone->mapping->subscribed_until_ns = days->now_ns + expires_s * NS_PER_S;
	days->tally.subscriptions++;
}

/* The server ends the subscription; the next one has another Call-ID. */
static void terminate(struct days *days, struct phone *phone)
{
	struct subscribing subscribing;
	struct message notify;

	write_subscribe(&subscribing, phone, 0);
	notify = subscribing.request;
	notify.method = "NOTIFY";
	notify.branch = ++days->branch;
	notify.from_tag = "n";
	notify.to_tag = "s";
	notify.extra =
		"Event: message-summary\r\nSubscription-State: terminated;reason=timeout\r\n";
	days_see(days, phone->mapping, false, &notify);
	days_speak(days, phone->mapping); /* its 200, of which the programs report nothing */
	phone->mapping->subscribed_until_ns = days->now_ns;
	phone->subscription++;
	phone->subscribe_cseq = 0;
}

static void on_subscription(struct days *days, struct phone *phone)
{
	unsigned int expires_s = (unsigned int)days_between(days, 1800, 14400);
	uint64_t next_ns = expires_s * NS_PER_S * days_between(days, 50, 105) / 100;
	bool lives = phone->mapping->subscribed_until_ns > days->now_ns;

	if (!phone->alive) {
		next_ns = days_between(days, 30, 120) * NS_PER_S;
	} else if (lives && days_chance(days, 10)) {
		terminate(days, phone);
	} else if (lives && days_chance(days, 10)) {
		subscribe(days, phone, 0);
		phone->subscription++;
		phone->subscribe_cseq = 0;
	} else {
		subscribe(days, phone, expires_s);
	}
	days_plan(days, next_ns, HAPPENS_SUBSCRIPTION, number_of(days, phone));
}

/* --- moves, outages, masses --- */

/* The bindings stay on the former path until the phone renews them from the new one. */
static void move(struct days *days, struct phone *phone)
{
	struct mapping *before = phone->mapping;
	bool registered = before->registered_until_ns > days->now_ns;
	bool subscribed = before->subscribed_until_ns > days->now_ns;

	days_map(days, phone);
	days_chatter(days, phone, phone->talks_every_ns > 0);
	days->tally.moves++;
	if (!phone->alive)
		return;
	if (registered) {
		before->registered_until_ns = days->now_ns;
		register_anew(days, phone, lifetime_s(days, phone));
	}
	if (subscribed) {
		before->subscribed_until_ns = days->now_ns;
		subscribe(days, phone, (unsigned int)days_between(days, 1800, 14400));
	}
}

/* A NAT reboots, and with it the phones of a household have new mappings. */
static void on_move(struct days *days)
{
	uint64_t size = days_between(days, 1, HOUSEHOLD_MAX);
	uint64_t first = days_between(days, 0, days->options.phones - size);

	for (uint64_t i = 0; i < size; i++)
		if (days->phones[first + i].alive)
			move(days, &days->phones[first + i]);
	days_plan(days, days->options.move_every_ns, HAPPENS_MOVE, 0);
}

static void on_outage(struct days *days)
{
	uint32_t number = (uint32_t)days_between(days, 0, days->options.phones - 1);
	struct phone *phone = &days->phones[number];

	days_plan(days, days->options.outage_every_ns, HAPPENS_OUTAGE, 0);
	if (!phone->alive)
		return;
	days_chatter(days, phone, false);
	phone->alive = false;
	phone->mapping->alive = false;
	phone->mapping->answer_due_ns = CLOCK_NEVER;
	phone->mapping->side.excused = true;
	days->tally.outages++;
	days_plan(days, days_between(days, 300, 6 * 3600) * NS_PER_S, HAPPENS_REVIVAL, number);
}

/* It comes back on its former mapping, or on a new one, and says nothing before it wants to. */
static void on_revival(struct days *days, struct phone *phone)
{
	phone->alive = true;
	phone->mapping->alive = true;
	if (days_chance(days, 50))
		move(days, phone);
	else
		days_chatter(days, phone, phone->talks_every_ns > 0);
}

/* An office's phones speak at one moment, and then are quiet. */
static void on_hush(struct days *days)
{
	uint32_t count = days->options.hush_phones;
	uint32_t first = (uint32_t)days_between(days, 0, days->options.phones - count);

	days->tally.hushes++;
	for (uint32_t i = first; i < first + count; i++) {
		struct phone *phone = &days->phones[i];

		if (!phone->alive)
			continue;
		days_speak(days, phone->mapping);
		days_chatter(days, phone, false);
		if (phone->talks_every_ns > 0)
			days_plan(days, HUSH_NS, HAPPENS_CHATTER, i);
	}
	days_plan(days, days->options.hush_every_ns, HAPPENS_HUSH, 0);
}

void days_phone_happens(struct days *days, enum happening kind, uint32_t subject)
{
	struct phone *phone = &days->phones[subject];

	switch (kind) {
	case HAPPENS_REGISTRATION:
		on_registration(days, phone);
		break;
	case HAPPENS_SUBSCRIPTION:
		on_subscription(days, phone);
		break;
	case HAPPENS_REVIVAL:
		on_revival(days, phone);
		break;
	case HAPPENS_CHATTER:
		if (phone->alive)
			days_chatter(days, phone, true);
		break;
	case HAPPENS_MOVE:
		on_move(days);
		break;
	case HAPPENS_OUTAGE:
		on_outage(days);
		break;
	case HAPPENS_HUSH:
		on_hush(days);
		break;
	default:
		fail_msg("no phone knows of this");
	}
}

/* --- the beginning --- */

static void make_phone(struct days *days, uint32_t number)
{
	const struct days_options *options = &days->options;
	struct phone *phone = &days->phones[number];
	uint64_t threshold_ns;

	snprintf(phone->name, sizeof(phone->name), "p%" PRIu32, number);
	phone->alive = true;
	phone->is_mobile = number < options->mobile;
	phone->is_guest = number >= options->phones - options->guests;
	phone->is_short = days_chance(days, options->short_percent);
	threshold_ns = phone->is_mobile ? options->mobile_threshold_ns : options->threshold_ns;
	if (days_chance(days, options->talkers_percent))
		phone->talks_every_ns =
			days_between(days, threshold_ns / 4, threshold_ns - NS_PER_S);
	days_map(days, phone);
	days_chatter(days, phone, phone->talks_every_ns > 0);
	if (phone->is_guest)
		return;
	days_plan(days, days_between(days, 0, OPENING_NS), HAPPENS_REGISTRATION, number);
	if (days_chance(days, options->subscribers_percent))
		days_plan(days, days_between(days, OPENING_NS, HOUR_NS), HAPPENS_SUBSCRIPTION,
			  number);
}

void days_make_phones(struct days *days)
{
	days->phones = calloc(days->options.phones, sizeof(*days->phones));
	assert_non_null(days->phones);
	for (uint32_t i = 0; i < days->options.phones; i++)
		make_phone(days, i);
}
