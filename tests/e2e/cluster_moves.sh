#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A device that registers through another proxy has left the old one, which stops prompting it
# within a second (trap 30); but for a dialog that is running, for the second flow of a device
# that keeps two on purpose (trap 31), and where the operator wants it otherwise.
source "$(dirname "$0")/../lab/lib.sh"
source "$LAB_HOME/cluster.sh"

THRESHOLD=2 # seconds
MOVE_MS=1000 # what a move may take
SLACK_MS=1000 # of what a busy machine may be late
AGENT=(--threshold "${THRESHOLD}s" --linger 3s)

# moves NAME IP:PORT FROM TO: a phone that is registered through one proxy registers through another.
moves() {
	local -r old=$(nat_port_to "$3" "$2")
	local moved new late took
	check "$1 registers through $4" register_at "$1" "$4" 3600
	moved=$(event_time "$1" registered "${PROXY[$4]}")
	new=$(nat_port_to "$4" "$2")
	check "which ends the registration at $3" wait_until 15 ended_elsewhere "$3" "$old"
	took=$(since "$(ended_at "$3" "$old")" "$moved")
	within "within a second" 0 $((MOVE_MS + SLACK_MS)) "$took"
	note "$took ms after the 200 of $4"
	late=$(later_than "$moved" $(((MOVE_MS + SLACK_MS) / 1000)))
	check "$4 prompts $1" wait_until 15 prompts_reach 2 "$4" "$new" "$late"
	equal "and $3 does not any more" 0 "$(prompts "$3" "$old" "$late")"
	check "every node knows it" wait_until 5 where_is c "$1" "$4:registered"
}

# ended_elsewhere NODE PORT: the path's latest word is that its device has registered elsewhere.
ended_elsewhere() {
	[[ $(history_at "$@") == *" idle:registered_elsewhere" ]]
}

plan 41
cluster_up
start_redis
check "the set of proxies starts" start_proxies "${AGENT[@]}"
check "each node sees the others" wait_until 15 sees_nodes a "a b c"
watch_node a
watch_node b
capture_wan

# One with an instance, and one without: its Contact tells who it is.
start_phones phones alice -i 10.77.0.11:5060
start_phones phones bob 10.77.0.12:5060
for name in alice bob; do
	[[ $name == alice ]] && phone=10.77.0.11:5060 || phone=10.77.0.12:5060
	check "$name registers through a" register_at "$name" a 3600
	check "a prompts $name" wait_until 15 prompts_reach 1 a "$(nat_port_to a "$phone")"
	moves "$name" "$phone" a b
done
moves alice 10.77.0.11:5060 b a

# A dialog stays where it is.
start_phones caller outside "$CALLER:5080"
start_phones phones dave 10.77.0.14:5060
check "dave registers through a" register_at dave a 3600
check "he calls somebody" told dave "call 0 ${PROXY[a]} outside" answered "${PROXY[a]}"
check "he registers through b" register_at dave b 3600
old=$(nat_port_to a 10.77.0.14:5060)
new=$(nat_port_to b 10.77.0.14:5060)
check "a keeps his path for the dialog alone" wait_until 15 history_at_is a "$old" \
	registered:registered registered+dialog:dialog_confirmed dialog:registered_elsewhere
moved=$(now)
check "and goes on with it" wait_until 15 prompts_reach 2 a "$old" "$moved"
check "while b prompts the other one" wait_until 15 prompts_reach 2 b "$new" "$moved"

# Two flows of one device.
AOR=carol start_phones phones carol1 -i 10.77.0.13:5060
AOR=carol start_phones phones carol2 -i 10.77.0.13:5062
check "carol registers a flow through a" register_at carol1 a 3600 1
check "and another one through b" register_at carol2 b 3600 2
second=$(event_time carol2 registered "${PROXY[b]}")
check "both are known" wait_until 5 where_is c carol "b:registered a:registered"
check "a goes on prompting the first" \
	wait_until 15 prompts_reach 2 a "$(nat_port_to a 10.77.0.13:5060)" "$second"
check "and b the second" wait_until 15 prompts_reach 2 b "$(nat_port_to b 10.77.0.13:5062)" "$second"
check "the agents stop cleanly" stop_agents

# What the operator wants otherwise. The agents remember the others, too.
for node in "${NODES[@]}"; do
	start_agent "$node" "${AGENT[@]}" --move keep
done
start_phones phones erin -i 10.77.0.15:5060
check "with --move keep erin registers through a" register_at erin a 3600
check "and through b" register_at erin b 3600
moved=$(event_time erin registered "${PROXY[b]}")
check "both are known" wait_until 5 where_is c erin "b:registered a:registered"
late=$(later_than "$moved" $(((MOVE_MS + SLACK_MS) / 1000)))
check "and both are prompted: by a" \
	wait_until 15 prompts_reach 2 a "$(nat_port_to a 10.77.0.15:5060)" "$late"
check "and by b" wait_until 15 prompts_reach 2 b "$(nat_port_to b 10.77.0.15:5060)" "$late"
