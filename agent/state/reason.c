/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "state/reason.h"

#define REASON_TEXT_(name, text) [REASON_##name] = (text),
#define REASON_NAME_(name, text) [REASON_##name] = #name,

static const char *const texts[] = { BINDING_REASONS(REASON_TEXT_) };
static const char *const names[] = { BINDING_REASONS(REASON_NAME_) };

const char *reason_text(enum binding_reason reason)
{
	return texts[reason];
}

const char *reason_name(enum binding_reason reason)
{
	return names[reason];
}
