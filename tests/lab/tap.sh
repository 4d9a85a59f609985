# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# tap.sh - checks that print TAP (the Test Anything Protocol).
#
# A script calls "plan" with the number of its checks first. If it ends early, the checks that
# are missing tell so; the logs of the lab follow if anything went wrong.

TAP_PLANNED=0
TAP_DONE=0
TAP_FAILED=0

# plan NUMBER
plan() {
	TAP_PLANNED=$1
	echo "1..$1"
	exec 3>&1
	trap finish EXIT
}

ok() {
	TAP_DONE=$((TAP_DONE + 1))
	echo "ok $TAP_DONE - $1"
}

# not_ok NAME [DETAILS]
not_ok() {
	TAP_DONE=$((TAP_DONE + 1))
	TAP_FAILED=$((TAP_FAILED + 1))
	echo "not ok $TAP_DONE - $1"
	[[ -z ${2:-} ]] || note "$2"
}

note() {
	sed 's/^/# /' <<<"$1"
}

# check NAME COMMAND...: the command succeeds. It runs in this shell: what it starts is ours.
check() {
	if "${@:2}" >"$LAB_LOGS/check" 2>&1; then
		ok "$1"
	else
		not_ok "$1" "failed: ${*:2}"$'\n'"$(<"$LAB_LOGS/check")"
	fi
}

# check_not NAME COMMAND...: the command fails.
check_not() {
	if "${@:2}" >"$LAB_LOGS/check" 2>&1; then
		not_ok "$1" "succeeded: ${*:2}"$'\n'"$(<"$LAB_LOGS/check")"
	else
		ok "$1"
	fi
}

# equal NAME WANTED FOUND
equal() {
	if [[ $2 == "$3" ]]; then
		ok "$1"
	else
		not_ok "$1" "wanted: $2"$'\n'"found:  $3"
	fi
}

# within NAME LOWEST HIGHEST FOUND: whole numbers.
within() {
	if [[ $4 =~ ^[0-9]+$ ]] && (($4 >= $2 && $4 <= $3)); then
		ok "$1"
	else
		not_ok "$1" "wanted: $2 to $3"$'\n'"found:  $4"
	fi
}

# Invoked by the trap of plan.
# shellcheck disable=SC2317
finish() {
	local status=$? log
	exec >&3 # a check may have been under way
	trap - EXIT
	if ((TAP_DONE != TAP_PLANNED)); then
		note "ended with status $status after $TAP_DONE of $TAP_PLANNED checks"
		status=1
	fi
	((TAP_FAILED == 0)) || status=1
	if ((status != 0)); then
		for log in "$LAB_LOGS"/agent*.log "$LAB_LOGS"/kamailio*.log "$LAB_LOGS"/*.errors; do
			[[ -s $log ]] || continue
			note "--- ${log##*/}"
			tail -n 40 "$log" | cut -c 1-300 | sed 's/^/#   /'
		done
	fi
	exit "$status"
}
