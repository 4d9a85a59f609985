/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dialog.h - one device's leg of a dialog: the noun of the dialogs room. */
#ifndef AGENT_STATE_DIALOG_H
#define AGENT_STATE_DIALOG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/table.h"
#include "sip/facts.h"
#include "state/binding.h"

/* One Call-ID has at most so many legs: forks, and both sides of a call. */
#define DIALOG_LEGS_MAX 64

/* One INVITE has at most so many that ring at once: they leave room for what is accepted. */
#define DIALOG_EARLY_MAX 32

/*
 * The leg between the SIP server and one device. The two legs of a call through a proxy
 * have one Call-ID and the same two tags: they are told apart by which tag is the
 * device's own (trap 36). A B2BUA gives each leg a Call-ID of its own. A call that spirals
 * through another proxy has one more leg there, the same one but for its flow.
 */
struct dialog {
	struct binding binding; /* first; target is the device's Contact, if it is known */
	struct span call_id; /* owned by the room, as are the tags */
	struct span device_tag;
	struct span peer_tag;
	uint64_t invite; /* a keyed hash that names the INVITE that made it; 0 if it was found */
	uint64_t accepted_ns; /* when its newest request was accepted; 0 for none */
	uint64_t confirmed_ns; /* when its INVITE was accepted, as far as is known */
	uint64_t ended_ns; /* when it began to linger, 0 if it has not, or that is not known */
	int64_t accepted_cseq[2]; /* of that, by enum sighting_direction; -1 for none */
	uint32_t session_expires; /* seconds, FACTS_UNSTATED without a session timer */
	bool early;
	bool device_called; /* the device sent the INVITE that made it, or the request it was found by */
	bool device_refreshes; /* the session timer's refresher is the device */
	bool displaced; /* its end is written down: it only waits for being forgotten */
	struct table_node by_call_id; /* owned by state/dialog_table */
};

/* The dialog's leg that a binding of kind BINDING_DIALOG or BINDING_LINGERING is. */
static inline const struct dialog *dialog_of(const struct binding *binding)
{
	return (const struct dialog *)(const void *)binding;
}

/* It only lingers yet. */
static inline bool dialog_has_ended(const struct dialog *dialog)
{
	return dialog->binding.kind == BINDING_LINGERING || dialog->displaced;
}

#endif
