#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Redis goes away, comes back empty, says nothing, is wiped, and is filled with rubbish. The proxies
# prompt exactly as before, no path is lost, and calls find their way again.
source "$(dirname "$0")/../lab/lib.sh"
source "$LAB_HOME/cluster.sh"

GONE=${REDIS_GONE_SECONDS:-60} # seconds
PAUSED=15 # seconds, longer than an answer is waited for
BACK=30 # seconds until everything is known again
PHONES=30
THRESHOLD=3 # seconds
SLACK=1 # seconds that a busy machine may be late
AGENT=(--threshold "${THRESHOLD}s")
AT=() # where each phone is registered

# mappings: what the NAT remembers: "a:40123 b:51234 ...".
mappings() {
	in_ns nat conntrack -L -p udp --dport 5060 2>/dev/null | awk '
		BEGIN { split("a b c", names, " ") }
		match($0, /src=192\.0\.2\.1[1-3] /) {
			node = names[substr($0, RSTART + RLENGTH - 2, 1)]
			sub(/.* dport=/, "")
			print node ":" $1
		}' | sort | xargs
}

# all_known NODE: it knows of each phone where it is, and of no other place.
all_known() {
	local number
	for ((number = 0; number < PHONES; number++)); do
		[[ $(where "$1" "phone$number") =~ ^${AT[$number]}:registered(\+dialog)?$ ]] || return 1
	done
}

# registered_in_redis: how many phones it knows.
registered_in_redis() {
	redis --scan --pattern 'sippath:aor:*' | wc -l
}

all_in_redis() {
	[[ $(registered_in_redis) -eq $PHONES ]]
}

# fewest_prompts FROM UNTIL: that any one path has got.
fewest_prompts() {
	all_prompts "$@" | awk '{ count[$2 $3]++ } END { for (path in count) print count[path] }' |
		sort -n | head -n 1
}

# as_before WHAT FROM UNTIL: everybody was prompted between those times as if there were Redis.
as_before() {
	local -r seconds=$(($(since "$3" "$2") / 1000))
	equal "$1: every path is prompted by its proxy, and by no other" "$KEPT" "$(prompting "$2" "$3")"
	equal "$1: the NAT has forgotten none" "$KEPT" "$(mappings)"
	within "$1: each path once a threshold" $((seconds / (THRESHOLD + SLACK))) \
		$((seconds / THRESHOLD + 1)) "$(fewest_prompts "$2" "$3")"
	within "$1: and never twice" $((THRESHOLD * 1000)) 999999 "$(closest_prompts "$2" "$3")"
}

# phone_called NUMBER: by way of call control, and through the proxy where it is registered.
phone_called() {
	local -r from=${PROXY[${AT[$1]}]}
	local -r before=$(grep -c " phone$1 invited $from" "$LAB_LOGS/phone.events" || true)
	call_from caller 0 "phone$1" &&
		[[ $(grep -c " phone$1 invited $from" "$LAB_LOGS/phone.events") -eq $((before + 1)) ]]
}

# losses_said NODE: how often its log says that Redis is out of reach.
losses_said() {
	grep -c 'is out of reach for' "$LAB_LOGS/agent-$1.log" || true
}

lost_is_said() {
	[[ $(losses_said "$1") -ge 1 ]]
}

# garbage_exceeds NUMBER: what call control and an agent have found.
garbage_exceeds() {
	[[ $(($(node_count control shared_garbage) + $(node_count a shared_garbage))) -gt $1 ]]
}

# put_garbage: of every kind, in every place.
put_garbage() {
	redis HSET sippath:aor:sip:phone0@lab.example rubbish rubbish
	redis HSET sippath:aor:sip:phone1@lab.example "r zzz x" "1 1 2 3"
	redis SET sippath:aor:sip:nobody@lab.example "not a hash"
	redis HSET sippath:nodes "bad name" "1 1" d rubbish
	redis XADD sippath:changes '*' foo bar
	redis XADD sippath:changes '*' n 99999999999999999999999 a x f y v z
	redis XADD sippath:orders:a '*' o "1 drop rubbish"
	redis XADD sippath:orders:a '*' rubbish ""
}

plan 48
cluster_up
start_redis
check "the set of proxies starts" start_proxies "${AGENT[@]}"
check "so does call control" start_control --mode forward
capture_wan
start_phones phones phone -n $PHONES 10.77.0.11:10000
start_phones caller caller "$CALLER:5070"
tell phone "register 0 $((PHONES - 1)) ${PROXY[a]},${PROXY[b]},${PROXY[c]} 3600"
for ((number = 0; number < PHONES; number++)); do
	AT[number]=${NODES[number % 3]}
done
check "the phones register" wait_until 20 events_reach phone registered "" $PHONES
check "each is known" wait_until 15 all_known a
check "(and call control hears of the nodes)" wait_until 15 sees_nodes control "a b c"
KEPT=$(mappings)
equal "(the NAT remembers all)" $PHONES "$(wc -w <<<"$KEPT")"
began=$(now)
let_time_pass $((3 * THRESHOLD + SLACK)) "prompts while there is Redis"
as_before "with Redis" "$began" "$(now)"

# Gone, and back with nothing.
stop_redis
gone=$(now)
check "without Redis call control knows still where each phone is" all_known control
check "and calls find them" phone_called 4
check "an agent says what is wrong" wait_until 10 lost_is_said a
let_time_pass "$GONE" "a time without Redis"
as_before "without Redis for $GONE s" "$gone" "$(now)"
check "after that, too, call control knows where each phone is" all_known control
check "and calls find them" phone_called 5
equal "the agent has said once what is wrong" 1 "$(losses_said a)"
tell phone "register 29 29 ${PROXY[a]} 3600"
check "a phone moves unseen" wait_until 10 events_reach phone registered "${PROXY[a]}" $((PHONES / 3 + 1))
AT[29]=a
start_redis
back=$(now)
check "Redis is back, empty: everything is known again" wait_until $BACK all_in_redis
check "to every agent" wait_until $BACK all_known b
check "and to call control" wait_until $BACK all_known control
within "in time" 0 $((BACK * 1000)) "$(since "$(now)" "$back")"
check "calls find the phones" phone_called 7
check "the one that has moved, too" phone_called 29
KEPT=$(mappings)
check "its old proxy has let go of it" wait_until $BACK paths_at_are c $((PHONES / 3 - 1))

# There, but it says nothing.
kill -STOP "$REDIS_PID"
paused=$(now)
let_time_pass $PAUSED "longer than an agent waits"
KEPT=$(mappings)
as_before "with Redis half-open" "$paused" "$(now)"
check "an agent answers its operator meanwhile" paths_at_are a $((PHONES / 3 + 1))
kill -CONT "$REDIS_PID"
check "it speaks again: everything is known" wait_until $BACK all_known b

# Wiped.
wiped=$(now)
check "Redis is wiped" redis FLUSHALL
check "everything is known again" wait_until $BACK all_in_redis
check "to call control, too" wait_until $BACK all_known control
check "and calls find the phones" phone_called 8

# Rubbish.
before=$(($(node_count control shared_garbage) + $(node_count a shared_garbage)))
ignored=$(node_count a orders_ignored)
check "(rubbish is put into Redis)" put_garbage
check "it is counted" wait_until 15 garbage_exceeds "$before"
check "so are orders that are none" wait_until 10 node_count_exceeds a orders_ignored $((ignored + 1))
check "everything is known as before" all_known control
check "and calls find the phones" phone_called 0
let_time_pass $((2 * THRESHOLD + SLACK)) "prompts after all that"
as_before "after all that" "$wiped" "$(now)"
check "the agents stop cleanly" stop_agents
