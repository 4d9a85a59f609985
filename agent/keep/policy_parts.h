/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * policy_parts.h - what the parts of the policy share: policy.c judges a path, outcome.c applies
 * the verdict. Nobody else includes it.
 */
#ifndef AGENT_KEEP_POLICY_PARTS_H
#define AGENT_KEEP_POLICY_PARTS_H

#include "keep/policy.h"

/*
 * When the device was heard last. The answer to the path's own prompt is stamped with the
 * precise clock, too, and so tells more than the coarse stamp of the same packet.
 */
uint64_t policy_heard_ns(const struct path *path, const struct path_entry *entry);

/* False where nobody need answer a prompt of that method. */
bool policy_expects_answers(const struct path *path);

#endif
