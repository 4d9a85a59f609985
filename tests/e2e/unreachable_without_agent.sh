#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The proof that reachable_with_agent.sh can fail: the same run without the agent.
source "$(dirname "$0")/../lab/lib.sh"
source "$(dirname "$0")/lib/reachability.sh"

plan 4
lab_up
start_kamailio
phones_register
call_everybody
equal "every phone rings at once after registering" "alice bob carol dave erin " "$RANG"

let_time_pass 60 "several NAT timeouts without a call"

equal "the NAT has forgotten every phone" 0 "$(nat_mappings)"
check "the server still takes the phones for registered" registered alice
call_everybody
equal "no phone rings after a minute of silence" "" "$RANG"
