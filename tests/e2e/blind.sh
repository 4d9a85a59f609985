#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Programs that are taken off the interface under the agent: it says so, prompts nobody,
# and takes no phone for idle or silent (trap 11).
source "$(dirname "$0")/../lab/lib.sh"

# foreign_program: somebody else's XDP program takes the place of ours.
foreign_program() {
	printf '%s\n' 'int pass(void *context) { return 2; }' |
		clang -target bpf -O2 -g -x c -c -o "$LAB_LOGS/foreign.o" - &&
		in_ns server ip -force link set dev eth0 xdp obj "$LAB_LOGS/foreign.o" sec .text
}

notices() {
	local said
	! said=$(sippath check) && [[ $said == *"WRONG   programs_lost"* ]]
}

watching() {
	sippath --json status | jq -e ".watching == $1"
}

refuses_to_prompt() {
	local said
	! said=$(sippath prompt "$1" 2>&1) && [[ $said == *"programs"* ]]
}

plan 17
lab_up
start_kamailio
check "the agent starts" agent_start --threshold 2s
start_phone alice 10.77.0.11
alice=$NAT_PUBLIC:$(nat_port 10.77.0.11)
check "a phone is prompted and heard" wait_until 15 count_reaches prompts_answered 2
check "status says that the agent watches" watching true
equal "no answer has reached Kamailio" 0 "$(kamailio_stat script.options_replies)"

check "(somebody else's program is in the place of ours)" foreign_program
check "the agent notices that its program is gone" wait_until 15 notices
check "status says so as well" watching false
prompts=$(agent_count prompts_sent)
replies=$(kamailio_stat script.options_replies)
let_time_pass 7 "three thresholds without the program (trap 11)"
equal "nobody is prompted without the programs (trap 11)" "$prompts" "$(agent_count prompts_sent)"
equal "so no answers reach Kamailio" "$replies" "$(kamailio_stat script.options_replies)"
equal "the phone is not taken for silent" live "$(path_value "$alice" health)"
check "sippath refuses to prompt it, and says why" refuses_to_prompt "$alice"

in_ns server ip link set dev eth0 xdp off
check "once the place is free it watches again" wait_until 15 watching true
check "and prompts again" wait_until 15 count_reaches prompts_sent $(($(agent_count prompts_sent) + 1))
check "the agent stops cleanly" agent_stop
check "and starts again, ready at any log level" agent_start --threshold 2s --log-level error
check "it watches again" watching true
check "the agent stops cleanly" agent_stop
