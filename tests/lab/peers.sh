# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# peers.sh - the SIP server, the phones and the caller of the lab.

declare -A PHONE_PIDS=()
KAMAILIO_PID=

# rpc COMMAND ARGUMENT...: asks Kamailio.
rpc() {
	kamcmd -s "unix:$LAB_LOGS/kamailio.ctl" "$@"
}

start_kamailio() {
	spawn server kamailio.log kamailio -f "$LAB_HOME/kamailio.cfg" -DD -E -m 64 -M 8 \
		-Y "$LAB_LOGS" -w "$LAB_LOGS"
	KAMAILIO_PID=$!
	wait_until 20 rpc core.uptime
}

# kamailio_stat NAME: one of its statistics, e.g. core.rcv_replies or script.options_replies.
kamailio_stat() {
	rpc stats.fetch "$1" | awk '/:/ { print $2 }'
}

# stat_reaches NAME NUMBER: a condition to wait for.
stat_reaches() {
	[[ $(kamailio_stat "$1") -ge $2 ]]
}

# registered USER: Kamailio knows where this user is.
registered() {
	[[ $(rpc ul.lookup location "$1@lab.example") == *AoR:* ]]
}

# on_line NAME IP: it is registered, and the NAT has a mapping for it.
on_line() {
	registered "$1" && [[ -n $(nat_port "$2") ]]
}

# start_phone NAME IP [KIND]: registers user NAME from IP, port 5060, and stays there.
#   sipp              answers OPTIONS and calls (the default)
#   baresip           a real user agent, which does the same
#   EXPIRES=SECONDS in front asks for another lifetime than an hour.
start_phone() {
	"start_${3:-sipp}" "$1" "$2"
	wait_until 30 on_line "$1" "$2"
}

start_sipp() {
	spawn phones "$1.log" sipp "$SERVER:5060" -i "$2" -p 5060 -mi "$2" -m 1 -nostdin -trace_err \
		-sf "$LAB_HOME/phone_register.xml" -oocsf "$LAB_HOME/phone_answer.xml" \
		-key user "$1" -key expires "${EXPIRES:-3600}" \
		-error_file "$LAB_LOGS/$1.errors"
	PHONE_PIDS[$1]=$!
}

start_baresip() {
	local -r home=$LAB_LOGS/$1.baresip
	mkdir -p "$home"
	cat >"$home/config" <<-EOT
		sip_listen $2:5060
		module_path /usr/lib/baresip/modules
		module g711.so
		module aubridge.so
		module_app account.so
		module_app menu.so
		audio_source aubridge,lab
		audio_player aubridge,lab
		audio_alert aubridge,alert
	EOT
	echo "<sip:$1@lab.example;transport=udp>;outbound=\"sip:$SERVER:5060\";auth_pass=none;answermode=auto;regint=${EXPIRES:-3600}" \
		>"$home/accounts"
	: >"$home/contacts"
	spawn phones "$1.log" baresip -4 -f "$home"
	PHONE_PIDS[$1]=$!
}

# stop_phone NAME: pulls its plug; it neither un-registers nor answers any more.
stop_phone() {
	kill -9 "${PHONE_PIDS[$1]}" 2>/dev/null || true
	wait "${PHONE_PIDS[$1]}" 2>/dev/null || true
	unset "PHONE_PIDS[$1]"
}

stop_peers() {
	local name
	for name in "${!PHONE_PIDS[@]}"; do
		stop_phone "$name"
	done
	[[ -z $KAMAILIO_PID ]] || kill "$KAMAILIO_PID" 2>/dev/null || true
	wait "$KAMAILIO_PID" 2>/dev/null || true
	KAMAILIO_PID=
}

# call USER: 0 if the user's phone rang and answered.
call() {
	in_ns caller sipp "$SERVER:5060" -sf "$LAB_HOME/caller.xml" -i "$CALLER" -mi "$CALLER" -s "$1" \
		-m 1 -nostdin -trace_err -error_file "$LAB_LOGS/call-$1.errors" \
		-timeout 30s -timeout_error >"$LAB_LOGS/call-$1.log" 2>&1
}

# datagram ARGUMENT...: see datagram.c. Runs in the namespace that $FROM names ("phones").
datagram() {
	in_ns "${FROM:-phones}" "$LAB_LOGS/datagram" "$@"
}

# register_message USER IP:PORT EXPIRES CALL-ID CSEQ: a REGISTER with the Contact USER@IP:PORT.
register_message() {
	printf '%s\r\n' "REGISTER sip:lab.example SIP/2.0" \
		"Via: SIP/2.0/UDP $2;branch=z9hG4bK-$4-$5;rport" \
		"Max-Forwards: 70" \
		"From: <sip:$1@lab.example>;tag=$4" \
		"To: <sip:$1@lab.example>" \
		"Call-ID: $4" \
		"CSeq: $5 REGISTER" \
		"Contact: <sip:$1@$2>" \
		"Expires: $3" \
		"Content-Length: 0" ""
}

# chatter IP:PORT: a phone that keeps its path open by itself, a CRLF every 3 s (RFC 5626), for ten
# minutes at most.
chatter() {
	printf '\r\n\r\n' | datagram -n 200 -i 3000000 "$1" "$SERVER:5060"
}
