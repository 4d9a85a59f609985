#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What is taken from under the agent it notices and puts back by itself: programs, qdisc, settings,
# the interface. Its phones are kept all the time, and not prompted more than otherwise (trap 11).
source "$(dirname "$0")/../lab/lib.sh"

THRESHOLD=2 # seconds

said() {
	grep -qE "$1" "$LAB_LOGS/agent.log"
}

# from_here: what "said" looks for is said after this.
from_here() {
	cat "$LAB_LOGS/agent.log" >>"$LAB_LOGS/agent-before.log"
	: >"$LAB_LOGS/agent.log"
}

watching() {
	sippath --json status | jq -e .watching
}

names() { # TROUBLE
	{ sippath --json check || true; } | jq -e --arg name "$1" '.troubles[] | select(.name == $name).active'
}

prompts_of() { # IP
	captured phones | grep -c "> $1.5060: .* OPTIONS " || true
}

# kept_on: both phones are prompted and answer once more, and neither was taken for silent.
kept_on() {
	local before
	before=$(agent_count prompts_answered)
	wait_until 20 count_reaches prompts_answered $((before + 4)) &&
		paths_are 2 && [[ $(sippath --json paths | jq -r 'map(.health) | unique | join(" ")') == live ]]
}

wipe_settings() {
	local -r pin=/sys/fs/bpf/sippath/sip_settings
	local bytes
	bytes=$(bpftool -j map show pinned $pin | jq .bytes_value)
	# shellcheck disable=SC2046 # one word for each byte
	bpftool map update pinned $pin key hex 00 00 00 00 value hex $(printf '00 %.0s' $(seq "$bytes"))
}

is_native() {
	[[ $(xdp_mode) == native ]]
}

settings_are_made() {
	bpftool -j map dump pinned /sys/fs/bpf/sippath/sip_settings |
		jq -e '[.. | objects | select(has("prompt_mark")) | .abi] | first > 0'
}

server_up() {
	wire internet office server eth0
	addresses internet office 192.0.2.1/24
	addresses server eth0 $SERVER/24
	ip -n server route add default via 192.0.2.1
}

plan 36
lab_up
# An interface is gone for longer than this NAT remembers usually, and nothing can be done about it.
in_ns nat sysctl -qw net.netfilter.nf_conntrack_udp_timeout=120 \
	net.netfilter.nf_conntrack_udp_timeout_stream=120
start_kamailio
check "the agent starts" agent_start --threshold ${THRESHOLD}s
capture phones phones
begun=$SECONDS
start_phone alice 10.77.0.11
start_phone bob 10.77.0.12
check "two phones are kept" kept_on
equal "no answer has reached Kamailio" 0 "$(kamailio_stat script.options_replies)"

in_ns server ip link set dev eth0 xdp off
check "an XDP program that was taken off comes back (trap 11)" wait_until 15 said "carries our XDP program again"
equal "in the driver" native "$(xdp_mode)"
check "the agent watches again" wait_until 10 watching
check "the phones are kept" kept_on

from_here
in_ns server tc qdisc del dev eth0 clsact
check "a filter that went with its qdisc comes back" wait_until 15 said "carries our tc filter again"
check "the phones are kept" kept_on

from_here
wipe_settings
check "settings that were wiped are made again" wait_until 15 settings_are_made
check "(which is said)" wait_until 5 said "sip_settings is as it was"
check "the phones are kept" kept_on

from_here
find /sys/fs/bpf/sippath -type f -delete
check "pins that were removed come back" wait_until 15 said "all is pinned again"
check "all of them" test -e /sys/fs/bpf/sippath/sip_paths
check "the phones are kept" kept_on

from_here
index=$(ip -n server -j link show dev eth0 | jq '.[0].ifindex')
ip -n server link delete eth0
check "the interface is missed" wait_until 15 said "eth0: the interface is gone"
check_not "the agent does not watch" watching
prompts=$(agent_count prompts_sent)
let_time_pass $((3 * THRESHOLD)) "three thresholds without the interface"
equal "and prompts nobody (trap 11)" "$prompts" "$(agent_count prompts_sent)"
server_up
check "it is back" wait_until 15 said "eth0: the interface is back"
check_not "with another index" test "$index" -eq "$(ip -n server -j link show dev eth0 | jq '.[0].ifindex')"
check "its program as well" wait_until 15 is_native
check "the agent watches again" wait_until 10 watching
check "the phones are kept" kept_on

# Each of five incidents may cost a phone one prompt that it would not have had otherwise.
most=$(((SECONDS - begun) / THRESHOLD + 5 + 2))
note "prompts: $(prompts_of 10.77.0.11) and $(prompts_of 10.77.0.12) in $((SECONDS - begun)) s"
within "alice was not prompted more often for all that (trap 11)" 5 $most "$(prompts_of 10.77.0.11)"
within "nor was bob (trap 11)" 5 $most "$(prompts_of 10.77.0.12)"
# A second interface is one that paths do not need: without it they are kept, and prompted.
check "the agent stops" agent_stop
ip link add wg0 netns server type veth peer name tunnel netns internet
ip -n server link set wg0 up
ip -n internet link set tunnel up
check "it starts with another interface" agent_start --threshold ${THRESHOLD}s --interface eth0,wg0
check "the phones are kept" kept_on
ip -n server link delete wg0
check "that the other is gone is missed" wait_until 15 said "wg0: the interface is gone"
check "and named" wait_until 10 names interface_gone
check "but the agent watches" watching
check "and phones are prompted as before (trap 11)" kept_on
ip link add wg0 netns server type veth peer name tunnel netns internet
ip -n server link set wg0 up
ip -n internet link set tunnel up
check "it is back, with its program" wait_until 15 said "wg0: the interface is back"
check "the phones are kept" kept_on
check_not "no detach takes the programs from under the agent" sippath detach eth0
check "the agent stops cleanly" agent_stop
