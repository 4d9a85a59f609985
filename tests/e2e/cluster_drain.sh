#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Draining: no new calls are routed to a proxy while another one has a path to the phone, and its
# paths are kept. And what call control can tell a proxy to do.
source "$(dirname "$0")/../lab/lib.sh"
source "$LAB_HOME/cluster.sh"

THRESHOLD=5 # seconds
AGENT=(--threshold "${THRESHOLD}s" --linger 3s)
ALICE1=10.77.0.11:5060
ALICE2=10.77.0.11:5062
BOB=10.77.0.12:5060

# rings_through NODE NAME USER: a call by way of call control reaches the phone NAME, from NODE alone.
rings_through() {
	local -r before=$(wc -l <"$LAB_LOGS/$2.events")
	call_from caller 0 "$3" &&
		[[ $(tail -n +$((before + 1)) "$LAB_LOGS/$2.events" | awk '{ print $3, $4 }') == "invited ${PROXY[$1]}" ]]
}

# drains NODE: as call control sees it.
drains() {
	node control --json cluster |
		jq -e --arg node "$1" 'any(.node == $node and .draining)'
}

serves() {
	! drains "$1"
}

# quiet_for NODE PORT LEAST MOST: ms since the path was last heard.
quiet_for() {
	local -r idle=$(path_at "$1" "$2" idle_ms)
	((idle >= $3 && idle <= $4))
}

flow_of() { # NODE IP:PORT
	echo "udp ${PROXY[$1]}:5060 $NAT_PUBLIC:$(nat_port_to "$@")"
}

plan 31
cluster_up
start_redis
check "the set of proxies starts" start_proxies "${AGENT[@]}"
check "so does call control" start_control --mode forward
watch_node a
capture_wan
start_phones caller caller "$CALLER:5070"
AOR=alice start_phones phones alice2 -i $ALICE2
AOR=alice start_phones phones alice1 -i $ALICE1
start_phones phones bob $BOB
register_at alice2 b 3600 2
register_at alice1 a 3600 1
register_at bob a 3600
check "call control knows alice's two flows" wait_until 5 where_is control alice "a:registered b:registered"
check "and bob's one" wait_until 5 where_is control bob a:registered

check "a call to alice goes through a, where she has registered last" rings_through a alice1 alice
check "a drains" node a drain on
check "which call control hears of" wait_until 5 drains a
check "a call to alice goes through b" rings_through b alice2 alice
check "one to bob through a, because there is no other way" rings_through a bob bob
draining=$(now)
check "a goes on prompting alice" \
	wait_until 20 prompts_reach 2 a "$(nat_port_to a "$ALICE1")" "$draining"
check "and bob" wait_until 20 prompts_reach 2 a "$(nat_port_to a "$BOB")" "$draining"
check "a restart" stop_agent a
check "does not change that" start_agent a "${AGENT[@]}"
check "a drains still" wait_until 10 drains a
check "and calls go through b still" rings_through b alice2 alice
check "a is back" node a drain off
check "which call control hears of" wait_until 5 serves a
check "calls to alice go through a again" rings_through a alice1 alice
watch_node a

check "call control tells b to drain" node control order b drain
check "which it does" wait_until 5 drains b
check "and not to" node control order b undrain
check "which it does not" wait_until 5 serves b

port=$(nat_port_to a "$BOB")
check "bob is quiet, but not for long" wait_until 20 quiet_for a "$port" 1500 2500
ordered=$(now)
check "call control has a prompt him" node control order a prompt "$(flow_of a "$BOB")"
check "which it does" wait_until 5 prompts_reach 1 a "$port" "$ordered"
within "long before it would have" 0 $((THRESHOLD * 1000 - 3000)) \
	"$(since "$(prompt_times a "$port" "$ordered" | head -n 1)" "$ordered")"
check "call control has a drop his path" node control order a drop "$(flow_of a "$BOB")"
check "which it does" wait_until 5 path_at_is a "$port" state none
check "nobody knows where he is" wait_until 5 where_is control bob ""
dropped=$(now)
let_time_pass $((2 * THRESHOLD)) "a path that is kept would be prompted"
equal "and he is not prompted any more" 0 "$(prompts a "$port" "$dropped")"
check "the agents stop cleanly" stop_agents
