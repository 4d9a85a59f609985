#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A full sip_paths refuses the new path, never an old one, and says which limit it was.
source "$(dirname "$0")/../lab/lib.sh"

ROOM=1024
MORE=200

said_full() {
	grep -c "sip_paths is full (paths-max = $ROOM)" "$LAB_LOGS/agent.log" || true
}

prompts_exceed() { # REMOTE NUMBER
	[[ $(path_value "$1" prompts) -gt $2 ]]
}

plan 8
lab_up
start_kamailio
check "the agent starts" agent_start --threshold 3s --paths-max $ROOM
start_phone alice 10.77.0.11
alice=$NAT_PUBLIC:$(nat_port 10.77.0.11)
check "an early phone is kept" wait_until 15 path_is "$alice" health live

# Each from an address of its own, and accepted: Kamailio asks nobody for a password here.
register_message "crowd%n" 10.77.0.30:5060 3600 "crowd-%n" 1 |
	FROM=caller datagram -n $((ROOM + MORE)) -i 1000 -s 198.18.0.1:5060 $SERVER:5060
check "more register than there is room for" wait_until 30 count_reaches paths_refused 1
check "sip_paths is full to the last place" wait_until 30 paths_are $ROOM
equal "and says so, once" 1 "$(said_full)"
prompts=$(path_value "$alice" prompts)
check "the early phone is still prompted" wait_until 15 prompts_exceed "$alice" "$prompts"
check "and is live" wait_until 15 path_is "$alice" health live
check "the agent stops cleanly" agent_stop
