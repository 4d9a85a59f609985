/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tc_filters.h - whether filters, anybody's, hang on an interface's clsact qdisc. */
#ifndef AGENT_KERNEL_TC_FILTERS_H
#define AGENT_KERNEL_TC_FILTERS_H

/* 1 if there are any, at ingress or egress; 0 if not; -errno. */
int tc_filters_any(unsigned int interface);

#endif
