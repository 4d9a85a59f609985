#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Only the idle are prompted, in time and never early; what they answer ends in the kernel.
source "$(dirname "$0")/../lab/lib.sh"

# prompt_waits IP: for each prompt that reached this phone, how many milliseconds it had been
# silent before. Repeats of a prompt are left out.
prompt_waits() {
	captured phones | awk -v phone="$1.5060" '
		$3 == phone { spoke = $1; prompted = 0 }
		$5 == phone ":" && / OPTIONS / && !prompted {
			printf "%d\n", ($1 - spoke) * 1000
			prompted = 1
		}'
}

prompts_of() {
	captured phones | grep -c "> $1.5060: .* OPTIONS " || true
}

# answers_seen: SIP responses of devices that the server's own network stack saw.
answers_seen() {
	captured server | grep -c "$NAT_PUBLIC.* > $SERVER.5060: .*SIP/2.0 200" || true
}

# watch_firewall: a rule of the server's own firewall that counts SIP responses from devices.
watch_firewall() {
	in_ns server nft add table inet watch
	in_ns server nft add chain inet watch input '{ type filter hook input priority 0; }'
	in_ns server nft add rule inet watch input ip saddr "$NAT_PUBLIC" meta l4proto udp \
		@th,64,32 0x5349502f counter # "SIP/", where a request has its method
}

answers_firewalled() {
	in_ns server nft -j list chain inet watch input |
		jq '[.nftables[].rule?.expr[]?.counter?.packets // empty] | add'
}

# foreign_options: an OPTIONS that is not the agent's, from the server's own address.
foreign_options() {
	printf '%s\r\n' "OPTIONS sip:alice@10.77.0.11 SIP/2.0" \
		"Via: SIP/2.0/UDP $SERVER:5060;branch=z9hG4bK-not-ours;rport" \
		"Max-Forwards: 70" "From: <sip:x@lab.example>;tag=x" "To: <sip:alice@lab.example>" \
		"Call-ID: not-ours" "CSeq: 1 OPTIONS" "Content-Length: 0" "" |
		FROM=server datagram "$SERVER:5060" "$NAT_PUBLIC:$1"
}

plan 21
lab_up
watch_firewall
start_kamailio
check "the agent starts" agent_start --threshold 5s
capture phones phones
capture server server
start_phone alice 10.77.0.11
start_phone bob 10.77.0.12 baresip
start_phone carol 10.77.0.13
chatter 10.77.0.13:5060 &
alice_port=$(nat_port 10.77.0.11)
carol_port=$(nat_port 10.77.0.13)
carol=$NAT_PUBLIC:$carol_port
check "three paths are kept" wait_until 15 paths_are 3

let_time_pass 42 "eight thresholds"

mapfile -t waits < <(prompt_waits 10.77.0.11 && prompt_waits 10.77.0.12)
mapfile -t sorted < <(printf '%s\n' "${waits[@]}" | sort -n)
median=${sorted[$((${#sorted[@]} / 2))]}
note "silent before a prompt: ${sorted[0]} ms to ${sorted[-1]} ms, median $median ms"
within "an idle SIPp phone is prompted once in 5 s" 7 9 "$(prompts_of 10.77.0.11)"
within "an idle baresip phone is prompted once in 5 s" 7 9 "$(prompts_of 10.77.0.12)"
within "no prompt is early" 5000 60000 "${sorted[0]}"
within "prompts are at most 300 ms late (the median: machines stall)" 5000 5300 "$median"
equal "a phone that sends CRLF every 3 s gets no prompt" 0 "$(prompts_of 10.77.0.13)"
equal "and none is counted for it" 0 "$(path_value "$carol" prompts)"
check "prompts avoided are counted for it" test "$(path_value "$carol" avoided)" -ge 5
equal "its path is live" live "$(path_value "$carol" health)"

answered=$(agent_count prompts_answered)
within "answers were absorbed in the kernel" "$answered" 30 "$(agent_count answers_absorbed)"
check "every prompt but the latest of each phone is answered" \
	test "$answered" -ge $(($(agent_count prompts_sent) - 2))
equal "no answer reached Kamailio" 0 "$(kamailio_stat script.options_replies)"
check "tcpdump on the server sees prompts leave" grep_capture server "$alice_port: .* OPTIONS "
equal "tcpdump on the server sees no answer come" 0 "$(answers_seen)"

equal "the host's own firewall sees none either (trap 46)" 0 "$(answers_firewalled)"

foreign_options "$alice_port"
check "the answer to an OPTIONS of somebody else does reach Kamailio" \
	wait_until 15 stat_reaches script.options_replies 1
check "and tcpdump sees that one" wait_until 15 grep_capture server "SIP/2.0 200"
check "and so does the host's firewall" test "$(answers_firewalled)" -ge 1

check "bpftool shows the path with its addresses, port and times" jq -e --argjson port "$alice_port" \
	'any(.[]; .key.remote_port == $port and .key.remote_addr[12:] == [198, 51, 100, 1]
		and .key.local_addr[12:] == [192, 0, 2, 10] and .key.local_port == 5060
		and .value.last_seen_ns > 0 and .value.answers >= 7 and .value.answer_status == 200)' \
	<<<"$(kernel_paths)"
note "$(sippath paths)"
check "the agent stops cleanly" agent_stop
