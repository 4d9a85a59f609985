#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The proof that tcp.sh can fail: the same run without the agent.
source "$(dirname "$0")/../lab/lib.sh"
source "$(dirname "$0")/lib/connections.sh"

plan 5
lab_up
start_stream_kamailio
connect_early
connect_others
call_everybody
equal "every phone rings at once after registering" "alice bob carol dave " "$RANG"
equal "nobody keeps the server's connections" 0 "$(probed)"

let_time_pass 60 "several NAT timeouts without a call"

equal "the NAT has forgotten every connection" "" "$(remembered)"
check "the server still takes the phones for registered" registered alice
call_everybody
equal "no phone rings after a minute of silence" "" "$RANG"
