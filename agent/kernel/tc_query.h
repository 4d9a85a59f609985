/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tc_query.h - what traffic control has on an interface, asked of the kernel by netlink. */
#ifndef AGENT_KERNEL_TC_QUERY_H
#define AGENT_KERNEL_TC_QUERY_H

#include <stdbool.h>

/* Whether filters, anybody's, hang on the clsact qdisc, at ingress or egress. -errno. */
int tc_query_filters(unsigned int interface, bool *any);

/*
 * Whether the place of the clsact qdisc is taken by the older "ingress", which has no
 * egress: a filter that is meant for there would go to the ingress. -errno.
 */
int tc_query_ingress_only(unsigned int interface, bool *ingress_only);

#endif
