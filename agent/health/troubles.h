/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * troubles.h - what can be wrong with keeping paths, each under its name: whether it is so now,
 * since when, how often it has begun, and what to do.
 *
 * A trouble that lasts is set and cleared by whoever looks; an event is noted, and counts as
 * present for some time after its latest. One line is logged when a trouble begins, and one when
 * it is over, whatever happens in between, unless another room does that. Each has its counter,
 * trouble_NAME, in counters.h.
 */
#ifndef AGENT_HEALTH_TROUBLES_H
#define AGENT_HEALTH_TROUBLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/counts.h"

/*
 * X(name, who logs it, what is wrong, what to do). What has been said before by whoever noticed
 * it, a room that knows more, is not said HERE again.
 */
#define TROUBLES(X) \
	X(programs_lost, BEFORE, \
	  "an interface does not carry the programs: what passes there is not seen, and nobody " \
	  "is " \
	  "prompted, those behind other interfaces neither", \
	  "they are attached again by themselves; if not, take off what is in their place (\"ip " \
	  "link show\", \"tc filter show dev DEV egress\") and restart sippathd") \
	X(interface_down, BEFORE, \
	  "an interface is down or has no carrier, so its phones are not reached", \
	  "look at \"ip link show\" and at the cable; \"ip link set DEV up\"") \
	X(interface_gone, BEFORE, \
	  "an interface is gone, so its phones are not reached; those of others are kept", \
	  "bring it back under its name, or restart sippathd with the right --interface") \
	X(settings_lost, BEFORE, \
	  "the programs' settings were wiped, so they take nothing for SIP", \
	  "they are written again by themselves; find out who changes the map sip_settings") \
	X(pins_lost, BEFORE, \
	  "the maps lost their names, so a restart would begin with empty ones", \
	  "they are pinned again by themselves; find out who deletes what is in /sys/fs/bpf") \
	X(nothing_seen, HERE, \
	  "no packet of any phone is seen although paths are kept and prompted", \
	  "see with \"tcpdump -ni DEV udp port 5060\" whether packets come; if they do, check " \
	  "--sip-port and --interface, if not, the network before this host") \
	X(sightings_lost, HERE, \
	  "SIP messages are lost on their way to sippathd, which learns late", \
	  "if it goes on, give sippathd more of a processor, or look for a flood of messages") \
	X(flood, HERE, \
	  "more comes from strangers than is listened to, or more requests at a time than are " \
	  "remembered concern one network, those of this server to it included; known paths are " \
	  "kept as ever", \
	  "see with \"tcpdump -ni DEV udp port 5060\" who it is, and have strangers blocked; " \
	  "phones " \
	  "that are new register again by themselves") \
	X(sends_congested, HERE, "prompts are dropped because this host's transmit queue is full", \
	  "see \"tc -s qdisc\": the interface sends more than it can, or is held up") \
	X(sends_denied, HERE, "prompts are forbidden by this host", \
	  "let UDP from the SIP port pass the firewall's output rules (\"nft list ruleset\")") \
	X(sends_unreachable, HERE, "prompts find no route to their device", \
	  "see \"ip route get\" for the device; routes of \"sippath paths\" must exist") \
	X(sends_failed, HERE, "prompts cannot be sent", \
	  "run sippathd with --log-level debug for a while: it says why") \
	X(prompts_capped, HERE, "prompts wait because a cap of prompts is reached", \
	  "if so many phones are behind one address or network, raise the cap; if not, somebody " \
	  "registers in order to have them prompted") \
	X(memory_short, HERE, "memory is short, so what phones say may not be remembered", \
	  "give the host or the service (MemoryMax=) more memory, or lower --paths-max") \
	X(tables_full, BEFORE, "a table is full, so further phones are not kept", \
	  "raise --paths-max (after \"sippath detach\"), or find out who fills it: \"sippath " \
	  "stats\"") \
	X(maps_unreadable, HERE, "the programs' maps cannot be read or written", \
	  "\"sippath detach\" the interfaces and restart sippathd, which makes them anew") \
	X(store_behind, BEFORE, "bindings cannot be written down, so a restart would forget them", \
	  "make room on the disk of --state-dir, and see that sippathd may write there") \
	X(clock_stepped, HERE, "the wall clock was stepped; no path depends on it", \
	  "nothing for the paths; see what sets the clock (\"chronyc tracking\")") \
	X(host_suspended, HERE, \
	  "the host was suspended; every path is prompted again, one by one", \
	  "do not let a SIP server sleep: phones cannot be called meanwhile") \
	X(held_up, HERE, "sippathd was not let run in time, so prompts were late", \
	  "give it a processor: look for what hogs them, or stops it (SIGSTOP, a debugger)") \
	X(cluster_lost, BEFORE, "the cluster is out of reach; this host goes on alone", \
	  "see that Redis runs and is reached: \"redis-cli -u URL ping\"") \
	X(connections_unseen, BEFORE, "TCP connections are not seen any more and not kept open", \
	  "free the place of the programs on the root of the cgroup v2 hierarchy (\"bpftool " \
	  "cgroup tree\") and restart sippathd") \
	X(helper_gone, BEFORE, \
	  "the privileged half of sippathd is gone; when programs are lost, sippathd ends", \
	  "restart sippathd, or have systemd do so (Restart=on-failure)")

#define TROUBLE_ENUM_(name, logged, wrong, remedy) TROUBLE_##name,

enum trouble { TROUBLES(TROUBLE_ENUM_) TROUBLE_MAX };

#undef TROUBLE_ENUM_

/* An event counts as present for so long. */
#define TROUBLES_EVENT_NS UINT64_C(15000000000)

#define TROUBLES_DETAIL_MAX 160 /* with its terminator; longer ones are cut */

struct trouble_state {
	bool present;
	uint64_t since_ns; /* when it began the last time; 0 if it never did */
	uint64_t times; /* that it has begun */
	char detail[TROUBLES_DETAIL_MAX]; /* the latest one; empty if it never began */
};

struct troubles;

/* A registry without any trouble; NULL without memory. The counters outlive it. */
struct troubles *troubles_new(struct counts *counts);
void troubles_free(struct troubles *troubles);

/* The trouble is present at now_ns, as "detail" says. */
void troubles_set(struct troubles *troubles, enum trouble which, uint64_t now_ns,
		  const char *detail, ...) __attribute__((format(printf, 4, 5)));

/* It is not, if it was set; what was noted since goes on until its time is over. */
void troubles_clear(struct troubles *troubles, enum trouble which, uint64_t now_ns);

/* It has happened: present until TROUBLES_EVENT_NS after the latest time, see troubles_turn(). */
void troubles_note(struct troubles *troubles, enum trouble which, uint64_t now_ns,
		   const char *detail, ...) __attribute__((format(printf, 4, 5)));

/* Ends the events whose time is over; to be called about once a second. */
void troubles_turn(struct troubles *troubles, uint64_t now_ns);

/* How one is; good until the registry is called again. */
const struct trouble_state *troubles_look(const struct troubles *troubles, enum trouble which);

/* How many are present. */
size_t troubles_present(const struct troubles *troubles);

/* Changes whenever one begins or ends. */
uint64_t troubles_crossings(const struct troubles *troubles);

/* What is known of one by itself. */
const char *trouble_name(enum trouble which);
const char *trouble_wrong(enum trouble which);
const char *trouble_remedy(enum trouble which);

#endif
