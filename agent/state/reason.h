/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * reason.h - why a binding begins, changes or ends: what "sippath events" says of the
 * seed's FIG. 2.
 */
#ifndef AGENT_STATE_REASON_H
#define AGENT_STATE_REASON_H

/* X(name, what happened); written down by number: new ones come last */
#define BINDING_REASONS(X) \
	X(registered, "registered") \
	X(registration_moved, "the registration moved to another path") \
	X(unregistered, "unregistered") \
	X(registration_expired, "the registration ran out") \
	X(subscribed, "subscribed") \
	X(subscription_moved, "the subscription moved to another path") \
	X(unsubscribed, "unsubscribed") \
	X(subscription_terminated, "NOTIFY terminated the subscription") \
	X(subscription_expired, "the subscription ran out") \
	X(dialog_early, "INVITE is ringing") \
	X(dialog_confirmed, "INVITE was accepted") \
	X(dialog_found, "a request inside of a dialog was accepted") \
	X(dialog_moved, "the dialog moved to another path") \
	X(dialog_failed, "INVITE was rejected or cancelled") \
	X(dialog_bye, "BYE") \
	X(dialog_gone, "the dialog is not known any more (481)") \
	X(dialog_unanswered, "INVITE got no final answer") \
	X(dialog_session_expired, "the session timer ran out") \
	X(dialog_too_long, "dialogs.max_lifetime is over") \
	X(linger_over, "lingering is over") \
	X(connected, "connected") \
	X(remembered, "remembered from before the restart") \
	X(disconnected, "the connection is gone") \
	X(dialog_unacknowledged, "INVITE was accepted, and that never acknowledged") \
	X(subscription_gone, "the subscription is not known any more (481)") \
	X(registered_elsewhere, "the device has registered through another node") \
	X(dropped, "dropped by an order")

#define BINDING_REASON_ENUM_(name, text) REASON_##name,

enum binding_reason { BINDING_REASONS(BINDING_REASON_ENUM_) REASON_MAX };

#undef BINDING_REASON_ENUM_

/* What happened, for people: "the registration ran out". */
const char *reason_text(enum binding_reason reason);

/* The same for programs: "registration_expired". */
const char *reason_name(enum binding_reason reason);

#endif
