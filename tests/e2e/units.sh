#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The systemd units: they are well-formed and exposed no more than they may be. Of what they forbid it is
# tried here that sippathd can do without it: another user and other capabilities, and what of the mounts
# can be made by hand. Their system call filter, NoExecPaths= and the rest take systemd itself.
source "$(dirname "$0")/../lab/lib.sh"
source "$LAB_HOME/accounts.sh"
SIPPATH_BUILD=$BUILD

UNITS=(sippathd sippath-call-control)
EXPOSURE_MAX=20 # tenths
HOUSE=$PROJECT/tools/systemd

# well_formed UNIT: with the program and the manual where they are here.
well_formed() {
	local -r copy=$LAB_LOGS/$1.service
	sed -e "s|/usr/sbin/sippathd|$SIPPATH_BUILD/sippathd|" -e '/^Documentation=/d' "$HOUSE/$1.service" >"$copy"
	local said
	said=$(systemd-analyze verify "$copy" 2>&1) && [[ -z $said ]] || {
		echo "$said"
		return 1
	}
}

exposed_little() { # UNIT
	systemd-analyze security --offline=yes --threshold=$EXPOSURE_MAX --no-pager "$HOUSE/$1.service"
}

# setting UNIT NAME: its last value.
setting() {
	sed -n "s/^$2=//p" "$HOUSE/$1.service" | tail -n 1
}

# lent UNIT: its capabilities, as setpriv writes them.
lent() {
	local names
	names=$(setting "$1" AmbientCapabilities)
	names=${names//CAP_/+}
	names=${names// /,}
	echo "-all,${names,,}"
}

# What of the mounts the unit changes: a file system of programs that root alone gets through, pins at
# a place of their own, a kernel that cannot be tuned.
mounts_as_in_unit() {
	chmod 700 /sys/fs/bpf
	mkdir -p /sys/fs/bpf/sippath /run/sippath-pins
	chown -R sippath:sippath /sys/fs/bpf/sippath
	mount --bind /sys/fs/bpf/sippath /run/sippath-pins
	mount --rbind /sys /sys && mount -o remount,bind,ro /sys
	mount --rbind /proc/sys /proc/sys && mount -o remount,bind,ro /proc/sys
	mount --rbind /usr /usr && mount -o remount,bind,ro /usr
	install -d -m 755 -o sippath -g sippath /run/sippath
	install -d -m 700 -o sippath -g sippath /run/lab/unit.state
}

start_as_in_unit() {
	: >"$LAB_LOGS/agent.log"
	spawn server agent.log setpriv --reuid sippath --regid sippath --clear-groups --no-new-privs \
		--inh-caps "$(lent sippathd)" --ambient-caps "$(lent sippathd)" --bounding-set "$(lent sippathd)" \
		-- "$SIPPATH_BUILD/sippathd" --interface eth0 --pin-dir /run/sippath-pins \
		--state-dir /run/lab/unit.state --threshold 2s
	AGENT_PID=$!
	wait_until 60 grep -q 'sippathd: ready' "$LAB_LOGS/agent.log"
}

capabilities_of() { # PID
	sed -n 's/^Cap\(Inh\|Prm\|Eff\|Amb\):\t//p' "/proc/$1/status" | xargs
}

plan 17
for unit in "${UNITS[@]}"; do
	check "$unit.service is well-formed" well_formed "$unit"
	check "and exposed 2.0 at most" exposed_little "$unit"
done

lab_up
accounts_up
start_kamailio
mounts_as_in_unit
check "sippathd starts with what the unit lends it" start_as_in_unit
equal "it keeps nothing of that" "0000000000000000 0000000000000000 0000000000000000 0000000000000000" \
	"$(capabilities_of "$AGENT_PID")"
check "TCP connections are seen as well" eval 'sippath --json status | jq -e .tcp_keepalive'
check "members of the group get an answer" as operator "$SIPPATH_BUILD/sippath" status
start_phone alice 10.77.0.11
check "a phone is prompted and heard" wait_until 15 count_reaches prompts_answered 2
ip -n server link set dev eth0 xdp off
check "programs that are taken off are back" wait_until 15 xdp_mode
check "the threshold can be changed" sippath threshold 3s
warden=$(pgrep -P "$AGENT_PID")
check "it stops cleanly" agent_stop
check_not "its warden with it" test -d "/proc/$warden"
check_not "and the socket" test -e /run/sippath/sippath.sock
check "it starts again" start_as_in_unit
check "and remembers" grep -q "bindings that are remembered: 1" "$LAB_LOGS/agent.log"
check "it stops cleanly, too" agent_stop
