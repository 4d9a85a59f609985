/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "state/subscriptions.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "state/paths.h"
#include "state/restored.h"
#include "state/side.h"
#include "state/subscription_table.h"
#include "state/terminations.h"

struct subscriptions {
	struct subscription_table table;
	struct terminations ended; /* a moment ago */
	struct counts *counts;
	bool refusing; /* said once, until one fits again */
};

struct subscriptions *subscriptions_new(size_t limit, struct counts *counts)
{
	cleanup_free struct subscriptions *subscriptions = calloc(1, sizeof(*subscriptions));

	if (!subscriptions || subscription_table_init(&subscriptions->table, limit) ||
	    terminations_init(&subscriptions->ended))
		return NULL;
	subscriptions->counts = counts;
	return take_ptr(subscriptions);
}

void subscriptions_free(struct subscriptions *subscriptions)
{
	if (!subscriptions)
		return;
	subscription_table_clear(&subscriptions->table);
	free(subscriptions);
}

/* Compared byte by byte (RFC 6665 section 8.2.1). */
static bool is_usage(const struct subscription *subscription, struct span device_tag,
		     const struct facts *facts)
{
	return span_equal(subscription->device_tag, device_tag) &&
	       span_equal(subscription->event, facts->event) &&
	       span_equal(subscription->event_id, facts->event_id);
}

/* The subscription of the device that this SUBSCRIBE or NOTIFY is about, or NULL. */
static struct subscription *find(const struct subscriptions *room, struct span device_tag,
				 const struct facts *facts)
{
	struct subscription *subscription = subscription_table_first(&room->table, facts->call_id);

	for (; subscription; subscription = subscription_table_next(subscription))
		if (is_usage(subscription, device_tag, facts))
			return subscription;
	return NULL;
}

/* The only one that the device has under this Call-ID, or NULL. */
static struct subscription *find_only(const struct subscriptions *room, struct span device_tag,
				      const struct facts *facts)
{
	struct subscription *subscription = subscription_table_first(&room->table, facts->call_id);
	struct subscription *only = NULL;

	for (; subscription; subscription = subscription_table_next(subscription)) {
		if (!span_equal(subscription->device_tag, device_tag))
			continue;
		if (only)
			return NULL;
		only = subscription;
	}
	return only;
}

static void write_change(const struct subscriptions *room, struct binding_change *change,
			 enum binding_change_kind kind, enum binding_reason reason,
			 struct subscription *subscription)
{
	*change = (struct binding_change){
		.kind = kind,
		.reason = reason,
		.binding = &subscription->binding,
	};
	binding_count_change(room->counts, kind);
}

static void refuse(struct subscriptions *room)
{
	count_up(room->counts, bindings_refused);
	if (room->refusing || !subscription_table_full(&room->table))
		return;
	room->refusing = true;
	log_warning("%zu subscriptions are kept, which is the limit, so new ones are not: raise "
		    "--paths-max",
		    subscription_table_count(&room->table));
}

static struct subscription *make(struct subscriptions *room, const struct side *side,
				 const struct facts *request)
{
	struct subscription *subscription = subscription_table_add(&room->table, side, request);

	if (subscription)
		room->refusing &= subscription_table_full(&room->table);
	else
		refuse(room);
	return subscription;
}

static uint32_t lifetime_of(const struct facts *request, const struct facts *response)
{
	uint32_t lifetime_s = response->expires;

	if (lifetime_s == FACTS_UNSTATED)
		lifetime_s = request->expires;
	if (lifetime_s == FACTS_UNSTATED)
		return SUBSCRIPTION_LIFETIME_DEFAULT_S;
	return lifetime_s < SUBSCRIPTION_LIFETIME_MAX_S ? lifetime_s : SUBSCRIPTION_LIFETIME_MAX_S;
}

static bool is_relayed(const struct transaction *request)
{
	return side_is_relayed(request->direction, request->facts);
}

static bool is_on(const struct subscription *subscription, const struct flow *flow)
{
	return binding_kept_on(&subscription->binding, flow) == BINDING_RENEWED;
}

/* The subscription is kept for so long from now on, on the flow of the request. */
static void keep(const struct subscriptions *room, struct subscription *subscription,
		 const struct transaction *request, const struct side *side, uint64_t ends_ns,
		 struct binding_change *change)
{
	enum binding_change_kind kind = binding_kept_on(&subscription->binding, &request->flow);

	subscription->cseq = request->facts->cseq;
	if (!is_relayed(request))
		side_introduce(side, &request->flow, &subscription->binding);
	paths_set_end(&subscription->binding, ends_ns);
	write_change(room, change, kind,
		     kind == BINDING_MOVED ? REASON_subscription_moved : REASON_subscribed,
		     subscription);
	change->flow = request->flow;
}

/* Ends it, and so does whatever else this SUBSCRIBE or an earlier one is answered with. */
static void unsubscribe(struct subscriptions *room, struct subscription *subscription,
			const struct transaction *request, enum binding_reason reason,
			uint64_t now_ns, struct binding_change *change)
{
	terminations_note(&room->ended, &request->flow, subscription->device_tag, request->facts,
			  request->facts->cseq, 0, now_ns);
	write_change(room, change, BINDING_ENDS, reason, subscription);
}

/* True if a SUBSCRIBE that was accepted, and whose subscription is not known, makes one. */
static bool may_begin(struct subscriptions *room, const struct transaction *request,
		      const struct side *side, uint64_t now_ns)
{
	return !is_relayed(request) &&
	       !terminations_cover(&room->ended, &request->flow, side->tag, request->facts,
				   request->seen_ns, now_ns);
}

static size_t accept(struct subscriptions *room, struct subscription *subscription,
		     const struct transaction *request, const struct side *side,
		     uint32_t lifetime_s, uint64_t now_ns, struct binding_change *change)
{
	count_up(room->counts, subscribes_accepted);
	if (!subscription && lifetime_s > 0 && may_begin(room, request, side, now_ns))
		subscription = make(room, side, request->facts);
	if (!subscription)
		return 0;
	if (lifetime_s > 0)
		keep(room, subscription, request, side, now_ns + lifetime_s * NS_PER_S, change);
	else
		unsubscribe(room, subscription, request, REASON_unsubscribed, now_ns, change);
	return 1;
}

/* Trap 32: what another proxy has passed on is about what is on its flow already. */
static bool is_elsewhere(const struct subscription *subscription, const struct transaction *request)
{
	return is_relayed(request) && !is_on(subscription, &request->flow);
}

size_t subscriptions_answered(struct subscriptions *subscriptions,
			      const struct transaction *request, const struct facts *response,
			      uint64_t now_ns, struct binding_change *change)
{
	struct side side = side_of_answered(request, response);
	struct subscription *subscription;

	if (side.tag.length == 0)
		return 0;
	subscription = find(subscriptions, side.tag, request->facts);
	if (subscription &&
	    (request->facts->cseq <= subscription->cseq || is_elsewhere(subscription, request)))
		return 0;
	if (response->status >= 200 && response->status <= 299)
		return accept(subscriptions, subscription, request, &side,
			      lifetime_of(request->facts, response), now_ns, change);
	if (response->status != 481 || !subscription || !is_on(subscription, &request->flow))
		return 0;
	unsubscribe(subscriptions, subscription, request, REASON_subscription_gone, now_ns, change);
	return 1;
}

/* 1 if the NOTIFY's expires parameter makes the subscription shorter, else 0. */
static size_t shorten(const struct subscriptions *room, struct subscription *subscription,
		      const struct facts *notify, uint64_t now_ns, struct binding_change *change)
{
	uint64_t ends_ns = now_ns + notify->subscription_expires * NS_PER_S;

	if (notify->subscription_expires == FACTS_UNSTATED ||
	    ends_ns >= subscription->binding.ends_ns)
		return 0;
	paths_set_end(&subscription->binding, ends_ns);
	if (!subscription->binding.path)
		return 0;
	write_change(room, change, BINDING_RENEWED, REASON_subscribed, subscription);
	return 1;
}

/* What is asked for already is over, though it may be accepted yet. */
static size_t terminate(struct subscriptions *room, struct subscription *subscription,
			const struct flow *flow, struct span device_tag, const struct facts *notify,
			uint64_t now_ns, struct binding_change *change)
{
	struct facts usage = { .call_id = notify->call_id,
			       .event = subscription ? subscription->event : notify->event,
			       .event_id =
				       subscription ? subscription->event_id : notify->event_id };

	if (usage.event.length > 0)
		terminations_note(&room->ended, flow, device_tag, &usage,
				  subscription ? subscription->cseq : 0, now_ns, now_ns);
	if (!subscription)
		return 0;
	write_change(room, change, BINDING_ENDS, REASON_subscription_terminated, subscription);
	return 1;
}

size_t subscriptions_notified(struct subscriptions *subscriptions, const struct flow *flow,
			      enum sighting_direction direction, const struct facts *notify,
			      uint64_t now_ns, struct binding_change *change)
{
	struct span tag = side_of_request(direction, notify).tag;
	struct subscription *subscription;

	if (tag.length == 0)
		return 0;
	subscription = notify->event.length > 0 ? find(subscriptions, tag, notify)
						: find_only(subscriptions, tag, notify);
	if (subscription && !side_is_near(&subscription->binding, flow))
		return 0;
	if (notify->subscription_state == SUBSCRIPTION_TERMINATED)
		return terminate(subscriptions, subscription, flow, tag, notify, now_ns, change);
	return subscription ? shorten(subscriptions, subscription, notify, now_ns, change) : 0;
}

void subscriptions_write(const struct binding *binding, struct record *record)
{
	const struct subscription *subscription = subscription_of(binding);

	record->call_id = subscription->call_id;
	record->device_tag = subscription->device_tag;
	record->event = subscription->event;
	record->event_id = subscription->event_id;
	record->cseq = subscription->cseq;
}

bool subscriptions_restore(struct subscriptions *subscriptions, const struct record *record,
			   struct binding_change *change)
{
	struct side side = { .tag = record->device_tag, .aor = record->aor };
	struct facts facts = {
		.call_id = record->call_id,
		.event = record->event,
		.event_id = record->event_id,
	};
	struct subscription *subscription =
		subscription_table_add(&subscriptions->table, &side, &facts);

	if (!subscription)
		return false;
	subscription->cseq = record->cseq;
	side_set_target(&subscription->binding, record->target);
	*change = binding_restored(&subscription->binding, record);
	return true;
}

void subscriptions_forget(struct subscriptions *subscriptions, struct binding *binding)
{
	subscription_table_remove(&subscriptions->table, (struct subscription *)(void *)binding);
}

size_t subscriptions_count(const struct subscriptions *subscriptions)
{
	return subscription_table_count(&subscriptions->table);
}
