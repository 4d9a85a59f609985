#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Several registrations of one user: "Contact: *" ends them all (trap 25), and the flows of a
# phone that keeps two on purpose are kept both (trap 31).
source "$(dirname "$0")/../lab/lib.sh"

# outbound_flow NAME PORT REG-ID: one more flow of the phone at 10.77.0.31.
outbound_flow() {
	AOR=erin PORT=$2 FIRST=phone_outbound start_sipp "$1" 10.77.0.31 \
		-key instance 00000000-0000-1000-8000-000a95a0e128 -key reg_id "$3"
	wait_until 30 on_line erin 10.77.0.31 "$2"
	REMOTE=$NAT_PUBLIC:$(nat_port 10.77.0.31 "$2")
}

answered() {
	[[ $(path_value "$1" answers) =~ ^[1-9] ]]
}

plan 15
lab_up
start_kamailio
check "the agent starts" agent_start --threshold 2s
check "its events are followed" agent_watch

# One user at three phones, the third of which sends them all away.
AOR=team start_phone team1 10.77.0.21
AOR=team start_phone team2 10.77.0.22
check "two phones of one user are kept" wait_until 15 paths_are 2
AOR=team FIRST=phone_clears start_sipp team3 10.77.0.23
check "a third phone removes every registration of its user" done_well team3
for ip in 10.77.0.21 10.77.0.22 10.77.0.23; do
	check "which ends the path of $ip" wait_until 15 history_is "$NAT_PUBLIC:$(nat_port $ip)" \
		registered:registered idle:unregistered
done

# Two flows of one phone, and a third in place of the first.
outbound_flow erin1 5060 1
first=$REMOTE
outbound_flow erin2 5062 2
second=$REMOTE
check "the second flow of a phone is kept" wait_until 15 path_is "$second" state registered
equal "and the first one still is" registered "$(path_value "$first" state)"
check "the first is prompted and answers" wait_until 15 answered "$first"
check "so does the second" wait_until 15 answered "$second"
outbound_flow erin3 5064 1
third=$REMOTE
check "a new flow in place of the first is kept" wait_until 15 path_is "$third" state registered
check "which ends the first" \
	wait_until 15 history_is "$first" registered:registered idle:registration_moved
equal "and leaves the second alone" registered:registered "$(path_history "$second")"
check "the agent stops cleanly" agent_stop
