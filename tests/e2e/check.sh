#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What is wrong is noticed, named by "sippath check" with its exit status, and healed where it can
# be; whoever watches the agent (systemd) hears from it as long as it runs.
source "$(dirname "$0")/../lab/lib.sh"

STATE=$LAB_LOGS/state
NOTIFIED=$LAB_LOGS/notify.sock

# trouble NAME FIELD: of one trouble, as "sippath check" knows it; its status does not matter here.
trouble() {
	{ sippath --json check || true; } |
		jq -r --arg name "$1" --arg field "$2" '.troubles[] | select(.name == $name)[$field]'
}

# Conditions to wait for.
is_active() {
	[[ $(trouble "$1" active) == true ]]
}

has_been() { # NAME [TIMES]
	[[ $(trouble "$1" times) -ge ${2:-1} ]]
}

is_healthy() {
	sippath check
}

# names NAME WORDS: "sippath check" fails, names the trouble and says what to do.
names() {
	local said
	! said=$(sippath check) && [[ $said == *"WRONG   $1"*"$2"* ]]
}

told() { # MESSAGE
	grep -qx "$1" "$LAB_LOGS/notified.log"
}

times_alive() {
	grep -cx WATCHDOG=1 "$LAB_LOGS/notified.log" || true
}

alive_again() { # COUNT
	[[ $(times_alive) -gt $1 ]]
}

answered_more_than() {
	[[ $(agent_count prompts_answered) -gt $1 ]]
}

carries_xdp() {
	[[ -n $(xdp_mode) ]]
}

wipe_settings() {
	local -r pin=/sys/fs/bpf/sippath/sip_settings
	local bytes
	bytes=$(bpftool -j map show pinned $pin | jq .bytes_value)
	# shellcheck disable=SC2046
	bpftool map update pinned $pin key 0 0 0 0 value $(yes 0 | head -n "$bytes")
}

fill_disk() {
	! dd if=/dev/zero of="$STATE/filling" bs=64k 2>/dev/null
}

# An agent that knows more has more to write down.
registers_until_behind() {
	local i
	for i in {20..79}; do
		start_phone "phone$i" "10.77.0.$i"
		! is_active store_behind || return 0
	done
	wait_until 10 is_active store_behind
}

plan 34
lab_up
start_kamailio
gcc -O2 -D_GNU_SOURCE -o "$LAB_LOGS/notified" "$PROJECT/tests/lab/notified.c"
spawn server notified.log "$LAB_LOGS/notified" "$NOTIFIED"
check "somebody listens as systemd would" wait_until 10 test -S "$NOTIFIED"
mkdir -p "$STATE"
mount -t tmpfs -o size=2m,mode=755 tmpfs "$STATE"

said=$(sippath check 2>&1) && status=0 || status=$?
equal "without an agent it is not healthy" 1 "$status"
check "which is said" grep -q "sippathd does not run" <<<"$said"
export NOTIFY_SOCKET=$NOTIFIED WATCHDOG_USEC=1000000
check "the agent starts" agent_start --threshold 2s
unset NOTIFY_SOCKET WATCHDOG_USEC
check "it has told that it is ready" wait_until 10 told READY=1
check "and that all is well" wait_until 10 told "STATUS=all is well"
start_phone alice 10.77.0.11
check "a phone is prompted and heard" wait_until 15 count_reaches prompts_answered 2
check "it is healthy" is_healthy
equal "which is true in JSON, too" "true array" \
	"$(sippath --json check | jq -r '"\(.healthy) \(.troubles | type)"')"

in_ns server nft -f - <<-EOT
	table inet refusing {
		chain output {
			type filter hook output priority filter
			meta mark != 0 udp sport 5060 drop
		}
	}
EOT
check "that the firewall forbids prompts is noticed" wait_until 20 is_active sends_denied
check "named, with what to do" names sends_denied "nft list ruleset"
check "and told to systemd" wait_until 10 told 'STATUS=see "sippath check": sends_denied'
check "under its counter" count_reaches prompts_failed_denied 1
in_ns server nft delete table inet refusing
check "without the rule it is healthy again" wait_until 40 is_healthy
check "and prompts flow" wait_until 20 answered_more_than "$(agent_count prompts_answered)"

in_ns server ip link set dev eth0 xdp off
check "that a program was taken off is noticed (trap 11)" wait_until 20 has_been programs_lost
check "it is put back" wait_until 20 carries_xdp
check "and it is healthy again" wait_until 40 is_healthy
check "and prompts flow" wait_until 20 answered_more_than "$(agent_count prompts_answered)"

wipe_settings
check "that the settings were wiped is noticed" wait_until 20 has_been settings_lost
check "they are written again: it is healthy" wait_until 40 is_healthy
check "and prompts flow" wait_until 20 answered_more_than "$(agent_count prompts_answered)"

ip -n server link set eth0 down
check "that the interface is down is named" wait_until 20 names interface_down "ip link"
ip -n server link set eth0 up
ip -n server route add default via 192.0.2.1
check "once it is up all is well" wait_until 40 is_healthy
check "and prompts flow" wait_until 20 answered_more_than "$(agent_count prompts_answered)"

check "the disk is full" fill_disk
check "that bindings cannot be written down is noticed" registers_until_behind
check "and named" names store_behind "--state-dir"
rm "$STATE/filling"
check "with room on it all is well" wait_until 60 is_healthy

check "whoever watches hears from the agent" wait_until 10 alive_again "$(times_alive)"
kill -STOP "$AGENT_PID"
alive=$(times_alive)
let_time_pass 5 "five times as long as the watchdog waits"
within "an agent that is stopped says nothing" "$alive" $((alive + 1)) "$(times_alive)"
kill -CONT "$AGENT_PID"
check "one that goes on does, and knows that it was held up" wait_until 20 has_been held_up
check "the agent stops cleanly" agent_stop
check "and says so" wait_until 10 told STOPPING=1
