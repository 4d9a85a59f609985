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
	/* attach_open() fills in abi, clsact_created, watched and netns_cookie */
	struct sip_settings settings;
	bool keep_settings; /* leave settings that an agent has made as they are */
	bool agent; /* be the one agent of pin_dir until attach_close() */
};

/* What is on one interface. */
struct attach_interface {
	char name[16];
	unsigned int index;
	uint32_t ingress_id; /* program ids */
	uint32_t egress_id;
	bool native; /* XDP runs in the driver */
	bool found; /* the ingress program was there before us */
};

struct attachment;
struct connection_hook;

/*
 * Attaches what is not attached yet and opens the maps. Maps are filled before
 * anything is attached. On failure one log line says what is wrong and what to do
 * (no root, no such interface, no BTF, kernel too old, another agent, another XDP
 * program, foreign map, other ABI), nothing stays half-attached, and -errno is
 * returned. Nobody else can attach or detach until attach_keep() or attach_close().
 * What sees TCP connections is attached as well where the host allows it; it is shared
 * by all interfaces of the pin directory, see keepalive.h.
 */
int attach_open(const struct attach_options *options, struct attachment **out);

/* Decides that programs, pins and settings stay as they are now. */
void attach_keep(struct attachment *attachment);

/*
 * Closes descriptors. What attach_open() has attached, pinned and set is undone unless
 * attach_keep() was called: what was there before is then as it was.
 */
void attach_close(struct attachment *attachment);

/* The descriptor of a map by its name (SIPPATH_MAP_...), owned by the attachment; or -ENOENT. */
int attach_map(const struct attachment *attachment, const char *name);

/*
 * The turn to change the settings, for somebody's note of what he has made is in them:
 * whoever has it may change them until he closes the descriptor. It is not waited for: -EBUSY
 * if somebody else has it. -errno after one log line.
 */
int attach_take_turn(const struct attachment *attachment);

/* Where TCP connections are seen, for keepalive.h. */
const struct connection_hook *attach_connection_hook(const struct attachment *attachment);

/*
 * Puts what sees TCP connections back if it was there and has been taken off; one warning if
 * that cannot be. -EBUSY if now is not the time, as of attach_take_turn(), or another -errno.
 */
int attach_mend_connections(struct attachment *attachment);

/* Room in sip_paths. */
uint32_t attach_paths_max(const struct attachment *attachment);

/* The interfaces, in the order of the options. */
const struct attach_interface *attach_interfaces(const struct attachment *attachment,
						 size_t *count);

/*
 * Takes our programs, of whichever ABI, off one interface, and its clsact qdisc if we
 * made it and nobody else has filters there; with the last interface go the pins, those
 * that "ip link" made of the same maps, too, and what sees TCP connections. -ENOENT if
 * none of ours is there, -EBUSY if xdp-loader has put it there and must take it off; one
 * log line on failure, and one if an agent still works with the maps.
 */
int attach_remove(const char *interface, const char *pin_dir);

#endif
