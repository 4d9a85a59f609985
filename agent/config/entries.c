/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/entries.h"

#include "base/clock.h"
#include "config/apply.h"
#include "config/apply_cluster.h"
#include "config/networks.h"
#include "control.h"
#include "kernel/keepalive.h"

/* A number of include/ as text, so that a default is written down once. */
#define TEXT_OF_(number) #number
#define TEXT_OF(number) TEXT_OF_(number)

#define SECTION ENTRIES_SECTION

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

#define WORD_MEMBER(name, its_words) \
	.apply = apply_word, .offset = offsetof(struct config, name), .words = (its_words)

/* A key of a network, which says at "has" that there is a value of its own. */
#define NETWORK_MEMBER(how, name, has) \
	.section = OPTIONS_NETWORK, .apply = (how), \
	.offset = offsetof(struct rules_network, name), \
	.given = offsetof(struct rules_network, has)

#define MINUTE_NS (60 * NS_PER_S)
#define HOUR_NS (60 * MINUTE_NS)

/* How many prompts may leave in a second, for something or from somewhere. */
#define CAP_OPTION(its_flag, its_key, member, its_default, whose) \
	{ \
		.flag = (its_flag), .section = SECTION, .key = (its_key), .value = "N", \
		.fallback = TEXT_OF(its_default), \
		.expected = "a number from 0 to " TEXT_OF(CAPS_HIGHEST) ", 0 for no cap", \
		.help = "prompts a second " whose, NUMBER_MEMBER(caps.member, 0, CAPS_HIGHEST), \
	}

/* What flows that are not paths may cost in a second. */
#define RATE_OPTION(its_flag, its_key, member, its_default, its_help) \
	{ \
		.flag = (its_flag), .section = SECTION, .key = (its_key), .value = "N", \
		.fallback = TEXT_OF(its_default), .help = (its_help), \
		.expected = "a number from 1 to 4294967295, which is no limit", \
		NUMBER_MEMBER(member, 1, UINT32_MAX), \
	}

/* What holds for the default threshold holds for that of a network. */
#define THRESHOLD_EXPECTED "a time from 1s to 1h, such as 24s or 1500ms"
#define THRESHOLD_LOWEST KEEPALIVE_THRESHOLD_MIN_NS
#define THRESHOLD_HIGHEST KEEPALIVE_THRESHOLD_MAX_NS
#define METHOD_EXPECTED "options, notify or crlf"
#define NAT_EXPECTED "always or auto"

static const char *const modes[] = {
	[ATTACH_ANY] = "any",
	[ATTACH_NATIVE] = "native",
	[ATTACH_GENERIC] = "generic",
	NULL,
};

static const char *const log_levels[] = {
	[LOG_LEVEL_ERROR] = "error",
	[LOG_LEVEL_WARNING] = "warning",
	[LOG_LEVEL_INFO] = "info",
	[LOG_LEVEL_DEBUG] = "debug",
	NULL,
};

static const char *const methods[] = {
	[PROMPT_OPTIONS] = "options",
	[PROMPT_NOTIFY] = "notify",
	[PROMPT_CRLF] = "crlf",
	NULL,
};

static const char *const nats[] = {
	[RULES_NAT_ALWAYS] = "always",
	[RULES_NAT_AUTO] = "auto",
	NULL,
};

static const char *const moves[] = {
	[SHARE_MOVE_STOP] = "stop",
	[SHARE_MOVE_KEEP] = "keep",
	NULL,
};

static const char *const call_modes[] = {
	[SERVER_REDIRECT] = "redirect",
	[SERVER_FORWARD] = "forward",
	NULL,
};

_Static_assert(sizeof(methods) / sizeof(methods[0]) == PROMPT_METHOD_MAX + 1,
	       "every method has a word");
_Static_assert(sizeof(enum attach_mode) == sizeof(unsigned int) &&
		       sizeof(enum log_level) == sizeof(unsigned int) &&
		       sizeof(enum prompt_method) == sizeof(unsigned int) &&
		       sizeof(enum rules_nat) == sizeof(unsigned int) &&
		       sizeof(enum share_move) == sizeof(unsigned int) &&
		       sizeof(enum server_mode) == sizeof(unsigned int),
	       "apply_word() writes an unsigned int");

const struct option_entry entries[] = {
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
		.expected = THRESHOLD_EXPECTED,
		.help = "prompt a path that has been quiet so long",
		DURATION_MEMBER(defaults.threshold_ns, THRESHOLD_LOWEST, THRESHOLD_HIGHEST),
	},
	{
		.flag = "prompt",
		.section = SECTION,
		.key = "prompt",
		.value = "METHOD",
		.fallback = "options",
		.expected = METHOD_EXPECTED,
		.help = "with options, notify or crlf",
		WORD_MEMBER(defaults.method, methods),
	},
	{
		.flag = "nat",
		.section = SECTION,
		.key = "nat",
		.value = "WHEN",
		.fallback = "always",
		.expected = NAT_EXPECTED,
		.help = "auto: only devices behind a NAT",
		WORD_MEMBER(defaults.nat, nats),
	},
	{
		.flag = "network",
		.value = "NET[,KEY=VALUE...]",
		.expected = "a network, and what holds for it",
		.help = "a remote network, as often as needed",
		.apply = networks_apply,
	},
	{
		.key = "threshold",
		.value = "TIME",
		.expected = THRESHOLD_EXPECTED,
		.help = "its own threshold",
		NETWORK_MEMBER(apply_duration, own.threshold_ns, has_threshold),
		.lowest = THRESHOLD_LOWEST,
		.highest = THRESHOLD_HIGHEST,
	},
	{
		.key = "prompt",
		.value = "METHOD",
		.expected = METHOD_EXPECTED,
		.help = "its own method",
		NETWORK_MEMBER(apply_word, own.method, has_method),
		.words = methods,
	},
	{
		.key = "nat",
		.value = "WHEN",
		.expected = NAT_EXPECTED,
		.help = "always or auto",
		NETWORK_MEMBER(apply_word, own.nat, has_nat),
		.words = nats,
	},
	{
		.section = OPTIONS_NETWORK,
		.key = "ignore",
		.value = "yes|no",
		.expected = "yes or no",
		.help = "never prompt it: trunks, other proxies",
		.apply = apply_yes_or_no,
		.offset = offsetof(struct rules_network, own.ignored),
	},
	{
		.flag = "linger",
		.section = SECTION,
		.key = "linger",
		.value = "TIME",
		.fallback = "32s",
		.expected = "a time from 0s to 1h, such as 32s",
		.help = "a path outlives its last dialog so long",
		DURATION_MEMBER(linger_ns, 0, HOUR_NS),
	},
	{
		.flag = "dialogs.max_lifetime",
		.section = ENTRIES_SECTION_DIALOGS,
		.key = "max_lifetime",
		.value = "TIME",
		.fallback = "12h",
		.expected = "a time from 1m to 168h, such as 12h",
		.help = "no dialog lasts longer unheard",
		DURATION_MEMBER(dialog_max_ns, MINUTE_NS, 168 * HOUR_NS),
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
	CAP_OPTION("prompts-per-address", "prompts_per_address", per_address,
		   CAPS_PER_ADDRESS_DEFAULT, "to one address"),
	CAP_OPTION("prompts-per-network", "prompts_per_network", per_network,
		   CAPS_PER_NETWORK_DEFAULT, "to one network"),
	CAP_OPTION("prompts-per-host", "prompts_per_host", per_host, CAPS_PER_HOST_DEFAULT,
		   "of this host"),
	RATE_OPTION("flows-rate", "flows_rate", flows_rate, SIPPATH_FLOWS_RATE_DEFAULT,
		    "note so many new flows a second"),
	RATE_OPTION("sightings-rate", "sightings_rate", sightings_rate,
		    SIPPATH_SIGHTINGS_RATE_DEFAULT, "messages read a second off no path"),
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
		WORD_MEMBER(mode, modes),
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
		.help = "remember bindings here",
		TEXT_MEMBER(state_dir),
	},
	{
		.flag = "socket",
		.section = SECTION,
		.key = "socket",
		.value = "PATH",
		.fallback = CONTROL_SOCKET_DEFAULT,
		.expected = "a path of 1 to 107 bytes",
		.help = "socket for sippath",
		TEXT_MEMBER(socket),
	},
	{
		.flag = "user",
		.section = SECTION,
		.key = "user",
		.value = "NAME",
		.expected = "a name of 1 to 32 bytes",
		.help = "work as this user once started (sippath)",
		TEXT_MEMBER(user),
	},
	{
		.flag = "sandbox",
		.section = SECTION,
		.key = "sandbox",
		.value = "yes|no",
		.fallback = "yes",
		.expected = "yes or no",
		.help = "no other system calls; no: to debug it",
		.apply = apply_yes_or_no,
		.offset = offsetof(struct config, sandbox),
	},
	{
		.flag = "log-level",
		.section = SECTION,
		.key = "log_level",
		.value = "LEVEL",
		.fallback = "info",
		.expected = "error, warning, info or debug",
		.help = "error, warning, info or debug",
		WORD_MEMBER(log_level, log_levels),
	},
	{
		.flag = "cluster",
		.section = ENTRIES_SECTION_CLUSTER,
		.key = "cluster",
		.value = "REDIS-URL",
		.expected = "redis://[USER:PASSWORD@]HOST[:PORT][/DATABASE]",
		.help = "share paths with a set of proxies",
		.apply = apply_cluster,
	},
	{
		.flag = "node",
		.section = ENTRIES_SECTION_CLUSTER,
		.key = "node",
		.value = "NAME",
		.expected = "a name of 1 to 63 letters, digits, dots, dashes or underscores",
		.help = "this proxy's name in the cluster",
		.apply = apply_node,
	},
	{
		.flag = "node-uri",
		.section = ENTRIES_SECTION_CLUSTER,
		.key = "node_uri",
		.value = "SIP-URI",
		.expected = "sip:ADDRESS:PORT, the address as numbers",
		.help = "where calls for this proxy go",
		.apply = apply_node_uri,
	},
	{
		.flag = "move",
		.section = ENTRIES_SECTION_CLUSTER,
		.key = "move",
		.value = "WHAT",
		.fallback = "stop",
		.expected = "stop or keep",
		.help = "stop or keep a path whose device moves",
		WORD_MEMBER(move, moves),
	},
	{
		.flag = "listen",
		.section = ENTRIES_SECTION_CALLS,
		.key = "listen",
		.value = "PROTO:ADDRESS:PORT",
		.expected = "1 to 16 of udp:ADDRESS:PORT or tcp:ADDRESS:PORT, comma-separated",
		.help = "answer calls here, as often as needed",
		.apply = apply_listen,
	},
	{
		.flag = "peer",
		.section = ENTRIES_SECTION_CALLS,
		.key = "peer",
		.value = "NET[,NET...]",
		.expected = "1 to 64 networks such as 203.0.113.0/24, comma-separated",
		.help = "answer calls of these only, repeatable",
		.apply = apply_peers,
	},
	{
		.flag = "domain",
		.section = ENTRIES_SECTION_CALLS,
		.key = "domain",
		.value = "NAME",
		.expected = "a host name of 1 to 253 bytes",
		.help = "domain of calls to an address or tel:",
		.apply = apply_domain,
	},
	{
		.flag = "mode",
		.section = ENTRIES_SECTION_CALLS,
		.key = "mode",
		.value = "MODE",
		.fallback = "redirect",
		.expected = "redirect or forward",
		.help = "redirect calls or forward them",
		WORD_MEMBER(mode_of_calls, call_modes),
	},
	{
		.flag = "verify",
		.section = ENTRIES_SECTION_CALLS,
		.key = "verify",
		.value = "TIME",
		.fallback = "0s",
		.expected = "a time from 0s to 5s, such as 500ms",
		.help = "let a path prove open first, so long",
		DURATION_MEMBER(verify_ns, 0, 5 * NS_PER_S),
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

const size_t entries_count = sizeof(entries) / sizeof(entries[0]);

_Static_assert(sizeof(entries) / sizeof(entries[0]) < OPTIONS_MAX,
	       "whoever indexes the table relies on OPTIONS_MAX");
