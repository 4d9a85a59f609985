# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# agent.sh - sippath on the lab's server.

BUILD=${O:-$PROJECT/build}
SIPPATH_BUILD=${SIPPATH_BUILD:-$BUILD/sanitize} # whose sippathd and sippath are used
AGENT_PID=

# agent_start [OPTION...]: runs sippathd on the server's interface; 0 once it is ready.
agent_start() {
	: >"$LAB_LOGS/agent.log"
	mkdir -p "$LAB_LOGS/state"
	spawn server agent.log "$SIPPATH_BUILD/sippathd" --interface eth0 --state-dir "$LAB_LOGS/state" "$@"
	AGENT_PID=$!
	wait_until 60 grep -q 'sippathd: ready' "$LAB_LOGS/agent.log"
}

# agent_stop: asks it to stop; its exit status.
agent_stop() {
	local -r pid=$AGENT_PID
	AGENT_PID=
	kill "$pid" && wait "$pid"
}

# agent_kill: it has no chance to tidy up.
agent_kill() {
	kill -9 "$AGENT_PID"
	wait "$AGENT_PID" 2>/dev/null || true
	AGENT_PID=
}

# agent_rss_kib: the memory that it holds.
agent_rss_kib() {
	awk '/^VmRSS:/ { print $2 }' "/proc/$AGENT_PID/status"
}

# sippath ARGUMENT...: the command-line tool, on the server.
sippath() {
	in_ns server timeout 20 "$SIPPATH_BUILD/sippath" "$@"
}

# agent_count NAME: one of its counters.
agent_count() {
	sippath --json stats | jq -r --arg name "$1" '.[$name]'
}

# paths_kept: how many.
paths_kept() {
	sippath --json paths | jq length
}

# path_value REMOTE FIELD: of the path to "ip:port"; "none" if it is not kept.
path_value() {
	sippath --json paths | jq -r --arg remote "$1" --arg field "$2" \
		'(map(select(.remote == $remote)) | first) as $path |
		 if $path then $path[$field] else "none" end'
}

# path_is REMOTE FIELD VALUE: a condition to wait for.
path_is() {
	[[ $(path_value "$1" "$2") == "$3" ]]
}

# paths_are NUMBER: likewise.
paths_are() {
	[[ $(paths_kept) -eq $1 ]]
}

# count_reaches NAME NUMBER: likewise.
count_reaches() {
	[[ $(agent_count "$1") -ge $2 ]]
}

# agent_watch: follows its events from now on, in events.log.
agent_watch() {
	spawn server events.log "$SIPPATH_BUILD/sippath" --json events
	wait_until 20 agent_listened_to
}

agent_listened_to() {
	[[ -n $(in_ns server ss -Hx state established src /run/sippath/sippath.sock) ]]
}

# path_history REMOTE: the states that the path to "ip:port" has gone through since agent_watch, each
# with its reason: "registered:registered dialog:unregistered idle:dialog_bye".
path_history() {
	jq -Rr --arg remote "$1" 'fromjson? | select(.remote == $remote and .from != .to)
		| "\(.to):\(.reason)"' "$LAB_LOGS/events.log" | xargs
}

# history_is REMOTE STATE:REASON...: a condition to wait for.
history_is() {
	[[ $(path_history "$1") == "${*:2}" ]]
}

# kernel_paths: the entries of every sip_paths on the machine, as a JSON array: a map's name is
# not a namespace's own, so other labs' maps come along with ours.
kernel_paths() {
	bpftool map dump name sip_paths | jq -c '[.. | objects | select(has("key"))]'
}

# pinned_paths: the same of this lab's own map.
pinned_paths() {
	bpftool map dump pinned /sys/fs/bpf/sippath/sip_paths |
		jq -c '[.. | objects | select(has("key"))]'
}

# pins: the BPF objects that are pinned in this lab, but for the kernel's own (*.debug).
pins() {
	find /sys/fs/bpf -type f ! -name '*.debug' | sort
}

# xdp_mode: "native" or "generic", or nothing if there is no program on the server's interface.
xdp_mode() {
	ip -n server -j link show dev eth0 |
		jq -r '.[0].xdp.mode // empty | if . == 1 then "native" else "generic" end'
}
