# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# connections.sh - the run that two tests share: phones on TCP and TLS behind a NAT that forgets
# a quiet connection after 10 s. With the agent all ring after a minute of silence, without it
# none does.

# shellcheck source=tests/e2e/lib/reachability.sh
source "$(dirname "${BASH_SOURCE[0]}")/reachability.sh"

# shellcheck disable=SC2034 # for those that source this
REACHABILITY_PHONES=(alice bob carol dave)
CONNECTED=(alice bob carol dave erin)
declare -A REMOTES=()

# connect NAME IP KIND: a phone whose connection is in $REMOTES.
connect() {
	start_stream_phone "$@"
	REMOTES[$1]=$REMOTE
}

# narrow add|delete: what the phones send from now on takes many segments, or as few as it used to.
narrow() {
	ip -n phones route "$1" "$SERVER" via 10.77.0.1 mtu lock 300
}

# connect_early: alice, whose connection is there before anything else.
connect_early() {
	connect alice 10.77.0.11 tcp-baresip
}

# connect_others: bob over TCP, carol over TLS, dave over TCP with a REGISTER in pieces, erin's
# WebSocket; from here on the NAT forgets.
connect_others() {
	nat_forgets_connections 10
	connect bob 10.77.0.12 tcp-sipp
	connect carol 10.77.0.13 tls-baresip
	narrow add
	connect dave 10.77.0.14 tcp-sipp
	narrow delete
	start_websocket erin
	REMOTES[erin]=$REMOTE
}

# remembered: those whose connection the NAT has not forgotten.
remembered() {
	local name
	for name in "${CONNECTED[@]}"; do
		[[ -z $(nat_connection "$name") ]] || printf '%s ' "$name"
	done
}

# probed: how many of the server's connections the kernel keeps, on whose ever wish.
probed() {
	in_ns server ss -Htno state established sport = :5060 or sport = :5061 | grep -c 'timer:(keepalive' || true
}
