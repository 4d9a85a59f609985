/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_networks.c - remote networks in flags and in the file, and what is wrong with them. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "config/networks.h"
#include "config_world.h"

static void assert_written(const struct rules_network *network, const char *wanted)
{
	char buffer[64];
	struct text text = TEXT_OVER(buffer);

	networks_write(&text, network);
	assert_string_equal(buffer, wanted);
}

static void a_network_is_written_as_it_is_read(void **state)
{
	static const char *const cases[][2] = {
		{ "203.0.113.0/24", "203.0.113.0/24" },
		{ "203.0.113.7", "203.0.113.7/32" },
		{ "0.0.0.0/0", "0.0.0.0/0" },
		{ "203.0.113.128/25", "203.0.113.128/25" },
		{ "2001:db8::/32", "2001:db8::/32" },
		{ "2001:DB8::1", "2001:db8::1/128" },
		{ "::/0", "::/0" },
		{ "::ffff:203.0.113.0/120", "203.0.113.0/24" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct rules_network network;
		char buffer[256];
		struct text mistake = TEXT_OVER(buffer);

		assert_int_equal(networks_read(span_of(cases[i][0]), &network, &mistake), 0);
		assert_int_equal(mistake.used, 0);
		assert_false(network.has_threshold || network.has_method || network.has_nat);
		assert_written(&network, cases[i][1]);
	}
}

static void what_is_no_network_is_refused_with_the_reason(void **state)
{
	static const char *const cases[][2] = {
		{ "", "expected a network such as" },
		{ "example.com", "expected a network such as" },
		{ "203.0.113/24", "expected a network such as" },
		{ "[2001:db8::]/32", "expected a network such as" },
		{ "/24", "expected a network such as" },
		{ "203.0.113.0/33", "a prefix length from 0 to 32, not \"33\"" },
		{ "203.0.113.0/", "a prefix length from 0 to 32, not \"\"" },
		{ "203.0.113.0/24/8", "a prefix length from 0 to 32, not \"24/8\"" },
		{ "203.0.113.0/-1", "a prefix length from 0 to 32" },
		{ "2001:db8::/129", "a prefix length from 0 to 128, not \"129\"" },
		{ "203.0.113.7/24", "as in 203.0.113.0/24" },
		{ "203.0.113.7/0", "as in 0.0.0.0/0" },
		{ "203.0.113.255/31", "as in 203.0.113.254/31" },
		{ "2001:db8::1/32", "as in 2001:db8::/32" },
		{ "::ffff:203.0.113.7/120", "as in 203.0.113.0/24" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct rules_network network, before;
		char buffer[256];
		struct text mistake = TEXT_OVER(buffer);

		memset(&network, 0x5a, sizeof(network));
		before = network;
		assert_int_equal(networks_read(span_of(cases[i][0]), &network, &mistake), -EINVAL);
		assert_memory_equal(&network, &before, sizeof(network));
		if (!strstr(buffer, cases[i][1]))
			fail_msg("\"%s\" gave \"%s\"", cases[i][0], buffer);
	}
}

static void a_flag_says_what_holds_for_a_network(void **state)
{
	struct reading reading;
	const struct rules_network *networks = reading.config.networks;

	(void)state;
	READ(&reading, "--config=/dev/null", "--interface=eth0",
	     "--network=203.0.113.0/24,threshold=40s,prompt=notify,nat=auto", "--network",
	     "2001:db8::/32, ignore", "--network=192.0.2.1,ignore=no");
	assert_string_equal(reading.errors, "");
	assert_int_equal(reading.result, CONFIG_RUN);
	assert_int_equal(reading.config.network_count, 3);
	assert_written(&networks[0], "203.0.113.0/24");
	assert_true(networks[0].has_threshold && networks[0].has_method && networks[0].has_nat);
	assert_int_equal(networks[0].own.threshold_ns, 40 * NS_PER_S);
	assert_int_equal(networks[0].own.method, PROMPT_NOTIFY);
	assert_int_equal(networks[0].own.nat, RULES_NAT_AUTO);
	assert_false(networks[0].own.ignored);
	assert_written(&networks[1], "2001:db8::/32");
	assert_true(networks[1].own.ignored);
	assert_false(networks[1].has_threshold || networks[1].has_method || networks[1].has_nat);
	assert_false(networks[2].own.ignored);
}

static void every_bad_flag_is_refused_with_one_line(void **state)
{
	static const char *const cases[][2] = {
		{ "", "--network: expected a network such as 203.0.113.0/24" },
		{ "eth0", "--network: expected a network such as" },
		{ "203.0.113.7/24", "--network: expected no bits beyond the prefix length, as in "
				    "203.0.113.0/24" },
		{ "203.0.113.0/24,threshold=10ms", "threshold: expected a time from 1s to 1h" },
		{ "203.0.113.0/24,prompt=ping", "prompt: expected options, notify or crlf, not" },
		{ "203.0.113.0/24,nat=never", "--network: nat: expected always or auto" },
		{ "203.0.113.0/24,ignore=maybe", "--network: ignore: expected yes or no" },
		{ "203.0.113.0/24,threshold", "after the network, not \"threshold\"" },
		{ "203.0.113.0/24,linger=1s", "after the network, not \"linger\"" },
		{ "203.0.113.0/24,", "after the network, not \"\"" },
		{ "203.0.113.0/24,a_key_that_is_very_long=1", "after the network, not \"a_key" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct reading reading;
		char flag[128];

		snprintf(flag, sizeof(flag), "--network=%s", cases[i][0]);
		READ(&reading, flag);
		assert_int_equal(reading.result, CONFIG_USAGE);
		assert_one_line_with(&reading, cases[i][1]);
	}
}

static void a_section_of_the_file_is_a_network(void **state)
{
	static const char text[] = "[network 203.0.113.0/24]\n"
				   "threshold = 40s\n"
				   "nat = auto\n"
				   "[agent]\n"
				   "threshold = 25s\n"
				   "[network  2001:db8::/32 ]\n"
				   "ignore = yes\n"
				   "[network 203.0.113.0/24]\n"
				   "prompt = crlf\n";
	struct reading reading;
	const struct rules_network *networks = reading.config.networks;

	(void)state;
	write_file(text, sizeof(text) - 1);
	READ(&reading, "--config", file, "--interface", "eth0");
	assert_string_equal(reading.errors, "");
	assert_int_equal(reading.result, CONFIG_RUN);
	assert_int_equal(reading.config.defaults.threshold_ns, 25 * NS_PER_S);
	assert_int_equal(reading.config.network_count, 2);
	assert_written(&networks[0], "203.0.113.0/24");
	assert_int_equal(networks[0].own.threshold_ns, 40 * NS_PER_S);
	assert_int_equal(networks[0].own.nat, RULES_NAT_AUTO);
	assert_int_equal(networks[0].own.method, PROMPT_CRLF);
	assert_true(networks[0].has_threshold && networks[0].has_nat && networks[0].has_method);
	assert_written(&networks[1], "2001:db8::/32");
	assert_true(networks[1].own.ignored);
	assert_false(networks[1].has_threshold);
}

static void a_network_of_a_flag_replaces_the_one_of_the_file(void **state)
{
	static const char text[] = "[network 203.0.113.0/24]\n"
				   "threshold = 40s\n"
				   "nat = auto\n"
				   "[network 198.51.100.0/24]\n"
				   "ignore = yes\n";
	struct reading reading;
	const struct rules_network *networks = reading.config.networks;

	(void)state;
	write_file(text, sizeof(text) - 1);
	READ(&reading, "--config", file, "--interface", "eth0", "--network",
	     "203.0.113.0/24,threshold=50s");
	assert_int_equal(reading.result, CONFIG_RUN);
	assert_int_equal(reading.config.network_count, 2);
	assert_int_equal(networks[0].own.threshold_ns, 50 * NS_PER_S);
	assert_false(networks[0].has_nat);
	assert_true(networks[1].own.ignored);
}

static void mistakes_in_a_section_name_file_and_line(void **state)
{
	static const struct {
		const char *text;
		const char *wanted;
	} cases[] = {
		{ "[network 203.0.113.7/24]\nnat = auto\n",
		  ":1: [network 203.0.113.7/24]: expected no bits beyond the prefix length, as in "
		  "203.0.113.0/24" },
		{ "[network]\nnat = auto\n", ":1: [network]: expected a network such as" },
		{ "[network 999.bad]\n", ":1: [network 999.bad]: expected a network such as" },
		{ "[agent]\nlinger = 1s\n[network 2001:db8::1/32] ; ours\n",
		  ":3: [network 2001:db8::1/32]: expected no bits beyond" },
		{ "[network 203.0.113.0/24]\n\nthreshold = 2h\n",
		  ":3: threshold: expected a time from 1s" },
		{ "[network 203.0.113.0/24]\nprompt = 1\n",
		  ":2: prompt: expected options, notify" },
		{ "[network 203.0.113.0/24]\nlinger = 1s\n",
		  ":2: there is no option \"linger\" in a section [network 203.0.113.0/24]" },
		{ "[network 203.0.113.0/24]\nnat = auto\n[network 203.0.113.0/24]\nnat = always\n",
		  ":4: nat: given in line 2 already" },
		{ "[networks]\nnat = auto\n", ":1: there is no section [networks]" },
		{ "[network 2001:0db8:0000:0000:0000:0000:0000:0001/128]\nnat = auto\n",
		  ":1: expected a section of at most 49 bytes" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct reading reading;

		write_file(cases[i].text, strlen(cases[i].text));
		READ(&reading, "--config", file, "--interface", "eth0");
		if (reading.result != CONFIG_BAD)
			fail_msg("\"%s\" gave %d", cases[i].text, reading.result);
		assert_one_line_with(&reading, cases[i].wanted);
		assert_one_line_with(&reading, file);
	}
}

static void the_same_key_of_two_networks_is_given_once_each(void **state)
{
	static const char text[] = "[network 203.0.113.0/24]\nnat = auto\n"
				   "[network 198.51.100.0/24]\nnat = always\n";
	struct reading reading;

	(void)state;
	write_file(text, sizeof(text) - 1);
	READ(&reading, "--config", file, "--interface", "eth0");
	assert_int_equal(reading.result, CONFIG_RUN);
	assert_int_equal(reading.config.networks[0].own.nat, RULES_NAT_AUTO);
	assert_int_equal(reading.config.networks[1].own.nat, RULES_NAT_ALWAYS);
}

static void there_is_an_end_to_networks(void **state)
{
	char text[64 * 1024] = "";
	struct reading reading;

	(void)state;
	for (int i = 0; i < RULES_NETWORKS_MAX; i++)
		sprintf(text + strlen(text), "[network 203.0.113.%d]\nignore = yes\n", i);
	write_file(text, strlen(text));
	READ(&reading, "--config", file, "--interface", "eth0", "--network=203.0.113.5,nat=auto");
	assert_int_equal(reading.result, CONFIG_RUN);
	assert_int_equal(reading.config.network_count, RULES_NETWORKS_MAX);

	READ(&reading, "--config", file, "--interface", "eth0", "--network=192.0.2.1,nat=auto");
	assert_int_equal(reading.result, CONFIG_BAD);
	assert_one_line_with(&reading, "expected at most 64 networks");
}

static void a_threshold_that_is_not_polite_is_warned_of_by_name(void **state)
{
	struct capture errors;
	struct reading reading;

	(void)state;
	READ(&reading, "--config=/dev/null", "--interface=eth0",
	     "--network=203.0.113.0/24,threshold=14999ms", "--network=192.0.2.0/24,threshold=15s",
	     "--network=198.51.100.0/24,nat=auto", "--network=2001:db8::/32,threshold=5s,ignore");
	assert_int_equal(reading.result, CONFIG_RUN);
	errors = capture_begin(stderr);
	config_warn(&reading.config);
	capture_end(&errors, reading.errors, sizeof(reading.errors));
	assert_one_line_with(&reading, "network 203.0.113.0/24: a threshold of 14999ms is obeyed");

	READ(&reading, "--config=/dev/null", "--interface=eth0", "--threshold=5s");
	errors = capture_begin(stderr);
	config_warn(&reading.config);
	capture_end(&errors, reading.errors, sizeof(reading.errors));
	assert_one_line_with(&reading, ": threshold: a threshold of 5s is obeyed");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_network_is_written_as_it_is_read),
		cmocka_unit_test(what_is_no_network_is_refused_with_the_reason),
		cmocka_unit_test(a_flag_says_what_holds_for_a_network),
		cmocka_unit_test(every_bad_flag_is_refused_with_one_line),
		cmocka_unit_test(a_section_of_the_file_is_a_network),
		cmocka_unit_test(a_network_of_a_flag_replaces_the_one_of_the_file),
		cmocka_unit_test(mistakes_in_a_section_name_file_and_line),
		cmocka_unit_test(the_same_key_of_two_networks_is_given_once_each),
		cmocka_unit_test(there_is_an_end_to_networks),
		cmocka_unit_test(a_threshold_that_is_not_polite_is_warned_of_by_name),
	};

	return cmocka_run_group_tests_name("networks", tests, config_world_begin, config_world_end);
}
