# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# figures.sh - the scenario of the seed's FIG. 3A-3F: one phone, alice, behind a NAT, that registers
# and calls through one proxy of a set after the other. Source it after cluster.sh.

PHONE=10.77.0.11:5060
THRESHOLD=2 # seconds
LINGER=3    # seconds that a path outlives its last dialog
# shellcheck disable=SC2034 # for those that source this
REGISTERED_B=24 REGISTERED_C=10 REGISTERED_A=3600 # seconds that alice registers for

# figures_up: the set of proxies, each with a view of its own of what happens, and nobody there.
figures_up() {
	local node
	cluster_up
	start_redis && start_proxies --threshold ${THRESHOLD}s --linger ${LINGER}s &&
		start_control --mode forward || return 1
	for node in "${NODES[@]}"; do
		watch_node "$node" || return 1
	done
	capture_wan
	start_phones phones alice $PHONE
	run_sipp caller peer "$CALLER" 5080 peer_hangs_up -m 1 -key next_hop "$CONTROL"
}

# alice_calls NODE: a peer beside the NAT who is registered nowhere, through a proxy.
alice_calls() {
	told alice "call 0 ${PROXY[$1]} outside" answered "${PROXY[$1]}"
}

# peer_hangs_up: his BYE goes to call control.
peer_hangs_up() {
	printf '%s\r\n' "INFO sip:peer@$CALLER:5080 SIP/2.0" \
		"Via: SIP/2.0/UDP $CALLER:5999;branch=z9hG4bK-hang-up" \
		"From: <sip:lab@lab.example>;tag=lab" \
		"To: <sip:peer@lab.example>" \
		"Call-ID: call-alice-1" \
		"CSeq: 1 INFO" \
		"Content-Length: 0" "" |
		FROM=caller datagram "$CALLER:5999" "$CALLER:5080" && done_well peer
}
