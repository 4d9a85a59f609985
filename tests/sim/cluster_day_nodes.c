/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cluster_day_parts.h"
#include "path_entry.h"
#include "seam.h"

#define THRESHOLD_NS (10 * CLUSTER_DAY_MINUTE)

static struct cluster_day *day;

/* --- the kernel's maps and the network --- */

static size_t node_of(const struct flow *flow)
{
	size_t node = (size_t)flow->local_addr[15] - 1;

	assert_true(node < CLUSTER_DAY_NODES);
	return node;
}

static size_t index_of(const struct flow *flow)
{
	return cluster_day_phone_of(day, flow) * CLUSTER_DAY_NODES + node_of(flow);
}

static int read_entry(const struct flow *flow, struct path_entry *entry)
{
	if (!day->present[index_of(flow)])
		return -ENOENT;
	*entry = day->entries[index_of(flow)];
	return 0;
}

static int insert_entry(const struct flow *flow, uint64_t last_seen_ns)
{
	size_t index = index_of(flow);

	if (!day->present[index])
		day->entries[index] = (struct path_entry){ .last_seen_ns = last_seen_ns };
	day->present[index] = true;
	return 0;
}

static int erase_entry(const struct flow *flow)
{
	day->present[index_of(flow)] = false;
	return 0;
}

/* The nodes begin with nothing. */
static void erase_all(void)
{
}

static int flow_last_seen(const struct flow *flow, uint64_t *last_seen_ns)
{
	(void)flow;
	(void)last_seen_ns;
	return -ENOENT;
}

static bool holds(const struct flow *flow)
{
	(void)flow;
	return true;
}

static int send_prompt(const struct flow *flow, uint64_t token)
{
	assert_true(day->present[index_of(flow)]);
	assert_false(day->nodes[node_of(flow)].is_dead);
	seam_stamp_prompt(&day->entries[index_of(flow)], token, day->now_ns);
	cluster_day_prompt(day, node_of(flow), cluster_day_phone_of(day, flow));
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

static void stamp_heard(const struct flow *flow)
{
	struct path_entry *entry = &day->entries[index_of(flow)];

	if (!day->present[index_of(flow)])
		return;
	entry->last_seen_ns = seam_coarse_ns(day->now_ns);
	entry->packets_in++;
}

void cluster_day_answer_prompt(struct cluster_day *of, size_t node, size_t phone)
{
	struct flow flow = cluster_day_flow(node, phone);
	struct path_entry *entry = &of->entries[index_of(&flow)];

	stamp_heard(&flow);
	seam_stamp_answer(entry, entry->prompt_token, 200, of->now_ns);
}

void cluster_day_see(struct cluster_day *of, size_t node, size_t phone, bool from_device,
		     const char *message)
{
	struct flow flow = cluster_day_flow(node, phone);

	assert_false(of->nodes[node].is_dead);
	if (from_device)
		stamp_heard(&flow);
	seam_see(of->nodes[node].pipeline, &flow, of->now_ns, from_device, message);
	of->nodes[node].due_ns = 0;
}

/* --- the nodes --- */

static uint32_t count_paths(void *context)
{
	const struct cluster_day_node *node = context;

	return (uint32_t)keeper_kept(pipeline_keeper(node->pipeline));
}

static void carry_out(void *context, const struct order *order, uint64_t accepted_ns)
{
	struct cluster_day_node *node = context;

	pipeline_order(node->pipeline, order, accepted_ns, day->now_ns);
	node->due_ns = 0;
}

static void wake(void *context)
{
	struct cluster_day_node *node = context;

	node->due_ns = 0;
}

static uint64_t clock_ms(void *context)
{
	(void)context;
	return cluster_day_ms(day);
}

static void open_share(struct cluster_day_node *node)
{
	struct share_options options = {
		.loop = day->loop,
		.address = { .host = "127.0.0.1", .port = day->redis.port },
		.node = node->name,
		.uri = node->uri,
		.move = SHARE_MOVE_STOP,
		.counts = &node->counts,
		.paths = count_paths,
		.ordered = carry_out,
		.wake = wake,
		.context = node,
		.clock_ms = clock_ms,
	};

	snprintf(options.address.user, sizeof(options.address.user), "%s", node->name);
	snprintf(options.address.password, sizeof(options.address.password), "%s", node->name);
	assert_int_equal(share_redis_open(&options, &node->share), 0);
}

static void open_pipeline(struct cluster_day_node *node)
{
	struct pipeline_options options = {
		.keeper.path_map = -1,
		.keeper.flow_map = -1,
		.keeper.connection_map = -1,
		.keeper.wire = (struct wire *)(void *)node, /* only has to be there */
		.keeper.counts = &node->counts,
		.keeper.paths_max = 1000,
		.keeper.defaults.threshold_ns = THRESHOLD_NS,
		.keeper.coarse_lag_ns = SEAM_TICK_NS,
		.share = node->share,
		.transactions_max = 64,
		.linger_ns = 32 * NS_PER_S,
		.dialog_max_ns = 2 * CLUSTER_DAY_HOUR,
	};

	assert_int_equal(pipeline_new(&options, day->now_ns, &node->pipeline), 0);
}

static void note_ready(void *context)
{
	((struct cluster_day *)context)->has_followed = true;
}

static void note_change(void *context, const struct location *location)
{
	(void)context;
	(void)location;
}

static void open_call_control(void)
{
	struct follow_options options = {
		.loop = day->loop,
		.address = { .host = "127.0.0.1", .port = day->redis.port },
		.counts = &day->counts,
		.ready = note_ready,
		.changed = note_change,
		.context = day,
		.clock_ms = clock_ms,
	};

	options.view = day->view = view_new(100 * day->phone_count);
	assert_non_null(day->view);
	assert_int_equal(follow_redis_open(&options, &day->follow), 0);
}

void cluster_day_open_nodes(struct cluster_day *of)
{
	day = of;
	seam_set(&seam);
	for (size_t i = 0; i < CLUSTER_DAY_NODES; i++) {
		struct cluster_day_node *node = &of->nodes[i];

		snprintf(node->uri, sizeof(node->uri), "sip:192.0.2.%zu:5060", i + 1);
		open_share(node);
		open_pipeline(node);
	}
	open_call_control();
}

void cluster_day_close_nodes(struct cluster_day *of)
{
	follow_close(of->follow);
	view_free(of->view);
	for (size_t i = 0; i < CLUSTER_DAY_NODES; i++) {
		pipeline_free(of->nodes[i].pipeline);
		share_close(of->nodes[i].share);
	}
	seam_set(NULL);
	day = NULL;
}

static void turn_node(struct cluster_day_node *node)
{
	node->due_ns = pipeline_turn(node->pipeline, day->now_ns);
	if (node->due_ns <= day->now_ns) /* a lower bound only: time must go on */
		node->due_ns = day->now_ns + SEAM_TICK_NS / 4;
}

uint64_t cluster_day_turn(struct cluster_day *of)
{
	uint64_t next_ns = CLOCK_NEVER;

	for (size_t i = 0; i < CLUSTER_DAY_NODES; i++) {
		struct cluster_day_node *node = &of->nodes[i];

		if (node->is_dead)
			continue;
		if (node->due_ns <= of->now_ns)
			turn_node(node);
		if (node->due_ns < next_ns)
			next_ns = node->due_ns;
	}
	return next_ns;
}

static bool is_answered(struct cluster_day_node *node)
{
	/* The cluster has been reached, so what is reported from now on is under way. */
	if (share_epoch(node->share) != 0)
		node->is_joining = false;
	return share_epoch(node->share) == 0 && share_room(node->share) == SHARE_WINDOW;
}

bool cluster_day_is_answered(struct cluster_day *of, bool all)
{
	bool answered = true;

	for (size_t i = 0; i < CLUSTER_DAY_NODES; i++) {
		struct cluster_day_node *node = &of->nodes[i];

		if (!node->is_dead && !is_answered(node) && (all || !node->is_joining))
			answered = false;
	}
	return answered;
}
