#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A subscription keeps its path: for as long as the server grants it, until NOTIFY terminates
# it, or until the phone ends it; a fetch keeps none (trap 33). The phones are registered nowhere.
source "$(dirname "$0")/../lab/lib.sh"

GRANTED=8 # seconds; the phones ask for 3600
BETWEEN=5000 # milliseconds between one SUBSCRIBE of a phone and the next

# subscribe NAME IP EVENT...: a phone with a subscription for each event package. Leaves what the
# server sees it as in $REMOTE.
subscribe() {
	local -r events=("${@:3}")
	printf '%s\n' SEQUENTIAL "${events[@]/%/;}" >"$LAB_LOGS/$1.events"
	run_sipp phones "$1" "$2" 5060 phone_subscribes "$SERVER:5060" -key user "$1" -s "$1" \
		-inf "$LAB_LOGS/$1.events" -m ${#events[@]} -r 100 -d $BETWEEN -oocsf "$LAB_HOME/phone_answer.xml"
	wait_until 15 mapped "$2"
	REMOTE=$NAT_PUBLIC:$(nat_port "$2")
}

plan 13
lab_up
run_sipp server notifier "$SERVER" 5060 notifier -key granted $GRANTED -d 2000
check "the agent starts" agent_start --threshold 2s
check "its events are followed" agent_watch

subscribe alice 10.77.0.11 message-summary dialog
alice=$REMOTE
check "two subscriptions of one phone are one path's" wait_until 15 path_is "$alice" subscriptions 2
equal "which is kept like that of a registration" registered "$(path_value "$alice" state)"
subscribe bob 10.77.0.12 presence
bob=$REMOTE
check "a subscription of another phone is kept" wait_until 15 path_is "$bob" state registered
subscribe carol 10.77.0.13 dialog
carol=$REMOTE
run_sipp phones dave 10.77.0.14 5060 phone_fetches "$SERVER:5060" -key user dave -s dave -m 1
check "a fetch is answered" done_well dave
mapped 10.77.0.14 # or its path would have no name
dave=$NAT_PUBLIC:$(nat_port 10.77.0.14)

check "a NOTIFY that terminates ends one of two" wait_until 15 path_is "$alice" subscriptions 1
check "and the path, where it was the only one" \
	wait_until 15 history_is "$carol" registered:subscribed idle:subscription_terminated
check "a subscription that is not refreshed ends when the server's $GRANTED s are over" \
	wait_until 15 history_is "$bob" registered:subscribed idle:subscription_expired
check "one that is refreshed ends when the phone ends it" done_well alice
check "and its path with it" wait_until 15 history_is "$alice" registered:subscribed idle:unsubscribed
equal "a fetch has kept no path" "" "$(path_history "$dave")"
check "the agent stops cleanly" agent_stop
