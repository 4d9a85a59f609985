#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Only what the server itself has accepted is learnt: refused, unanswered and forged
# registrations cost a bounded amount of memory and never cause a prompt (trap 44).
source "$(dirname "$0")/../lab/lib.sh"

# Memory is measured on the build that people run: sanitizers hold memory of their own.
SIPPATH_BUILD=$BUILD

FLOOD=100000
# A hundred thousand requests kept for their 32 s would be twice that.
RSS_GROWTH_MAX_KIB=$((24 * 1024))

# register USER IP PORT CALL-ID: one REGISTER, sent without waiting for what comes back.
register() {
	register_message "$1" "$2:$3" 3600 "$4" 1 | datagram "$2:$3" "$SERVER:5060"
}

# forged_accept USER CALL-ID [VIA]: the 200 that the server never gave to a REGISTER of this user.
forged_accept() {
	printf '%s\r\n' "SIP/2.0 200 OK" ${3:+"$3"} \
		"Via: SIP/2.0/UDP 10.77.0.23:5060;branch=z9hG4bK-$2-1;rport=5060" \
		"From: <sip:$1@lab.example>;tag=$2" "To: <sip:$1@lab.example>;tag=forged" \
		"Call-ID: $2" "CSeq: 1 REGISTER" \
		"Contact: <sip:$1@10.77.0.23:5060>;expires=3600" "Content-Length: 0" ""
}

prompts_to_strangers() {
	captured phones | grep -c ' OPTIONS ' || true
}

plan 19
lab_up
start_kamailio
# What it reads of strangers has no limit here: what it keeps of them is looked at. See flood.sh.
check "the agent starts" agent_start --threshold 2s --sightings-rate 4294967295
capture phones phones

register locked1 10.77.0.21 5060 refused
check "the server answers 401" wait_until 15 grep_capture phones "401 Unauthorized"
register mute1 10.77.0.22 5060 unanswered
register mute2 10.77.0.23 5060 forged
check "the agent has read the three requests" wait_until 15 count_reaches registers_seen 3

stranger=$NAT_PUBLIC:$(nat_port 10.77.0.23)
forged_accept mute2 forged | FROM=caller datagram "$stranger" "$SERVER:5060"
forged_accept mute2 forged | FROM=caller datagram "$SERVER:5060" "$SERVER:5060"
forged_accept mute2 forged | FROM=caller datagram "$SERVER:5060" "$stranger"
check "the forged 200s reach the server's interface" wait_until 15 count_reaches packets_in 5

# A proxy passes a response on by its second Via, asked for or not: it must not vouch for it.
doubted=$(agent_count answers_doubted)
forged_accept mute2 forged "Via: SIP/2.0/UDP $SERVER:5060;branch=z9hG4bK-relay" |
	sed "s/;rport=5060/;received=${stranger%:*};rport=${stranger#*:}/" |
	FROM=caller datagram "$CALLER:5060" "$SERVER:5060"
check "a forged 200 that the server passes on is not believed" \
	wait_until 15 count_reaches answers_doubted $((doubted + 1))

let_time_pass 5 "two thresholds, in which a wrong path would be prompted"
equal "401, silence and forged 200s open no path" 0 "$(paths_kept)"
equal "no registration is taken for accepted" 0 "$(agent_count registers_accepted)"
equal "no stranger is prompted" 0 "$(prompts_to_strangers)"
equal "sip_paths is empty" 0 "$(pinned_paths | jq length)"

start_phone alice 10.77.0.11
alice=$NAT_PUBLIC:$(nat_port 10.77.0.11)
check "an accepted registration opens a path" wait_until 15 path_is "$alice" registrations 1
check "and is prompted" wait_until 20 count_reaches prompts_answered 1

before=$(agent_rss_kib)
packets=$(agent_count packets_in)
# A few more than are asked for: a busy machine drops some on the way.
register_message "mute%n" 10.77.0.30:5060 3600 "flood-%n" 1 |
	FROM=caller datagram -n $((FLOOD * 11 / 10)) -i 100 -s 198.18.0.1:5060 "$SERVER:5060"
check "$FLOOD forged registrations arrive" \
	wait_until 20 count_reaches packets_in $((packets + FLOOD))
# Several times as many as are remembered, even where a busy machine loses some.
check "and are read" wait_until 20 count_reaches registers_seen $((4 * 16384))
after=$(agent_rss_kib)
note "resident: $before KiB before, $after KiB after"
note "$(sippath --json stats | jq -c '{sightings, sightings_lost, registers_seen, flows_refused}')"
within "the agent's memory stays bounded" 0 $RSS_GROWTH_MAX_KIB \
	$((after > before ? after - before : 0))
equal "they open no path" 1 "$(paths_kept)"
check "the known phone is still prompted and heard" wait_until 15 path_is "$alice" health live
start_phone bob 10.77.0.12
check "a phone that registers after them is learnt" wait_until 15 paths_are 2
equal "nobody else was prompted" 0 \
	"$(captured phones | grep ' OPTIONS ' | grep -cv -e '> 10.77.0.11.5060' -e '> 10.77.0.12.5060' || true)"
check "the agent stops cleanly" agent_stop
