#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A call keeps its path although the registration is gone: as long as it lasts, until BYE and
# lingering are over, or until its session timer has run out where the BYE was lost (trap 35).
source "$(dirname "$0")/../lab/lib.sh"
source "$(dirname "$0")/lib/calls.sh"

LINGER=32 # seconds, the agent's own default
SESSION=90 # of the call whose BYE is lost

# when_captured PATTERN: the time of the first such packet, to or from a phone.
when_captured() {
	captured phones | grep -m 1 -e "$1" | cut -d ' ' -f 1
}

# when_event REMOTE STATE: the time at which the path came into this state.
when_event() {
	local text
	text=$(jq -Rr --arg remote "$1" --arg state "$2" 'fromjson? |
		select(.remote == $remote and .to == $state and .from != .to) | .time' "$LAB_LOGS/events.log")
	date +%s.%N -d "$text"
}

# prompts_between IP FROM TO: how many prompts reached the phone.
prompts_between() {
	captured phones | awk -v phone="$1.5060:" -v from="$2" -v to="$3" '
		$5 == phone && / OPTIONS / && $1 > from && $1 < to { n++ }
		END { print n + 0 }'
}

# seconds_between FROM TO: rounded.
seconds_between() {
	awk -v from="$1" -v to="$2" 'BEGIN { printf "%.0f\n", to - from }'
}

# lose_byes: those of the caller's port 5070 end on its own interface.
lose_byes() {
	in_ns caller nft -f - <<-EOT
		table ip loss {
			chain output {
				type filter hook output priority filter
				udp sport 5070 @th,64,32 0x42594520 counter drop comment "BYE "
			}
		}
	EOT
}

byes_lost() {
	in_ns caller nft -j list table ip loss |
		jq -e '[.nftables[].rule?.expr[]?.counter?.packets // empty] | add > 0'
}

plan 25
lab_up
lose_byes
start_kamailio
check "the agent starts" agent_start --threshold 5s
check "its events are followed" agent_watch
capture phones phones

start_callee carol 5060 "$CALL_SECONDS" 1800
start_callee dave 5070 5 $SESSION
start_phone alice 10.77.0.11 baresip
start_phone bob 10.77.0.12 baresip
alice=$NAT_PUBLIC:$(nat_port 10.77.0.11)
bob=$NAT_PUBLIC:$(nat_port 10.77.0.12)
check "alice's path is kept for her registration" wait_until 15 path_is "$alice" state registered
check "alice calls somebody" place_call alice 10.77.0.11 carol
check "her path is kept for both" wait_until 15 path_is "$alice" state registered+dialog
check "bob calls somebody" place_call bob 10.77.0.12 dave
check "alice's phone unregisters while she talks" unregister alice 10.77.0.11
unregistered=$(date +%s.%N)
check "her path is kept for the call" wait_until 15 path_is "$alice" state dialog
check "bob's phone unregisters as well" unregister bob 10.77.0.12

check "the other side's BYE reaches alice, who is not registered" \
	wait_until $((CALL_SECONDS + 15)) hung_up_on 10.77.0.11
bye=$(when_captured "> 10.77.0.11.5060: .* BYE ")
check "whose phone ends the call" wait_until 15 grep -aq "terminated (duration" "$LAB_LOGS/alice.log"
within "which has lasted $CALL_SECONDS s" "$CALL_SECONDS" $((CALL_SECONDS + 2)) \
	"$(seconds_between "$(when_captured "^[^ ]* IP 10.77.0.11.5060 > .* ACK ")" "$bye")"
within "she was prompted for the call alone" $((CALL_SECONDS / 5 - 4)) $((CALL_SECONDS / 5 + 1)) \
	"$(prompts_between 10.77.0.11 "$unregistered" "$bye")"
check "after the BYE her path lingers" wait_until 15 path_is "$alice" state lingering

check "bob's path goes when the session timer of his call runs out" \
	wait_until $((SESSION + 15)) path_is "$bob" state none
check "alice's path goes when it has lingered" wait_until $((LINGER + 15)) path_is "$alice" state none
alice_gone=$(when_event "$alice" idle)
bob_gone=$(when_event "$bob" idle)
let_time_pass 12 "two thresholds, and more than the NAT remembers"

within "alice's path lingers for $LINGER s" $LINGER $((LINGER + 2)) "$(seconds_between "$bye" "$alice_gone")"
within "and is prompted meanwhile" $((LINGER / 5 - 2)) $((LINGER / 5 + 1)) \
	"$(prompts_between 10.77.0.11 "$bye" "$alice_gone")"
equal "then nobody prompts alice" 0 "$(prompts_between 10.77.0.11 "$alice_gone" inf)"
equal "alice's path went through every state" \
	"registered:registered registered+dialog:dialog_early dialog:unregistered lingering:dialog_bye idle:linger_over" \
	"$(path_history "$alice")"

check "(the BYE for bob was lost)" byes_lost
within "bob's path is kept for the $SESSION s of the session timer" $SESSION $((SESSION + 2)) \
	"$(seconds_between "$(when_captured "> 10.77.0.12.5060: .*SIP/2.0 180")" "$bob_gone")"
equal "then nobody prompts bob" 0 "$(prompts_between 10.77.0.12 "$bob_gone" inf)"
equal "bob's path went through every state but lingering" \
	"registered:registered registered+dialog:dialog_early dialog:unregistered idle:dialog_session_expired" \
	"$(path_history "$bob")"
check "the agent stops cleanly" agent_stop
