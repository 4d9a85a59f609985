/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sip/refinement.h"

#include "base/number.h"
#include "sip/values.h"

/* A number that cannot be read, or is beyond what can be told, is not made up. */
static uint32_t read_seconds(struct span text)
{
	uint64_t seconds;

	return number_read(text, 0, FACTS_UNSTATED - 1, &seconds) ? FACTS_UNSTATED
								  : (uint32_t)seconds;
}

void refinement_event(struct span value, struct facts *facts)
{
	struct token_value event;
	struct span id;

	facts->event = (struct span){ NULL, 0 };
	facts->event_id = (struct span){ NULL, 0 };
	if (value_read_token(value, &event) ||
	    value_find_parameter(event.parameters, SPAN("id"), &id))
		return;
	facts->event = event.token;
	if (id.length > 0)
		facts->event_id = id;
}

void refinement_subscription_state(struct span value, struct facts *facts)
{
	struct token_value state;
	struct span expires;

	facts->subscription_state = SUBSCRIPTION_UNSTATED;
	facts->subscription_expires = FACTS_UNSTATED;
	if (value_read_token(value, &state))
		return;
	facts->subscription_state = span_equal_nocase(state.token, SPAN("terminated"))
					    ? SUBSCRIPTION_TERMINATED
					    : SUBSCRIPTION_LIVE;
	if (value_find_parameter(state.parameters, SPAN("expires"), &expires) == 0)
		facts->subscription_expires = read_seconds(expires);
}

static enum session_refresher read_refresher(struct span parameters)
{
	struct span refresher;

	if (value_find_parameter(parameters, SPAN("refresher"), &refresher))
		return REFRESHER_UNSTATED;
	if (span_equal_nocase(refresher, SPAN("uac")))
		return REFRESHER_UAC;
	return span_equal_nocase(refresher, SPAN("uas")) ? REFRESHER_UAS : REFRESHER_UNSTATED;
}

void refinement_session_expires(struct span value, struct facts *facts)
{
	struct token_value session;

	facts->session_expires = FACTS_UNSTATED;
	facts->refresher = REFRESHER_UNSTATED;
	if (value_read_token(value, &session))
		return;
	facts->session_expires = read_seconds(session.token);
	if (facts->session_expires != FACTS_UNSTATED)
		facts->refresher = read_refresher(session.parameters);
}
