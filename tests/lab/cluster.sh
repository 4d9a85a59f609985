# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# cluster.sh - a set of proxies with its call control and Redis. Source it after lib.sh.
#
#     phones ---- nat ---- internet ---- office, a switch:
#                              |           192.0.2.11  proxy-a    Kamailio and its agent, node a
#                            caller        192.0.2.12  proxy-b    likewise
#                                          192.0.2.13  proxy-c    likewise
#                                          192.0.2.5   control    call control
#                                          192.0.2.6   redis
#
# Every host is a namespace of its own. The phones are those of phones.c.

# shellcheck source=tests/lab/phones.sh
source "$LAB_HOME/phones.sh"

CONTROL=192.0.2.5
REDIS=192.0.2.6
NODES=(a b c)
declare -A PROXY=([a]=192.0.2.11 [b]=192.0.2.12 [c]=192.0.2.13)
CLUSTER=(--cluster "redis://$REDIS") # without it each agent is alone
declare -A AGENT_PIDS=() KAMAILIO_PIDS=()
REDIS_PID=

# host_up NAMESPACE ADDRESS: one more host at the office's switch.
host_up() {
	namespaces_up "$1"
	wire internet "to-$1" "$1" eth0
	ip -n internet link set "to-$1" master office
	addresses "$1" eth0 "$2/24"
	ip -n "$1" route add default via 192.0.2.1
}

# cluster_up: the network; nothing runs on it yet.
cluster_up() {
	local node
	surroundings_up
	ip -n internet link add office type bridge
	ip -n internet link set office up
	addresses internet office 192.0.2.1/24
	host_up control $CONTROL
	host_up redis $REDIS
	for node in "${NODES[@]}"; do
		host_up "proxy-$node" "${PROXY[$node]}"
	done
	phones_build
}

# host_of NODE: the namespace of a node, or of call control.
host_of() {
	[[ $1 == control ]] && echo control || echo "proxy-$1"
}

# redis COMMAND...: asks Redis.
redis() {
	in_ns redis timeout 10 redis-cli "$@"
}

redis_answers() {
	[[ $(redis ping) == PONG ]]
}

start_redis() {
	spawn redis redis.log redis-server --save "" --appendonly no --protected-mode no --bind $REDIS 127.0.0.1 \
		--dir "$LAB_LOGS"
	REDIS_PID=$!
	wait_until 20 redis_answers
}

# stop_redis: what it knew is gone, too.
stop_redis() {
	kill "$REDIS_PID"
	wait "$REDIS_PID" || true
	REDIS_PID=
}

# start_agent NODE [OPTION...]: with what the cluster is told in CLUSTER besides.
start_agent() {
	local -r node=$1
	local -a cluster=()
	[[ ${#CLUSTER[@]} -eq 0 ]] || cluster=("${CLUSTER[@]}" --node "$node" --node-uri "sip:${PROXY[$node]}:5060")
	mkdir -p "$LAB_LOGS/$node.state"
	: >"$LAB_LOGS/agent-$node.log"
	spawn "proxy-$node" "agent-$node.log" "$SIPPATH_BUILD/sippathd" --interface eth0 \
		--socket "$LAB_LOGS/$node.sock" --state-dir "$LAB_LOGS/$node.state" \
		--pin-dir "/sys/fs/bpf/sippath-$node" \
		--network 192.0.2.0/24,ignore=yes --network 203.0.113.0/24,ignore=yes "${cluster[@]}" "${@:2}"
	AGENT_PIDS[$node]=$!
	wait_until 60 grep -q 'sippathd: ready' "$LAB_LOGS/agent-$node.log"
}

# start_kamailio_of NODE
start_kamailio_of() {
	local -r node=$1 files=$LAB_LOGS/$1.kamailio
	mkdir -p "$files"
	spawn "proxy-$node" "kamailio-$node.log" kamailio -f "$LAB_HOME/kamailio_cluster.cfg" -DD -E -m 64 -M 8 \
		-Y "$files" -w "$files" -l "udp:${PROXY[$node]}:5060" -A "NODE_CTL=\"unix:$files/ctl\""
	KAMAILIO_PIDS[$node]=$!
	wait_until 20 kamcmd -s "unix:$files/ctl" core.uptime
}

# start_proxy NODE [OPTION...]: its Kamailio and its agent.
start_proxy() {
	start_kamailio_of "$1" && start_agent "$@"
}

# start_proxies [OPTION...]: all of them, side by side.
start_proxies() {
	local node
	for node in "${NODES[@]}"; do
		start_proxy "$node" "$@" || return 1
	done
}

# start_control [OPTION...]: call control, as the node "control" of the functions below.
start_control() {
	: >"$LAB_LOGS/agent-control.log"
	spawn control agent-control.log "$SIPPATH_BUILD/sippathd" call-control "${CLUSTER[@]}" \
		--listen udp:$CONTROL:5060 --listen tcp:$CONTROL:5060 --socket "$LAB_LOGS/control.sock" "$@"
	AGENT_PIDS[control]=$!
	wait_until 60 grep -q 'sippathd: ready' "$LAB_LOGS/agent-control.log"
}

# stop_agent NODE: asks it to stop; its exit status.
stop_agent() {
	local -r pid=${AGENT_PIDS[$1]}
	unset "AGENT_PIDS[$1]"
	kill "$pid" && wait "$pid"
}

# stop_agents: all of them and call control; 0 if each stops cleanly.
stop_agents() {
	local node status=0
	for node in "${!AGENT_PIDS[@]}"; do
		stop_agent "$node" || status=1
	done
	return $status
}

# kill_proxy NODE: all that runs on this host dies at once.
kill_proxy() {
	local -a pids
	mapfile -t pids < <(pgrep -P "${KAMAILIO_PIDS[$1]}")
	kill -9 "${AGENT_PIDS[$1]}" "${KAMAILIO_PIDS[$1]}" "${pids[@]}"
	wait "${AGENT_PIDS[$1]}" "${KAMAILIO_PIDS[$1]}" 2>/dev/null || true
	unset "AGENT_PIDS[$1]" "KAMAILIO_PIDS[$1]"
}

# node NODE ARGUMENT...: the command-line tool on this node.
node() {
	in_ns "$(host_of "$1")" timeout 20 "$SIPPATH_BUILD/sippath" --socket "$LAB_LOGS/$1.sock" "${@:2}"
}

# node_count NODE NAME: one of its counters.
node_count() {
	node "$1" --json stats | jq -r --arg name "$2" '.[$name]'
}

# node_count_exceeds NODE NAME NUMBER: a condition to wait for.
node_count_exceeds() {
	[[ $(node_count "$1" "$2") -gt $3 ]]
}

# where NODE USER: what a node says where this user is, the newest first: "b:registered c:dialog".
where() {
	node "$1" --json where "sip:$2@lab.example" | jq -r 'map("\(.node):\(.state)") | join(" ")'
}

# where_is NODE USER PLACES: a condition to wait for.
where_is() {
	[[ $(where "$1" "$2") == "$3" ]]
}

# nodes_seen NODE: the nodes that have been heard of lately, as it says: "a b c".
nodes_seen() {
	node "$1" --json cluster |
		jq -r 'map(select(.last_contact_ms < 3000) | .node) | sort | join(" ")'
}

# sees_nodes NODE NAMES: a condition to wait for.
sees_nodes() {
	[[ $(nodes_seen "$1") == "$2" ]]
}

# path_at NODE PORT FIELD: of the path to this port of the NAT; "none" if the node does not keep it.
path_at() {
	node "$1" --json paths | jq -r --arg remote "$NAT_PUBLIC:$2" --arg field "$3" \
		'(map(select(.remote == $remote)) | first) as $path |
		 if $path then $path[$field] else "none" end'
}

# path_at_is NODE PORT FIELD VALUE: a condition to wait for.
path_at_is() {
	[[ $(path_at "$1" "$2" "$3") == "$4" ]]
}

# paths_at_are NODE NUMBER: likewise.
paths_at_are() {
	[[ $(node "$1" --json paths | jq length) -eq $2 ]]
}

# watch_node NODE: follows its events from now on.
watch_node() {
	spawn "$(host_of "$1")" "events-$1.log" "$SIPPATH_BUILD/sippath" --socket "$LAB_LOGS/$1.sock" --json events
	wait_until 20 node_listened_to "$1"
}

node_listened_to() {
	[[ -n $(in_ns "$(host_of "$1")" ss -Hx state established src "$LAB_LOGS/$1.sock") ]]
}

# history_at NODE PORT: the states that a path has gone through since watch_node, each with its reason.
history_at() {
	jq -Rr --arg remote "$NAT_PUBLIC:$2" 'fromjson? | select(.remote == $remote and .from != .to)
		| "\(.to):\(.reason)"' "$LAB_LOGS/events-$1.log" | xargs
}

# history_at_is NODE PORT STATE:REASON...: a condition to wait for.
history_at_is() {
	[[ $(history_at "$1" "$2") == "${*:3}" ]]
}

# ended_at NODE PORT: when a path was kept no longer, in seconds since 1970.
ended_at() {
	jq -Rr --arg remote "$NAT_PUBLIC:$2" 'fromjson? | select(.remote == $remote and .to == "idle") | .time' \
		"$LAB_LOGS/events-$1.log" | tail -n 1 | xargs -I{} date -d {} +%s.%6N
}

# nat_port_to NODE IP:PORT: at which port the NAT shows this phone to a proxy, nothing if forgotten.
nat_port_to() {
	in_ns nat conntrack -L -p udp --orig-src "${2%:*}" --sport "${2#*:}" --orig-dst "${PROXY[$1]}" 2>/dev/null |
		sed -n 's/.* dport=\([0-9]*\) .*/\1/p' | head -n 1
}

# forgotten NODE IP:PORT: a condition to wait for.
forgotten() {
	[[ -z $(nat_port_to "$@") ]]
}

# register_at NAME NODE SECONDS [REG-ID]: a single phone registers through a proxy.
register_at() {
	told "$1" "register 0 0 ${PROXY[$2]} $3 ${4:-}" registered "${PROXY[$2]}"
}

# capture_wan: what passes outside of the NAT, as the capture "wan".
capture_wan() {
	DEVICE=wan capture nat wan
}

# now: in seconds, as in a capture.
now() {
	date +%s.%6N
}

# all_prompts [SINCE [UNTIL]]: a line for each prompt on its way to a phone: "TIME NODE PORT".
all_prompts() {
	captured wan | awk -v since="${1:-0}" -v until="${2:-9999999999}" -v nat="$NAT_PUBLIC." '
		BEGIN { split("a b c", names, " ") }
		/ SIP: OPTIONS / && index($5, nat) == 1 && $1 + 0 >= since + 0 && $1 + 0 < until + 0 {
			split($3, from, "."); split($5, to, "[.:]")
			print $1, names[from[4] - 10], to[5]
		}'
}

# prompt_times NODE PORT [SINCE [UNTIL]]: when this proxy prompted this path.
prompt_times() {
	all_prompts "${@:3}" | awk -v node="$1" -v port="$2" '$2 == node && $3 == port { print $1 }'
}

# prompts NODE PORT [SINCE [UNTIL]]: how often.
prompts() {
	prompt_times "$@" | wc -l
}

# prompts_reach NUMBER NODE PORT [SINCE]: a condition to wait for.
prompts_reach() {
	[[ $(prompts "${@:2}") -ge $1 ]]
}

# prompting [SINCE [UNTIL]]: who prompts which paths: "b:40123 c:51234".
prompting() {
	all_prompts "$@" | awk '{ print $2 ":" $3 }' | sort -u | xargs
}

# closest_prompts [SINCE [UNTIL]]: the shortest time between two prompts of one path, in ms,
# whoever sent them.
closest_prompts() {
	all_prompts "$@" | awk '
		$3 in last && (!least || $1 - last[$3] < least) { least = $1 - last[$3] }
		{ last[$3] = $1 }
		END { printf "%d\n", least * 1000 }'
}

# since TIME FROM: milliseconds from one to the other, 0 if the one was not later; nothing if one of
# them never was.
since() {
	[[ -z $1 || -z $2 ]] || awk -v from="$2" -v to="$1" 'BEGIN { ms = (to - from) * 1000; printf "%d\n", (ms > 0 ? ms : 0) }'
}

# later_than TIME SECONDS: the time so much later.
later_than() {
	awk -v time="$1" -v seconds="$2" 'BEGIN { printf "%.6f\n", time + seconds }'
}

# time_has_come TIME: a condition to wait for.
time_has_come() {
	[[ $(since "$(now)" "$1") -gt 0 ]]
}

# call_from NAME NUMBER CALLEE: by way of call control; 0 if the callee answers.
call_from() {
	local -r before=$(events_of "$1" answered)
	tell "$1" "call $2 $CONTROL $3"
	wait_until 10 events_reach "$1" answered "" $((before + 1))
}
