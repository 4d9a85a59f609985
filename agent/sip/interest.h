/* SPDX-License-Identifier: GPL-2.0-or-later */
/* interest.h - which messages something is learnt from. */
#ifndef AGENT_SIP_INTEREST_H
#define AGENT_SIP_INTEREST_H

#include <stdbool.h>
#include <stdint.h>

#include "sip/facts.h"

/*
 * True if something is learnt from requests of this method (status 0), or from answers to them
 * with this status. The programs report no more than this; a stream brings everything.
 */
bool interest_in(enum sip_method method, uint16_t status);

#endif
