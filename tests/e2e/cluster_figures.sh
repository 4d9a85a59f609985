#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The seed's FIG. 3A-3F: which proxy of the set prompts which path at each step, and that it
# stops when the figure says; seen on the wire outside of the NAT.
source "$(dirname "$0")/../lab/lib.sh"
source "$LAB_HOME/cluster.sh"
source "$LAB_HOME/figures.sh"

SLACK_MS=700 # of what a busy machine may be late

plan 45
check "the set of proxies starts" figures_up
check "each node sees the others" wait_until 15 sees_nodes b "a b c"
check "so does call control" wait_until 15 sees_nodes control "a b c"

# FIG. 3A: nothing is registered.
let_time_pass $((2 * THRESHOLD)) "a silence in which nobody is prompted"
equal "3A: no proxy prompts anybody" "" "$(prompting)"
equal "3A: nobody knows where alice is" "" "$(where b alice)"

# FIG. 3B: a registration with B makes path 352.
check "3B: alice registers with B" register_at alice b "$REGISTERED_B"
registered=$(event_time alice registered "${PROXY[b]}")
path_352=$(nat_port_to b "$PHONE")
check "3B: B prompts path 352" wait_until 15 prompts_reach 2 b "$path_352"
equal "3B: and nobody prompts anything else" "b:$path_352" "$(prompting)"
for node in a b c control; do
	check "3B: $node knows where she is" wait_until 5 where_is "$node" alice b:registered
done

# FIG. 3C: a call through C makes path 354.
check "3C: she calls somebody through C" alice_calls c
called=$(now)
path_354=$(nat_port_to c "$PHONE")
check "3C: C prompts path 354" wait_until 15 prompts_reach 2 c "$path_354"
check "3C: B goes on with path 352" wait_until 15 prompts_reach 2 b "$path_352" "$called"
equal "3C: and nobody prompts anything else" "b:$path_352 c:$path_354" "$(prompting "$called")"
check "3C: call control knows both of them" wait_until 5 where_is control alice "c:dialog b:registered"

# FIG. 3D: the registration with B runs out.
check "3D: the registration with B runs out" wait_until $((REGISTERED_B + 10)) \
	history_at_is b "$path_352" registered:registered idle:registration_expired
within "3D: on time" $((REGISTERED_B * 1000 - SLACK_MS)) $((REGISTERED_B * 1000 + 2000)) \
	"$(since "$(now)" "$registered")"
expired=$(now)
check "3D: C goes on with path 354" wait_until 15 prompts_reach 3 c "$path_354" "$expired"
equal "3D: B has stopped" "c:$path_354" "$(prompting "$expired")"
check "3D: call control knows of path 354 alone" wait_until 5 where_is control alice c:dialog

# FIG. 3E: a registration with C on path 354, which has two reasons then.
check "3E: she registers with C" register_at alice c "$REGISTERED_C"
equal "3E: over path 354" "$path_354" "$(nat_port_to c "$PHONE")"
check "3E: which is kept for both reasons" wait_until 5 path_at_is c "$path_354" state registered+dialog
both=$(now)
check "3E: C goes on with path 354" wait_until 15 prompts_reach 3 c "$path_354" "$both"
within "3E: once each threshold all the same" $((THRESHOLD * 1000)) $((THRESHOLD * 1000 + SLACK_MS)) \
	"$(closest_prompts "$both")"
check "3E: path 352 is unmapped by the NAT" wait_until 15 forgotten b "$PHONE"
check "3E: the registration with C runs out" \
	wait_until $((REGISTERED_C + 10)) path_at_is c "$path_354" state dialog
alone=$(now)
check "3E: C goes on with path 354 for the dialog" wait_until 15 prompts_reach 2 c "$path_354" "$alone"
check "3E: she registers with A" register_at alice a "$REGISTERED_A"
path_356=$(nat_port_to a "$PHONE")
check "3E: A prompts path 356" wait_until 15 prompts_reach 2 a "$path_356"
equal "3E: and C path 354" "a:$path_356 c:$path_354" "$(prompting "$alone")"
check "3E: call control knows both of them" wait_until 5 where_is control alice "a:registered c:dialog"

# FIG. 3F: a BYE by way of call control and C.
check "3F: the other side's BYE goes to call control, and is answered" peer_hangs_up
equal "3F: C has passed it on to the phone" 1 "$(events_of alice hung-up "${PROXY[c]}")"
ended=$(event_time alice hung-up "${PROXY[c]}")
check "3F: C lingers, and stops" wait_until 15 history_at_is c "$path_354" dialog:dialog_confirmed \
	registered+dialog:registered dialog:registration_expired lingering:dialog_bye idle:linger_over
stopped=$(now)
within "3F: after the time that is configured" $((LINGER * 1000 - SLACK_MS)) $((LINGER * 1000 + 2000)) \
	"$(since "$stopped" "$ended")"
equal "3F: while it lingers path 354 is prompted still" 1 "$(prompts c "$path_354" "$ended" "$stopped")"
check "3F: A goes on with path 356" wait_until 15 prompts_reach 3 a "$path_356" "$stopped"
equal "3F: and nobody prompts anything else" "a:$path_356" "$(prompting "$stopped")"
check "3F: path 354 is unmapped by the NAT" wait_until 15 forgotten c "$PHONE"
check "3F: call control knows of path 356 alone" wait_until 5 where_is control alice a:registered
equal "no prompt was ever sent twice as often" "$THRESHOLD" "$(($(closest_prompts) / 1000))"
check "the agents stop cleanly" stop_agents
