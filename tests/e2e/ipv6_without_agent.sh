#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The proof that ipv6.sh can fail: the same run without the agent.
source "$(dirname "$0")/../lab/lib.sh"
source "$(dirname "$0")/lib/families.sh"

plan 4
families_up
connect_early
register_others
call_everybody
equal "every phone rings at once after registering" "alice bob carol dave " "$RANG"

let_time_pass 35 "four timeouts without a call"

equal "nobody remembers any phone" "" "$(remembered)"
check "the server still takes the phones for registered" registered alice
call_everybody
equal "no phone rings after half a minute of silence" "" "$RANG"
