#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A path lives as long as a registration does: un-REGISTER, expiry, moves, two users on one
# phone, and a phone that fell silent.
source "$(dirname "$0")/../lab/lib.sh"

# register USER IP:PORT EXPIRES CSEQ [SOURCE-IP:PORT]: as the SIPp phone of this user would.
register() {
	register_message "$1" "$2" "$3" "$1" "$4" | datagram "${5:-$2}" "$SERVER:5060"
}

# prompts_of IP [PORT]
prompts_of() {
	captured phones | grep -c "> $1.${2:-5060}: .* OPTIONS " || true
}

prompted() {
	[[ $(prompts_of "$1" "${2:-5060}") -ge ${3:-1} ]]
}

remote_of() {
	echo "$NAT_PUBLIC:$(nat_port "$@")"
}

gone() {
	path_is "$1" state none
}

# prompt_gaps IP: milliseconds between the prompts that reached this phone after it fell silent.
prompt_gaps() {
	captured phones | awk -v phone="$1.5060:" -v since="$2" '
		$5 == phone && / OPTIONS / && $1 > since {
			if (last) printf "%d ", ($1 - last) * 1000 + 0.5
			last = $1
		}'
}

plan 26
lab_up
start_kamailio
check "the agent starts" agent_start --threshold 2s
capture phones phones

# Un-REGISTER (trap 28).
start_phone alice 10.77.0.11
check "alice is prompted" wait_until 20 prompted 10.77.0.11
alice=$(remote_of 10.77.0.11)
register alice 10.77.0.11:5060 0 1000
check "un-REGISTER drops the path at once" wait_until 5 gone "$alice"
count=$(prompts_of 10.77.0.11)
let_time_pass 5 "two thresholds without a registration"
equal "and ends the prompts" "$count" "$(prompts_of 10.77.0.11)"

# Expiry.
EXPIRES=6 start_phone bob 10.77.0.12
bob=$(remote_of 10.77.0.12)
check "bob, registered for 6 s, is prompted" wait_until 20 prompted 10.77.0.12
check "his path is kept meanwhile" path_is "$bob" state registered
check "his path goes when his registration runs out" wait_until 8 gone "$bob"
count=$(prompts_of 10.77.0.12)
let_time_pass 5 "two thresholds after the expiry"
equal "and so do the prompts" "$count" "$(prompts_of 10.77.0.12)"
check "the end is counted as an expiry" count_reaches bindings_expired 1

# A move: the same AOR and Contact from another port (trap 8).
start_phone carol 10.77.0.13
old=$(remote_of 10.77.0.13)
check "carol's path is kept" wait_until 15 path_is "$old" state registered
register carol 10.77.0.13:5060 3600 1000 10.77.0.13:5070
check "the path that she moved to is kept" \
	wait_until 5 path_is "$(remote_of 10.77.0.13 5070)" state registered
check "the one that she left is dropped" wait_until 5 gone "$old"
count=$(prompts_of 10.77.0.13)
check "she is prompted where she is" wait_until 20 prompted 10.77.0.13 5070
equal "and no longer where she was" "$count" "$(prompts_of 10.77.0.13)"

# Two users of one phone.
start_phone dave 10.77.0.14
dave=$(remote_of 10.77.0.14)
register second 10.77.0.14:5060 3600 1
check "a second user's registration joins the phone's path" \
	wait_until 5 path_is "$dave" registrations 2
count=$(prompts_of 10.77.0.14)
let_time_pass 10 "five thresholds"
within "two users on one path are one prompt" 4 5 $(($(prompts_of 10.77.0.14) - count))
register second 10.77.0.14:5060 0 2
check "when one leaves, the path stays for the other" wait_until 5 path_is "$dave" registrations 1

# A phone that is unplugged (traps 15, 21).
start_phone erin 10.77.0.15
erin=$(remote_of 10.77.0.15)
check "erin's phone answers" wait_until 20 path_is "$erin" answers 1
stop_phone erin
unplugged=$(date +%s.%N)
check "unplugged, it is found silent" wait_until 15 path_is "$erin" health silent
gaps=$(prompt_gaps 10.77.0.15 "$unplugged")
read -r first second rest <<<"$gaps"
note "between the prompts: $gaps ms"
within "the prompt was repeated after 1 s" 1000 1300 "$first"
within "and after 2 s more" 2000 2300 "$second"
equal "and not again" "" "$rest"
equal "the registration is still there" 1 "$(path_value "$erin" registrations)"
start_phone erin 10.77.0.15
erin=$(remote_of 10.77.0.15)
check "plugged in again, it is live" wait_until 20 path_is "$erin" health live

equal "no answer reached Kamailio in all this" 0 "$(kamailio_stat script.options_replies)"
check "the agent stops cleanly" agent_stop
