/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_config.c - defaults, file and flags, and one clear line for each mistake. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "config_world.h"
#include "keep/policy.h"

static void defaults_need_only_an_interface(void **state)
{
	struct reading reading;

	(void)state;
	READ(&reading, "--interface", "eth0", "--config", "/dev/null");
	assert_int_equal(reading.result, CONFIG_RUN);
	assert_string_equal(reading.errors, "");
	assert_int_equal(reading.config.interface_count, 1);
	assert_string_equal(reading.config.interfaces[0], "eth0");
	assert_int_equal(reading.config.port_count, 1);
	assert_int_equal(reading.config.ports[0], SIPPATH_PORT_DEFAULT);
	assert_int_equal(reading.config.defaults.threshold_ns, POLICY_THRESHOLD_DEFAULT_NS);
	assert_int_equal(reading.config.defaults.method, PROMPT_OPTIONS);
	assert_int_equal(reading.config.defaults.nat, RULES_NAT_ALWAYS);
	assert_false(reading.config.defaults.ignored);
	assert_int_equal(reading.config.network_count, 0);
	assert_int_equal(reading.config.linger_ns, 32 * NS_PER_S);
	assert_int_equal(reading.config.dialog_max_ns, 12 * 3600 * NS_PER_S);
	assert_int_equal(reading.config.paths_max, SIPPATH_PATHS_DEFAULT);
	assert_int_equal(reading.config.transactions_max, 16384);
	assert_int_equal(reading.config.caps.per_address, 500);
	assert_int_equal(reading.config.caps.per_network, 2000);
	assert_int_equal(reading.config.caps.per_host, 100000);
	assert_int_equal(reading.config.prompt_mark, SIPPATH_MARK_DEFAULT);
	assert_int_equal(reading.config.mode, ATTACH_ANY);
	assert_int_equal(reading.config.log_level, LOG_LEVEL_INFO);
	assert_string_equal(reading.config.socket, "/run/sippath/sippath.sock");
	assert_string_equal(reading.config.state_dir, CONFIG_STATE_DIR_DEFAULT);
	assert_string_equal(reading.config.pin_dir, ATTACH_PIN_DIR_DEFAULT);
}

static void the_default_file_may_be_missing(void **state)
{
	bool there = access(CONFIG_FILE_DEFAULT, F_OK) == 0;
	struct reading reading;

	(void)state;
	READ(&reading, "--interface", "eth0");
	assert_int_equal(reading.result, CONFIG_RUN);
	assert_string_equal(reading.config.file, there ? CONFIG_FILE_DEFAULT : "");
}

static void flags_take_their_value_in_either_form(void **state)
{
	struct reading reading;

	(void)state;
	READ(&reading, "--config=/dev/null", "--interface=eth0,eth1.100", "--threshold=5s",
	     "--linger", "0", "--sip-port", "5060, 5062", "--prompt-mark", "0xABc",
	     "--xdp-mode=generic", "--log-level", "debug", "--prompt=notify", "--nat", "auto");
	assert_int_equal(reading.result, CONFIG_RUN);
	assert_int_equal(reading.config.interface_count, 2);
	assert_string_equal(reading.config.interfaces[1], "eth1.100");
	assert_int_equal(reading.config.defaults.threshold_ns, 5 * NS_PER_S);
	assert_int_equal(reading.config.linger_ns, 0);
	assert_int_equal(reading.config.port_count, 2);
	assert_int_equal(reading.config.ports[1], 5062);
	assert_int_equal(reading.config.prompt_mark, 0xabc);
	assert_int_equal(reading.config.mode, ATTACH_GENERIC);
	assert_int_equal(reading.config.defaults.method, PROMPT_NOTIFY);
	assert_int_equal(reading.config.defaults.nat, RULES_NAT_AUTO);
	assert_int_equal(reading.config.log_level, LOG_LEVEL_DEBUG);
}

static void the_file_beats_defaults_and_flags_beat_the_file(void **state)
{
	static const char text[] = "; a comment\n"
				   "# another\n"
				   "[agent]\n"
				   "interface = eth0,eth1\n"
				   "\tthreshold = 20s ; indented, with a remark\n"
				   "   sip_port: 5070\r\n"
				   "pin_dir = /sys/fs/bpf/other\n"
				   "[dialogs]\n"
				   "max_lifetime = 2h\n"
				   "[agent]\n"
				   "prompt = crlf";
	struct reading reading;

	(void)state;
	write_file(text, sizeof(text) - 1);
	READ(&reading, "--threshold", "21s", "--config", file);
	assert_string_equal(reading.errors, "");
	assert_int_equal(reading.result, CONFIG_RUN);
	assert_string_equal(reading.config.file, file);
	assert_int_equal(reading.config.interface_count, 2);
	assert_int_equal(reading.config.defaults.threshold_ns, 21 * NS_PER_S);
	assert_int_equal(reading.config.ports[0], 5070);
	assert_string_equal(reading.config.pin_dir, "/sys/fs/bpf/other");
	assert_int_equal(reading.config.dialog_max_ns, 2 * 3600 * NS_PER_S);
	assert_int_equal(reading.config.defaults.method, PROMPT_CRLF);
}

static void a_shorter_list_replaces_a_longer_one(void **state)
{
	static const char text[] = "[agent]\ninterface = eth0,eth1,eth2\nsip_port = 5060,5061\n";
	struct reading reading;

	(void)state;
	write_file(text, sizeof(text) - 1);
	READ(&reading, "--config", file, "--interface", "wlan0", "--sip-port", "5080");
	assert_int_equal(reading.result, CONFIG_RUN);
	assert_int_equal(reading.config.interface_count, 1);
	assert_string_equal(reading.config.interfaces[0], "wlan0");
	assert_int_equal(reading.config.port_count, 1);
	assert_int_equal(reading.config.ports[0], 5080);
}

static void every_bad_value_of_a_flag_is_refused(void **state)
{
	static const char *const cases[][2] = {
		{ "threshold", "" },
		{ "threshold", "999ms" },
		{ "threshold", "3601s" },
		{ "threshold", "24 s" },
		{ "threshold", "-1" },
		{ "threshold", "99999999999999999999999h" },
		{ "linger", "61m" },
		{ "interface", "" },
		{ "interface", "eth0,eth0" },
		{ "interface", "eth0,,eth1" },
		{ "interface", "sixteen-bytes-xx" },
		{ "interface", "a/b" },
		{ "interface", ".." },
		{ "interface", "a1,a2,a3,a4,a5,a6,a7,a8,a9,b1,b2,b3,b4,b5,b6,b7,b8" },
		{ "sip-port", "0" },
		{ "sip-port", "65536" },
		{ "sip-port", "5060," },
		{ "sip-port", "5060,5060" },
		{ "sip-port", "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17" },
		{ "paths-max", "1023" },
		{ "paths-max", "16777217" },
		{ "transactions-max", "0" },
		{ "prompts-per-address", "10000001" },
		{ "prompts-per-network", "-1" },
		{ "prompts-per-host", "many" },
		{ "prompt-mark", "0" },
		{ "prompt-mark", "0x0" },
		{ "prompt-mark", "0x" },
		{ "prompt-mark", "0x123456789" },
		{ "prompt-mark", "0x12g" },
		{ "prompt-mark", "4294967296" },
		{ "dialogs.max_lifetime", "59s" },
		{ "dialogs.max_lifetime", "169h" },
		{ "prompt", "OPTIONS" },
		{ "prompt", "" },
		{ "nat", "never" },
		{ "xdp-mode", "Native" },
		{ "xdp-mode", "skb" },
		{ "log-level", "verbose" },
		{ "socket", "" },
		{ "config", "" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct reading reading;
		char flag[64], wanted[64];

		snprintf(flag, sizeof(flag), "--%s=%s", cases[i][0], cases[i][1]);
		READ(&reading, flag);
		if (reading.result != CONFIG_USAGE)
			fail_msg("%s gave %d", flag, reading.result);
		snprintf(wanted, sizeof(wanted), "--%s: expected ", cases[i][0]);
		assert_one_line_with(&reading, wanted);
	}
}

static void every_bound_is_within(void **state)
{
	static const char *const flags[] = {
		"--threshold=1s",
		"--threshold=1h",
		"--linger=0s",
		"--linger=1h",
		"--dialogs.max_lifetime=1m",
		"--dialogs.max_lifetime=168h",
		"--prompts-per-address=0",
		"--prompts-per-network=10000000",
		"--prompts-per-host=1",
		"--paths-max=1024",
		"--paths-max=16777216",
		"--sip-port=1,65535",
		"--sip-port=1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16",
		"--prompt-mark=4294967295",
		"--prompt-mark=0xffffffff",
		"--prompt-mark=1",
		"--interface=fifteen-bytes-x",
		"--interface=a1,a2,a3,a4,a5,a6,a7,a8,a9,b1,b2,b3,b4,b5,b6,b7",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(flags); i++) {
		struct reading reading;

		READ(&reading, "--config=/dev/null", "--interface=eth0", flags[i]);
		if (reading.result != CONFIG_RUN)
			fail_msg("%s: %s", flags[i], reading.errors);
	}
}

static void a_path_must_fit_its_member(void **state)
{
	struct reading reading;
	char flag[200] = "--socket=";

	(void)state;
	memset(flag + strlen("--socket="), 'x', 107);
	READ(&reading, "--config=/dev/null", "--interface=eth0", flag);
	assert_int_equal(reading.result, CONFIG_RUN);
	assert_int_equal(strlen(reading.config.socket), 107);
	flag[strlen(flag)] = 'x';
	READ(&reading, "--config=/dev/null", "--interface=eth0", flag);
	assert_int_equal(reading.result, CONFIG_USAGE);
	assert_one_line_with(&reading, "--socket: expected a path of 1 to 107 bytes");
}

static void mistakes_in_flags_are_usage(void **state)
{
	static const struct {
		const char *flags[3];
		const char *wanted;
	} cases[] = {
		{ { "--no-such-flag" }, "--no-such-flag: there is no such flag" },
		{ { "--" }, "there is no such flag" },
		{ { "eth0" }, "\"eth0\" is not expected here" },
		{ { "-h" }, "\"-h\" is not expected here" },
		{ { "--threshold" }, "--threshold: a value is missing" },
		{ { "--threshold", "--help" }, "--threshold: a value is missing" },
		{ { "--help=yes" }, "--help: expected no value" },
		{ { "--config=/dev/null" }, "--interface is missing" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct reading reading;

		read_config(&reading, CONFIG_FOR_PATHS, cases[i].flags);
		assert_int_equal(reading.result, CONFIG_USAGE);
		assert_one_line_with(&reading, cases[i].wanted);
	}
}

static void mistakes_in_the_file_name_file_and_line(void **state)
{
	static const struct {
		const char *text;
		const char *wanted;
	} cases[] = {
		{ "[agent]\n\nthreshold = 1\nlinger = never\n", ":4: linger: expected a time" },
		{ "[agent]\nthreshold = 2h\nnonsense\n", ":2: threshold: expected a time" },
		{ "[agent]\nnonsense\nthreshold = 2h\n", ":2: expected [section] or option" },
		{ "[agent\nthreshold = 24s\n", ":1: expected [section] or option" },
		{ "[agent]\ntreshold = 24s\n", ":2: there is no option \"treshold\"" },
		{ "[agent]\nsip-port = 5060\n", ":2: there is no option \"sip-port\"" },
		{ "[agent]\nconfig = x\n", ":2: there is no option \"config\"" },
		{ "[agents]\nthreshold = 24s\n", ":1: there is no section [agents]" },
		{ "[agent]\n\n  [agents]\n", ":3: there is no section [agents]" },
		{ "[]\n", ":1: there is no section []" },
		{ "threshold = 24s\n", ":1: there is no option \"threshold\"" },
		{ "[agent]\nmax_lifetime = 1h\n", ":2: there is no option \"max_lifetime\"" },
		{ "[dialogs]\nmax_lifetime = 1s\n", ":2: max_lifetime: expected a time from 1m" },
		{ "[agent]\nlinger = 1\n\nlinger = 2\n", ":4: linger: given in line 2 already" },
		{ "[agent]\nlinger = 1\n  paths_max = 1\n", ":3: paths_max: expected a number" },
		{ "[agent]\nsip_port =\n", ":2: sip_port: expected 1 to 16 different ports" },
		{ "[agent]\ninterface = eth0,eth0\n", ":2: interface: expected 1 to 16 different" },
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

static void a_line_is_never_taken_for_two(void **state)
{
	static const char nul[] = "[agent]\nlinger = 1s\0threshold = 2s\n";
	char text[1024] = "[agent]\nstate_dir = /";
	struct reading reading;

	(void)state;
	memset(text + strlen(text), 'x', 600);
	strcpy(text + strlen(text), "\nlinger = 2s\n");
	write_file(text, strlen(text));
	READ(&reading, "--config", file, "--interface", "eth0");
	assert_int_equal(reading.result, CONFIG_BAD);
	assert_one_line_with(&reading, ":2: expected a line of at most ");

	write_file(nul, sizeof(nul) - 1);
	READ(&reading, "--config", file, "--interface", "eth0");
	assert_int_equal(reading.result, CONFIG_BAD);
	assert_one_line_with(&reading, ":2: expected text, without NUL bytes");
}

static void a_named_file_must_be_readable(void **state)
{
	struct reading reading;

	(void)state;
	READ(&reading, "--config", "/nonexistent/sippath.conf", "--interface", "eth0");
	assert_int_equal(reading.result, CONFIG_BAD);
	assert_one_line_with(&reading, "/nonexistent/sippath.conf");
	READ(&reading, "--config", directory, "--interface", "eth0");
	assert_int_equal(reading.result, CONFIG_BAD);
	assert_one_line_with(&reading, directory);
}

/* Nobody writes into it: whoever waited would wait for ever. */
static void a_pipe_is_refused_and_not_waited_for(void **state)
{
	struct reading reading;

	(void)state;
	unlink(file);
	assert_int_equal(mkfifo(file, 0600), 0);
	READ(&reading, "--config", file, "--interface", "eth0");
	assert_int_equal(reading.result, CONFIG_BAD);
	assert_one_line_with(&reading, "is a pipe");
	unlink(file);
}

static void help_and_version_are_answered_on_standard_output(void **state)
{
	struct reading reading;

	(void)state;
	READ(&reading, "--help");
	assert_int_equal(reading.result, CONFIG_DONE);
	assert_non_null(strstr(reading.output, "--transactions-max N"));
	READ(&reading, "--interface", "eth0", "--version");
	assert_int_equal(reading.result, CONFIG_DONE);
	assert_string_equal(reading.output, "sippathd " SIPPATH_VERSION "\n");
	assert_string_equal(reading.errors, "");
}

static void an_interface_is_needed_only_where_said(void **state)
{
	static const char *const flags[] = { "--config=/dev/null", "--cluster=redis://192.0.2.6",
					     "--listen=udp:192.0.2.5:5060", NULL };
	struct reading reading;

	(void)state;
	read_config(&reading, CONFIG_FOR_INTERFACES, flags);
	assert_int_equal(reading.result, CONFIG_USAGE);
	assert_one_line_with(&reading, "--interface is missing");
	read_config(&reading, CONFIG_FOR_CALLS, flags);
	assert_int_equal(reading.result, CONFIG_RUN);
	assert_int_equal(reading.config.interface_count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_need_only_an_interface),
		cmocka_unit_test(the_default_file_may_be_missing),
		cmocka_unit_test(flags_take_their_value_in_either_form),
		cmocka_unit_test(the_file_beats_defaults_and_flags_beat_the_file),
		cmocka_unit_test(a_shorter_list_replaces_a_longer_one),
		cmocka_unit_test(every_bad_value_of_a_flag_is_refused),
		cmocka_unit_test(every_bound_is_within),
		cmocka_unit_test(a_path_must_fit_its_member),
		cmocka_unit_test(mistakes_in_flags_are_usage),
		cmocka_unit_test(mistakes_in_the_file_name_file_and_line),
		cmocka_unit_test(a_line_is_never_taken_for_two),
		cmocka_unit_test(a_named_file_must_be_readable),
		cmocka_unit_test(a_pipe_is_refused_and_not_waited_for),
		cmocka_unit_test(help_and_version_are_answered_on_standard_output),
		cmocka_unit_test(an_interface_is_needed_only_where_said),
	};

	return cmocka_run_group_tests_name("config", tests, config_world_begin, config_world_end);
}
