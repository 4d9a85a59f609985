/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kept_key.h - the key by which call control recognizes what it has passed on, kept in a file:
 * calls that ring while it starts again go on ringing.
 */
#ifndef AGENT_CALLCONTROL_KEPT_KEY_H
#define AGENT_CALLCONTROL_KEPT_KEY_H

#include "base/hash.h"

/* In the state directory; servers that answer at one address have copies of one. */
#define KEPT_KEY_FILE "call-control.key"

/*
 * The key of that directory, made if there is none. If it can neither be read nor kept there is one
 * for this run, after a warning. -errno after one log line if there is no randomness.
 */
int kept_key_get(const char *directory, struct hash_key *key);

#endif
