#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# IPv6 and IPv4 at one server: over UDP and TCP every phone rings after half a minute without a
# call, though the firewall before the IPv6 ones forgets after 8 s as the NAT does.
# ipv6_without_agent.sh is the same run without the agent.
source "$(dirname "$0")/../lab/lib.sh"
source "$(dirname "$0")/lib/families.sh"

# listed FLOW: a line of "sippath paths" for people begins with it.
listed() {
	sippath paths | tr -s ' ' | grep -qF "$1 "
}

# had_dialog REMOTE: beside its registration, and it is over.
had_dialog() {
	[[ $(path_history "$1") == *"registered+dialog:dialog_early registered:dialog_bye"* ]]
}

plan 20
families_up
connect_early
check "the agent starts" agent_start --threshold 5s
check "its events are followed" agent_watch
register_others
alice=[$ALICE]:5060
bob=$NAT_PUBLIC:$(nat_port $BOB)
carol=[$CAROL]:5060
dave=[$DAVE]:5060
check "an IPv6 phone is kept" wait_until 15 path_is "$alice" state registered
check "so is one on IPv4" wait_until 15 path_is "$bob" state registered
check "so is an IPv6 connection, for its registration" wait_until 15 path_is "$dave" state registered
check "and one that was there before the agent" wait_until 15 path_is "$carol" state connected
for remote in "$carol" "$dave"; do
	equal "$remote is kept by TCP's own keepalive" tcp-keepalive "$(path_value "$remote" kept_by)"
done
check "an IPv6 path is written with brackets" listed "udp [$SERVER6]:5060 $alice"
check "so is an IPv6 connection" listed "tcp [$SERVER6]:5060 $carol"
call_everybody
equal "every phone rings at once after registering" "alice bob carol dave " "$RANG"

let_time_pass 35 "four timeouts without a call"

equal "everybody is remembered" "alice bob carol dave " "$(remembered)"
for remote in "$alice" "$bob"; do
	within "$remote was prompted once in 5 s" 5 10 "$(path_value "$remote" prompts)"
done
call_everybody
equal "every phone rings after half a minute of silence" "alice bob carol dave " "$RANG"
for remote in "$alice" "$dave"; do
	check "the path to $remote has had a dialog besides" wait_until 15 had_dialog "$remote"
done
equal "Kamailio got no answer to a prompt" 0 "$(kamailio_stat script.options_replies)"
stop_phone dave
check "the path of a connection that is closed goes" wait_until 15 path_is "$dave" state none
note "$(sippath paths)"
check "the agent stops cleanly" agent_stop
