#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Every command of sippath, for people and as JSON.
source "$(dirname "$0")/../lab/lib.sh"

GROUP=54321

# shape NAME FILTER COMMAND...: the command's one JSON document passes the jq filter.
shape() {
	local output
	if output=$(sippath --json "${@:3}" 2>&1) &&
		jq -es "length == 1 and (.[0] | $2)" >/dev/null 2>&1 <<<"$output"; then
		ok "$1"
	else
		not_ok "$1" "wanted: $2"$'\n'"found:  $output"
	fi
}

# shows NAME WORDS COMMAND...: the command's table has these words.
shows() {
	local output
	if output=$(sippath "${@:3}" 2>&1) && [[ $output == *"$2"* ]]; then
		ok "$1"
	else
		not_ok "$1" "wanted: $2"$'\n'"found:  $output"
	fi
}

# status_as USER-ID [GROUP-ID]: somebody who is not root asks the agent.
status_as() {
	in_ns server timeout 20 setpriv --reuid="$1" --regid="${2:-$1}" --clear-groups \
		"$LAB_LOGS/sippath" status
}

# make_group: the group "sippath", in this lab's /etc/group only.
make_group() {
	cp /etc/group "$LAB_LOGS/group"
	echo "sippath:x:$GROUP:" >>"$LAB_LOGS/group"
	mount --bind "$LAB_LOGS/group" /etc/group
}

socket_mode() {
	stat -c '%a %G' /run/sippath/sippath.sock
}

# listeners_are NUMBER: so many clients are connected.
listeners_are() {
	[[ $(in_ns server ss -Hx state established src /run/sippath/sippath.sock | wc -l) -eq $1 ]]
}

# register_by_hand USER IP EXPIRES CSEQ: one REGISTER, sent without waiting for what comes back.
register_by_hand() {
	register_message "$1" "$2:5060" "$3" "$1" "$4" | datagram "$2:5060" "$SERVER:5060"
}

# ends_with STATUS PID
ends_with() {
	local status=0
	wait "$2" || status=$?
	[[ $status -eq $1 ]]
}

path_shape='(.transport == "udp") and (.local == "192.0.2.10:5060") and (.remote | test("^198.51.100.1:[0-9]+$"))
	and (.state == "registered") and (.health | IN("live", "awaiting", "silent"))
	and ([.idle_ms, .due_in_ms, .prompts, .answers, .avoided, .registrations,
		.subscriptions, .dialogs, .lingering, .threshold_ms] | all(type == "number"))
	and ([.connection, .behind_nat, .readable] | all(type == "boolean")) and .behind_nat
	and .kept_by == "options" and ([.why, .note] | all(type == "string")) and has("rtt_us")'
binding_shape='(.kind == "registration") and (.aor == "sip:alice@lab.example") and (.ends_in_ms > 0)
	and (.behind_nat == true) and .early == null and .direction == null and has("session_expires_s")
	and has("refresher") and has("event") and has("event_id") and has("instance")'
event_shape='(.time | test("^[0-9-]+T[0-9:]+[.][0-9]{3}Z$")) and (.missed == 0)
	and ([.path, .transport, .local, .remote, .from, .to, .health, .reason, .text] | all(type == "string"))
	and has("aor")'
stats_shape='[.paths, .prompts_sent, .prompts_answered, .prompts_avoided, .answers_absorbed, .sightings,
	.sightings_lost, .messages_malformed] | all(type == "number")'

plan 40
install -m 755 "$SIPPATH_BUILD/sippath" "$LAB_LOGS/sippath"
chmod 755 "$LAB_LOGS"
lab_up
start_kamailio
check "the agent starts" agent_start
equal "without a group sippath the socket is for root alone" "600 root" "$(socket_mode)"
check "the agent stops cleanly" agent_stop

make_group
check "the agent starts again" agent_start --threshold 45s

shape "paths: an empty array before any phone" '. == []' paths
shape "bindings: an empty array before any phone" '. == []' bindings
start_phone alice 10.77.0.11
remote=$NAT_PUBLIC:$(nat_port 10.77.0.11)
flow="udp $SERVER:5060 $remote"
check "a path is kept" wait_until 15 paths_are 1

shape "status --json shows what is watched" \
	'.sip_ports == [5060] and (.interfaces | length == 1) and .interfaces[0].name == "eth0"' status
shows "status" eth0 status
shape "status --json says whether TCP connections are kept" '.tcp_keepalive | type == "boolean"' status
shape "paths --json" "type == \"array\" and length == 1 and (.[0] | $path_shape)" paths
shows "paths" "$remote" paths
shows "paths says how each is kept" "KEPT BY" paths
shape "path --json, by its flow" 'type == "object"' path "$flow"
shape "path --json, by its remote address" 'type == "object"' path "$remote"
shows "path" alice path "$remote"
shows "path says why" "behind a NAT    yes" path "$remote"
shape "bindings --json" "type == \"array\" and length == 1 and (.[0] | $binding_shape)" bindings
shows "bindings" alice bindings
shape "stats --json" "$stats_shape" stats
shows "stats" answers_absorbed stats
shape "threshold --json" 'tostring | contains("45")' threshold
shows "threshold" 45 threshold

equal "nobody was prompted yet" 0 "$(agent_count prompts_sent)"
check "prompt prompts one path now" sippath prompt "$remote"
check "and it is answered" wait_until 15 path_is "$remote" answers 1
equal "by one prompt" 1 "$(agent_count prompts_sent)"

check "threshold can be set" sippath threshold 2s
check "and takes effect on a path that waits" wait_until 20 count_reaches prompts_sent 2

equal "the socket is for root and the group sippath" "660 sippath" "$(socket_mode)"
check "a member of the group may use it" status_as 65534 $GROUP
check_not "others may not" status_as 65534

agent_watch
follower=$!
spawn server watch.log "$SIPPATH_BUILD/sippath" events
watcher=$!
check "two clients follow events" wait_until 20 listeners_are 2
register_by_hand erin 10.77.0.13 3600 1
check "a registration by hand is learnt" wait_until 15 paths_are 2
erin=$NAT_PUBLIC:$(nat_port 10.77.0.13)
register_by_hand erin 10.77.0.13 0 2
check "events --json: a registration and its end, with the reasons" \
	wait_until 15 history_is "$erin" registered:registered idle:unregistered
check "each of them one document on one line" jq -es "all($event_shape)" "$LAB_LOGS/events.log"
check "events: a line each" wait_until 15 grep -Eq \
	"^[0-9:.]{12}  udp $SERVER:5060 $erin +registered -> idle +unregistered +sip:erin@lab.example\$" \
	"$LAB_LOGS/watch.log"
kill -INT "$watcher"
check "it ends well when it is interrupted" ends_with 0 "$watcher"
check "the agent stops cleanly" agent_stop
check "and with it whoever follows events" ends_with 1 "$follower"
