/* SPDX-License-Identifier: GPL-2.0-or-later */
/* span_pack.h - keeps several texts in one allocation. */
#ifndef AGENT_STATE_SPAN_PACK_H
#define AGENT_STATE_SPAN_PACK_H

#include "base/span.h"

/* Copies a text to *at, moves *at past it and returns the copy; an absent one stays absent. */
static inline struct span span_pack(struct span text, char **at)
{
	struct span packed = { *at, text.length };

	if (!text.at)
		return text;
	memcpy(*at, text.at, text.length);
	*at += text.length;
	return packed;
}

#endif
