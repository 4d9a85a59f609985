#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Behind a NAT that forgets a quiet connection after 10 s, every phone on TCP and TLS rings after
# a minute without a call. tcp_without_agent.sh is the same run without the agent.
source "$(dirname "$0")/../lab/lib.sh"
source "$(dirname "$0")/lib/connections.sh"

# path_shown REMOTE: how the agent knows and keeps it.
path_shown() {
	sippath --json paths | jq -r --arg remote "$1" '.[] | select(.remote == $remote) |
		"\(.state) readable=\(.readable) \(.kept_by)"'
}

shown_as() {
	[[ $(path_shown "$1") == "$2" ]]
}

# dotted REMOTE: as tcpdump writes it.
dotted() {
	echo "${1%:*}.${1##*:}"
}

# pieces_of REMOTE: the segments with data that this phone has sent.
pieces_of() {
	captured server | grep -c "IP $(dotted "$1") > .* length [1-9]" || true
}

# probes_to REMOTE FROM TO: keepalive probes, which carry nothing, between two times.
probes_to() {
	captured server | awk -v phone="$(dotted "$1"):" -v from="$2" -v to="$3" '
		$5 == phone && / length 0$/ && $1 > from && $1 < to { n++ }
		END { print n + 0 }'
}

# data_between FROM TO: segments with data, on any connection.
data_between() {
	captured server | awk -v from="$1" -v to="$2" '
		/ length [1-9]/ && $1 > from && $1 < to { n++ }
		END { print n + 0 }'
}

# on_cgroups PROGRAM: prints it if it sees the connections of the host.
on_cgroups() {
	bpftool -j cgroup show "$(findmnt -fno TARGET -t cgroup2)" |
		jq -ce --argjson program "$1" '.[] | select(.id == $program)'
}

# traces PROGRAM: what is left of ours; of the programs, the one that saw connections.
traces() {
	xdp_mode
	pins
	tc -n server qdisc show dev eth0 clsact
	on_cgroups "$1" || true
	bpftool -j prog show | jq -c --argjson program "$1" '.[] | select(.id == $program)'
}

no_trace() {
	[[ -z $(traces "$1") ]]
}

plan 26
lab_up
start_stream_kamailio
connect_early
check "the agent starts" agent_start --sip-port 5060,5061 --threshold 5s
check "its events are followed" agent_watch
capture server server tcp
connect_others

check "a connection that was there before the agent is known" \
	wait_until 15 shown_as "${REMOTES[alice]}" "connected readable=true tcp-keepalive"
check "the registration of a TCP phone is learnt" \
	wait_until 15 shown_as "${REMOTES[bob]}" "registered readable=true tcp-keepalive"
check "of a TLS phone its connection is known" \
	wait_until 15 shown_as "${REMOTES[carol]}" "connected readable=false tcp-keepalive"
within "(a REGISTER comes in pieces)" 2 9 "$(pieces_of "${REMOTES[dave]}")"
check "it is learnt all the same" \
	wait_until 15 shown_as "${REMOTES[dave]}" "registered readable=true tcp-keepalive"
check "of a WebSocket its connection is known" \
	wait_until 15 shown_as "${REMOTES[erin]}" "connected readable=false tcp-keepalive"
equal "the server's kernel probes every connection" 5 "$(probed)"
call_everybody
equal "every phone rings at once after registering" "alice bob carol dave " "$RANG"
check "the call to bob went by" wait_until 15 history_is "${REMOTES[bob]}" connected:connected \
	registered:registered registered+dialog:dialog_early registered:dialog_bye

quiet=$(date +%s.%N)
let_time_pass 60 "several NAT timeouts without a call"
over=$(date +%s.%N)

equal "the NAT remembers every connection" "alice bob carol dave erin " "$(remembered)"
for name in "${CONNECTED[@]}"; do
	within "$name was probed once in 5 s" 10 13 "$(probes_to "${REMOTES[$name]}" "$quiet" "$over")"
done
equal "nothing else was sent to anybody" 0 "$(data_between "$quiet" "$over")"
call_everybody
equal "every phone rings after a minute of silence" "alice bob carol dave " "$RANG"
note "$(sippath paths)"

stop_phone bob
check "the path of a phone that hangs up its connection goes" \
	wait_until 15 path_is "${REMOTES[bob]}" state none
stop_phone carol
check "so does that of one on TLS" wait_until 15 history_is "${REMOTES[carol]}" \
	connected:connected idle:disconnected
stop_phone alice
check "and of the one that was there before the agent" \
	wait_until 15 path_is "${REMOTES[alice]}" state none
program=$(bpftool -j link show pinned /sys/fs/bpf/sippath/sippath_accept | jq .prog_id)
check "the agent stops cleanly" agent_stop
check "what sees connections stays" on_cgroups "$program"
check "sippath detach succeeds" sippath detach eth0
wait_until 15 no_trace "$program" || true
equal "and leaves nothing behind" "" "$(traces "$program")"
