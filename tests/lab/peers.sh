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

# start_kamailio [OPTION...]
start_kamailio() {
	spawn server kamailio.log kamailio -f "$LAB_HOME/kamailio.cfg" -DD -E -m 64 -M 8 \
		-Y "$LAB_LOGS" -w "$LAB_LOGS" "$@"
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

# on_line USER IP [PORT]: the user is registered, and the NAT has a mapping for the phone.
on_line() {
	registered "$1" && mapped "${@:2}"
}

# start_phone NAME IP [KIND]: registers a user from IP and stays there.
#   sipp              answers OPTIONS and calls (the default)
#   baresip           a real user agent, which does the same; see tell_baresip
# What may stand in front:
#   EXPIRES=SECONDS   asks for another lifetime than an hour
#   AOR=USER          another user than NAME
# of a baresip only:
#   TRANSPORT=tcp     or tls, in place of udp
# and, of a SIPp phone only:
#   PORT=NUMBER       another port than 5060
#   FIRST=SCENARIO    what it does first, in place of phone_register
#   ANSWER=SCENARIO   what it does with a call, in place of phone_answer
#   RINGS=MILLISECONDS  how long it rings first
start_phone() {
	"start_${3:-sipp}" "$1" "$2"
	wait_until 30 on_line "${AOR:-$1}" "$2" "${PORT:-5060}"
}

# start_sipp NAME IP ARGUMENT...
start_sipp() {
	local target=$SERVER
	local -a patience=()
	[[ $2 != *:* ]] || target=[$SERVER6]
	# A slow server answers the repeated REGISTER as well, when the phone is already at rest.
	[[ -n ${FIRST:-} ]] || patience=(-default_behaviors all,-abortunexp)
	run_sipp phones "$1" "$2" "${PORT:-5060}" "${FIRST:-phone_register}" "$target:5060" -m 1 \
		"${patience[@]}" -oocsf "$LAB_HOME/${ANSWER:-phone_answer}.xml" \
		-key user "${AOR:-$1}" -key expires "${EXPIRES:-3600}" -d "${RINGS:-0}" "${@:3}"
}

# run_sipp NAMESPACE NAME IP PORT SCENARIO ARGUMENT...: a SIPp that ends by itself, or with stop_phone NAME.
run_sipp() {
	spawn "$1" "$2.log" sipp -sf "$LAB_HOME/$5.xml" -i "$3" -p "$4" -mi "$3" -nostdin \
		-trace_err -error_file "$LAB_LOGS/$2.errors" "${@:6}"
	PHONE_PIDS[$2]=$!
}

# done_well NAME: what run_sipp has started ends as its scenario wants it to.
done_well() {
	wait "${PHONE_PIDS[$1]}"
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
		module_app ctrl_tcp.so
		ctrl_tcp_listen $2:4444
		audio_source aubridge,lab
		audio_player aubridge,lab
		audio_alert aubridge,alert
	EOT
	baresip_account "${AOR:-$1}" "${EXPIRES:-3600}" >"$home/accounts"
	: >"$home/contacts"
	spawn phones "$1.log" baresip -4 -f "$home"
	PHONE_PIDS[$1]=$!
}

# baresip_account USER EXPIRES: 0 does not register.
baresip_account() {
	local -r transport=${TRANSPORT:-udp}
	local port=5060
	[[ $transport != tls ]] || port=5061
	echo "<sip:$1@lab.example;transport=$transport>;outbound=\"sip:$SERVER:$port;transport=$transport\";auth_pass=none;answermode=auto;regint=$2"
}

# tell_baresip IP COMMAND [PARAMETERS]: gives a baresip one of its commands; prints what it says.
tell_baresip() {
	local -r request=$(jq -cn --arg command "$2" --arg params "${3:-}" '{$command, $params}')
	# It speaks netstrings, "LENGTH:TEXT,", and tells of events in between.
	# shellcheck disable=SC2016 # for the bash that is in the phones' namespace
	in_ns phones timeout 10 bash -c '
		exec {wire}<>"/dev/tcp/$1/4444"
		printf "%d:%s," ${#2} "$2" >&$wire
		until [[ ${answer:-} == *\"response\":true* ]]; do
			read -r -d : length <&$wire && read -r -N "$length" answer <&$wire &&
				read -r -N 1 <&$wire || exit 1
		done
		echo "$answer"' bash "$1" "$request" | jq -er 'select(.ok).data'
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
		-m 1 -nostdin -trace_err -error_file "$LAB_LOGS/call-$1.errors" -d 200 \
		-timeout 30s -timeout_error >"$LAB_LOGS/call-$1.log" 2>&1
}

# datagram ARGUMENT...: see datagram.c. Runs in the namespace that $FROM names ("phones").
datagram() {
	in_ns "${FROM:-phones}" "$LAB_LOGS/datagram" "$@"
}

# register_outside USER PORT: registers a peer beside the NAT, at the address of the caller.
register_outside() {
	register_message "$1" "$CALLER:$2" 3600 "$1" 1 |
		FROM=caller datagram "$CALLER:$2" "$SERVER:5060" &&
		wait_until 15 registered "$1"
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
