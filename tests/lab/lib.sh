# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# lib.sh - what scripts that run inside a lab use. Source it first:
#
#     source "$(dirname "$0")/../lab/lib.sh"
#
# A script that is started outside of a lab starts itself again inside one.
set -euo pipefail

LAB_HOME=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
PROJECT=$(readlink -f "$LAB_HOME/../..")
[[ ${SIPPATH_LAB:-} == inside ]] || exec "$LAB_HOME/lab" "$(readlink -f "$0")" "$@"

LAB_LOGS=/run/lab # one file for each process that was started
PATH=/usr/sbin:/sbin:$PATH
trap 'exit 130' INT TERM

# wait_until SECONDS COMMAND...: 0 as soon as the command succeeds, 1 if it never did.
wait_until() {
	local -r end=$((SECONDS + $1 + 1))
	shift
	until "$@" >/dev/null 2>&1; do
		((SECONDS < end)) || return 1
		sleep 0.1
	done
}

# let_time_pass SECONDS WHY: only where the passing of time is what is being looked at.
let_time_pass() {
	sleep "$1"
}

# The rest of a lab, a file for each part.
# shellcheck source=tests/lab/network.sh
source "$LAB_HOME/network.sh"
# shellcheck source=tests/lab/peers.sh
source "$LAB_HOME/peers.sh"
# shellcheck source=tests/lab/streams.sh
source "$LAB_HOME/streams.sh"
# shellcheck source=tests/lab/agent.sh
source "$LAB_HOME/agent.sh"
# shellcheck source=tests/lab/tap.sh
source "$LAB_HOME/tap.sh"
