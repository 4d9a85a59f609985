#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A hundred incoming calls a second by way of call control, which redirects or forwards them: each
# comes to its phone, and to no other. tests/bench/cluster_calls measures how long that takes.
source "$(dirname "$0")/../lab/lib.sh"
source "$LAB_HOME/cluster.sh"
source "$LAB_HOME/cluster_calls.sh"

PHONES=60
OTHERS=3000 # registrations of devices that nobody calls
CALLS=500

# check_calls MODE: call control is up.
check_calls() {
	local -r redirected=$(node_count control calls_redirected)
	check "$1: $CALLS calls are answered" call_phones "$1" $CALLS $PHONES $CONTROL
	equal "(nothing is missing in the captures)" 0 "$(packets_missed "$1")"
	equal "$1: each has come to a phone" $CALLS "$(calls_reached "$1")"
	equal "$1: and to no other" 0 "$(calls_doubled "$1")"
	equal "$1: call control was asked for each" $CALLS "$(control_delays "$1" | wc -l)"
	if [[ $1 == redirect ]]; then
		within "(and has redirected them)" $CALLS 99999 $(($(node_count control calls_redirected) - redirected))
	else
		equal "(and has redirected none)" "$redirected" "$(node_count control calls_redirected)"
	fi
	equal "$1: nothing was dropped" 0 "$(node_count control calls_dropped)"
}

plan 25
cluster_up
start_redis
check "the set of proxies starts" start_proxies --threshold $THRESHOLD
check "$OTHERS registrations are in Redis" fill_redis $OTHERS
check "$PHONES phones register" start_phone_set $PHONES
for mode in redirect forward; do
	check "call control starts, to $mode" start_control --mode $mode
	check "it knows of all" wait_until 30 locations_known_are_at_least $((OTHERS + PHONES))
	check "and of the proxies" wait_until 15 sees_nodes control "a b c"
	check_calls $mode
	[[ $mode == forward ]] || check "it stops" stop_agent control
done
check "the agents stop cleanly" stop_agents
