# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# flood.sh - phones behind the lab's NAT, and requests from 1,000,000 spoofed sources. Source it after
# lib.sh.
#
# The flood comes in by the server's own wire, and all of it passes the programs. The server's
# firewall lets a part of it through, as one does that is still in service under a flood: what is
# looked at here is not how much Kamailio can take.

FLOOD_SOURCES=198.18.0.0/15
FLOOD_TO_SERVER=2000 # frames a second that the server's firewall lets through
FLOOD_COUNT_MAX=100000000
THRESHOLD_MS=3000 # less than half of what the NAT remembers
PHONE_PORT=10000 # of the first phone

# flood_up NUMBER: the lab, its server, so many phones, and what measures them.
flood_up() {
	lab_up
	ip -n internet route add blackhole $FLOOD_SOURCES # where answers to them go
	in_ns server nft -f - <<-EOT
		table ip flood {
			chain input {
				type filter hook input priority raw
				ip saddr $FLOOD_SOURCES limit rate over $FLOOD_TO_SERVER/second burst 100 packets drop
			}
		}
	EOT
	gcc -O2 -D_GNU_SOURCE -o "$LAB_LOGS/phones" "$LAB_HOME"/phones{,_message}.c
	gcc -O2 -D_GNU_SOURCE -o "$LAB_LOGS/flood" "$LAB_HOME/flood.c"
	start_kamailio
	mkfifo "$LAB_LOGS/phones.fifo"
	nsenter --net=/run/netns/phones -- "$LAB_LOGS/phones" -n "$1" phone "10.77.0.11:$PHONE_PORT" \
		<>"$LAB_LOGS/phones.fifo" >>"$LAB_LOGS/phones.events" 2>>"$LAB_LOGS/phones.errors" &
	PHONE_PIDS[phones]=$!
}

# capture_phones: what goes to the NAT and comes from it, into phones.pcap. The flood does not pass
# there, but nothing must be missing: the room for packets is for many that are not too long.
capture_phones() {
	spawn nat phones.tcpdump tcpdump -i wan -n --immediate-mode -s 2048 -B 65536 -U -Z root \
		-w "$LAB_LOGS/phones.pcap" udp port 5060
	CAPTURE_PID=$!
	wait_until 10 grep -q 'listening on' "$LAB_LOGS/phones.tcpdump"
}

# end_capture: 0 if nothing is missing in it.
end_capture() {
	kill "$CAPTURE_PID" && wait "$CAPTURE_PID"
	grep -q '^0 packets dropped' "$LAB_LOGS/phones.tcpdump"
}

# register_phones FIRST LAST: some of them, with the one server.
register_phones() {
	echo "register $1 $2 $SERVER 3600" >"$LAB_LOGS/phones.fifo"
}

# registrations: how often a phone has been registered; registrations_are NUMBER: a condition to
# wait for.
registrations() {
	grep -c ' registered ' "$LAB_LOGS/phones.events" || true
}

registrations_are() {
	[[ $(registrations) -eq $1 ]]
}

# flood SECONDS: in the background, with its figures in flood.sent: frames, milliseconds; $!.
flood() {
	local mac
	mac=$(ip -n server -j link show eth0 | jq -r '.[0].address')
	: >"$LAB_LOGS/flood.sent"
	spawn internet flood.sent "$LAB_LOGS/flood" office "$mac" $SERVER:5060 "$1" $FLOOD_COUNT_MAX
}

# flooded FRAMES: so many have reached the programs: a condition to wait for.
flooded() {
	[[ $(agent_count packets_in) -ge $1 ]]
}

flood_frames() {
	cut -d ' ' -f 1 "$LAB_LOGS/flood.sent"
}

flood_rate() {
	awk '{ printf "%d", $1 * 1000 / $2 }' "$LAB_LOGS/flood.sent"
}

# silences [FROM TO]: the longest time that each phone was not heard, in milliseconds, a line each,
# in the capture, or in a part of it that begins and ends at these seconds since 1970.
silences() {
	captured phones | awk -v phone="$NAT_PUBLIC" -v from="${1:-0}" -v to="${2:-9999999999}" '
		index($3, phone ".") == 1 && $1 >= from && $1 <= to {
			if ($3 in heard && $1 - heard[$3] > longest[$3]) longest[$3] = $1 - heard[$3]
			heard[$3] = $1
		}
		END { for (port in longest) printf "%d\n", longest[port] * 1000 }'
}

# lateness [FROM TO]: of each prompt, how long after its threshold it left, in milliseconds. Repeats
# of a prompt are left out.
lateness() {
	captured phones | awk -v phone="$NAT_PUBLIC" -v threshold=$THRESHOLD_MS \
		-v from="${1:-0}" -v to="${2:-9999999999}" '
		index($3, phone ".") == 1 { heard[$3] = $1; delete prompted[$3] }
		index($5, phone ".") == 1 && / OPTIONS / {
			port = substr($5, 1, length($5) - 1)
			if (port in heard && !(port in prompted) && $1 >= from && $1 <= to)
				printf "%d\n", ($1 - heard[port]) * 1000 - threshold
			prompted[port] = 1
		}'
}

# percentile PERCENT: of whole numbers on standard input.
percentile() {
	sort -n | awk -v percent="$1" '{ value[NR] = $1 }
		END { print NR == 0 ? "none" : value[int((NR - 1) * percent / 100) + 1] }'
}

# figures: of whole numbers on standard input, in one line.
figures() {
	local -r numbers=$(sort -n)
	echo "median $(percentile 50 <<<"$numbers"), 99 % $(percentile 99 <<<"$numbers")," \
		"worst $(percentile 100 <<<"$numbers") of $(wc -l <<<"$numbers") prompts"
}

# waited_ms PID: time that a process was ready to run, and was not let run.
waited_ms() {
	awk '{ printf "%d\n", $2 / 1000000 }' "/proc/$1/schedstat"
}

# cpu_ms PID: processor time that a process has used.
cpu_ms() {
	awk -v per_second="$(getconf CLK_TCK)" '{ printf "%d\n", ($14 + $15) * 1000 / per_second }' "/proc/$1/stat"
}
