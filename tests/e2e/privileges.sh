#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Once started, sippathd is nobody in particular: no root, no capability, only the system calls that it
# needs; what takes more its warden does, and nothing else. Without sanitizers, which need more calls.
source "$(dirname "$0")/../lab/lib.sh"
source "$LAB_HOME/accounts.sh"
SIPPATH_BUILD=$BUILD

SOCKET=/run/sippath/sippath.sock
WARDEN_CAPABILITIES=000000c000201000 # CAP_BPF, CAP_PERFMON, CAP_SYS_ADMIN, CAP_NET_ADMIN
NONE=0000000000000000

# status PID FIELD: of /proc, its values with a blank in between.
status() {
	sed -n "s/^$2:[[:space:]]*//p" "/proc/$1/status" | xargs
}

# privileges PID: who it is, and what it may.
privileges() {
	local field
	for field in Uid Gid Groups CapInh CapPrm CapEff CapBnd CapAmb NoNewPrivs Seccomp; do
		printf '%s=%s ' $field "$(status "$1" $field)"
	done
}

# four ID: as the kernel shows it: real, effective, saved, of the file system.
four() {
	echo "$1 $1 $1 $1"
}

# unprivileged_as ID SECCOMP: what privileges shows.
unprivileged_as() {
	echo "Uid=$(four "$1") Gid=$(four "$1") Groups= CapInh=$NONE CapPrm=$NONE CapEff=$NONE CapBnd=$NONE" \
		"CapAmb=$NONE NoNewPrivs=1 Seccomp=$2 "
}

warden_of() {
	pgrep -P "$1"
}

is_gone() {
	[[ ! -e /proc/$1 ]] || grep -q '^State:.*Z' "/proc/$1/status"
}

# held_by PID: what its descriptors are, but for standard ones and BPF objects; sorted.
held_by() {
	local fd
	for fd in /proc/"$1"/fd/*; do
		((${fd##*/} > 2)) && readlink "$fd"
	done | sed 's/:\[.*//' | grep -vE '^anon_inode:(bpf|btf|$)' | sort | xargs
}

programs_of() { # PID
	readlink /proc/"$1"/fd/* | grep -c '^anon_inode:bpf-prog'
}

# settings_access PID: how it has the settings open: 0 to read, 2 to write as well.
settings_access() {
	local id info
	id=$(bpftool --json map show pinned /sys/fs/bpf/sippath/sip_settings | jq .id)
	for info in /proc/"$1"/fdinfo/*; do
		grep -q "^map_id:[[:space:]]*$id\$" "$info" || continue
		echo $((8#$(sed -n 's/^flags:[[:space:]]*//p' "$info") & 3))
	done
}

# refused_as USER: sippathd ends at once, and says why.
refused_as() {
	! in_ns server timeout 60 "$SIPPATH_BUILD/sippathd" --interface eth0 --state-dir "$LAB_LOGS/state" \
		--user "$1" >"$LAB_LOGS/refused.log" 2>&1
}

prompted_again() { # COUNT
	[[ $(agent_count prompts_answered) -gt $1 ]]
}

goes_on() {
	local -r before=$(agent_count prompts_answered)
	wait_until 15 prompted_again "$before"
}

said() {
	grep -q "$1" "$LAB_LOGS/agent.log"
}

watching() {
	sippath --json status | jq -e ".watching == $1 and .tcp_keepalive == true"
}

blind() {
	sippath --json status | jq -e '.watching == false'
}

owner_and_mode() {
	stat -c '%U:%G %a' "$1"
}

plan 56
lab_up
start_kamailio
mkdir -p "$LAB_LOGS/state"
: >"$LAB_LOGS/state/bindings.mdb.aside-1"
ln -s /etc/hostname "$LAB_LOGS/state/call-control.key"

check "without a user of its own the agent starts" agent_start --threshold 2s
check "and says how to make one" said "useradd --system"
equal "it works as nobody" "$(four 65534)" "$(status "$AGENT_PID" Uid)"
start_phone alice 10.77.0.11
check "a phone is prompted and heard" wait_until 15 count_reaches prompts_answered 2
check "it stops cleanly" agent_stop

accounts_up
check "with a user of its own it starts" agent_start --threshold 2s
check "it remembers what nobody has known" said "bindings that are remembered: 1"
equal "it is that user, without any capability, under a filter" "$(unprivileged_as 4242 2)" "$(privileges "$AGENT_PID")"
warden=$(warden_of "$AGENT_PID")
equal "its warden is named so" sippathd-warden "$(cat "/proc/$warden/comm")"
equal "and has what mending takes" "$WARDEN_CAPABILITIES $WARDEN_CAPABILITIES $NONE $NONE" \
	"$(status "$warden" CapEff) $(status "$warden" CapPrm) $(status "$warden" CapBnd) $(status "$warden" CapInh)"
equal "under a filter as well" "1 2" "$(status "$warden" NoNewPrivs) $(status "$warden" Seccomp)"
equal "it holds BPF objects, and its end of a socket to the agent" socket "$(held_by "$warden")"
equal "the agent holds no programs" 0 "$(programs_of "$AGENT_PID")"
equal "and can but read the settings" 0 "$(settings_access "$AGENT_PID")"
equal "which its warden can write" 2 "$(settings_access "$warden")"
equal "the state directory is the user's" "sippath:sippath" "$(stat -c %U:%G "$LAB_LOGS/state")"
equal "with what is in it" "sippath:sippath" "$(stat -c %U:%G "$LAB_LOGS/state/bindings.mdb.aside-1")"
equal "but what a link points to" "root:root" "$(stat -c %U:%G /etc/hostname)"

equal "the control socket is for root and the group" "root:sippath 660" "$(owner_and_mode $SOCKET)"
check "root gets an answer" sippath status
check "so does a member of the group" as operator "$SIPPATH_BUILD/sippath" status
check_not "nobody else does" as guest "$SIPPATH_BUILD/sippath" status

check "the phone is prompted and heard" wait_until 15 count_reaches prompts_answered 2
check "the agent sees packets and connections" watching true
check "the threshold can be changed" sippath threshold 3s
equal "that of TCP connections has followed" 3 \
	"$(bpftool map dump pinned /sys/fs/bpf/sippath/sip_settings | jq '[.. | .keepalive_idle_s? // empty] | first')"

ip -n server link set dev eth0 xdp off
check "programs that are taken off are back" wait_until 15 xdp_mode
check "(the warden lives)" test -d "/proc/$warden"
check "and phones are prompted" goes_on

agent_kill
check "killed, the agent takes its warden along" wait_until 10 is_gone "$warden"
check "its successor starts" agent_start --threshold 2s
check "and remembers" said "bindings that are remembered: 1"
check "it goes on" goes_on

warden=$(warden_of "$AGENT_PID")
kill -9 "$warden"
check "without its warden, the agent says so" wait_until 10 said "the warden, process $warden, has ended"
check "and goes on" goes_on
equal "having said it once" 1 "$(grep -c "the warden, process" "$LAB_LOGS/agent.log")"
ip -n server link set dev eth0 xdp off
check "without its programs, too, it ends (trap 11)" wait_until 15 is_gone "$AGENT_PID"
check "and says why" said "packets pass unseen, and without its warden"
check_not "its exit status tells of a failure" wait "$AGENT_PID"
check "started again, it attaches them" agent_start --threshold 2s
check "and goes on" goes_on

warden=$(warden_of "$AGENT_PID")
kill -STOP "$warden"
ip -n server link set dev eth0 xdp off
check "while the warden does not answer, it sees for itself that they are gone" wait_until 15 blind
check "and ends" wait_until 30 is_gone "$AGENT_PID"
check_not "with a failure" wait "$AGENT_PID"
kill -CONT "$warden"
check "(and its warden, once it can)" wait_until 15 is_gone "$warden"

check "it starts again" agent_start --threshold 2s
warden=$(warden_of "$AGENT_PID")
check "it stops cleanly, too" agent_stop
check "its warden with it" is_gone "$warden"
check_not "and the socket is gone" test -e $SOCKET
check "what was attached stays" xdp_mode

check "for another user it does not start, with what the first has left" refused_as operator
check "but says what to type" grep -q "chown -hR operator: $LAB_LOGS/state" "$LAB_LOGS/refused.log"

check "without the sandbox it starts" agent_start --sandbox no
equal "and has no filter" "$(unprivileged_as 4242 0)" "$(privileges "$AGENT_PID")"
check "it stops cleanly" agent_stop
check_not "a user that is not there is refused" agent_start --user nosuchuser
