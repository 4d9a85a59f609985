#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The programs are replaced by those of another build, again and again, while a thousand devices
# send: no packet is lost and no stamp.
#
#     RATE=NUMBER      packets a second, 50,000 unless told
#     ROUNDS=NUMBER    replacements, 200 unless told
#     PATIENCE=SECONDS a machine that is busy with other things replaces no more after so long, 180
#                      unless told
#     GAP=1            takes the old program off first: shows that the test notices
source "$(dirname "$0")/../lab/lib.sh"

RATE=${RATE:-50000}
ROUNDS=${ROUNDS:-200}
PATIENCE=${PATIENCE:-180}
MAP=/sys/fs/bpf/sippath/sip_paths
STEADY=$LAB_LOGS/steady

# The build that users run: what a sanitizer costs is not what is looked at.
builds=("$BUILD/sippathd" "$LAB_LOGS/sippathd")

network_up() {
	namespaces_up office server
	wire office eth0 server eth0
	addresses office eth0 192.0.2.1/24
	addresses server eth0 $SERVER/24
	no_port_unreachable office
	# A queue in front of the wire, so that the wire is waited for and loses nothing itself.
	in_ns office tc qdisc replace dev eth0 root pfifo limit 1000000
	neighbour office $SERVER server
	neighbour server 192.0.2.1 office
}

# neighbour NAMESPACE IP NAMESPACE: the first knows for good where the second one's address is.
neighbour() {
	ip -n "$1" neighbour replace "$2" dev eth0 nud permanent \
		lladdr "$(ip -n "$3" -j link show dev eth0 | jq -r '.[0].address')"
}

make_builds() {
	gcc -O2 -D_GNU_SOURCE -I"$PROJECT/include" -o "$STEADY" "$LAB_HOME/steady.c" -lbpf &&
		gcc -O2 -o "$LAB_LOGS/another_build" "$LAB_HOME/another_build.c" &&
		"$LAB_LOGS/another_build" "$BUILD/sippath.bpf.o" "${builds[0]}" >"${builds[1]}" &&
		chmod +x "${builds[1]}"
}

attach() { # BUILD
	[[ -z ${GAP:-} ]] || in_ns server ip link set dev eth0 xdp off
	in_ns server "$1" attach eth0 --log-level error
}

# programs: the ids of those at the ingress, at the egress, and on the cgroup hierarchy.
programs() {
	ip -n server -j link show dev eth0 | jq -r '.[0].xdp.prog.id'
	in_ns server tc -j filter show dev eth0 egress | jq -r '.[].options.prog.id // empty'
	bpftool -j link show pinned /sys/fs/bpf/sippath/sippath_accept | jq -r .prog_id
}

# replace_all: leaves in $rounds how often they were replaced, and in $replaced how often all three
# programs were others than before.
replace_all() {
	local -r end=$((SECONDS + PATIENCE))
	local round before now
	rounds=0
	replaced=0
	before=$(programs)
	for ((round = 1; round <= ROUNDS && SECONDS < end; round++)); do
		attach "${builds[round % 2]}"
		now=$(programs)
		[[ -n $(comm -12 <(sort <<<"$before") <(sort <<<"$now")) ]] || replaced=$((replaced + 1))
		before=$now
		rounds=$round
	done
}

# sum COLUMN FILE
sum() {
	awk -v column="$1" '{ sum += $column } END { print sum + 0 }' "$LAB_LOGS/$2"
}

serves() {
	[[ -n $(in_ns server ss -Hlun "sport = :5060") ]]
}

all_stamped() {
	"$STEADY" show $MAP >"$LAB_LOGS/stamped"
	[[ $(sum 2 stamped) -eq $(sum 2 sent) ]]
}

# differing COLUMN FILE COLUMN FILE: the first devices for which the two tell different numbers.
differing() {
	comm -3 <(cut -d ' ' -f 1,"$1" "$LAB_LOGS/$2" | sort) <(cut -d ' ' -f 1,"$3" "$LAB_LOGS/$4" | sort) |
		sed -n 1,4p
}

plan 12
network_up
check "there are two builds" make_builds
check "the programs are attached" attach "${builds[0]}"
check "a thousand devices have paths" "$STEADY" keep $MAP

nsenter --net=/run/netns/server -- nice "$STEADY" serve >"$LAB_LOGS/served" 2>"$LAB_LOGS/serve.errors" &
server=$!
wait_until 20 serves
nsenter --net=/run/netns/office -- nice "$STEADY" send "$RATE" >"$LAB_LOGS/sent" 2>"$LAB_LOGS/rate" &
sender=$!
begun=$(date +%s%N)
replace_all
took=$((($(date +%s%N) - begun) / 1000000))
kill $sender && wait $sender
dropped=$(in_ns office cat /sys/class/net/eth0/statistics/tx_dropped)
note "$rounds replacements in $took ms, $(<"$LAB_LOGS/rate") sent meanwhile, $dropped dropped by the wire"
equal "every one replaced all three programs" "$rounds" "$replaced"
equal "native XDP all the time" native "$(xdp_mode)"
check "as many packets are stamped as were sent" wait_until 20 all_stamped
kill $server && wait $server
check "the answers that it still had to give are stamped, too" all_stamped
equal "packets that were lost" 0 $(($(sum 2 sent) - $(sum 2 served)))
equal "stamps of packets from devices that were lost" 0 $(($(sum 2 sent) - $(sum 2 stamped)))
equal "stamps of packets to devices that were lost" 0 $(($(sum 3 served) - $(sum 3 stamped)))
check "there were some of either" test "$(sum 3 stamped)" -gt $((rounds * 100))
equal "it is right for each device" "" \
	"$(differing 2 sent 2 stamped)$(differing 2 sent 2 served)$(differing 3 served 3 stamped)"
