#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A proxy host of three dies, with a third of a thousand phones. Those that register elsewhere can
# be called there within a second; and nobody is sent to the dead one any more once it has not
# been heard of for three seconds.
source "$(dirname "$0")/../lab/lib.sh"
source "$LAB_HOME/cluster.sh"

PHONES=1000
LOST=333 # phone0 to phone332 are registered with the proxy that dies
FIRST=166 # so many of them register elsewhere at once, the others after it is known to be dead
NUMBER_CALLED=30 # of the lost ones, before and while it is dead
DEAD_AFTER=3 # seconds
SLACK=1 # seconds that a busy machine may be late
CALL_AFTER_MS=500 # a phone is called so soon after its 200
REACHABLE_MS=1000
AGENT=(--threshold 4s)

# all_registered: call control knows of every phone.
all_registered() {
	[[ $(node control --json cluster | jq 'map(.paths) | add // 0') -eq $PHONES ]] &&
		[[ $(redis --scan --pattern 'sippath:aor:*' | wc -l) -eq $PHONES ]]
}

# call_whoever_registers: each phone is called, by way of call control, soon after it has registered.
call_whoever_registers() {
	local -r next=$(($(wc -l <"$LAB_LOGS/phone.events") + 1)) # whenever tail comes to look
	local user event
	tail -n "+$next" -f "$LAB_LOGS/phone.events" | while read -r _ user event _; do
		[[ $event != registered ]] ||
			tell caller "call ${user#phone} $CONTROL $user $CALL_AFTER_MS"
	done &
}

# call_lost FIRST LAST
call_lost() {
	local number
	for ((number = $1; number <= $2; number++)); do
		tell caller "call $number $CONTROL phone$number"
	done
}

# invites_at_a SINCE: that came by at the wire of the proxy that dies.
invites_at_a() {
	captured wire-a | awk -v since="$1" -v to="${PROXY[a]}.5060:" \
		'$1 + 0 >= since + 0 && $5 == to && / INVITE /' | wc -l
}

# invites_reach NUMBER: a condition to wait for.
invites_reach() {
	[[ $(invites_at_a 0) -ge $1 ]]
}

# delays TIME: of each phone that has registered since then, ms from its 200 to its INVITE, sorted.
delays() {
	awk -v since="$1" '
		$1 + 0 < since + 0 { next }
		$3 == "registered" { registered[$2] = $1 }
		$3 == "invited" && $2 in registered {
			printf "%d\n", ($1 - registered[$2]) * 1000
			delete registered[$2]
		}' "$LAB_LOGS/phone.events" | sort -n
}

# rung TIME NUMBER: so many have been called since they registered: a condition to wait for.
rung() {
	[[ $(delays "$1" | wc -l) -ge $2 ]]
}

plan 18
cluster_up
start_redis
check "the set of proxies starts" start_proxies "${AGENT[@]}"
check "so does call control" start_control
capture proxy-a wire-a
start_phones phones phone -n $PHONES 10.77.0.11:10000
start_phones caller caller -n $PHONES "$CALLER:10000"
tell phone "register 0 $((LOST - 1)) ${PROXY[a]} 3600"
tell phone "register $LOST $((PHONES - 1)) ${PROXY[b]},${PROXY[c]} 3600"
check "a thousand phones register" wait_until 60 events_reach phone registered "" $PHONES
check "each is known" wait_until 30 all_registered

call_lost 0 $((NUMBER_CALLED - 1))
check "of those at a some are called, and answer" wait_until 20 events_reach caller answered "" $NUMBER_CALLED
check "their calls go to a" invites_reach $NUMBER_CALLED

kill_proxy a
killed=$(now)
dead=$(later_than "$killed" $((DEAD_AFTER + SLACK)))
call_whoever_registers
tell phone "register 0 $((FIRST - 1)) ${PROXY[b]},${PROXY[c]} 3600"
check "a dies: $FIRST phones register elsewhere at once" \
	wait_until 30 events_reach phone registered "" $((PHONES + FIRST))
check "each of them is called there" wait_until 30 rung "$killed" $FIRST
within "the last one within a second of its 200" $CALL_AFTER_MS $((REACHABLE_MS + SLACK * 1000)) \
	"$(delays "$killed" | tail -n 1)"
note "ms from 200 to INVITE, $CALL_AFTER_MS of them waiting: median $(delays "$killed" | sed -n "$((FIRST / 2))p"), worst $(delays "$killed" | tail -n 1)"

check "$((DEAD_AFTER + SLACK)) s go by" wait_until 10 time_has_come "$dead"
check "call control takes it for dead" wait_until 5 sees_nodes control "b c"
refused=$(events_of caller refused)
call_lost $FIRST $((FIRST + NUMBER_CALLED - 1))
check "whoever is registered with it alone cannot be called" \
	wait_until 20 events_reach caller refused "$CONTROL" $((refused + NUMBER_CALLED))
equal "and is said to be unavailable" "$NUMBER_CALLED" "$(grep -c "refused $CONTROL 480" "$LAB_LOGS/caller.events")"

late=$(now)
tell phone "register $FIRST $((LOST - 1)) ${PROXY[b]},${PROXY[c]} 3600"
check "the others register elsewhere" wait_until 30 events_reach phone registered "" $((PHONES + LOST))
check "each of them is called there" wait_until 30 rung "$late" $((LOST - FIRST))
within "the last one within a second of its 200" $CALL_AFTER_MS $((REACHABLE_MS + SLACK * 1000)) \
	"$(delays "$late" | tail -n 1)"
equal "no call went to the dead proxy" 0 "$(invites_at_a "$dead")"
check "the agents that live stop cleanly" stop_agents
