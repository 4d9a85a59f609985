#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What is known outlives the agent: killed or stopped, the next one goes on where it was,
# without a REGISTER or an INVITE in between.
source "$(dirname "$0")/../lab/lib.sh"
source "$(dirname "$0")/lib/calls.sh"

TALKS=35 # seconds until the other side hangs up, longer than all that happens before

kinds_of() { # REMOTE
	sippath --json bindings | jq -r --arg remote "$1" '[.[] | select(.remote == $remote).kind] | sort | join(" ")'
}

prompts_of() { # IP
	captured phones | grep -c "> $1.5060: .* OPTIONS " || true
}

prompted_again() { # IP COUNT
	[[ $(prompts_of "$1") -gt $2 ]]
}

plan 20
lab_up
start_kamailio
check "the agent starts" agent_start --threshold 3s
capture phones phones
start_callee carol 5060 $TALKS 1800
start_phone alice 10.77.0.11 baresip
start_phone bob 10.77.0.12
alice=$NAT_PUBLIC:$(nat_port 10.77.0.11)
bob=$NAT_PUBLIC:$(nat_port 10.77.0.12)
check "alice calls somebody" place_call alice 10.77.0.11 carol
check "her phone unregisters while she talks" unregister alice 10.77.0.11
check "her path is kept for the call" wait_until 15 path_is "$alice" state dialog
check "bob's path is kept for his registration" wait_until 15 path_is "$bob" state registered
due=$(sippath --json bindings | jq -r --arg remote "$bob" 'first(.[] | select(.remote == $remote).ends_in_ms)')

agent_kill
let_time_pass 1 "nobody is there"
check "killed, it starts again" agent_start --threshold 3s
check "(and says how much it remembers)" grep -q "bindings that are remembered: 4" "$LAB_LOGS/agent.log"
equal "alice's path is kept for the call still (trap 40)" dialog "$(path_value "$alice" state)"
equal "and by that alone" dialog "$(kinds_of "$alice")"
equal "bob's path is kept for his registration still" registered "$(path_value "$bob" state)"
within "which ends when it did before" $((due - 20000)) $((due - 1000)) \
	"$(sippath --json bindings | jq -r --arg remote "$bob" 'first(.[] | select(.remote == $remote).ends_in_ms)')"
alice_prompts=$(prompts_of 10.77.0.11)
bob_prompts=$(prompts_of 10.77.0.12)
check "alice is prompted again" wait_until 15 prompted_again 10.77.0.11 "$alice_prompts"
check "bob is prompted again" wait_until 15 prompted_again 10.77.0.12 "$bob_prompts"

check "stopped, too" agent_stop
check "it starts again" agent_start --threshold 3s
equal "alice's path is kept" dialog "$(path_value "$alice" state)"
equal "bob's path is kept" registered "$(path_value "$bob" state)"
check "the other side's BYE reaches alice" wait_until $((TALKS + 15)) hung_up_on 10.77.0.11
check "and ends the dialog that was remembered" wait_until 15 path_is "$alice" state lingering
check "the agent stops cleanly" agent_stop
