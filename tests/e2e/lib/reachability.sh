# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# reachability.sh - the run that two tests share: with the agent every phone can be called after
# a minute of silence, without it none can.

REACHABILITY_PHONES=(alice bob carol dave erin)

# phones_register: all behind the one NAT; erin's is a baresip.
phones_register() {
	start_phone alice 10.77.0.11
	start_phone bob 10.77.0.12
	start_phone carol 10.77.0.13
	start_phone dave 10.77.0.14
	start_phone erin 10.77.0.15 baresip
}

# call_everybody: calls all phones at once and leaves the names of those that rang in $RANG.
call_everybody() {
	local -A calls
	local name
	for name in "${REACHABILITY_PHONES[@]}"; do
		call "$name" &
		calls[$name]=$!
	done
	RANG=
	for name in "${REACHABILITY_PHONES[@]}"; do
		if wait "${calls[$name]}"; then
			RANG+="$name "
		fi
	done
}
