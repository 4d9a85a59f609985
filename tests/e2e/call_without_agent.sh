#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The proof that call.sh can fail: the same call without the agent.
source "$(dirname "$0")/../lab/lib.sh"
source "$(dirname "$0")/lib/calls.sh"

# bye_relayed: Kamailio has sent the BYE on towards the NAT.
bye_relayed() {
	grep_capture server "$SERVER.5060 > $NAT_PUBLIC.* BYE "
}

plan 6
lab_up
start_kamailio
capture phones phones
capture server server
start_callee carol 5060 "$CALL_SECONDS" 1800
start_phone alice 10.77.0.11 baresip
check "alice calls somebody" place_call alice 10.77.0.11 carol
check "her phone unregisters while she talks" unregister alice 10.77.0.11
check "the other side hangs up, and Kamailio passes it on" wait_until $((CALL_SECONDS + 15)) bye_relayed
let_time_pass 3 "repeats of the BYE"
equal "the NAT has forgotten the phone" "" "$(nat_port 10.77.0.11)"
equal "no BYE reaches it" 0 "$(byes_to 10.77.0.11)"
check_not "it still takes the call for going on" grep -aq "terminated" "$LAB_LOGS/alice.log"
