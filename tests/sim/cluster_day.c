/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>

#include "cluster_day_parts.h"
#include "messages.h"
#include "path_entry.h"

/*
 * After so long all that was reported must have been answered: a report says when it was sent, so
 * none may be under way for longer than put.lua takes for a clock that was stepped.
 */
#define STEP_NS (500 * NS_PER_MS)

#define ROUND_TRIP_NS (20 * NS_PER_MS)

#define CALL_MAX_NS (20 * CLUSTER_DAY_MINUTE)

/* Of the devices whose node has died, so many notice within this time; others with the next REGISTER. */
#define NOTICE_PERCENT 70
#define NOTICE_MIN_NS CLUSTER_DAY_MINUTE
#define NOTICE_MAX_NS (5 * CLUSTER_DAY_MINUTE)

/* Far from the true time: what depended on that would show. */
#define AHEAD_MS (UINT64_C(48) * 3600 * 1000)

/* So simulated time goes on, if only by a little, while real time is waited for. */
#define CLOCK_TICK_S 0.05

enum happening { REGISTERS, HANGS_UP, ANSWERS };

/* splitmix64 */
uint64_t cluster_day_random(struct cluster_day *day, uint64_t limit)
{
	uint64_t value = day->random += UINT64_C(0x9e3779b97f4a7c15);

	value = (value ^ (value >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	value = (value ^ (value >> 27)) * UINT64_C(0x94d049bb133111eb);
	return (value ^ (value >> 31)) % limit;
}

bool cluster_day_chance(struct cluster_day *day, unsigned int percent)
{
	return cluster_day_random(day, 100) < percent;
}

uint64_t cluster_day_ms(const struct cluster_day *day)
{
	return day->epoch_ms + day->now_ns / NS_PER_MS;
}

struct flow cluster_day_flow(size_t node, size_t phone)
{
	return (struct flow){
		.local_addr = { [10] = 0xff, [11] = 0xff, [12] = 192, 0, 2, (__u8)(node + 1) },
		.remote_addr = { [10] = 0xff, [11] = 0xff, [12] = 198, 51, 100, 7 },
		.local_port = 5060,
		.remote_port = (__u16)(CLUSTER_DAY_FIRST_PORT + phone),
		.transport = FLOW_UDP,
	};
}

size_t cluster_day_phone_of(const struct cluster_day *day, const struct flow *flow)
{
	size_t phone = (size_t)flow->remote_port - CLUSTER_DAY_FIRST_PORT;

	assert_true(phone < day->phone_count);
	return phone;
}

static void write_user(unsigned int device, char out[16])
{
	snprintf(out, 16, "+4930%07u", device);
}

void cluster_day_write_aor(unsigned int device, char out[40])
{
	char user[16];

	write_user(device, user);
	snprintf(out, 40, "sip:%s@example.com", user);
}

static void plan(struct cluster_day *day, uint64_t in_ns, enum happening kind, uint32_t subject)
{
	agenda_add(&day->agenda, day->now_ns + in_ns, kind, subject);
}

/* --- what devices do --- */

static void tell(struct cluster_day *day, size_t node, size_t phone, struct message *message)
{
	char text[MESSAGE_MAX];

	message->branch = ++day->branch;
	message_write(message, text);
	cluster_day_see(day, node, phone, true, text);
	message->status = 200;
	message->to_tag = "server";
	message_write(message, text);
	cluster_day_see(day, node, phone, false, text);
}

static void send_register(struct cluster_day *day, size_t index)
{
	struct cluster_day_phone *phone = &day->phones[index];
	char user[16], call_id[40], extra[300], instance[120] = "";
	struct message message = { .method = "REGISTER", .contact_expires = -1, .extra = extra };

	write_user(phone->device, user);
	snprintf(call_id, sizeof(call_id), "r%zu@192.168.0.9", index);
	if (phone->has_instance)
		snprintf(instance, sizeof(instance),
			 ";+sip.instance=\"<urn:uuid:00000000-0000-4000-8000-%012x>\";reg-id=%u",
			 phone->device, phone->reg_id);
	snprintf(extra, sizeof(extra), "Contact: <sip:%s@192.168.0.9:%u>;expires=%u%s\r\n", user,
		 5060 + phone->reg_id, day->options.expires_s, instance);
	message.call_id = call_id;
	message.cseq = ++phone->register_cseq;
	message.from = message.to = user;
	message.from_tag = "device";
	tell(day, phone->node, index, &message);
}

/* In a call of the device's own: what it says of the call begins or ends it. */
static void send_in_call(struct cluster_day *day, size_t index, const char *method,
			 unsigned int cseq)
{
	struct cluster_day_phone *phone = &day->phones[index];
	char user[16], call_id[40];
	struct message message = { .method = method, .cseq = cseq, .contact_expires = -1 };

	write_user(phone->device, user);
	snprintf(call_id, sizeof(call_id), "c%zu.%u@192.168.0.9", index, phone->call_number);
	message.call_id = call_id;
	message.from = message.contact = user;
	message.from_tag = "device";
	message.to = "someone";
	message.to_tag = cseq > 1 ? "server" : NULL;
	tell(day, phone->call_node, index, &message);
}

static void begin_call(struct cluster_day *day, size_t index)
{
	struct cluster_day_phone *phone = &day->phones[index];

	phone->call_node = phone->node;
	phone->call_number++;
	day->calls++;
	send_in_call(day, index, "INVITE", 1);
	plan(day, cluster_day_random(day, CALL_MAX_NS), HANGS_UP, (uint32_t)index);
}

static void hang_up(struct cluster_day *day, size_t index)
{
	struct cluster_day_phone *phone = &day->phones[index];

	/* Nobody is told of the end of a call whose node has died. */
	if (!day->nodes[phone->call_node].is_dead)
		send_in_call(day, index, "BYE", 2);
	phone->call_node = CLUSTER_DAY_NOWHERE;
}

size_t cluster_day_any_node(struct cluster_day *day)
{
	size_t node;

	do
		node = (size_t)cluster_day_random(day, CLUSTER_DAY_NODES);
	while (day->nodes[node].is_dead);
	return node;
}

static size_t other_node(struct cluster_day *day, const struct cluster_day_phone *phone)
{
	size_t node;

	do
		node = cluster_day_any_node(day);
	while (node == phone->node ||
	       (phone->sibling != CLUSTER_DAY_NOWHERE && node == day->phones[phone->sibling].node));
	return node;
}

static void plan_register(struct cluster_day *day, size_t index, uint64_t in_ns)
{
	struct cluster_day_phone *phone = &day->phones[index];

	phone->turn++;
	plan(day, in_ns, REGISTERS, (uint32_t)index + (phone->turn << 16));
}

/* A device renews between 80 % and 100 % of the time that it has for it. */
static uint64_t renew_in_ns(struct cluster_day *day)
{
	uint64_t renew_ns = day->options.renew_s * NS_PER_S;

	return renew_ns - cluster_day_random(day, renew_ns / 5);
}

static void register_phone(struct cluster_day *day, size_t index)
{
	struct cluster_day_phone *phone = &day->phones[index];

	if (phone->node == CLUSTER_DAY_NOWHERE || day->nodes[phone->node].is_dead ||
	    cluster_day_chance(day, day->options.elsewhere_percent)) {
		day->moves += phone->node != CLUSTER_DAY_NOWHERE;
		phone->node = other_node(day, phone);
	}
	phone->registered_ns = day->now_ns;
	day->registers++;
	send_register(day, index);
	plan_register(day, index, renew_in_ns(day));
	if (phone->call_node == CLUSTER_DAY_NOWHERE &&
	    cluster_day_chance(day, day->options.call_percent))
		begin_call(day, index);
}

void cluster_day_desert(struct cluster_day *day, size_t node)
{
	for (size_t i = 0; i < day->phone_count; i++)
		if (day->phones[i].node == node && cluster_day_chance(day, NOTICE_PERCENT))
			plan_register(day, i,
				      NOTICE_MIN_NS + cluster_day_random(
							      day, NOTICE_MAX_NS - NOTICE_MIN_NS));
}

void cluster_day_prompt(struct cluster_day *day, size_t node, size_t index)
{
	const struct cluster_day_phone *phone = &day->phones[index];

	if (phone->node == node || phone->call_node == node)
		plan(day, ROUND_TRIP_NS, ANSWERS, (uint32_t)(index * CLUSTER_DAY_NODES + node));
}

static void happen(struct cluster_day *day, const struct agenda_item *item)
{
	size_t phone = item->subject & 0xffff;

	switch ((enum happening)item->kind) {
	case REGISTERS:
		if ((uint16_t)day->phones[phone].turn == item->subject >> 16)
			register_phone(day, phone);
		break;
	case HANGS_UP:
		hang_up(day, item->subject);
		break;
	case ANSWERS:
		cluster_day_answer_prompt(day, item->subject % CLUSTER_DAY_NODES,
					  item->subject / CLUSTER_DAY_NODES);
		break;
	}
}

/* --- time --- */

static void run_step(struct cluster_day *day, uint64_t end_ns)
{
	for (;;) {
		uint64_t next_ns = cluster_day_turn(day);

		if (agenda_next_ns(&day->agenda) < next_ns)
			next_ns = agenda_next_ns(&day->agenda);
		if (next_ns > end_ns)
			break;
		if (next_ns > day->now_ns)
			day->now_ns = next_ns;
		while (agenda_next_ns(&day->agenda) <= day->now_ns) {
			struct agenda_item item = agenda_take(&day->agenda);

			happen(day, &item);
		}
	}
	if (day->now_ns < end_ns)
		day->now_ns = end_ns;
}

static bool is_answered(struct cluster_day *day)
{
	return cluster_day_is_answered(day, false);
}

void cluster_day_run(struct cluster_day *day, uint64_t duration_ns)
{
	uint64_t end_ns = day->now_ns + duration_ns, step_ns;

	while (day->now_ns < end_ns) {
		step_ns = end_ns - day->now_ns < STEP_NS ? end_ns - day->now_ns : STEP_NS;
		run_step(day, day->now_ns + step_ns);
		if (day->redis_is_gone)
			ev_run(day->loop, EVRUN_NOWAIT);
		else if (!is_answered(day))
			assert_true(cluster_day_wait(day, is_answered));
	}
}

static void tick(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct cluster_day *day = timer->data;

	(void)loop;
	(void)events;
	day->now_ns += NS_PER_MS;
}

static bool has_followed(struct cluster_day *day)
{
	return day->has_followed && is_answered(day);
}

/* --- beginning and end --- */

static size_t add_phone(struct cluster_day *day, unsigned int device, unsigned int reg_id)
{
	day->phones[day->phone_count] = (struct cluster_day_phone){
		.device = device,
		.reg_id = reg_id,
		.node = CLUSTER_DAY_NOWHERE,
		.call_node = CLUSTER_DAY_NOWHERE,
		.sibling = CLUSTER_DAY_NOWHERE,
	};
	return day->phone_count++;
}

/* A third of the devices know nothing of RFC 5626. */
static void add_device(struct cluster_day *day, unsigned int device)
{
	size_t first = add_phone(day, device, 1), second;

	day->phones[first].has_instance = device % 3 != 0;
	if (!cluster_day_chance(day, day->options.twofold_percent))
		return;
	second = add_phone(day, device, 2);
	day->phones[first].has_instance = day->phones[second].has_instance = true;
	day->phones[first].sibling = second;
	day->phones[second].sibling = first;
}

static void add_devices(struct cluster_day *day)
{
	size_t most = 2 * (size_t)day->options.devices;

	day->phones = calloc(most, sizeof(*day->phones));
	assert_non_null(day->phones);
	for (unsigned int i = 0; i < day->options.devices; i++)
		add_device(day, i);
	assert_true(day->phone_count < UINT16_MAX - CLUSTER_DAY_FIRST_PORT);
	day->entries = calloc(day->phone_count * CLUSTER_DAY_NODES, sizeof(*day->entries));
	day->present = calloc(day->phone_count * CLUSTER_DAY_NODES, sizeof(*day->present));
	assert_non_null(day->entries);
	assert_non_null(day->present);
}

static void register_all(struct cluster_day *day)
{
	for (size_t i = 0; i < day->phone_count; i++)
		plan_register(day, i, cluster_day_random(day, day->options.renew_s * NS_PER_S));
	cluster_day_run(day, day->options.renew_s * NS_PER_S);
}

struct cluster_day *cluster_day_begin(const struct cluster_day_options *options)
{
	struct cluster_day *day = calloc(1, sizeof(*day));

	assert_non_null(day);
	day->options = *options;
	day->random = options->seed;
	day->now_ns = day->begun_ns = 12345 * NS_PER_S + 678;
	day->real_begun_ns = clock_now_ns();
	day->epoch_ms = clock_wall_ns() / NS_PER_MS + AHEAD_MS;
	day->loop = ev_loop_new(EVFLAG_AUTO);
	assert_non_null(day->loop);
	ev_timer_init(&day->clock_tick, tick, CLOCK_TICK_S, CLOCK_TICK_S);
	day->clock_tick.data = day;
	ev_timer_start(day->loop, &day->clock_tick);
	add_devices(day);
	cluster_day_open_redis(day);
	cluster_day_open_nodes(day);
	assert_true(cluster_day_wait(day, has_followed));
	register_all(day);
	return day;
}

void cluster_day_end(struct cluster_day *day)
{
	if (!day)
		return;
	cluster_day_close_nodes(day);
	cluster_day_close_redis(day);
	ev_timer_stop(day->loop, &day->clock_tick);
	ev_loop_destroy(day->loop);
	agenda_clear(&day->agenda);
	free(day->phones);
	free(day->entries);
	free(day->present);
	free(day);
}
