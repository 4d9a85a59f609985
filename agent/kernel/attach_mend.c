/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * attach_mend.c - looks whether everything is as attach_open() has left it, and puts it right.
 *
 * First it looks, without a lock and without changing anything: that is all when all is well.
 * Only then it takes the turn, and looks again as it mends: who had the turn before may have
 * been the reason.
 */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <net/if.h>

#include "base/cleanup.h"
#include "kernel/attach_parts.h"
#include "kernel/found.h"
#include "kernel/hooks.h"
#include "kernel/lock.h"
#include "kernel/program.h"
#include "kernel/program_maps.h"
#include "kernel/settings_map.h"

#define DIRECTORY_MODE 0700

/* One look around, which mends as well if it may. */
struct round {
	struct attachment *attachment;
	bool mends;
	int turn;
};

static void miss(struct attach_finding *finding, enum attach_part part)
{
	finding->missing |= part;
}

/* What became of a part that is missing; the first error is the one that is told. */
static void conclude(struct attach_finding *finding, enum attach_part part, int err)
{
	if (err == 0)
		finding->mended |= part;
	else if (finding->error == 0)
		finding->error = err;
}

static bool is_left(const struct attach_finding *finding)
{
	return finding->missing & ~finding->mended;
}

/* True if the interface is there. One that is renamed keeps its index, and its programs. */
static bool find_interface(const struct round *round, struct attach_interface *interface,
			   struct attach_finding *finding)
{
	unsigned int index;

	if (if_indextoname(interface->index, interface->name) || errno != ENXIO)
		return true;
	miss(finding, ATTACH_PART_INTERFACE);
	index = if_nametoindex(interface->name);
	if (index == 0)
		conclude(finding, ATTACH_PART_INTERFACE, -ENODEV);
	if (index == 0 || !round->mends)
		return false;
	interface->index = index;
	interface->native = round->attachment->mode != ATTACH_GENERIC;
	interface->ingress_id = 0;
	interface->place_id = 0;
	interface->egress_id = 0;
	conclude(finding, ATTACH_PART_INTERFACE, 0);
	return true;
}

void attach_look_for_carrier(const struct attach_interface *interface,
			     struct attach_finding *finding)
{
	cleanup_close int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request = { 0 };

	memcpy(request.ifr_name, interface->name, sizeof(interface->name));
	if (fd < 0 || ioctl(fd, SIOCGIFFLAGS, &request) < 0 ||
	    ((request.ifr_flags & IFF_UP) && (request.ifr_flags & IFF_RUNNING)))
		return;
	miss(finding, ATTACH_PART_CARRIER);
	conclude(finding, ATTACH_PART_CARRIER, -ENETDOWN);
}

/* True for a program of ours, of whichever build, that works with the attachment's maps. */
static bool is_of_use(const struct attachment *attachment, const struct found *found)
{
	cleanup_shared_maps struct shared_maps theirs = SHARED_MAPS_NONE;

	return (found->kind == FOUND_OURS || found->kind == FOUND_OURS_DISPATCHED) &&
	       program_maps_open(found->id, &theirs) == 0 &&
	       shared_maps_agree(&attachment->maps, &theirs);
}

static int in_the_way(struct attach_finding *finding, enum attach_part part,
		      const struct found *found)
{
	finding->other_part = part;
	finding->other_id = found->id;
	memcpy(finding->other_name, found->name, sizeof(finding->other_name));
	return -EBUSY;
}

/* In the mode that it had. */
static int attach_ingress(const struct attachment *attachment, struct attach_interface *interface)
{
	int err = changes_attach_ingress(interface, attachment->ingress,
					 interface->native ? attachment->mode : ATTACH_GENERIC);

	if (err == 0) {
		interface->ingress_id = program_id(attachment->ingress);
		interface->place_id = interface->ingress_id;
		interface->found = false;
	}
	return err;
}

static void tend_ingress(const struct round *round, struct attach_interface *interface,
			 struct attach_finding *finding)
{
	struct found found = { .kind = FOUND_NOTHING };
	int err = found_ingress(interface->index, &found);

	if (err == 0 && found.kind != FOUND_NOTHING &&
	    (found.id == interface->ingress_id || is_of_use(round->attachment, &found))) {
		interface->found |= found.id != interface->ingress_id;
		interface->ingress_id = found.id;
		interface->place_id = found.place_id;
		interface->native = found.native;
		return;
	}
	miss(finding, ATTACH_PART_INGRESS);
	if (err == 0 && found.kind != FOUND_NOTHING)
		err = in_the_way(finding, ATTACH_PART_INGRESS, &found);
	if (err == 0 && !round->mends)
		return;
	conclude(finding, ATTACH_PART_INGRESS,
		 err < 0 ? err : attach_ingress(round->attachment, interface));
}

static int attach_egress(const struct attachment *attachment, struct attach_interface *interface)
{
	bool made = false;
	int err = hooks_make_clsact(interface->index, &made);

	if (err == 0 && made)
		err = settings_map_remember_clsact(attachment->maps.fd[SHARED_SETTINGS],
						   interface->index);
	if (err == 0)
		err = hooks_attach_egress(interface->index, attachment->egress, false);
	if (err == 0)
		interface->egress_id = program_id(attachment->egress);
	return err;
}

static void tend_egress(const struct round *round, struct attach_interface *interface,
			struct attach_finding *finding)
{
	struct found found = { .kind = FOUND_NOTHING };
	int err = found_egress(interface->index, &found);

	if (err == 0 && found.kind != FOUND_NOTHING &&
	    (found.id == interface->egress_id || is_of_use(round->attachment, &found))) {
		interface->egress_id = found.id;
		return;
	}
	miss(finding, ATTACH_PART_EGRESS);
	if (err == 0 && found.kind != FOUND_NOTHING)
		err = in_the_way(finding, ATTACH_PART_EGRESS, &found);
	if (err == 0 && !round->mends)
		return;
	conclude(finding, ATTACH_PART_EGRESS,
		 err < 0 ? err : attach_egress(round->attachment, interface));
}

/* The carrier last: why a program cannot be put back says more. */
static void tend_interface(const struct round *round, struct attach_interface *interface,
			   struct attach_finding *finding)
{
	if (!find_interface(round, interface, finding))
		return;
	tend_ingress(round, interface, finding);
	tend_egress(round, interface, finding);
	attach_look_for_carrier(interface, finding);
}

static void tend_settings(const struct round *round, struct attach_finding *finding)
{
	int err;

	if (attach_settings_stand(round->attachment, &err))
		return;
	miss(finding, ATTACH_PART_SETTINGS);
	if (err == 0 && round->mends)
		err = attach_settings_mend(round->attachment);
	if (err < 0 || round->mends)
		conclude(finding, ATTACH_PART_SETTINGS, err);
}

/* A copy is it for the agent's sake alone: once that has ended the place is its successor's. */
static bool is_agent(const struct attachment *attachment)
{
	if (attachment->left)
		return getppid() == attachment->agent_process;
	return attachment->agent >= 0;
}

/* With the directory the agent's lock in it has gone. */
static int mend_agent(struct attachment *attachment, int turn)
{
	int agent;

	if (!is_agent(attachment) || lock_has_agent(turn))
		return 0;
	agent = lock_agent_again(turn);
	if (agent < 0)
		return agent;
	if (attachment->agent >= 0)
		close(attachment->agent);
	attachment->agent = agent;
	return 0;
}

static int mend_pins(struct attachment *attachment, int turn)
{
	int err = turn < 0 ? turn : mend_agent(attachment, turn);

	return err < 0 ? err : pins_mend(&attachment->pins, &attachment->maps);
}

static void tend_pins(const struct round *round, struct attach_finding *finding)
{
	struct attachment *attachment = round->attachment;

	if (pins_stand(&attachment->pins, &attachment->maps) &&
	    (!is_agent(attachment) || lock_agent_stands(attachment->pins.directory)))
		return;
	miss(finding, ATTACH_PART_PINS);
	if (round->mends)
		conclude(finding, ATTACH_PART_PINS, mend_pins(attachment, round->turn));
}

static void tend_connections(const struct round *round, struct attach_finding *finding)
{
	struct connection_hook *hook = &round->attachment->connections;

	if (!connection_hook_wanted(hook) || connection_hook_stands(hook))
		return;
	miss(finding, ATTACH_PART_CONNECTIONS);
	if (round->mends)
		conclude(finding, ATTACH_PART_CONNECTIONS, connection_hook_mend(hook));
}

/* The settings first and last: programs find them filled, and indexes may be new. */
static void look_around(const struct round *round, struct attach_repair *out)
{
	struct attachment *attachment = round->attachment;

	memset(out, 0, sizeof(*out));
	out->count = (uint32_t)attachment->count;
	tend_settings(round, &out->shared);
	for (size_t i = 0; i < attachment->count; i++)
		tend_interface(round, &attachment->interfaces[i], &out->found[i]);
	if (round->mends)
		attach_settings_mend(attachment);
	tend_pins(round, &out->shared);
	tend_connections(round, &out->shared);
	memcpy(out->interfaces, attachment->interfaces, sizeof(out->interfaces));
}

/* What is left of all that was found, but for what nobody can mend from here. */
static bool calls_for_mending(const struct attach_repair *repair)
{
	bool calls = is_left(&repair->shared);

	for (uint32_t i = 0; i < repair->count; i++)
		calls |= is_left(&repair->found[i]) && repair->found[i].error != -ENODEV &&
			 (repair->found[i].missing & ~repair->found[i].mended) !=
				 ATTACH_PART_CARRIER;
	return calls;
}

/* Nobody's turn is in a directory that is gone: it is made again. -ENOENT if that cannot be. */
static int take_turn(const struct attachment *attachment)
{
	int turn = attach_turn(attachment);

	if (turn != -ENOENT ||
	    (mkdir(attachment->pins.directory, DIRECTORY_MODE) < 0 && errno != EEXIST))
		return turn;
	return attach_turn(attachment);
}

/* That an interface is gone needs no turn to be known. */
static void put_off(struct attach_finding *finding, int err)
{
	if (is_left(finding) && finding->error != -ENODEV)
		finding->error = err;
}

static void put_all_off(struct attach_repair *repair, int err)
{
	put_off(&repair->shared, err);
	for (uint32_t i = 0; i < repair->count; i++)
		put_off(&repair->found[i], err);
}

static int first_error(const struct attach_repair *repair)
{
	for (uint32_t i = 0; i < repair->count; i++) {
		if (repair->found[i].error < 0)
			return repair->found[i].error;
	}
	return repair->shared.error;
}

int attach_mend(struct attachment *attachment, struct attach_repair *out)
{
	struct round round = { .attachment = attachment, .turn = -1 };

	look_around(&round, out);
	if (calls_for_mending(out)) {
		cleanup_close int turn = take_turn(attachment);

		/* Without the directory there is no turn to be had, and nobody else to have it. */
		round.mends = turn >= 0 || turn == -ENOENT;
		round.turn = turn;
		if (round.mends)
			look_around(&round, out);
		else
			put_all_off(out, turn == -EBUSY ? -EAGAIN : turn);
	}
	attach_tell(attachment, out);
	return first_error(out);
}
