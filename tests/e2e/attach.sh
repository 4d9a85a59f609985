#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# However the program came onto the interface, the agent works with it; the program outlives
# the agent, and "sippath detach" leaves nothing.
source "$(dirname "$0")/../lab/lib.sh"

phone=0
port=

# phone_kept: a new phone registers, is prompted, and its answer is absorbed. Leaves its port at the
# NAT in $port.
phone_kept() {
	local ip
	phone=$((phone + 1))
	ip=10.77.0.$((20 + phone))
	start_phone "phone$phone" "$ip"
	port=$(nat_port "$ip")
	wait_until 15 path_is "$NAT_PUBLIC:$port" state registered &&
		wait_until 20 path_is "$NAT_PUBLIC:$port" answers 1 &&
		[[ $(kamailio_stat script.options_replies) -eq 0 ]]
}

# last_seen PORT: when the kernel last saw the phone with this port at the NAT, from the pinned map.
last_seen() {
	kernel_paths | jq --argjson port "$1" \
		'map(select(.key.remote_port == $port)) | first | .value.last_seen_ns'
}

seen_later_than() {
	[[ $(last_seen "$1") -gt $2 ]]
}

no_trace() {
	[[ -z $(xdp_mode) && -z $(pins) && -z $(tc -n server qdisc show dev eth0 clsact) ]]
}

plan 24
lab_up
start_kamailio

# By plain "ip link".
check "ip link attaches the program" \
	in_ns server ip link set dev eth0 xdp obj "$BUILD/sippath.bpf.o" sec xdp
check "the agent starts with what ip link attached" agent_start --threshold 2s
check "and keeps a phone" phone_kept
chatty_port=$port
chatter 10.77.0.21:5060 &
check "the agent stops cleanly" agent_stop
equal "the program stays" native "$(xdp_mode)"
check "the maps stay pinned" test -n "$(pins)"

before=$(last_seen "$chatty_port")
check "and go on being stamped" wait_until 15 seen_later_than "$chatty_port" "$before"
check "calls go through without the agent" call phone1

check "the agent starts again" agent_start --threshold 2s
check "and keeps a phone" phone_kept
agent_kill
check "calls go through after kill -9" call phone2
check "the agent starts again after kill -9" agent_start --threshold 2s
check "and keeps a phone" phone_kept
check "the agent stops cleanly" agent_stop
check "sippath detach succeeds" sippath detach eth0
check "and leaves nothing behind" no_trace

# By the agent itself, by "sippath attach", and by xdp-loader.
check "the agent attaches by itself" agent_start --threshold 2s
equal "in the driver" native "$(xdp_mode)"
agent_stop && sippath detach eth0 >/dev/null
check "sippath attach succeeds" sippath attach eth0
check "the agent starts with what sippath attached" agent_start --threshold 2s
agent_stop && sippath detach eth0 >/dev/null
check "and detach leaves nothing behind again" no_trace
check "xdp-loader attaches the program" \
	in_ns server xdp-loader load -m native -s xdp eth0 "$BUILD/sippath.bpf.o"
check "the agent starts with what xdp-loader attached" agent_start --threshold 2s
check "and keeps a phone" phone_kept
