#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What an INVITE can come to, at the phones and at the caller: answered by one of two forks,
# given up, refused (trap 34), moved by a re-INVITE to another port (traps 37, 38).
source "$(dirname "$0")/../lab/lib.sh"

FORK_SECONDS=38 # of the forked call: the fork that loses is not waited for longer than 32 s

# caller_calls NAME PORT SCENARIO USER MILLISECONDS: SIPp outside the NAT, registered nowhere.
caller_calls() {
	run_sipp caller "$1" "$CALLER" "$2" "$3" "$SERVER:5060" -s "$4" -d "$5" -m 1 \
		-oocsf "$LAB_HOME/phone_answer.xml"
}

remote_of() {
	echo "$NAT_PUBLIC:$(nat_port "$@")"
}

plan 24
lab_up
start_kamailio
capture phones phones
check "the agent starts" agent_start --threshold 2s --linger 3s
check "its events are followed" agent_watch

RINGS=1500 AOR=team start_phone winner 10.77.0.21
AOR=team ANSWER=phone_rings start_phone loser 10.77.0.22
ANSWER=phone_rings start_phone patient 10.77.0.23
RINGS=500 ANSWER=phone_busy start_phone busy 10.77.0.24
winner=$(remote_of 10.77.0.21)
loser=$(remote_of 10.77.0.22)
patient=$(remote_of 10.77.0.23)
busy=$(remote_of 10.77.0.24)
check "four paths are kept" wait_until 15 paths_are 4

caller_calls forked 5071 caller team ${FORK_SECONDS}000
check "a caller whose call is forked has two dialogs" \
	wait_until 15 path_is "$CALLER:5071" dialogs 2
caller_calls impatient 5072 caller_cancels patient 500
caller_calls refused 5073 caller_refused busy 0

# The phone that moves: its dialog goes on from another SIPp on another port.
register_outside callee 5080
run_sipp caller callee "$CALLER" 5080 callee_follows -key user callee -d 4000
run_sipp phones mover 10.77.0.31 5060 phone_calls "$SERVER:5060" -key user mover -s callee \
	-cid_str moved -m 1 -oocsf "$LAB_HOME/phone_answer.xml"
check "(a phone that is not registered calls)" wait_until 15 path_is "$CALLER:5080" state registered+dialog
old=$(remote_of 10.77.0.31)
check "its path is kept for the call" wait_until 15 path_is "$old" state dialog
run_sipp phones moved 10.77.0.31 5070 phone_moves "$SERVER:5060" -key user mover -s callee \
	-key callee "callee@$CALLER:5080" -cid_str moved -m 1 -oocsf "$LAB_HOME/phone_answer.xml"
check "it goes on from another port" wait_until 15 grep_capture phones "> 10.77.0.31.5070: .*SIP/2.0 200"
new=$(remote_of 10.77.0.31 5070)
check "that path is kept" wait_until 15 path_is "$new" state dialog
check "the old one is left" wait_until 15 history_is "$old" dialog:dialog_early idle:dialog_moved
check "and the BYE reaches the new one" done_well moved
check "which then lingers and goes" \
	wait_until 15 history_is "$new" dialog:dialog_moved lingering:dialog_bye idle:linger_over

check "a call that is given up ends with 487" done_well impatient
check "the phone that rang for it is as before" wait_until 15 history_is "$patient" \
	registered:registered registered+dialog:dialog_early registered:dialog_failed
check "the caller's path lingers and goes" wait_until 15 history_is "$CALLER:5072" \
	dialog:dialog_early lingering:dialog_failed idle:linger_over
check "a call that is refused ends with 486" done_well refused
check "the phone that was busy is as before" wait_until 15 history_is "$busy" \
	registered:registered registered+dialog:dialog_early registered:dialog_failed
check "the caller's path lingers and goes" wait_until 15 history_is "$CALLER:5073" \
	dialog:dialog_early lingering:dialog_failed idle:linger_over

check "the fork that loses ends with 487" wait_until 15 history_is "$loser" \
	registered:registered registered+dialog:dialog_early registered:dialog_failed
check "the caller's other dialog is given up, though nothing ended it" \
	wait_until $FORK_SECONDS path_is "$CALLER:5071" dialogs 1
check "the fork that won is talking still" path_is "$winner" state registered+dialog
check "until the BYE, which reaches it" done_well forked
check "after which it is as before" wait_until 15 history_is "$winner" \
	registered:registered registered+dialog:dialog_early registered:dialog_bye
check "the caller's path lingers and goes" wait_until 15 history_is "$CALLER:5071" \
	dialog:dialog_early lingering:dialog_bye idle:linger_over
check "the agent stops cleanly" agent_stop
