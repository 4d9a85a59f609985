# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# network.sh - the lab's network.
#
#     phones            nat                     internet              server
#     10.77.0.x/24 ---- 10.77.0.1               192.0.2.1 ---------- 192.0.2.10  (Kamailio)
#                       198.51.100.1 ---------- 198.51.100.254
#                       (masquerade, 8 s)       203.0.113.1 -------- 203.0.113.20  caller
#
# IPv6 (2001:db8:...) is routed along the same wires, without NAT; see firewall_up.

NAT_TIMEOUT=8 # seconds until the NAT forgets a UDP mapping
SERVER=192.0.2.10
NAT_PUBLIC=198.51.100.1
CALLER=203.0.113.20
SERVER6=2001:db8:2::10
declare -A CAPTURES=() # processes that record, by name

# in_ns NAMESPACE COMMAND...: not "ip netns exec", which hides the BPF pins under a /sys of its own.
in_ns() {
	nsenter --net="/run/netns/$1" -- "${@:2}"
}

# spawn NAMESPACE LOG COMMAND...: starts it in the background, in a process of its own: $!.
spawn() {
	nsenter --net="/run/netns/$1" -- "${@:3}" >>"$LAB_LOGS/$2" 2>&1 </dev/null &
}

# wire NAMESPACE DEVICE NAMESPACE DEVICE: a cable between two namespaces.
wire() {
	ip link add "$2" netns "$1" type veth peer name "$4" netns "$3"
	ip -n "$1" link set "$2" up
	ip -n "$3" link set "$4" up
}

# addresses NAMESPACE DEVICE ADDRESS...
addresses() {
	local address
	for address in "${@:3}"; do
		if [[ $address == *:* ]]; then
			ip -n "$1" address add "$address" dev "$2" nodad
		else
			ip -n "$1" address add "$address" dev "$2"
		fi
	done
}

routes() {
	ip -n "$1" route add default via "$2"
	ip -n "$1" -6 route add default via "$3"
}

nat_up() {
	in_ns nat nft -f - <<-EOT
		table ip lab {
			chain postrouting {
				type nat hook postrouting priority srcnat
				oifname "wan" meta l4proto udp masquerade to :20000-59999 fully-random
				oifname "wan" masquerade
			}
			chain input {
				type filter hook input priority filter
				iifname "wan" meta l4proto { tcp, udp } drop
			}
		}
	EOT
	in_ns nat sysctl -qw net.netfilter.nf_conntrack_udp_timeout=$NAT_TIMEOUT \
		net.netfilter.nf_conntrack_udp_timeout_stream=$NAT_TIMEOUT
}

# firewall_up: what comes for an IPv6 phone passes only where the phone has spoken first, and not
# longer ago than the NAT remembers.
firewall_up() {
	in_ns nat nft -f - <<-EOT
		table ip6 lab {
			chain forward {
				type filter hook forward priority filter
				iifname "wan" meta l4proto { tcp, udp } ct state != established drop
			}
		}
	EOT
}

# no_port_unreachable NAMESPACE: a phone without power does not say that it has none.
no_port_unreachable() {
	in_ns "$1" nft -f - <<-EOT
		table inet lab {
			chain output {
				type filter hook output priority filter
				icmp type destination-unreachable drop
				icmpv6 type destination-unreachable drop
			}
		}
	EOT
}

# namespaces_up NAMESPACE...
namespaces_up() {
	local name
	for name in "$@"; do
		ip netns add "$name"
		ip -n "$name" link set lo up
		in_ns "$name" sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 \
			net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0
	done
}

# surroundings_up: all but the office; its device in namespace "internet" comes later.
surroundings_up() {
	namespaces_up phones nat internet caller
	wire phones eth0 nat lan
	wire nat wan internet home
	wire internet abroad caller eth0
	addresses phones eth0 10.77.0.{2..99}/24 2001:db8:77::2/64
	addresses nat lan 10.77.0.1/24 2001:db8:77::1/64
	addresses nat wan $NAT_PUBLIC/24 2001:db8:198::1/64
	addresses internet home 198.51.100.254/24 2001:db8:198::254/64
	addresses internet abroad 203.0.113.1/24 2001:db8:203::1/64
	addresses caller eth0 $CALLER/24 2001:db8:203::20/64
	routes phones 10.77.0.1 2001:db8:77::1
	routes nat 198.51.100.254 2001:db8:198::254
	routes caller 203.0.113.1 2001:db8:203::1
	ip -n internet -6 route add 2001:db8:77::/64 via 2001:db8:198::1
	nat_up
	no_port_unreachable phones
	gcc -O2 -D_GNU_SOURCE -o "$LAB_LOGS/datagram" "$LAB_HOME/datagram.c"
}

lab_up() {
	surroundings_up
	namespaces_up server
	wire internet office server eth0
	addresses internet office 192.0.2.1/24 2001:db8:2::1/64
	addresses server eth0 $SERVER/24 $SERVER6/64
	routes server 192.0.2.1 2001:db8:2::1
}

# lab_down: for scripts that go on afterwards; a lab takes itself down when its script ends.
lab_down() {
	local name
	stop_peers
	for name in phones nat internet server caller; do
		ip netns delete "$name" 2>/dev/null || true
	done
}

# nat_mappings: how many UDP mappings the NAT holds at this moment.
nat_mappings() {
	in_ns nat conntrack -L -p udp --dport 5060 2>/dev/null | wc -l
}

# nat_port IP [PORT]: the port at which the NAT shows this phone to the server, nothing if forgotten.
nat_port() {
	local family=ipv4
	[[ $1 != *:* ]] || family=ipv6
	in_ns nat conntrack -L -f $family -p udp --orig-src "$1" --sport "${2:-5060}" --dport 5060 2>/dev/null |
		sed -n 's/.* dport=\([0-9]*\) .*/\1/p' | head -n 1
}

# mapped IP [PORT]: the NAT remembers this phone: a condition to wait for.
mapped() {
	[[ -n $(nat_port "$@") ]]
}

# capture NAMESPACE NAME [FILTER]: records packets of the namespace's eth0, or of what $DEVICE names,
# into $LAB_LOGS/NAME.pcap.
capture() {
	local -r file=$LAB_LOGS/$2.pcap
	spawn "$1" "$2.tcpdump" tcpdump -i "${DEVICE:-eth0}" -B 32768 -n --immediate-mode -U -Z root -w "$file" "${3:-udp port 5060}"
	CAPTURES[$2]=$!
	wait_until 10 grep -q 'listening on' "$LAB_LOGS/$2.tcpdump"
}

# stop_capture NAME: all that was seen is in the file then.
stop_capture() {
	kill "${CAPTURES[$1]}" && wait "${CAPTURES[$1]}" || true
}

# captured NAME: the packets recorded so far, one line each, times in seconds.
captured() {
	tcpdump -n -tt -r "$LAB_LOGS/$1.pcap" 2>/dev/null || true
}

# grep_capture NAME PATTERN: a condition to wait for.
grep_capture() {
	[[ -n $(captured "$1" | grep -e "$2" || true) ]]
}
