#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What cannot work is refused: one line that says what to do, the right exit status, and nothing
# half-attached.
source "$(dirname "$0")/../lab/lib.sh"

# refused NAME STATUS WORDS COMMAND...: the command ends with this status, and its one line on
# standard error has these words (an extended regular expression).
refused() {
	local -r name=$1 wanted=$2 words=$3
	local status=0 output
	shift 3
	output=$("$@" 2>&1 >/dev/null) || status=$?
	if [[ $status -eq $wanted && $(wc -l <<<"$output") -eq 1 && $output =~ $words ]]; then
		ok "$name"
	else
		not_ok "$name" "wanted: status $wanted, one line with /$words/"$'\n'"found:  status $status"$'\n'"$output"
	fi
}

daemon() {
	in_ns server timeout 20 "$SIPPATH_BUILD/sippathd" --state-dir "$LAB_LOGS/state" "$@"
}

daemon_as_nobody() {
	in_ns server timeout 20 setpriv --reuid=65534 --regid=65534 --clear-groups \
		"$LAB_LOGS/sippathd" --interface eth0 --socket "$LAB_LOGS/nobody.sock"
}

# carried_by DEV: what a network device has of XDP and of clsact; nothing if it is untouched.
carried_by() {
	ip -n server -j link show dev "$1" | jq -c '.[0].xdp // empty'
	tc -n server qdisc show dev "$1" clsact
}

untouched() {
	[[ -z $(carried_by eth0) && -z $(carried_by lo) && -z $(pins) ]]
}

# pinned MAP: its entries.
pinned() {
	bpftool -j map dump pinned "/sys/fs/bpf/sippath/$1" | jq -c '[.[].formatted]'
}

# state_of_agent: what a second agent could spoil.
state_of_agent() {
	pinned sip_settings
	pinned sip_paths | jq -c '[.[].key]'
	carried_by lo
}

# start_with_deaf_log: an agent whose log nobody reads.
start_with_deaf_log() {
	nsenter --net=/run/netns/server -- "$SIPPATH_BUILD/sippathd" --interface eth0 \
		--state-dir "$LAB_LOGS/state" 2> >(true) &
	AGENT_PID=$!
	wait_until 60 sippath status
}

# end_at_once: asks an agent to end as soon as there is a sign of it; its exit status.
end_at_once() {
	local -r patience=$((SECONDS + 60))
	spawn server early.log "$SIPPATH_BUILD/sippathd" --interface eth0 --state-dir "$LAB_LOGS/state"
	AGENT_PID=$!
	until [[ -S /run/sippath/sippath.sock ]]; do
		((SECONDS < patience)) || return 1
	done
	agent_stop
}

wholly_attached() {
	[[ -n $(xdp_mode) && -n $(tc -n server qdisc show dev eth0 clsact) && $(pins | wc -l) -eq 7 ]] &&
		tc -n server filter show dev eth0 egress | grep -q sippath_egress
}

# foreign_program: somebody else's XDP program on the server's interface.
foreign_program() {
	echo '__attribute__((section("xdp"))) int pass(void *context) { return context ? 2 : 2; }' |
		clang -target bpf -O2 -g -x c -c -o "$LAB_LOGS/foreign.o" - &&
		in_ns server ip link set dev eth0 xdp obj "$LAB_LOGS/foreign.o" sec xdp
}

: >"$LAB_LOGS/begun"
mkdir -p "$LAB_LOGS/state"
install -m 755 "$SIPPATH_BUILD/sippathd" "$LAB_LOGS/sippathd"
chmod 755 "$LAB_LOGS"

plan 37
lab_up

refused "an unknown option" 2 "--frobnicate" daemon --interface eth0 --frobnicate
refused "an option without its value" 2 "--threshold" daemon --interface eth0 --threshold
refused "no interface at all" 2 "interface" daemon
refused "a threshold that is none" 2 "threshold" daemon --interface eth0 --threshold soon
refused "a port that is none" 2 "sip-port" daemon --interface eth0 --sip-port 70000
refused "a configuration file that is not there" 1 "/nowhere" \
	daemon --interface eth0 --config /nowhere/sippath.conf
refused "an unknown interface" 1 "eth7" daemon --interface eth7
refused "an unknown interface beside a known one" 1 "eth7" daemon --interface eth0,eth7
refused "no root" 1 "root" daemon_as_nobody
refused "a file in place of the socket" 1 "/etc/passwd" daemon --interface eth0,lo --socket /etc/passwd
check "nothing of all that is left on the interface" untouched

check "(somebody else's XDP program is attached)" foreign_program
refused "somebody else's XDP program" 1 "eth0" daemon --interface eth0
check "nothing but that program is on the interface" \
	test -z "$(tc -n server qdisc show dev eth0 clsact)$(pins)"
ip -n server link set dev eth0 xdp off

check "the agent starts where nothing is in its way" agent_start --threshold 5s
start_kamailio
start_phone alice 10.77.0.11
check "and keeps a phone" wait_until 15 paths_are 1
before=$(state_of_agent)
refused "a second agent on the same socket" 1 "sippath.sock" \
	daemon --interface eth0,lo --sip-port 5099
refused "a second agent on another socket" 1 "works with the maps in /sys/fs/bpf/sippath" \
	daemon --interface eth0,lo --sip-port 5099 --socket "$LAB_LOGS/second.sock"
refused "a second agent with a file in place of the socket" 1 "/etc/passwd" \
	daemon --interface eth0,lo --sip-port 5099 --socket /etc/passwd
equal "the first agent is not disturbed" "$before" "$(state_of_agent)"
check "and answers" sippath status
settings=$(pinned sip_settings | jq -c '.[0].value.ports')
check "an interface can be attached beside it" sippath attach lo --sip-port 5099
equal "which leaves its settings" "$settings" "$(pinned sip_settings | jq -c '.[0].value.ports')"
refused "sippath with an unknown command" 2 "frobnicate" sippath frobnicate
refused "sippath with a path that is not kept" 1 "192.0.2.99:9" sippath path 192.0.2.99:9
refused "sippath with a threshold that is none" 1 "expected a time" sippath threshold soon
check "the agent stops cleanly" agent_stop
refused "sippath without an agent" 1 "sippath.sock" sippath status
check "two interfaces are detached in one go" sippath detach eth0,lo
check "and both are untouched then" untouched

check "an agent starts though nobody reads its log" start_with_deaf_log
check "it writes to it" sippath threshold 5s
check "and lives on" sippath status
check "it stops cleanly" agent_stop
sippath detach eth0 >/dev/null
check "an agent that is to end while it starts ends cleanly" end_at_once
check "with all attached, not half of it" wholly_attached
check_not "the state directory of a real agent was not touched" test -e /var/lib/sippath -a \
	/var/lib/sippath -nt "$LAB_LOGS/begun"
