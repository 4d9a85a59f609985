#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Prompts are capped by the address that they go to: whoever is behind one NAT takes turns, nobody
# is left out, and nobody is called silent for it.
source "$(dirname "$0")/../lab/lib.sh"
source "$LAB_HOME/phones.sh"

PHONES=20
CAP=2
WATCHED=32 # seconds, in which each phone has its turn more than once

# ports_prompted: how often each port of the NAT was prompted.
ports_prompted() {
	captured server | awk '/ OPTIONS / { split($5, to, "."); count[to[5]]++ }
		END { for (port in count) print count[port] }'
}

# most_in_a_second: the most prompts within any second, wherever it begins.
most_in_a_second() {
	captured server | awk -v most=0 '/ OPTIONS / { time[++end] = $1
			while (time[first + 1] <= $1 - 1) first++
			if (end - first > most) most = end - first }
		END { print most }'
}

# why_of NOTE: how many paths say so.
why_of() {
	sippath --json paths | jq --arg note "$1" '[.[] | select(.note == $note)] | length'
}

some_wait() {
	[[ $(why_of capped) -ge 10 ]]
}

plan 11
lab_up
start_kamailio
check "the agent starts" agent_start --threshold 3s --prompts-per-address $CAP
capture server server "udp port 5060 and src host $SERVER"
phones_build
start_phones phones many -n $PHONES 10.77.0.11:6000
tell many "register 0 $((PHONES - 1)) $SERVER 600"
check "$PHONES phones behind one address register" wait_until 30 paths_are $PHONES
check "most of them wait for the cap" wait_until 20 some_wait
equal "and are not silent for it" 0 \
	"$(sippath --json paths | jq '[.[] | select(.note == "capped" and .health == "silent")] | length')"
check_not "a prompt by hand is refused" sippath prompt \
	"$(sippath --json paths | jq -r 'map(select(.note == "capped")) | last.remote')"
let_time_pass $WATCHED "prompts are counted"
within "no second has more prompts than the cap allows" $CAP $((CAP + CAP / 10 + 1)) "$(most_in_a_second)"
equal "each phone had its turn" $PHONES "$(ports_prompted | wc -l)"
within "about as often as any other" 0 2 $(($(ports_prompted | sort -n | tail -n 1) - $(ports_prompted | sort -n | head -n 1)))
check "the counter names it" count_reaches prompts_capped_address $PHONES
equal "and no other one" 0 "$(agent_count prompts_capped_network)"
check "the agent stops cleanly" agent_stop
