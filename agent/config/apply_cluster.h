/* SPDX-License-Identifier: GPL-2.0-or-later */
/* apply_cluster.h - as apply.h, for what the set of proxies and call control are told. */
#ifndef AGENT_CONFIG_APPLY_CLUSTER_H
#define AGENT_CONFIG_APPLY_CLUSTER_H

#include "config/options.h"

/* Of a struct config: "cluster" and "in_cluster", "node", "node_uri". */
int apply_cluster(void *target, const struct option_value *value);
int apply_node(void *target, const struct option_value *value);
int apply_node_uri(void *target, const struct option_value *value);

/* "listen": adds to what is there already, but nothing twice. */
int apply_listen(void *target, const struct option_value *value);

/* "peer": likewise. */
int apply_peers(void *target, const struct option_value *value);

int apply_domain(void *target, const struct option_value *value);

#endif
