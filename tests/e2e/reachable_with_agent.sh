#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Behind a NAT that forgets after 8 s, every phone rings after a minute without a call.
# unreachable_without_agent.sh is the same run without the agent.
source "$(dirname "$0")/../lab/lib.sh"
source "$(dirname "$0")/lib/reachability.sh"

# phones_prompted: how many prompts the phones behind the NAT got; their callers have paths, too.
phones_prompted() {
	sippath --json paths | jq --arg nat "$NAT_PUBLIC:" \
		'[.[] | select(.remote | startswith($nat)).prompts] | add // 0'
}

plan 7
lab_up
start_kamailio
check "the agent starts" agent_start --threshold 5s
phones_register
call_everybody
equal "every phone rings at once after registering" "alice bob carol dave erin " "$RANG"
prompts_before=$(phones_prompted)

let_time_pass 60 "several NAT timeouts without a call"

equal "the NAT remembers every phone" 5 "$(nat_mappings)"
# 5 phones in 60 s at one prompt each 5 s are 60; the first of each may fall outside.
within "every phone was prompted about once in 5 s" 50 65 \
	$(($(phones_prompted) - prompts_before))
call_everybody
equal "every phone rings after a minute of silence" "alice bob carol dave erin " "$RANG"
equal "Kamailio got no answer to a prompt" 0 "$(kamailio_stat script.options_replies)"
check "the agent stops cleanly" agent_stop
