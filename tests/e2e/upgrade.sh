#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# An agent that finds what an earlier version has attached: programs of the same ABI it replaces and
# goes on; others it refuses, and after "sippath detach" its paths are kept as before.
source "$(dirname "$0")/../lab/lib.sh"

OLDER=$LAB_LOGS/older # a version with another ABI

said() {
	grep -qE "$1" "$LAB_LOGS/agent.log"
}

# make_older: the BPF object of a version that counts its ABI as 99.
make_older() {
	mkdir -p "$OLDER" && cp -r "$PROJECT"/{include,bpf} "$OLDER" &&
		ln -s "$PROJECT"/{Makefile,agent,tests,tools} "$OLDER" &&
		sed -i 's/^\(#define SIPPATH_ABI\) .*/\1 99/' "$OLDER/include/kernel_abi.h" &&
		make -s -C "$OLDER" O="$OLDER/build" "$OLDER/build/sippath.bpf.o"
}

# make_another_build: of sippathd, as another compiler could have made it.
make_another_build() {
	gcc -O2 -o "$LAB_LOGS/another_build" "$LAB_HOME/another_build.c" &&
		"$LAB_LOGS/another_build" "$BUILD/sippath.bpf.o" "$SIPPATH_BUILD/sippathd" \
			>"$LAB_LOGS/sippathd" &&
		chmod +x "$LAB_LOGS/sippathd"
}

start_another_build() {
	SIPPATH_BUILD=$LAB_LOGS agent_start --threshold 2s
}

program() {
	ip -n server -j link show dev eth0 | jq -r '.[0].xdp.prog.id'
}

# stamps: how many packets of the phone were seen.
stamps() {
	pinned_paths | jq --argjson port "${remote##*:}" \
		'map(select(.key.remote_port == $port)) | first | .value.packets_in'
}

prompted_again() {
	local before
	before=$(agent_count prompts_answered)
	wait_until 20 count_reaches prompts_answered $((before + 2)) &&
		path_is "$remote" state registered && path_is "$remote" health live
}

plan 18
lab_up
# A start may take longer than this NAT remembers usually, where much else is going on.
in_ns nat sysctl -qw net.netfilter.nf_conntrack_udp_timeout=120 \
	net.netfilter.nf_conntrack_udp_timeout_stream=120
start_kamailio
check "there is another build of sippathd" make_another_build
check "it starts" start_another_build
start_phone alice 10.77.0.11
remote=$NAT_PUBLIC:$(nat_port 10.77.0.11)
check "and keeps a phone" prompted_again
check "it stops" agent_stop
before=$(program)
counted=$(stamps)

# The same ABI.
check "this build starts" agent_start --threshold 2s
check "and says that it replaces the programs" said "XDP program $before, of another build, has given way"
check_not "they are others now" test "$(program)" -eq "$before"
check "what was counted goes on" test "$(stamps)" -ge "$counted"
check "the phone is kept without a REGISTER" prompted_again
check "it stops" agent_stop

# Another ABI.
sippath detach eth0 >/dev/null
check "there is a version with another ABI" make_older
check "its program is attached" in_ns server ip link set dev eth0 xdp obj "$OLDER/build/sippath.bpf.o" sec xdp
check_not "the agent refuses to work with that" agent_start --threshold 2s
check "and says both numbers and what to do (trap 47)" said "ABI 99, this one has ABI [0-9]+: .*sippath detach eth0"
check "which succeeds" sippath detach eth0
check "then it starts" agent_start --threshold 2s
check "and keeps the phone without a REGISTER" prompted_again
check "the agent stops cleanly" agent_stop
