/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * counters.h - the one list of everything that is counted.
 *
 * Included by the BPF programs (kernel counters), by the agent (both lists) and
 * by whatever prints them. A line is X(name, what it counts); the name is the
 * one that "sippath stats" and the metrics show.
 */
#ifndef SIPPATH_COUNTERS_H
#define SIPPATH_COUNTERS_H

/* Counted by the BPF programs, per CPU, in sip_counters. */
#define SIPPATH_KERNEL_COUNTERS(X) \
	X(packets_in, "packets to a SIP port") \
	X(packets_out, "packets from a SIP port") \
	X(packets_on_paths, "packets from devices on a known path") \
	X(packets_cut, "packets whose headers end too early") \
	X(sightings, "SIP messages reported to the agent") \
	X(sightings_lost, \
	  "SIP messages not reported because the ring buffer was full, pieces of TCP streams" \
	  " because three quarters of it were, messages of flows that are not paths because half" \
	  " of it was") \
	X(sightings_limited, \
	  "SIP messages not reported because flows that are not paths had too many in a second") \
	X(sightings_cut, "SIP messages reported without their end") \
	X(sightings_unread, "SIP messages not reported because their bytes could not be read") \
	X(flows_refused, "flows that found no room in sip_flows") \
	X(flows_limited, \
	  "packets whose flow was not noted in sip_flows because too many were new in a second") \
	X(prompts_left, "prompts seen leaving, repeats included") \
	X(prompts_unknown, "prompts seen leaving for a flow that is not a path") \
	X(answers_absorbed, "answers to prompts, dropped before the SIP server") \
	X(connections_opened, "TCP connections that the SIP server accepted") \
	X(connections_closed, "of those, the ones that are gone") \
	X(connections_refused, "accepted TCP connections that found no room in sip_connections") \
	X(segments_refused, \
	  "TCP segments with data not reported because they fit no connection that is known") \
	X(keepalives_set, "TCP connections whose keepalive was switched on") \
	X(keepalives_refused, "TCP connections whose keepalive could not be switched on")

/* Counted by the agent. */
#define SIPPATH_AGENT_COUNTERS(X) \
	X(messages_malformed, "SIP messages that could not be read") \
	X(messages_ignored, "SIP messages that nothing is learnt from") \
	X(registers_seen, "REGISTER requests of devices, retransmissions included") \
	X(registers_accepted, "REGISTER requests that the server accepted") \
	X(registers_stale, "accepted REGISTER requests older than what is known") \
	X(subscribes_seen, "SUBSCRIBE requests, either way, retransmissions included") \
	X(subscribes_accepted, "SUBSCRIBE requests that were accepted") \
	X(invites_seen, "INVITE and UPDATE requests, either way, retransmissions included") \
	X(invites_accepted, "INVITE and UPDATE requests that were accepted") \
	X(byes_seen, "BYE requests, either way, retransmissions included") \
	X(dialogs_found, "dialogs that were learnt from a request inside of them") \
	X(requests_unanswered, "requests forgotten without a final answer") \
	X(requests_relayed, "requests ignored because another proxy passed them on") \
	X(requests_oversized, "requests ignored because they are too large to keep") \
	X(requests_dropped, "requests ignored for want of memory") \
	X(requests_crowded, "requests forgotten because too many of their network were waiting") \
	X(answers_doubted, "answers not believed because an outsider may have made them") \
	X(streams_resumed, \
	  "TCP streams read on at a later message because a piece was missing or unreadable") \
	X(streams_refused, "TCP streams not read because too many are, or for want of memory") \
	X(bindings_begun, "bindings that began") \
	X(bindings_renewed, "bindings that were renewed") \
	X(bindings_moved, "bindings that moved to another path") \
	X(bindings_ended, "bindings that were removed") \
	X(bindings_expired, "bindings that ran out") \
	X(bindings_refused, "bindings refused because a limit was reached") \
	X(paths_opened, "paths that began to be kept") \
	X(paths_closed, "paths that are no longer kept") \
	X(paths_refused, "paths refused because sip_paths is full") \
	X(paths_unreadable, "readings and writings of sip_paths that failed") \
	X(paths_silenced, "paths that became silent") \
	X(paths_revived, "silent paths that were heard again") \
	X(prompts_sent, "prompts sent, repeats not included") \
	X(prompts_repeated, "prompts sent again for want of an answer") \
	X(prompts_answered, "prompts that were answered") \
	X(prompts_unanswered, "prompts that were never answered") \
	X(prompts_avoided, \
	  "prompts, one each threshold, that were not needed because the device spoke") \
	X(prompts_delayed, "prompts that waited for their turn") \
	X(prompts_capped_address, \
	  "times that a prompt waited because too many were sent to its address") \
	X(prompts_capped_network, \
	  "times that a prompt waited because too many were sent to its network") \
	X(prompts_capped_host, \
	  "times that a prompt waited because too many were sent by this host") \
	X(prompts_failed, "prompts that the network refused") \
	X(prompts_failed_congested, \
	  "of those, the ones that this host's transmit queue was full for") \
	X(prompts_failed_denied, "of those, the ones that this host's firewall forbade") \
	X(prompts_failed_unreachable, "of those, the ones that no route led to the device for") \
	X(prompts_held, "prompts not sent because this host does not hold the local address") \
	X(shared_written, "bindings reported to the cluster") \
	X(shared_dropped, "ends of bindings reported to the cluster") \
	X(shared_stale, "bindings not reported because another node has a newer one") \
	X(shared_oversized, "bindings not reported because their texts are too long") \
	X(shared_garbage, "entries of the cluster that could not be read") \
	X(announcements, "times that everything was reported to the cluster anew") \
	X(cluster_losses, "times that the cluster got out of reach") \
	X(orders_taken, "orders of other nodes and of call control that were carried out") \
	X(orders_ignored, "orders that could not be read, or came too late") \
	X(calls_requests, "requests that call control got, retransmissions included") \
	X(calls_redirected, "requests answered with the proxies to ask") \
	X(calls_forwarded, "requests passed on to a proxy") \
	X(calls_returned, "answers passed back to whoever asked") \
	X(calls_unreachable, "requests for an AOR that nobody is registered for") \
	X(calls_refused, "requests that call control does not serve") \
	X(calls_malformed, "malformed requests that call control got") \
	X(calls_dropped, "messages that call control neither answered nor passed on") \
	X(calls_verified, "paths found open before a call was routed") \
	X(calls_unverified, "paths that were not heard of before a call was routed") \
	X(trouble_programs_lost, "times that an interface lost the programs") \
	X(trouble_interface_down, "times that an interface was down") \
	X(trouble_interface_gone, "times that an interface was gone") \
	X(trouble_settings_lost, "times that the programs' settings were wiped") \
	X(trouble_pins_lost, "times that the maps lost their names") \
	X(trouble_nothing_seen, "times that no packet was seen for long although paths are kept") \
	X(trouble_sightings_lost, "times that SIP messages began to be lost on their way here") \
	X(trouble_flood, "times that strangers sent more than is listened to") \
	X(trouble_sends_congested, "times that prompts began to find the transmit queue full") \
	X(trouble_sends_denied, "times that prompts began to be forbidden") \
	X(trouble_sends_unreachable, "times that prompts began to find no route") \
	X(trouble_sends_failed, "times that prompts began to fail for another reason") \
	X(trouble_prompts_capped, "times that a cap of prompts was reached") \
	X(trouble_memory_short, "times that memory was short") \
	X(trouble_tables_full, "times that a table was full") \
	X(trouble_maps_unreadable, "times that the programs' maps could not be read or written") \
	X(trouble_store_behind, "times that bindings could not be written down") \
	X(trouble_clock_stepped, "times that the wall clock was stepped") \
	X(trouble_host_suspended, "times that the host was suspended") \
	X(trouble_held_up, "times that sippathd was not let run") \
	X(trouble_cluster_lost, "times that the cluster was out of reach") \
	X(trouble_connections_unseen, "times that TCP connections were not seen any more") \
	X(trouble_helper_gone, "times that the privileged half of sippathd was gone")

#define SIPPATH_COUNTER_ENUM_(name, help) COUNTER_##name,

enum kernel_counter { SIPPATH_KERNEL_COUNTERS(SIPPATH_COUNTER_ENUM_) KERNEL_COUNTER_MAX };

#undef SIPPATH_COUNTER_ENUM_
#define SIPPATH_COUNTER_ENUM_(name, help) COUNT_##name,

enum agent_counter { SIPPATH_AGENT_COUNTERS(SIPPATH_COUNTER_ENUM_) AGENT_COUNTER_MAX };

#undef SIPPATH_COUNTER_ENUM_

#endif
