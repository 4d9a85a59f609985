# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# cluster_calls.sh - incoming calls by the thousand: SIPp calls phones that are registered over the
# proxies, and captures tell what has become of each call. Source it after cluster.sh.
#
# The calls of a round of that NAME are in the captures NAME-caller, NAME-control and NAME-phones.

CALLS_PER_SECOND=100
THRESHOLD=4s # half of what the NAT remembers

# phones_reported NUMBER: so many are in Redis: a condition to wait for.
phones_reported() {
	[[ $(redis --scan --pattern 'sippath:aor:sip:phone*' | wc -l) -eq $1 ]]
}

# start_phone_set NUMBER: phones with their users phone0, phone1, ..., over all proxies in turn.
start_phone_set() {
	start_phones phones phone -n "$1" 10.77.0.11:10000
	tell phone "register 0 $(($1 - 1)) ${PROXY[a]},${PROXY[b]},${PROXY[c]} 3600"
	wait_until 30 events_reach phone registered "" "$1" && wait_until 15 phones_reported "$1"
}

# locations_known: how many call control has in memory.
locations_known() {
	node control --json status | jq .locations
}

# locations_known_are_at_least NUMBER: a condition to wait for.
locations_known_are_at_least() {
	[[ $(locations_known) -ge $1 ]]
}

# epoch_of NODE: its latest one; it is whole or will be, so what is reported in it holds.
epoch_of() {
	redis HGET sippath:nodes "$1" | cut -d ' ' -f 4
}

# reports NUMBER SCRIPT: commands for Redis that report a registration each, of users called
# idle0, idle1, ..., in the way that agents do, and on behalf of each of the three in turn.
reports() {
	awk -v number="$1" -v script="$2" -v now="$(date +%s000)" -v ends="$(date -d '1 hour' +%s000)" \
		-v epochs="$(epoch_of a) $(epoch_of b) $(epoch_of c)" -v nodes="${NODES[*]}" \
		-v proxies="${PROXY[a]} ${PROXY[b]} ${PROXY[c]}" 'BEGIN {
		split(epochs, epoch, " "); split(nodes, node, " "); split(proxies, proxy, " ")
		for (i = 0; i < number; i++) {
			which = i % 3 + 1
			aor = "sip:idle" i "@lab.example"
			device = sprintf("<urn:uuid:00000000-0000-1000-8000-%012d>#1", i)
			flow = sprintf("udp %s:5060 198.18.%d.%d:%d", proxy[which],
				i / 12800000, i / 50000 % 256, 10000 + i % 50000)
			printf "EVALSHA %s 3 sippath:aor:%s sippath:changes sippath:sequence " \
				"%s r %s %s \"1 %s %s %s %s live %s\" %s %s %s \"%s\" stop\n", script,
				aor, aor, node[which], device, epoch[which], now, ends, now, flow,
				now, ends, now, flow
		}
	}'
}

# fill_redis NUMBER: with so many registrations of devices that nobody calls.
fill_redis() {
	local script
	script=$(redis -x SCRIPT LOAD <"$PROJECT/agent/cluster/put.lua")
	reports "$1" "$script" | in_ns redis timeout 60 redis-cli --pipe >"$LAB_LOGS/fill.log" &&
		grep -qx "errors: 0, replies: $1" "$LAB_LOGS/fill.log"
}

# callees NUMBER [HOST]: the users to call, each at that host, or else at the proxy of its phone.
callees() {
	local i
	echo SEQUENTIAL
	for ((i = 0; i < $1; i++)); do
		echo "phone$i;${2:-${PROXY[${NODES[i % 3]}]}};"
	done
}

# record NAMESPACE NAME: as "capture", with room for all that comes while a busy machine lets it wait.
record() {
	spawn "$1" "$2.tcpdump" tcpdump -i eth0 -n --immediate-mode -U -B 65536 -Z root -w "$LAB_LOGS/$2.pcap" \
		"udp port 5060"
	wait_until 10 grep -q 'listening on' "$LAB_LOGS/$2.tcpdump"
}

# call_phones NAME CALLS PHONES [HOST]: a round of calls, by way of that host; 0 if SIPp is content.
call_phones() {
	local -r name=$1 seconds=$(($2 / CALLS_PER_SECOND))
	local -a captures=()
	local place status=0
	callees "${@:3}" >"$LAB_LOGS/$name.csv"
	for place in caller control phones; do
		record $place "$name-$place"
		captures+=($!)
	done
	in_ns caller sipp "$CONTROL:5060" -sf "$LAB_HOME/caller_cluster.xml" -inf "$LAB_LOGS/$name.csv" \
		-i "$CALLER" -p 5060 -r $CALLS_PER_SECOND -m "$2" -l 5000 -nostdin \
		-trace_err -error_file "$LAB_LOGS/$name.errors" -timeout $((seconds + 20))s -timeout_error \
		>"$LAB_LOGS/$name.log" 2>&1 || status=$?
	kill -INT "${captures[@]}"
	wait "${captures[@]}" || true
	return $status
}

# packets_missed NAME: how many are not in the captures, although they came by.
packets_missed() {
	sed -n 's/ packets\? dropped by kernel$//p' "$LAB_LOGS/$1"-{caller,control,phones}.tcpdump |
		awk '{ sum += $1 } END { print sum + 0 }'
}

# forget_calls NAME: the captures are large.
forget_calls() {
	rm "$LAB_LOGS/$1"-{caller,control,phones}.pcap
}

# messages CAPTURE: a line for each: "TIME FROM TO METHOD-OR-STATUS METHOD-OF-CSEQ CALL-ID BRANCH";
# the branch is that of the topmost Via.
messages() {
	tcpdump -n -tt -v -r "$LAB_LOGS/$1.pcap" 2>/dev/null | tr -d '\r' | awk '
		function put() {
			if (what != "")
				print time, from, to, what, cseq, call, branch
			what = branch = ""
		}
		/^[0-9]/ { put(); time = $1; next }
		/^    [0-9]/ { from = $1; to = substr($3, 1, length($3) - 1); next }
		/^\t[A-Z]+ sip:/ { what = $1 }
		/^\tSIP\/2\.0 / { what = $2 }
		/^\tCSeq: / { cseq = $3 }
		/^\tCall-ID: / { call = $2 }
		/^\tVia: / && branch == "" { branch = $0; sub(/.*branch=/, "", branch); sub(/;.*/, "", branch) }
		END { put() }'
}

# calls_reached NAME: how many calls have come to a phone.
calls_reached() {
	messages "$1-phones" | awk '$4 == "INVITE" && $3 ~ /^10\./ { print $6 }' | sort -u | wc -l
}

# calls_doubled NAME: how many have come to phones more than once; sent again is not once more.
calls_doubled() {
	messages "$1-phones" | awk '$4 == "INVITE" && $3 ~ /^10\./ { print $6, $3, $7 }' | sort -u |
		awk '{ print $1 }' | uniq -d | wc -l
}

# call_delays NAME: ms from each call's first INVITE to the phone's 200, sorted.
call_delays() {
	messages "$1-caller" | awk -v caller="$CALLER.5060" '
		$4 == "INVITE" && $2 == caller && !($6 in asked) { asked[$6] = $1 }
		$4 == "200" && $5 == "INVITE" && $6 in asked && !($6 in answered) {
			answered[$6] = 1
			printf "%.3f\n", ($1 - asked[$6]) * 1000
		}' | sort -n
}

# control_delays NAME: ms from each INVITE that came to call control to what it did with it, sorted.
control_delays() {
	messages "$1-control" | awk -v control="$CONTROL.5060" '
		$4 == "INVITE" && $3 == control && !($6 in came) { came[$6] = $1 }
		($4 == "INVITE" || $4 == "302") && $2 == control && $6 in came && !($6 in left) {
			left[$6] = 1
			printf "%.3f\n", ($1 - came[$6]) * 1000
		}' | sort -n
}

# percentile SHARE: of sorted numbers, one a line; nothing if there are none.
percentile() {
	awk -v share="$1" '
		{ number[NR] = $1 }
		END {
			rank = int(NR * share / 100 + 0.999999)
			if (NR)
				print number[rank < 1 ? 1 : rank]
		}'
}

# control_cpu_ticks: processor time that call control has used, in clock ticks (proc(5)).
control_cpu_ticks() {
	sed 's/.*) //' "/proc/${AGENT_PIDS[control]}/stat" | awk '{ print $12 + $13 }'
}
