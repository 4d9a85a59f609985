# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# families.sh - the run that two tests share: phones on IPv6, behind a firewall that forgets
# what has been quiet for 8 s, and on IPv4 behind the NAT, at one server. With the agent all
# ring after half a minute of silence, without it none does.

# shellcheck source=tests/e2e/lib/reachability.sh
source "$(dirname "${BASH_SOURCE[0]}")/reachability.sh"

# shellcheck disable=SC2034 # for those that source this
REACHABILITY_PHONES=(alice bob carol dave)
ALICE=2001:db8:77::11
BOB=10.77.0.12
CAROL=2001:db8:77::13
DAVE=2001:db8:77::14

families_up() {
	lab_up
	addresses phones eth0 $ALICE/64 $CAROL/64 $DAVE/64
	firewall_up
	start_stream_kamailio
}

# connect_early: carol's connection is there before anything else.
connect_early() {
	start_stream_phone carol $CAROL tcp-sipp
}

# register_others: alice over IPv6, bob over IPv4, dave over TCP; from here on the firewall forgets.
register_others() {
	nat_forgets_connections $NAT_TIMEOUT
	start_phone alice $ALICE
	start_phone bob $BOB
	start_stream_phone dave $DAVE tcp-sipp
}

# remembered: those whom neither the firewall nor the NAT has forgotten.
remembered() {
	local name
	for name in alice:$ALICE bob:$BOB; do
		! mapped "${name#*:}" || printf '%s ' "${name%%:*}"
	done
	for name in carol dave; do
		[[ -z $(nat_connection "$name") ]] || printf '%s ' "$name"
	done
}
