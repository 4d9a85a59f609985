# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# streams.sh - SIP over TCP, TLS and WebSocket: the server, and phones that keep no
# connection alive by themselves.

# start_stream_kamailio: the lab's server, which listens for connections besides.
start_stream_kamailio() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 \
		-subj /CN=lab.example -keyout "$LAB_LOGS/key.pem" -out "$LAB_LOGS/certificate.pem" \
		>"$LAB_LOGS/openssl.log" 2>&1 &&
		cat "$LAB_LOGS/key.pem" "$LAB_LOGS/certificate.pem" >"$LAB_LOGS/kamailio.pem" &&
		start_kamailio -A WITH_STREAMS
}

# nat_forgets_connections SECONDS: from their next packet on, once they have been quiet so long.
# What belongs to no connection that the NAT remembers does not get through, either way.
nat_forgets_connections() {
	in_ns nat sysctl -qw net.netfilter.nf_conntrack_tcp_timeout_established="$1" \
		net.netfilter.nf_conntrack_tcp_loose=0
	in_ns nat nft -f - <<-EOT
		table inet strict {
			chain forward {
				type filter hook forward priority filter
				meta l4proto tcp ct state invalid drop
			}
		}
	EOT
}

# nat_connection NAME: how the server sees the connection that this phone has, "ip:port"; nothing if
# the NAT has forgotten it. IPv6 goes through untranslated.
nat_connection() {
	local family=ipv4 remote=$NAT_PUBLIC own port
	own=$(in_ns phones ss -Htnp state established dport = :5060 or dport = :5061 |
		awk -v pid="pid=${PHONE_PIDS[$1]}," 'index($0, pid) { print $3; exit }')
	[[ $own != *]:* ]] || family=ipv6 remote=${own%:*}
	own=${own//[][]/}
	port=$(in_ns nat conntrack -L -f $family -p tcp --orig-src "${own%:*}" --sport "${own##*:}" 2>/dev/null |
		sed -n 's/.* dport=\([0-9]*\) .*/\1/p')
	[[ -z $port ]] || echo "$remote:$port"
}

# start_stream_phone NAME IP KIND: registers a user over a connection and stays there. Leaves in
# $REMOTE how the server sees it. Kinds:
#   tcp-sipp
#   tcp-baresip, tls-baresip, which connect from the first address of the phones, whatever the IP is
start_stream_phone() {
	case $3 in
	tcp-sipp) start_sipp "$1" "$2" -t t1 ;;
	*-baresip) TRANSPORT=${3%-baresip} start_baresip "$1" "$2" ;;
	esac
	wait_until 30 registered "$1"
	REMOTE=$(nat_connection "$1")
}

# start_websocket NAME: a phone's upgrade to WebSocket (RFC 6455 section 4.1), which then says
# nothing. Leaves in $REMOTE how the server sees it.
start_websocket() {
	# shellcheck disable=SC2016 # for the bash that is in the phones' namespace
	spawn phones "$1.log" bash -c '
		exec {wire}<>"/dev/tcp/$1/5060"
		printf "%s\r\n" "GET / HTTP/1.1" "Host: lab.example" "Connection: Upgrade" "Upgrade: websocket" \
			"Sec-WebSocket-Version: 13" "Sec-WebSocket-Protocol: sip" \
			"Sec-WebSocket-Key: bm90IGEgc2VjcmV0IGtleQ==" "Content-Length: 0" "" >&$wire
		exec cat <&$wire' bash "$SERVER"
	PHONE_PIDS[$1]=$!
	wait_until 15 grep -q '101 Switching Protocols' "$LAB_LOGS/$1.log"
	# shellcheck disable=SC2034 # for those that ask
	REMOTE=$(nat_connection "$1")
}
