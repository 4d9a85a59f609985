# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# phones.sh - phones by the thousand, see phones.c. Source it after lib.sh.

phones_build() {
	gcc -O2 -D_GNU_SOURCE -o "$LAB_LOGS/phones" "$LAB_HOME"/phones{,_message}.c
}

# start_phones NAMESPACE NAME [-i] [-n COUNT] IP:PORT: phones of phones.c; AOR=USER if not NAME.
start_phones() {
	mkfifo "$LAB_LOGS/$2.fifo"
	nsenter --net="/run/netns/$1" -- "$LAB_LOGS/phones" "${@:3:$#-3}" "${AOR:-$2}" "${*: -1}" \
		<>"$LAB_LOGS/$2.fifo" >>"$LAB_LOGS/$2.events" 2>>"$LAB_LOGS/$2.errors" &
	PHONE_PIDS[$2]=$! # stop_phone ends them
}

# tell NAME COMMAND: see phones.c.
tell() {
	echo "$2" >"$LAB_LOGS/$1.fifo"
}

# events_of NAME EVENT [ADDRESS]: how often it has happened to these phones.
events_of() {
	grep -c " $2 ${3:-}" "$LAB_LOGS/$1.events" || true
}

# events_reach NAME EVENT ADDRESS NUMBER: a condition to wait for.
events_reach() {
	[[ $(events_of "$1" "$2" "$3") -ge $4 ]]
}

# event_time NAME EVENT ADDRESS: when it happened last, in seconds since 1970.
event_time() {
	awk -v event="$2" -v from="$3" '$3 == event && $4 == from { time = $1 } END { print time }' \
		"$LAB_LOGS/$1.events"
}

# told NAME COMMAND EVENT ADDRESS: tells it, and waits until that has come of it once more.
told() {
	local -r before=$(events_of "$1" "$3" "$4")
	tell "$1" "$2"
	wait_until 20 events_reach "$1" "$3" "$4" $((before + 1))
}
