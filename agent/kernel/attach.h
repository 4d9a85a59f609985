/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * attach.h - brings the BPF programs onto interfaces, finds those that are there
 * already, and takes them off.
 *
 * However a program was attached (by this agent, by "sippath attach", by plain
 * "ip link" or by xdp-loader), its maps are found from the program: interface ->
 * program id -> map ids. All interfaces of one agent share one set of maps, pinned
 * under pin_dir. Programs and pins outlive the agent on purpose.
 *
 * One process at a time attaches or detaches in a pin_dir, and one agent at a time
 * works with the maps there; others wait for the first and are refused by the second.
 *
 * Without privileges, with nothing but the descriptors (kernel 5.19 and later), these work:
 * attach_map() and reading and writing the maps, attach_look(), attach_interfaces(),
 * attach_interfaces_renew(), attach_paths_max(), attach_keep(), and closing, that is
 * attach_close() after attach_keep() or attach_lend(). All others ask the kernel for a program or
 * a link by its id, change an interface, or open the pin directory, which is root's alone.
 *
 * A process that is forked after attach_open() has a copy of the attachment, with the same
 * descriptors and the same locks: a lock is held until all who share it have closed it. What
 * one of them mends, the copy of the other learns of by attach_interfaces_renew().
 */
#ifndef AGENT_KERNEL_ATTACH_H
#define AGENT_KERNEL_ATTACH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel_abi.h"

#define ATTACH_PIN_DIR_DEFAULT "/sys/fs/bpf/sippath"

enum attach_mode {
	ATTACH_ANY, /* native; generic, said with the reason, where native is refused */
	ATTACH_NATIVE,
	ATTACH_GENERIC,
};

struct attach_options {
	const char *const *interfaces; /* names */
	size_t interface_count; /* 1..SIPPATH_HOOKS_MAX */
	const char *pin_dir; /* must outlive the attachment */
	uint32_t paths_max; /* room in sip_paths when this call makes it */
	enum attach_mode mode;
	/* attach_open() fills in abi, clsact_created, watched, netns_cookie and limit_seed */
	struct sip_settings settings;
	bool keep_settings; /* leave settings that an agent has made as they are */
	bool agent; /* be the one agent of pin_dir until attach_close() */
};

/* What is on one interface. Plain data. */
struct attach_interface {
	char name[16];
	unsigned int index;
	uint32_t ingress_id; /* program ids */
	uint32_t egress_id;
	uint32_t place_id; /* of what is attached as XDP: ingress_id, or libxdp's dispatcher's */
	bool native; /* XDP runs in the driver */
	bool found; /* the ingress program was there before us, or came without us */
};

struct attachment;
struct connection_hook;

/*
 * Attaches what is not attached yet and opens the maps. Maps are filled before
 * anything is attached. A program of ours that is there already, with the same ABI and
 * other instructions than those of this build, is replaced in place, in the mode it had:
 * no packet passes without a program in between, and its maps go on. Behind libxdp's
 * dispatcher it is left, in one line.
 *
 * On failure one log line says what is wrong and what to do (no root, no such interface, no
 * BTF, kernel too old, another agent, another XDP program, foreign map, other ABI), nothing
 * stays half-attached or half-replaced, and -errno is returned. Nobody else can attach or
 * detach until attach_keep() or attach_close(). What sees TCP connections is attached as well
 * where the host allows it; it is shared by all interfaces of the pin directory, see keepalive.h.
 */
int attach_open(const struct attach_options *options, struct attachment **out);

/* Decides that programs, pins and settings stay as they are now. */
void attach_keep(struct attachment *attachment);

/*
 * Closes descriptors. What attach_open() has attached, pinned and set is undone unless
 * attach_keep() was called: what was there before is then as it was.
 */
void attach_close(struct attachment *attachment);

/*
 * For a forked copy that goes on beside the agent: it is not the one agent of pin_dir, and holds
 * up no successor. Harmless on NULL.
 */
void attach_leave(struct attachment *attachment);

/*
 * For the agent, once a forked copy mends in its place: closes the programs, which nothing but
 * mending takes, and from now on only reads the settings. Nothing can be undone, mended or set
 * here after that; attach_look() still works. -errno after one log line.
 */
int attach_lend(struct attachment *attachment);

/* The descriptor of a map by its name (SIPPATH_MAP_...), owned by the attachment; or -ENOENT. */
int attach_map(const struct attachment *attachment, const char *name);

/*
 * Sets in the settings that are in force after how many seconds a quiet TCP connection is
 * probed. -errno after one log line: -EBUSY if somebody is attaching or detaching just now.
 */
int attach_set_keepalive(struct attachment *attachment, uint32_t idle_s);

/* Where TCP connections are seen, for keepalive.h. */
const struct connection_hook *attach_connection_hook(const struct attachment *attachment);

/* Room in sip_paths. */
uint32_t attach_paths_max(const struct attachment *attachment);

/* The interfaces, in the order of the options. */
const struct attach_interface *attach_interfaces(const struct attachment *attachment,
						 size_t *count);

/* What attach_mend() looks at; to be or'ed. */
enum attach_part {
	ATTACH_PART_INTERFACE = 1, /* the interface: it is gone, or back with another index */
	ATTACH_PART_CARRIER = 2, /* it is down, or has no carrier; not ours to mend */
	ATTACH_PART_INGRESS = 4, /* our XDP program */
	ATTACH_PART_EGRESS = 8, /* our tc filter, with the clsact qdisc that it hangs on */
	ATTACH_PART_SETTINGS = 16, /* what is in sip_settings */
	ATTACH_PART_PINS = 32, /* the maps under their names */
	ATTACH_PART_CONNECTIONS = 64, /* what sees TCP connections, where the host could have it */
};

/*
 * While one of these is missing packets go unseen, and silence says nothing (trap 11). An interface
 * is missing in this sense when it is there without its programs: over one that is not there, or is
 * down, nothing passes.
 */
#define ATTACH_PARTS_OF_SIGHT \
	(ATTACH_PART_INTERFACE | ATTACH_PART_INGRESS | ATTACH_PART_EGRESS | ATTACH_PART_SETTINGS)

/* Plain data. */
struct attach_finding {
	uint32_t missing; /* enum attach_part: what was found to be amiss */
	uint32_t mended; /* what of that is as it should be by now */
	/*
	 * Why something is left, or 0: -ENODEV: no such interface; -ENETDOWN: no carrier; -EBUSY:
	 * a program of others is in our place; -EAGAIN: somebody is attaching or detaching at
	 * this moment; or another -errno.
	 */
	int32_t error;
	uint32_t other_part; /* enum attach_part: in whose place that program of others is */
	uint32_t other_id; /* 0 for none */
	char other_name[16];
};

/* What was missing and what became of it. Plain data, of fixed size. */
struct attach_repair {
	uint32_t count; /* of interfaces, in the order of the options */
	struct attach_interface interfaces[SIPPATH_HOOKS_MAX]; /* as they are now */
	struct attach_finding found[SIPPATH_HOOKS_MAX]; /* on each of them */
	struct attach_finding shared; /* settings, pins, connections */
};

/*
 * Puts back what is missing, for whoever has privileges, about once a second: a few netlink
 * requests when all is well. It loads nothing, and it needs no pins. An interface that is back
 * under its name gets its programs again. The place of a program of others is left to
 * it until it is free; a program of ours from another build that has taken over, with our
 * maps, is fine. Settings become again what this attachment has made them.
 *
 * Logs crossings, one line for each thing that is missing, mended, or cannot be mended. Always
 * fills *out; returns 0, or the first error in it if something is left.
 */
int attach_mend(struct attachment *attachment, struct attach_repair *out);

/*
 * Brings the latest repair up to date as far as that can be done without privileges, where nobody
 * with privileges does: interfaces, what is attached to them by its ids, settings. It changes
 * nothing and says nothing. Programs that were put in the place of those of the latest
 * attach_mend() since count as missing, whosever they are.
 */
void attach_look(struct attachment *attachment, struct attach_repair *latest);

/* Takes over what attach_mend() said of the interfaces, in a copy of the attachment. */
void attach_interfaces_renew(struct attachment *attachment,
			     const struct attach_interface *interfaces, size_t count);

/*
 * Takes our programs, of whichever ABI, off one interface, and its clsact qdisc if we
 * made it and nobody else has filters there; with the last interface go the pins, those
 * that "ip link" made of the same maps, too, and what sees TCP connections. -ENOENT if
 * none of ours is there; -EBUSY if xdp-loader has put it there and must take it off, or if
 * an agent works with these maps: whoever takes its eyes must stop it first. One log line on
 * failure.
 */
int attach_remove(const char *interface, const char *pin_dir);

#endif
