#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Requests from 1,000,000 spoofed sources, as fast as the machine sends: no path is lost, what the
# flood can cost is bounded, and what it has cost comes back (traps 44, 45).
source "$(dirname "$0")/../lab/lib.sh"
source "$LAB_HOME/flood.sh"
# What a sanitizer sets aside is none of the memory that is looked at here.
SIPPATH_BUILD=$BUILD

PHONES=100
FLOOD_S=8
RATE=${RATE:-500} # of new flows, and of messages of strangers; 4294967295 shows what fails without
BUCKET_S=4 # SIPPATH_RATE_DEPTH_S
TRANSACTIONS_MAX=1024
FLOWS_MAX=65536 # room in sip_flows

# What a room for open requests takes at most, two of them, and what else may be left of a flood.
GROWTH_KIB=$((2 * TRANSACTIONS_MAX * 5 + 4096))

entries_of() { # MAP
	bpftool map dump pinned "/sys/fs/bpf/sippath/$1" | jq '[.. | objects | select(has("key"))] | length'
}

plan 17
flood_up $PHONES
check "the agent starts" agent_start --threshold ${THRESHOLD_MS}ms --flows-rate "$RATE" \
	--sightings-rate "$RATE" --transactions-max $TRANSACTIONS_MAX
capture_phones
register_phones 0 $((PHONES - 1))
check "$PHONES phones register" wait_until 30 registrations_are $PHONES
check "as many paths are kept" wait_until 15 paths_are $PHONES
let_time_pass 5 "all of them are prompted"
usual_kib=$(agent_rss_kib)
began=$(date +%s.%N)
sightings=$(agent_count sightings)

flood $FLOOD_S
flood_pid=$!
check "a flood begins" wait_until 10 flooded 10000
register_phones 0 $((PHONES / 2 - 1))
check "half of the phones register again meanwhile" wait_until $((FLOOD_S + 20)) registrations_are $((PHONES * 3 / 2))
wait $flood_pid || true
ended=$(date +%s.%N)
let_time_pass 5 "all of them are prompted after the flood, too"
check "every packet of the phones was captured" end_capture

note "late usually: $(lateness 0 "$began" | figures); in the flood: $(lateness "$began" "$ended" | figures)"
note "$(flood_rate) frames a second; longest silence $(silences | percentile 100) ms;" \
	"memory before $usual_kib KiB, after $(agent_rss_kib) KiB"
equal "each phone's path is kept" $PHONES "$(sippath --json paths | jq '[.[] | select(.state == "registered")] | length')"
equal "each is live" $PHONES "$(sippath --json paths | jq '[.[] | select(.health == "live")] | length')"
equal "every phone was heard all the time" $PHONES "$(silences | wc -l)"
within "no phone was silent for longer than the threshold and 2 s" $THRESHOLD_MS $((THRESHOLD_MS + 2000)) \
	"$(silences | percentile 100)"
within "prompts left during the flood" $PHONES 100000 "$(lateness "$began" "$ended" | wc -l)"
within "new flows were limited" 1 1000000000 "$(agent_count flows_limited)"
within "messages of strangers were limited" 1 1000000000 "$(agent_count sightings_limited)"
# Requests and answers, each with what a full bucket holds besides; and the phones' own.
flood_ms=$(cut -d ' ' -f 2 "$LAB_LOGS/flood.sent")
within "so few of them were read in a second" 1 $((2 * 500 * (flood_ms / 1000 + 1 + BUCKET_S) + 8 * PHONES)) \
	$(($(agent_count sightings) - sightings))
within "sip_flows is no larger than it may be" 1 $FLOWS_MAX "$(entries_of sip_flows)"
within "the agent's memory is what it may be" 1 $((usual_kib + GROWTH_KIB)) "$(agent_rss_kib)"
check "the agent stops cleanly" agent_stop
