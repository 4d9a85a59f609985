# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# calls.sh - the run that two tests share: a baresip behind the NAT calls a peer outside, and
# unregisters while it talks. With the agent the other side's BYE reaches it, without it none does.

# shellcheck disable=SC2034 # for those that source this
CALL_SECONDS=60

# start_callee USER PORT SECONDS SESSION_EXPIRES: outside the NAT; hangs up after so many seconds.
start_callee() {
	register_outside "$1" "$2" &&
		run_sipp caller "$1" "$CALLER" "$2" callee -d "${3}000" -key user "$1" -key session_expires "$4"
}

# place_call NAME IP CALLEE: on the second line of this baresip, which is not registered.
place_call() {
	tell_baresip "$2" uanew "$(baresip_account "$1-2" 0)" &&
		tell_baresip "$2" uafind "sip:$1-2@lab.example" &&
		tell_baresip "$2" dial "sip:$3@lab.example" &&
		wait_until 15 grep -q "Call established: sip:$3@" "$LAB_LOGS/$1.log"
}

# unregister NAME IP: takes the first line away, for which the baresip sends Expires: 0. The call goes on.
unregister() {
	tell_baresip "$2" uadel "sip:$1@lab.example" &&
		wait_until 15 not_registered "$1"
}

not_registered() {
	! registered "$1"
}

# byes_to IP: how many reached the phone.
byes_to() {
	captured phones | grep -c "> $1.5060: .* BYE " || true
}

hung_up_on() {
	[[ $(byes_to "$1") -gt 0 ]]
}
