/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * notation.h - locations, nodes and orders as they are written in Redis: text that a person can
 * read with redis-cli, and that is taken for garbage unless every word of it is right.
 *
 *     sippath:nodes               hash    NAME -> a node
 *     sippath:aor:AOR             hash    a location's field -> its value; expires with the last end
 *     sippath:changes             stream  n SEQUENCE, a AOR, f FIELD, v VALUE ("" once it is gone)
 *     sippath:sequence            number  of the latest change
 *     sippath:orders:NAME         stream  o ORDER
 *
 *     field of a location   KIND NODE DEVICE            "r b <urn:uuid:...>#1"
 *     its value             1 EPOCH ACCEPTED ENDS HEARD HEALTH FLOW
 *     a node                1 INCARNATION BEAT BEGUN WHOLE PATHS LAG serving|draining URI
 *     an order              1 NAME ISSUED [FLOW] or 1 leave ISSUED ACCEPTED NODE LENGTH AOR DEVICE
 *
 * KIND is r, s, d or l (registration, subscription, dialog, lingering); HEALTH as
 * path_health_name(); FLOW as flow_write(), three words; LENGTH that of the AOR in bytes. Times
 * in ms. BEGUN is at most 2^53 - 1, and WHOLE at most BEGUN. ACCEPTED of an order is as NAME itself
 * has written it of what it is to end. The "1" is the version of the notation: another one is
 * garbage to this one.
 *
 * The scripts (put.lua, drop.lua, beat.lua) write the same notation; put.lua reads locations, and
 * beat.lua nodes, as these functions do.
 */
#ifndef AGENT_CLUSTER_NOTATION_H
#define AGENT_CLUSTER_NOTATION_H

#include "base/text.h"
#include "cluster/location.h"
#include "cluster/node.h"
#include "cluster/order.h"

#define NOTATION_NODES "sippath:nodes"
#define NOTATION_AOR "sippath:aor:"
#define NOTATION_CHANGES "sippath:changes"
#define NOTATION_SEQUENCE "sippath:sequence"
#define NOTATION_ORDERS "sippath:orders:"

/* Room for any field, value, node or order. */
#define NOTATION_MAX (2 * LOCATION_TEXT_MAX + 512)

/* These append; the text's overflow says if something did not fit. */
void notation_write_field(struct text *out, const struct location *location);
void notation_write_value(struct text *out, const struct location *location);
void notation_write_order(struct text *out, const struct order *order);

/*
 * A node is written in two pieces, between which beat.lua puts the time by its own clock:
 * "1 INCARNATION" and "BEGUN WHOLE ...".
 */
void notation_write_node_head(struct text *out, const struct node *node);
void notation_write_node_tail(struct text *out, const struct node *node);

/*
 * These read what is above; -EBADMSG for garbage, *out is untouched then. Spans point into
 * what was read. A location's AOR stands in its key: it is absent, and the caller's to set.
 */
int notation_read_location(struct span field, struct span value, struct location *out);

/* Of the field alone: node, kind and device; all else is zero. */
int notation_read_field(struct span field, struct location *out);
int notation_read_node(struct span name, struct span value, struct node *out);
int notation_read_order(struct span text, struct order *out);

/* The AOR of a key that begins with NOTATION_AOR; absent if it does not. */
struct span notation_aor_of(struct span key);

#endif
