/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What nodes tell each other through Redis while it is there. */
#include "share_world.h"

static void nobody_answers(void *asker, const struct directory_answer *answer)
{
	(void)asker;
	(void)answer;
	fail_msg("a single host has no directory");
}

static void a_single_host_has_nothing_to_tell(void **state)
{
	struct share *share = share_none();
	const struct directory *directory = share_directory(share);
	struct record record = { .aor = SPAN("sip:a@example.org") };
	struct share_report report = { .record = &record };
	struct order order = { .kind = ORDER_drain };

	(void)state;
	share_put(share, &report, 1);
	share_drop(share, &record);
	assert_int_equal(share_epoch(share), 0);
	assert_int_equal(share_room(share), 0);
	share_announced(share, 1);
	assert_int_equal(directory->where(directory->context, SPAN("a"), nobody_answers, NULL),
			 -ENOENT);
	assert_int_equal(directory->cluster(directory->context, nobody_answers, NULL), -ENOENT);
	assert_int_equal(
		directory->order(directory->context, SPAN("n"), &order, nobody_answers, NULL),
		-ENOENT);
	directory->forget(directory->context, NULL);
	assert_null(directory->drain);
	assert_null(directory->is_draining);
	share_close(share);
}

static void what_was_there_before_is_announced(void **state)
{
	struct question_asked found;

	(void)state;
	keep(one, BINDING_REGISTRATION, 1);
	keep(one, BINDING_REGISTRATION, 2);
	start_node(one);
	found = where(one, "sip:device2@example.org");
	assert_int_equal(found.location_count, 1);
	assert_string_equal(found.nodes[0], "one");
	assert_memory_equal(&found.location.flow, &one->kept[1].record.flow, sizeof(struct flow));
	assert_int_equal(one->counts.value[COUNT_announcements], 1);
	assert_int_equal(one->counts.value[COUNT_shared_written], 2);
	assert_int_equal(one->counts.value[COUNT_cluster_losses], 0);
}

/* Times are of the cluster's clock, which is this host's wall clock here. */
static void times_are_those_of_the_cluster(void **state)
{
	uint64_t before_ms = clock_wall_ns() / NS_PER_MS;
	struct question_asked found;

	(void)state;
	keep(one, BINDING_REGISTRATION, 1);
	start_node(one);
	found = where(one, "sip:device1@example.org");
	assert_int_equal(found.location_count, 1);
	assert_in_range(found.location.accepted_ms, before_ms - 2000, found.now_ms);
	assert_in_range(found.location.heard_ms, before_ms - 2000, found.now_ms);
	assert_in_range(found.location.ends_ms - found.location.accepted_ms,
			LIFETIME_NS / NS_PER_MS - 1, LIFETIME_NS / NS_PER_MS + 1);
	assert_in_range(found.now_ms, before_ms - 2000, clock_wall_ns() / NS_PER_MS + 2000);
}

static void a_registration_moves(void **state)
{
	struct question_asked found;

	(void)state;
	start_node(one);
	start_node(two);
	put_at(one, keep_earlier(one, 7));
	assert_true(run_until(is_settled, one));
	begin_binding(two, BINDING_REGISTRATION, 7);
	assert_true(run_until(has_left, one));
	assert_int_equal(one->kept_count, 0);
	assert_int_equal(two->kept_count, 1);
	assert_int_equal(two->leaves, 0);
	assert_int_equal(one->counts.value[COUNT_orders_taken], 1);
	found = where(one, "sip:device7@example.org");
	assert_int_equal(found.location_count, 1);
	assert_string_equal(found.nodes[0], "two");
}

static void two_flows_of_a_device_stay(void **state)
{
	(void)state;
	start_node(one);
	start_node(two);
	put_at(one, keep_earlier(one, 7));
	assert_true(run_until(is_settled, one));
	keep(two, BINDING_REGISTRATION, 7)->record.reg_id = 2;
	put_at(two, &two->kept[0]);
	assert_true(run_until(is_settled, two));
	assert_int_equal(where(one, "sip:device7@example.org").location_count, 2);
	assert_int_equal(one->leaves + two->leaves, 0);
}

static void a_registration_may_be_kept_at_both(void **state)
{
	(void)state;
	one->move = two->move = SHARE_MOVE_KEEP;
	start_node(one);
	start_node(two);
	put_at(one, keep_earlier(one, 7));
	assert_true(run_until(is_settled, one));
	begin_binding(two, BINDING_REGISTRATION, 7);
	assert_true(run_until(is_settled, two));
	assert_int_equal(where(two, "sip:device7@example.org").location_count, 2);
	assert_int_equal(one->leaves + two->leaves, 0);
}

/* The one that has been away announces what has moved meanwhile: it is told. */
static void a_stale_announcement_is_taken_back(void **state)
{
	struct question_asked found;

	(void)state;
	keep_earlier(one, 7);
	keep(two, BINDING_REGISTRATION, 7);
	start_node(two);
	start_node(one);
	assert_int_equal(one->counts.value[COUNT_shared_stale], 1);
	assert_int_equal(one->leaves, 1);
	assert_int_equal(one->kept_count, 0);
	found = where(one, "sip:device7@example.org");
	assert_int_equal(found.location_count, 1);
	assert_string_equal(found.nodes[0], "two");
}

static bool holds_alone(void *context)
{
	const struct node_under_test *node = context;

	return two->leaves == 1 && node->leaves == 1 && is_settled(context);
}

/* Accepted anew while the report of the earlier acceptance is on its way: only that one is stale. */
static void a_stale_report_ends_nothing_newer(void **state)
{
	struct question_asked found;

	(void)state;
	start_node(one);
	start_node(two);
	begin_binding(two, BINDING_REGISTRATION, 7);
	assert_true(run_until(is_settled, two));
	put_at(one, keep_earlier(one, 7));
	one->kept[0].record.accepted_ns = two->kept[0].record.accepted_ns + 2 * NS_PER_MS;
	put_at(one, &one->kept[0]);
	assert_true(run_until(holds_alone, one));
	assert_int_equal(one->counts.value[COUNT_shared_stale], 1);
	assert_int_equal(one->kept_count, 1);
	assert_int_equal(two->kept_count, 0);
	found = where(two, "sip:device7@example.org");
	assert_int_equal(found.location_count, 1);
	assert_string_equal(found.nodes[0], "one");
}

/* So a node that only says again that it has a call is not taken for one that has got it now. */
static void a_dialog_counts_since_it_was_accepted(void **state)
{
	struct question_asked found;
	struct kept *kept;

	(void)state;
	start_node(one);
	kept = keep(one, BINDING_DIALOG, 7);
	kept->record.accepted_ns -= 20 * NS_PER_S;
	put_at(one, kept);
	keep(one, BINDING_SUBSCRIPTION, 8)->record.accepted_ns = 0;
	put_at(one, &one->kept[1]);
	assert_true(run_until(is_settled, one));
	found = where(one, "sip:device7@example.org");
	assert_int_equal(found.location_count, 1);
	assert_in_range(found.now_ms - found.location.accepted_ms, 19000, 600000);
	found = where(one, "sip:device8@example.org");
	assert_int_equal(found.location_count, 1);
	assert_true(found.location.accepted_ms > 1000000000000);
}

static void whoever_wrote_an_aor_otherwise_is_found(void **state)
{
	(void)state;
	start_node(one);
	snprintf(keep(one, BINDING_DIALOG, 7)->aor, sizeof(one->kept[0].aor),
		 "SIP:device7@Example.ORG");
	point(&one->kept[0]);
	put_at(one, &one->kept[0]);
	assert_true(run_until(is_settled, one));
	assert_int_equal(where(one, "sip:device7@example.org").location_count, 1);
	forget_at(one, 0);
	assert_true(run_until(is_settled, one));
	assert_int_equal(where(one, "sip:device7@example.org").location_count, 0);
	assert_int_equal(one->counts.value[COUNT_shared_dropped], 1);
}

/* More calls than are shown do not hide where the device is. */
static void registrations_are_shown_first(void **state)
{
	struct question_asked found;

	(void)state;
	start_node(one);
	for (size_t i = 0; i < DIRECTORY_LOCATIONS_MAX + 20; i++)
		begin_binding(one, BINDING_DIALOG, i);
	for (size_t i = 0; i < one->kept_count; i++) {
		snprintf(one->kept[i].aor, sizeof(one->kept[i].aor), "sip:trunk@example.org");
		point(&one->kept[i]);
		put_at(one, &one->kept[i]);
	}
	snprintf(keep_earlier(one, 999)->aor, sizeof(one->kept[0].aor), "sip:trunk@example.org");
	point(&one->kept[one->kept_count - 1]);
	put_at(one, &one->kept[one->kept_count - 1]);
	assert_true(run_until(is_settled, one));
	found = where(one, "sip:trunk@example.org");
	assert_int_equal(found.location_count, DIRECTORY_LOCATIONS_MAX);
	assert_int_equal(found.kinds[0], BINDING_REGISTRATION);
	assert_int_equal(found.kinds[1], BINDING_DIALOG);
}

static void a_dialog_stays_where_it_is(void **state)
{
	struct question_asked found;

	(void)state;
	start_node(one);
	start_node(two);
	begin_binding(one, BINDING_DIALOG, 7);
	put_at(one, keep_earlier(one, 7));
	assert_true(run_until(is_settled, one));
	begin_binding(two, BINDING_REGISTRATION, 7);
	assert_true(run_until(has_left, one));
	assert_int_equal(one->kept_count, 1);
	found = where(two, "sip:device7@example.org");
	assert_int_equal(found.location_count, 2);
	for (size_t i = 0; i < 2; i++)
		assert_string_equal(found.nodes[i],
				    found.kinds[i] == BINDING_DIALOG ? "one" : "two");
}

static void a_dialog_that_lingers_is_no_other_one(void **state)
{
	struct question_asked found;

	(void)state;
	start_node(one);
	begin_binding(one, BINDING_DIALOG, 7);
	assert_true(run_until(is_settled, one));
	one->kept[0].record.kind = BINDING_LINGERING;
	put_at(one, &one->kept[0]);
	assert_true(run_until(is_settled, one));
	found = where(one, "sip:device7@example.org");
	assert_int_equal(found.location_count, 1);
	assert_int_equal(found.kinds[0], BINDING_LINGERING);
	forget_at(one, 0);
	assert_true(run_until(is_settled, one));
	assert_int_equal(where(one, "sip:device7@example.org").location_count, 0);
	assert_int_equal(one->counts.value[COUNT_shared_dropped], 2);
}

static void what_has_ended_is_gone(void **state)
{
	(void)state;
	start_node(one);
	begin_binding(one, BINDING_SUBSCRIPTION, 7);
	assert_true(run_until(is_settled, one));
	assert_int_equal(where(one, "sip:device7@example.org").location_count, 1);
	forget_at(one, 0);
	assert_true(run_until(is_settled, one));
	assert_int_equal(where(one, "sip:device7@example.org").location_count, 0);
	assert_int_equal(one->counts.value[COUNT_shared_dropped], 1);
}

static void what_is_too_long_stays_here(void **state)
{
	char aor[LOCATION_TEXT_MAX + 2] = "sip:";
	struct kept *kept;

	(void)state;
	memset(aor + 4, 'a', sizeof(aor) - 5);
	start_node(one);
	kept = keep(one, BINDING_REGISTRATION, 1);
	kept->record.aor = span_of(aor);
	put_at(one, kept);
	assert_int_equal(share_room(one->share), SHARE_WINDOW);
	assert_int_equal(one->counts.value[COUNT_shared_oversized], 1);
	share_drop(one->share, &kept->record);
	assert_int_equal(share_room(one->share), SHARE_WINDOW);
	/* One byte less is not too long. */
	kept->record.aor.length--;
	put_at(one, kept);
	assert_int_equal(share_room(one->share), SHARE_WINDOW - 1);
	assert_true(run_until(is_settled, one));
	assert_int_equal(one->counts.value[COUNT_shared_written], 1);
	aor[sizeof(aor) - 2] = '\0';
	assert_int_equal(where(one, aor).location_count, 1);
}

static void connections_and_the_nameless_are_not_shared(void **state)
{
	(void)state;
	start_node(one);
	begin_binding(one, BINDING_CONNECTION, 1);
	keep(one, BINDING_REGISTRATION, 2)->record.aor = (struct span){ NULL, 0 };
	put_at(one, &one->kept[1]);
	assert_int_equal(share_room(one->share), SHARE_WINDOW);
	assert_int_equal(one->counts.value[COUNT_shared_oversized], 0);
}

static void the_window_is_never_exceeded(void **state)
{
	(void)state;
	keep_many(one, 3 * SHARE_WINDOW);
	start_node(one);
	assert_int_equal(one->room_exceeded, 0);
	assert_int_equal(one->counts.value[COUNT_shared_written], 3 * SHARE_WINDOW);
	assert_int_equal(one->counts.value[COUNT_announcements], 1);
	assert_int_equal(number_in_redis("DBSIZE"), 3 * SHARE_WINDOW + 3);
}

static uint64_t simulated_ms(void *context)
{
	(void)context;
	return 5000000;
}

static bool is_in_simulation(void *context)
{
	char room[NOTATION_MAX];
	struct node said;

	return is_whole(context) && read_node("one", room, &said) && said.beat_ms == 5000000;
}

/* Both clocks are the simulation's: that of the cluster, and "now" of each report. */
static void a_simulation_has_its_own_clock(void **state)
{
	struct share_options options = {
		.loop = loop,
		.address = { .host = "127.0.0.1", .port = redis.port },
		.node = "one",
		.uri = "sip:192.0.2.1:5060",
		.counts = &one->counts,
		.paths = count_paths,
		.ordered = take_order,
		.wake = announce,
		.context = one,
		.clock_ms = simulated_ms,
	};
	struct share_report report = { .seen_ns = 900 * NS_PER_S };
	redisReply *change, *fields;
	struct kept *kept;

	(void)state;
	assert_int_equal(share_redis_open(&options, &one->share), 0);
	assert_true(run_until(is_in_simulation, one));
	kept = keep(one, BINDING_REGISTRATION, 1);
	kept->record.accepted_ns = 800 * NS_PER_S;
	kept->record.ends_ns = 4600 * NS_PER_S;
	report.record = &kept->record;
	share_put(one->share, &report, 1000 * NS_PER_S);
	assert_true(run_until(is_settled, one));
	/* Redis itself expires what is that old; but everybody was told of it. */
	change = redis_world_command(&redis, "XREVRANGE " NOTATION_CHANGES " + - COUNT 1");
	assert_int_equal(change->type, REDIS_REPLY_ARRAY);
	assert_int_equal(change->elements, 1);
	assert_int_equal(change->element[0]->elements, 2);
	fields = change->element[0]->element[1];
	assert_int_equal(fields->elements, 8);
	assert_non_null(strstr(fields->element[7]->str, "1 5000000 4800000 8600000 4900000 live "));
	freeReplyObject(change);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_single_host_has_nothing_to_tell),
		SHARE_TEST(what_was_there_before_is_announced),
		SHARE_TEST(times_are_those_of_the_cluster),
		SHARE_TEST(a_registration_moves),
		SHARE_TEST(two_flows_of_a_device_stay),
		SHARE_TEST(a_registration_may_be_kept_at_both),
		SHARE_TEST(a_stale_announcement_is_taken_back),
		SHARE_TEST(a_stale_report_ends_nothing_newer),
		SHARE_TEST(a_dialog_counts_since_it_was_accepted),
		SHARE_TEST(whoever_wrote_an_aor_otherwise_is_found),
		SHARE_TEST(registrations_are_shown_first),
		SHARE_TEST(a_dialog_stays_where_it_is),
		SHARE_TEST(a_dialog_that_lingers_is_no_other_one),
		SHARE_TEST(what_has_ended_is_gone),
		SHARE_TEST(what_is_too_long_stays_here),
		SHARE_TEST(connections_and_the_nameless_are_not_shared),
		SHARE_TEST(the_window_is_never_exceeded),
		SHARE_TEST(a_simulation_has_its_own_clock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
