/* SPDX-License-Identifier: GPL-2.0-or-later */
/* days_network.c - the NATs' mappings, what goes through them, and the kernel that sees it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "days_parts.h"

/* Ports and the low half of the remote address number a mapping. */
#define PORT_FIRST 10000
#define PORTS 50000

/* A message that the agent has not read yet. */
struct backlog {
	struct flow flow;
	uint64_t when_ns;
	bool from_device;
	char text[MESSAGE_MAX];
};

static struct days *days; /* the world that is on */

/* --- mappings, and what goes through them --- */

static struct mapping *mapping_of(const struct flow *flow)
{
	const uint8_t *low = &flow->remote_addr[14];
	size_t index = (size_t)(low[0] << 8 | low[1]) * PORTS + flow->remote_port - PORT_FIRST;

	assert_true(index < days->mapping_count);
	return &days->mappings[index];
}

static void write_flow(struct flow *flow, uint32_t index, bool is_mobile)
{
	*flow = (struct flow){
		.local_addr = { [10] = 0xff, [11] = 0xff, [12] = 192, 0, 2, 10 },
		.remote_addr = { [10] = 0xff, [11] = 0xff, [12] = 198, 18 },
		.local_port = 5060,
		.remote_port = (uint16_t)(PORT_FIRST + index % PORTS),
		.transport = FLOW_UDP,
	};
	if (is_mobile) {
		flow->remote_addr[12] = 100;
		flow->remote_addr[13] = 64;
	}
	flow->remote_addr[14] = (uint8_t)(index / PORTS >> 8);
	flow->remote_addr[15] = (uint8_t)(index / PORTS);
}

void days_map(struct days *d, struct phone *phone)
{
	struct mapping *before = phone->mapping;
	struct mapping *mapping = &d->mappings[d->mapping_count];

	assert_true(d->mapping_count < DAYS_MAPPINGS_MAX);
	write_flow(&mapping->flow, d->mapping_count++, phone->is_mobile);
	mapping->side.threshold_ns =
		phone->is_mobile ? d->options.mobile_threshold_ns : d->options.threshold_ns;
	mapping->side.rtt_ns = days_between(d, 5, 800) * NS_PER_MS;
	mapping->side.heard_ns = d->now_ns;
	mapping->answer_due_ns = CLOCK_NEVER;
	mapping->alive = phone->alive;
	phone->mapping = mapping;
	if (!before)
		return;
	days_settle(d, before);
	before->alive = false;
	before->talks_every_ns = 0;
	before->answer_due_ns = CLOCK_NEVER;
	before->side.excused = true;
}

uint64_t days_bound_until(const struct mapping *mapping)
{
	uint64_t until_ns = mapping->registered_until_ns > mapping->subscribed_until_ns
				    ? mapping->registered_until_ns
				    : mapping->subscribed_until_ns;

	for (size_t i = 0; i < LEGS_MAX; i++)
		if (mapping->legs[i].ends_ns > until_ns)
			until_ns = mapping->legs[i].ends_ns;
	return until_ns;
}

static bool is_deaf_at(uint64_t when_ns)
{
	return when_ns >= days->deaf_from_ns && when_ns < days->deaf_until_ns;
}

static void hear(struct mapping *mapping, uint64_t when_ns)
{
	if (when_ns > mapping->side.heard_ns)
		account_heard(&days->account, &mapping->side, days_bound_until(mapping), when_ns);
}

/* The first of what the phone says by itself that is later than this. */
static uint64_t chatter_after(const struct mapping *mapping, uint64_t when_ns)
{
	uint64_t every_ns = mapping->talks_every_ns;

	if (when_ns < mapping->talks_from_ns)
		return mapping->talks_from_ns;
	return when_ns + every_ns - (when_ns - mapping->talks_from_ns) % every_ns;
}

/* What the phone has said by itself up to now. */
static void roll_chatter(struct mapping *mapping, uint64_t now_ns)
{
	uint64_t every_ns = mapping->talks_every_ns, first_ns, latest_ns;

	if (every_ns == 0)
		return;
	first_ns = chatter_after(mapping, mapping->side.heard_ns);
	if (is_deaf_at(first_ns))
		first_ns = chatter_after(mapping, days->deaf_until_ns - 1);
	if (first_ns > now_ns)
		return;
	hear(mapping, first_ns);
	latest_ns = now_ns - (now_ns - first_ns) % every_ns;
	if (latest_ns > first_ns) /* and these are never further apart than every_ns */
		mapping->side.heard_ns = latest_ns;
}

void days_settle(struct days *d, struct mapping *mapping)
{
	uint64_t answer_ns = mapping->answer_due_ns;

	if (answer_ns <= d->now_ns) {
		roll_chatter(mapping, answer_ns);
		hear(mapping, answer_ns);
		mapping->answer_due_ns = CLOCK_NEVER;
		seam_stamp_answer(&mapping->entry, mapping->answer_token, 200, answer_ns);
	}
	roll_chatter(mapping, d->now_ns);
}

void days_speak(struct days *d, struct mapping *mapping)
{
	days_settle(d, mapping);
	hear(mapping, d->now_ns);
}

void days_chatter(struct days *d, struct phone *phone, bool talks)
{
	struct mapping *mapping = phone->mapping;

	days_settle(d, mapping);
	mapping->talks_every_ns = talks ? phone->talks_every_ns : 0;
	mapping->talks_from_ns = d->now_ns + days_between(d, 0, phone->talks_every_ns);
}

/* --- in place of the kernel and the network --- */

static int read_entry(const struct flow *flow, struct path_entry *entry)
{
	struct mapping *mapping = mapping_of(flow);
	uint64_t stamp_ns;

	if (!mapping->present)
		return -ENOENT;
	days_settle(days, mapping);
	stamp_ns = seam_coarse_ns(mapping->side.heard_ns);
	if (stamp_ns > mapping->entry.last_seen_ns)
		mapping->entry.last_seen_ns = stamp_ns;
	*entry = mapping->entry;
	return 0;
}

static int insert_entry(const struct flow *flow, uint64_t last_seen_ns)
{
	struct mapping *mapping = mapping_of(flow);

	if (!mapping->present)
		mapping->entry = (struct path_entry){ .last_seen_ns = last_seen_ns };
	mapping->present = true;
	return 0;
}

static int erase_entry(const struct flow *flow)
{
	mapping_of(flow)->present = false;
	return 0;
}

static void erase_all(void)
{
	for (uint32_t i = 0; i < days->mapping_count; i++)
		days->mappings[i].present = false;
}

static int flow_last_seen(const struct flow *flow, uint64_t *last_seen_ns)
{
	struct mapping *mapping = mapping_of(flow);

	days_settle(days, mapping);
	*last_seen_ns = seam_coarse_ns(mapping->side.heard_ns);
	return 0;
}

static bool holds(const struct flow *flow)
{
	(void)flow;
	return true;
}

static bool is_lost(void)
{
	return days_between(days, 1, 1000) <= days->options.loss_permille;
}

static int send_prompt(const struct flow *flow, uint64_t token)
{
	struct mapping *mapping = mapping_of(flow);

	days_settle(days, mapping);
	account_send(&days->account, &mapping->side, token,
		     days_bound_until(mapping) > days->now_ns, days->now_ns);
	if (!mapping->present)
		account_breach(&days->account, BREACH_unopened, days->now_ns);
	seam_stamp_prompt(&mapping->entry, token, days->now_ns);
	if (!mapping->alive)
		return 0;
	if (is_lost() || is_lost()) {
		account_lose(&days->account, &mapping->side);
	} else if (mapping->answer_due_ns == CLOCK_NEVER) {
		mapping->answer_due_ns = days->now_ns + mapping->side.rtt_ns;
		mapping->answer_token = token;
	}
	return 0;
}

static void flush(void)
{
}

static const struct seam seam = {
	.read = read_entry,
	.insert = insert_entry,
	.erase = erase_entry,
	.erase_all = erase_all,
	.flow_last_seen = flow_last_seen,
	.holds = holds,
	.send = send_prompt,
	.flush = flush,
};

/* --- what the agent is told --- */

static void keep_for_later(const struct mapping *mapping, bool from_device, const char *text)
{
	struct backlog *backlog = days->backlog;

	if (days->backlog_count == days->backlog_room) {
		days->backlog_room = 2 * days->backlog_room + 64;
		backlog = realloc(backlog, days->backlog_room * sizeof(*backlog));
		assert_non_null(backlog);
		days->backlog = backlog;
	}
	backlog += days->backlog_count++;
	backlog->flow = mapping->flow;
	backlog->when_ns = days->now_ns;
	backlog->from_device = from_device;
	strcpy(backlog->text, text);
}

static void tell(const struct mapping *mapping, bool from_device, const char *text)
{
	days->tally.messages++;
	if (days->now_ns < days->stalled_until_ns)
		keep_for_later(mapping, from_device, text);
	else
		seam_see(days->pipeline, &mapping->flow, days->now_ns, from_device, text);
}

void days_see(struct days *d, struct mapping *mapping, bool from_device,
	      const struct message *message)
{
	char text[MESSAGE_MAX];

	message_write(message, text);
	if (from_device)
		days_speak(d, mapping);
	tell(mapping, from_device, text);
	if (!days_chance(d, 2))
		return;
	d->tally.duplicates++;
	tell(mapping, from_device, text);
}

void days_read_backlog(struct days *d)
{
	for (size_t i = 0; i < d->backlog_count; i++) {
		const struct backlog *backlog = &d->backlog[i];

		seam_see(d->pipeline, &backlog->flow, backlog->when_ns, backlog->from_device,
			 backlog->text);
	}
	d->backlog_count = 0;
}

void days_connect(struct days *d)
{
	days = d;
	seam_set(d ? &seam : NULL);
}
