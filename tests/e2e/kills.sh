#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# kills.sh [NUMBER]   the agent is killed again and again, at any moment of its work, while phones register
#                     once, call each other and fall silent: no path is lost, no packet of the host, and
#                     no phone is prompted twice for the same silence (traps 9, 40)
source "$(dirname "$0")/../lab/lib.sh"
source "$LAB_HOME/phones.sh"

KILLS=${1:-20}
PHONES=2000
NAT_S=24
THRESHOLD_MS=16000 # two thirds of what the NAT remembers; prompts are spread, and a life is short
MARGIN_MS=2000 # for the restart and the answer
NEEDLESS_MS=15500 # a prompt to a phone that was heard less long ago is none that the threshold asks for
CALLS_PER_LIFE=5
export SIPPATH_BUILD=$BUILD # as operators run it: with sanitizers a start takes a second

registered_all() {
	[[ $(events_of phones registered) -ge $PHONES ]]
}

# register_share LIFE HALF: the phones whose turn it is register, for the only time: half of them while
# the agent is there, and half while it is not.
register_share() {
	local -r first=$((PHONES * (2 * $1 + $2) / (2 * KILLS))) next=$((PHONES * (2 * $1 + $2 + 1) / (2 * KILLS)))
	tell phones "register $first $((next - 1)) $SERVER 3600"
}

# one_life NUMBER: the agent starts, works for a moment, and is killed.
one_life() {
	local caller
	agent_start --threshold ${THRESHOLD_MS}ms || return 1
	register_share "$1" 0
	for ((caller = 0; caller < CALLS_PER_LIFE; caller++)); do
		tell phones "call $((RANDOM % PHONES)) $SERVER phones$((RANDOM % PHONES))"
	done
	let_time_pass "0.$((RANDOM % 5))$((RANDOM % 10))" "a moment, never the same"
	agent_kill
	register_share "$1" 1
}

# account: what the capture says: the longest silence of any phone in milliseconds, phones, prompts
# that no silence asked for, prompts, REGISTERs that went to the server.
account() {
	tcpdump -n -tt -A -r "$LAB_LOGS/wire.pcap" 2>/dev/null | awk -v phone="$NAT_PUBLIC" -v server="$SERVER.5060" \
		-v needless=$NEEDLESS_MS '
		function judge(port, time, branch,   spoke) {
			if (branch == latest[port]) return
			prompts++
			spoke = port in heard ? heard[port] : 0
			if (time - spoke < needless / 1000 ||
			    (port in prompted && prompted[port] > spoke && time - prompted[port] < 0.9)) doubled++
			latest[port] = branch
			prompted[port] = time
		}
		/^[0-9]+\.[0-9]+ IP / {
			time = $1
			port = ""
			if ($3 == server ":" || $3 == server) {
				if (index($5, phone ".") == 1 && / OPTIONS /) port = substr($5, 1, length($5) - 1)
			} else if (index($3, phone ".") == 1) {
				if ($3 in heard && time - heard[$3] > longest) longest = time - heard[$3]
				heard[$3] = time
				if (/ REGISTER /) registers++
			}
		}
		/^Via: / && port != "" {
			branch = $0
			sub(/.*branch=/, "", branch)
			judge(port, time, branch)
			port = ""
		}
		END {
			for (each in heard) {
				if (time - heard[each] > longest) longest = time - heard[each]
				count++
			}
			printf "%d %d %d %d %d\n", longest * 1000, count, doubled, prompts, registers
		}'
}

captured_all() {
	grep -q '^0 packets dropped by kernel' "$LAB_LOGS/wire.tcpdump"
}

plan 12
lab_up
in_ns nat sysctl -qw net.netfilter.nf_conntrack_udp_timeout=$NAT_S net.netfilter.nf_conntrack_udp_timeout_stream=$NAT_S
phones_build
start_kamailio
start_phones phones phones -n $PHONES 10.77.0.11:10000
DEVICE=office capture internet wire "udp port 5060"
check "the agent starts" agent_start --threshold ${THRESHOLD_MS}ms
agent_kill
spawn caller ping.log ping -q -i 0.02 $SERVER
ping_pid=$!
lives=0
while ((lives < KILLS)) && one_life $lives; do
	lives=$((lives + 1))
done
equal "the agent was killed so many times, and came back" "$KILLS" $lives
check "it comes back once more" agent_start --threshold ${THRESHOLD_MS}ms
check "all phones have registered by then" wait_until 10 registered_all
let_time_pass $((2 * THRESHOLD_MS / 1000)) "everybody is silent, and prompted"
kill -INT $ping_pid
wait $ping_pid || true
stop_capture wire
equal "every path is kept" $PHONES "$(paths_kept)"
read -r longest phones doubled prompts registers < <(account)
equal "every phone is in the capture" $PHONES "$phones"
check "(which lacks nothing)" captured_all
within "nobody is silent for longer than threshold and margin" 1 $((THRESHOLD_MS + MARGIN_MS)) "$longest"
within "phones were prompted" $PHONES 100000000 "$prompts"
equal "nobody without need, or twice" 0 "$doubled"
equal "every REGISTER has reached the server" "$registers" "$(kamailio_stat core.rcv_requests_register)"
check "and every other packet" grep -q ' 0% packet loss' "$LAB_LOGS/ping.log"
note "$KILLS kills, longest silence $longest ms, $prompts prompts, $registers REGISTERs"
