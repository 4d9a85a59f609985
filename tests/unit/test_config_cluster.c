/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the set of proxies and call control are told: agent/config/apply_cluster.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/address.h"
#include "config_world.h"

#define ALONE "--config=/dev/null", "--interface=eth0"
#define CALLS(reading, ...) \
	read_config(reading, CONFIG_FOR_CALLS, \
		    (const char *const[]){ "--config=/dev/null", __VA_ARGS__, NULL })

static void an_agent_is_alone_unless_told_otherwise(void **state)
{
	struct reading reading;

	(void)state;
	READ(&reading, ALONE);
	assert_int_equal(reading.result, CONFIG_RUN);
	assert_false(reading.config.in_cluster);
}

static void a_node_has_a_name_and_an_address(void **state)
{
	struct reading reading;

	(void)state;
	READ(&reading, ALONE, "--cluster=redis://192.0.2.6:6380/3", "--node=proxy-a.1",
	     "--node-uri=sip:[2001:db8::11]:5060", "--move=keep");
	assert_int_equal(reading.result, CONFIG_RUN);
	assert_true(reading.config.in_cluster);
	assert_string_equal(reading.config.cluster.host, "192.0.2.6");
	assert_int_equal(reading.config.cluster.port, 6380);
	assert_int_equal(reading.config.cluster.database, 3);
	assert_string_equal(reading.config.node, "proxy-a.1");
	assert_string_equal(reading.config.node_uri, "sip:[2001:db8::11]:5060");
	assert_int_equal(reading.config.move, SHARE_MOVE_KEEP);
}

static void a_node_without_a_name_has_its_host_s(void **state)
{
	struct reading reading;
	char name[NODE_NAME_MAX + 1] = "";

	(void)state;
	assert_int_equal(gethostname(name, sizeof(name) - 1), 0);
	READ(&reading, ALONE, "--cluster=redis://192.0.2.6", "--node-uri=sip:192.0.2.11:5060");
	assert_int_equal(reading.result, CONFIG_RUN);
	assert_string_equal(reading.config.node, name);
	assert_int_equal(reading.config.move, SHARE_MOVE_STOP);
}

static void what_a_node_or_call_control_misses_is_said(void **state)
{
	struct reading reading;

	(void)state;
	READ(&reading, ALONE, "--cluster=redis://192.0.2.6", "--node=a");
	assert_int_equal(reading.result, CONFIG_USAGE);
	assert_one_line_with(&reading, "--node-uri is missing");
	CALLS(&reading, "--listen=udp:192.0.2.5:5060");
	assert_int_equal(reading.result, CONFIG_USAGE);
	assert_one_line_with(&reading, "--cluster is missing");
	CALLS(&reading, "--cluster=redis://192.0.2.6");
	assert_int_equal(reading.result, CONFIG_USAGE);
	assert_one_line_with(&reading, "--listen is missing");
}

static void what_is_no_value_is_said(void **state)
{
	static const char *const flags[] = {
		"--cluster=http://192.0.2.6",
		"--cluster=redis://",
		"--cluster=redis://192.0.2.6:0",
		"--cluster=redis://192.0.2.6/x",
		"--node=",
		"--node=two words",
		"--node=slash/slash",
		"--node-uri=192.0.2.11:5060",
		"--node-uri=sip:proxy.example:5060",
		"--node-uri=sip:192.0.2.11",
		"--node-uri=sip:192.0.2.11:0",
		"--node-uri=sip:192.0.2.11:5060;lr",
		"--move=maybe",
		"--listen=192.0.2.5:5060",
		"--listen=sctp:192.0.2.5:5060",
		"--listen=udp:192.0.2.5",
		"--listen=udp:192.0.2.5:5060,",
		"--listen=udp:192.0.2.5:65536",
		"--peer=203.0.113.1/24",
		"--peer=203.0.113.0/33",
		"--peer=carrier.example",
		"--domain=192.0.2.5",
		"--domain=two words",
		"--mode=guess",
		"--verify=6s",
		"--verify=soon",
	};
	struct reading reading;

	(void)state;
	for (size_t i = 0; i < COUNT(flags); i++) {
		CALLS(&reading, "--cluster=redis://192.0.2.6", "--listen=udp:192.0.2.5:5060",
		      flags[i]);
		assert_int_equal(reading.result, CONFIG_USAGE);
		assert_one_line_with(&reading, "expected");
	}
}

static void a_password_is_not_repeated(void **state)
{
	struct reading reading;

	(void)state;
	READ(&reading, ALONE, "--cluster=redis://:s3cret@192.0.2.6:x");
	assert_int_equal(reading.result, CONFIG_USAGE);
	assert_one_line_with(&reading, "--cluster: expected redis://");
	assert_null(strstr(reading.errors, "s3cret"));
}

static void call_control_listens_wherever_it_is_told(void **state)
{
	struct reading reading;
	uint8_t address[16];

	(void)state;
	CALLS(&reading, "--cluster=redis://192.0.2.6", "--listen=udp:192.0.2.5:5060", "--listen",
	      "tcp:[2001:db8::5]:5070,udp:192.0.2.5:5060", "--mode=forward", "--verify=500ms");
	assert_int_equal(reading.result, CONFIG_RUN);
	assert_int_equal(reading.config.listen_count, 2);
	assert_int_equal(reading.config.listen[0].transport, FLOW_UDP);
	assert_int_equal(reading.config.listen[0].port, 5060);
	assert_int_equal(address_read(SPAN("2001:db8::5"), address), 0);
	assert_memory_equal(reading.config.listen[1].address, address, sizeof(address));
	assert_int_equal(reading.config.listen[1].transport, FLOW_TCP);
	assert_int_equal(reading.config.mode_of_calls, SERVER_FORWARD);
	assert_int_equal(reading.config.verify_ns, 500 * NS_PER_MS);
}

static void more_than_there_is_room_for_is_refused_whole(void **state)
{
	struct reading reading;
	char list[1024] = "--listen=udp:192.0.2.5:1";

	(void)state;
	for (int port = 2; port <= PORTS_MAX + 1; port++)
		snprintf(list + strlen(list), sizeof(list) - strlen(list), ",udp:192.0.2.5:%d",
			 port);
	CALLS(&reading, "--cluster=redis://192.0.2.6", list);
	assert_int_equal(reading.result, CONFIG_USAGE);
	assert_one_line_with(&reading, "expected 1 to 16");
}

static void whose_calls_are_answered_can_be_said(void **state)
{
	struct reading reading;
	uint8_t inside[16], outside[16];

	(void)state;
	CALLS(&reading, "--cluster=redis://192.0.2.6", "--listen=udp:192.0.2.5:5060",
	      "--peer=203.0.112.0/23,2001:db8::/33", "--peer", "198.51.100.7",
	      "--domain=Example.COM");
	assert_int_equal(reading.result, CONFIG_RUN);
	assert_string_equal(reading.config.domain, "example.com");
	assert_int_equal(reading.config.peer_count, 3);
	for (size_t i = 0; i < 3; i++) {
		static const char *const insides[] = { "203.0.113.255", "2001:db8:7fff::1",
						       "198.51.100.7" };
		static const char *const outsides[] = { "203.0.114.0",
							"2001:db8:8000::", "198.51.100.6" };

		assert_int_equal(address_read(span_of(insides[i]), inside), 0);
		assert_int_equal(address_read(span_of(outsides[i]), outside), 0);
		assert_true(trust_has(reading.config.peers, 3, inside));
		assert_false(trust_has(reading.config.peers, 3, outside));
	}
}

static void the_file_has_sections_for_them(void **state)
{
	static const char text[] = "[cluster]\n"
				   "cluster = redis://192.0.2.6\n"
				   "node = a\n"
				   "node_uri = sip:192.0.2.11:5060\n"
				   "move = keep\n"
				   "[call-control]\n"
				   "listen = udp:192.0.2.5:5060, tcp:192.0.2.5:5060\n"
				   "mode = forward\n"
				   "verify = 300ms\n";
	struct reading reading;

	(void)state;
	write_file(text, sizeof(text) - 1);
	read_config(&reading, CONFIG_FOR_CALLS, (const char *const[]){ "--config", file, NULL });
	assert_string_equal(reading.errors, "");
	assert_int_equal(reading.result, CONFIG_RUN);
	assert_int_equal(reading.config.listen_count, 2);
	assert_string_equal(reading.config.node, "a");
	assert_int_equal(reading.config.verify_ns, 300 * NS_PER_MS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_agent_is_alone_unless_told_otherwise),
		cmocka_unit_test(a_node_has_a_name_and_an_address),
		cmocka_unit_test(a_node_without_a_name_has_its_host_s),
		cmocka_unit_test(what_a_node_or_call_control_misses_is_said),
		cmocka_unit_test(what_is_no_value_is_said),
		cmocka_unit_test(a_password_is_not_repeated),
		cmocka_unit_test(call_control_listens_wherever_it_is_told),
		cmocka_unit_test(more_than_there_is_room_for_is_refused_whole),
		cmocka_unit_test(whose_calls_are_answered_can_be_said),
		cmocka_unit_test(the_file_has_sections_for_them),
	};

	return cmocka_run_group_tests(tests, config_world_begin, config_world_end);
}
