/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/options.h"

#include "base/clock.h"
#include "config/apply.h"
#include "control.h"

/* A number of include/ as text, so that a default is written down once. */
#define TEXT_OF_(number) #number
#define TEXT_OF(number) TEXT_OF_(number)

#define SECTION "agent"

/* A char array of struct config, which holds a terminator too. */
#define TEXT_MEMBER(name) \
	.apply = apply_text, .offset = offsetof(struct config, name), .lowest = 1, \
	.highest = sizeof(((struct config *)NULL)->name) - 1

#define NUMBER_MEMBER(name, from, to) \
	.apply = apply_number, .offset = offsetof(struct config, name), .lowest = (from), \
	.highest = (to)

#define DURATION_MEMBER(name, from_ns, to_ns) \
	.apply = apply_duration, .offset = offsetof(struct config, name), .lowest = (from_ns), \
	.highest = (to_ns)

#define HOUR_NS (3600 * NS_PER_S)

static const struct option_entry entries[] = {
	{
		.flag = "config",
		.value = "FILE",
		.expected = "a path of 1 to 255 bytes",
		.help = "read this file (" CONFIG_FILE_DEFAULT ")",
		TEXT_MEMBER(file),
	},
	{
		.flag = "interface",
		.section = SECTION,
		.key = "interface",
		.value = "DEV[,DEV...]",
		.expected = "1 to 16 different interfaces, each 1 to 15 bytes, such as eth0,eth1",
		.help = "watch SIP on these interfaces",
		.apply = apply_interfaces,
	},
	{
		.flag = "sip-port",
		.section = SECTION,
		.key = "sip_port",
		.value = "PORT[,PORT...]",
		.fallback = TEXT_OF(SIPPATH_PORT_DEFAULT),
		.expected = "1 to 16 different ports, each 1 to 65535",
		.help = "local ports of the SIP server",
		.apply = apply_ports,
		.lowest = 1,
		.highest = UINT16_MAX,
	},
	{
		.flag = "threshold",
		.section = SECTION,
		.key = "threshold",
		.value = "TIME",
		.fallback = "24s",
		.expected = "a time from 1s to 1h, such as 24s or 1500ms",
		.help = "prompt a path that has been quiet so long",
		DURATION_MEMBER(threshold_ns, NS_PER_S, HOUR_NS),
	},
	{
		.flag = "linger",
		.section = SECTION,
		.key = "linger",
		.value = "TIME",
		.fallback = "32s",
		.expected = "a time from 0s to 1h, such as 32s",
		.help = "after its last dialog; no effect yet",
		DURATION_MEMBER(linger_ns, 0, HOUR_NS),
	},
	{
		.flag = "paths-max",
		.section = SECTION,
		.key = "paths_max",
		.value = "N",
		.fallback = TEXT_OF(SIPPATH_PATHS_DEFAULT),
		.expected = "a number from 1024 to 16777216",
		.help = "keep at most so many paths",
		NUMBER_MEMBER(paths_max, 1024, 16777216),
	},
	{
		.flag = "transactions-max",
		.section = SECTION,
		.key = "transactions_max",
		.value = "N",
		.fallback = "16384",
		.expected = "a number from 64 to 1048576",
		.help = "remember at most so many open requests",
		NUMBER_MEMBER(transactions_max, 64, 1048576),
	},
	{
		.flag = "prompt-mark",
		.section = SECTION,
		.key = "prompt_mark",
		.value = "N",
		.fallback = TEXT_OF(SIPPATH_MARK_DEFAULT),
		.expected = "a number from 1 to 4294967295, or from 0x1 to 0xffffffff",
		.help = "firewall mark of our own packets",
		.apply = apply_mark,
		.offset = offsetof(struct config, prompt_mark),
		.lowest = 1,
		.highest = UINT32_MAX,
	},
	{
		.flag = "xdp-mode",
		.section = SECTION,
		.key = "xdp_mode",
		.value = "MODE",
		.fallback = "any",
		.expected = "any, native or generic",
		.help = "how XDP runs: any, native or generic",
		.apply = apply_mode,
	},
	{
		.flag = "pin-dir",
		.section = SECTION,
		.key = "pin_dir",
		.value = "DIR",
		.fallback = ATTACH_PIN_DIR_DEFAULT,
		.expected = "a path of 1 to 255 bytes",
		.help = "where the maps are pinned",
		TEXT_MEMBER(pin_dir),
	},
	{
		.flag = "state-dir",
		.section = SECTION,
		.key = "state_dir",
		.value = "DIR",
		.fallback = CONFIG_STATE_DIR_DEFAULT,
		.expected = "a path of 1 to 255 bytes",
		.help = "for its state; no effect yet",
		TEXT_MEMBER(state_dir),
	},
	{
		.flag = "socket",
		.section = SECTION,
		.key = "socket",
		.value = "PATH",
		.fallback = CONTROL_SOCKET_DEFAULT,
		.expected = "a path of 1 to 107 bytes",
		.help = "the socket for sippath",
		TEXT_MEMBER(socket),
	},
	{
		.flag = "log-level",
		.section = SECTION,
		.key = "log_level",
		.value = "LEVEL",
		.fallback = "info",
		.expected = "error, warning, info or debug",
		.help = "error, warning, info or debug",
		.apply = apply_log_level,
	},
	{
		.flag = "help",
		.help = "say this and leave",
	},
	{
		.flag = "version",
		.help = "say the version and leave",
	},
};

#define ENTRY_COUNT (sizeof(entries) / sizeof(entries[0]))

_Static_assert(ENTRY_COUNT < OPTIONS_MAX, "whoever indexes the table relies on OPTIONS_MAX");

const struct option_entry *options_all(size_t *count)
{
	*count = ENTRY_COUNT;
	return entries;
}

const struct option_entry *options_find_flag(struct span flag)
{
	for (size_t i = 0; i < ENTRY_COUNT; i++) {
		if (span_equal(span_of(entries[i].flag), flag))
			return &entries[i];
	}
	return NULL;
}

const struct option_entry *options_find_key(const char *section, const char *key)
{
	for (size_t i = 0; i < ENTRY_COUNT; i++) {
		if (entries[i].section && strcmp(entries[i].section, section) == 0 &&
		    strcmp(entries[i].key, key) == 0)
			return &entries[i];
	}
	return NULL;
}

static void write_entry(FILE *out, const struct option_entry *entry)
{
	char left[32];

	snprintf(left, sizeof(left), "--%s%s%s", entry->flag, entry->value ? " " : "",
		 entry->value ? entry->value : "");
	fprintf(out, "  %-26s  %s", left, entry->help);
	if (entry->fallback)
		fprintf(out, " (%s)", entry->fallback);
	fputc('\n', out);
}

void options_write_help(FILE *out)
{
	fputs("sippathd keeps the NAT-mapped paths of SIP phones open, from the server's side.\n\n"
	      "usage: sippathd --interface DEV[,DEV...] [OPTION...]\n"
	      "       sippathd attach DEV [OPTION...]    put the programs onto DEV and leave\n"
	      "       sippathd detach DEV [OPTION...]    take them off DEV and leave\n\n"
	      "options, with their defaults in parentheses:\n",
	      out);
	for (size_t i = 0; i < ENTRY_COUNT; i++)
		write_entry(out, &entries[i]);
	fputs("\nIn the file they stand in the section [" SECTION "], with _ for -,\n"
	      "such as \"sip_port = 5060,5062\". A flag beats the file.\n",
	      out);
}
