/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "state/dialogs.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "state/dialog_table.h"
#include "state/paths.h"
#include "state/restored.h"
#include "state/side.h"

struct dialogs {
	struct dialog_table table;
	struct dialogs_options options;
	bool refusing; /* said once, until one fits again */
};

/* One response to an INVITE or UPDATE, while it is worked in. */
struct answer {
	struct dialogs *room;
	const struct transaction *request;
	const struct facts *response;
	struct side side; /* the device's */
	uint64_t invite; /* of an initial INVITE: its name; else 0 */
	uint64_t now_ns;
	struct binding_change *changes;
	size_t change_count;
};

/* What tells an INVITE from the others of its Call-ID; hashed. */
struct invite_identity {
	struct flow flow;
	uint64_t branch;
	uint64_t from_tag;
	uint32_t cseq;
	uint32_t direction;
};

_Static_assert(sizeof(struct invite_identity) == 64,
	       "struct invite_identity is hashed: no hidden padding");

struct dialogs *dialogs_new(const struct dialogs_options *options)
{
	cleanup_free struct dialogs *dialogs = calloc(1, sizeof(*dialogs));

	if (!dialogs || dialog_table_init(&dialogs->table, options->limit))
		return NULL;
	dialogs->options = *options;
	return take_ptr(dialogs);
}

void dialogs_free(struct dialogs *dialogs)
{
	if (!dialogs)
		return;
	dialog_table_clear(&dialogs->table);
	free(dialogs);
}

static bool is_initial_invite(const struct facts *request)
{
	return request->method == SIP_METHOD_INVITE && request->to_tag.length == 0;
}

static uint64_t invite_name(const struct dialogs *room, const struct transaction *request)
{
	const struct dialog_table *table = &room->table;
	struct span branch = request->facts->branch, from_tag = request->facts->from_tag;
	struct invite_identity identity = {
		.flow = request->flow,
		.branch = dialog_table_name(table, branch.at, branch.length),
		.from_tag = dialog_table_name(table, from_tag.at, from_tag.length),
		.cseq = request->facts->cseq,
		.direction = request->direction,
	};

	return dialog_table_name(table, &identity, sizeof(identity));
}

static struct dialog *first_leg(const struct answer *answer)
{
	return dialog_table_first(&answer->room->table, answer->request->facts->call_id);
}

static struct dialog *find_made(const struct answer *answer)
{
	const struct transaction *request = answer->request;

	return dialog_table_find_made(&answer->room->table, request->facts->call_id, &answer->side,
				      answer->invite, &request->flow);
}

static struct dialog *find_known(const struct answer *answer)
{
	const struct transaction *request = answer->request;

	return dialog_table_find_known(&answer->room->table, request->facts->call_id, &answer->side,
				       &request->flow);
}

static void refuse(struct dialogs *room)
{
	count_up(room->options.counts, bindings_refused);
	if (room->refusing || !dialog_table_full(&room->table))
		return;
	room->refusing = true;
	log_warning("%zu legs of dialogs are kept, which is the limit, so new ones are not: raise "
		    "--paths-max",
		    dialog_table_count(&room->table));
}

/* A new leg, or NULL where one is refused. */
static struct dialog *make(const struct answer *answer)
{
	struct dialogs *room = answer->room;
	struct dialog *leg =
		dialog_table_add(&room->table, answer->request->facts->call_id, &answer->side);

	if (!leg) {
		refuse(room);
		return NULL;
	}
	room->refusing &= dialog_table_full(&room->table);
	leg->invite = answer->invite;
	leg->device_called = answer->request->direction == SIGHTING_FROM_DEVICE;
	return leg;
}

static void add_change(struct answer *answer, enum binding_change_kind kind,
		       enum binding_reason reason, struct dialog *leg)
{
	answer->changes[answer->change_count++] = (struct binding_change){
		.kind = kind,
		.reason = reason,
		.binding = &leg->binding,
		.flow = answer->request->flow,
	};
	binding_count_change(answer->room->options.counts, kind);
}

/* Writes down how a leg ends. */
static struct binding_change ending(const struct dialogs *room, struct dialog *leg,
				    enum binding_reason reason, uint64_t now_ns)
{
	uint64_t linger_ns = room->options.linger_ns;
	bool lingers = leg->binding.path && linger_ns > 0;
	struct binding_change change = {
		.kind = lingers ? BINDING_LINGERS : BINDING_ENDS,
		.reason = reason,
		.binding = &leg->binding,
		.ends_ns = now_ns + linger_ns,
	};

	binding_count_change(room->options.counts, change.kind);
	return change;
}

static void end(struct answer *answer, struct dialog *leg, enum binding_reason reason)
{
	answer->changes[answer->change_count++] = ending(answer->room, leg, reason, answer->now_ns);
}

/* When an early leg is given up: sooner, once another fork of its INVITE has been accepted. */
static uint64_t early_end_ns(const struct answer *answer, uint64_t invite)
{
	const struct dialog *leg = first_leg(answer);
	uint64_t ends_ns = answer->now_ns + DIALOG_EARLY_NS;

	for (; leg; leg = dialog_table_next(leg))
		if (invite != 0 && leg->invite == invite && !leg->early &&
		    leg->confirmed_ns + DIALOG_FORK_NS < ends_ns)
			ends_ns = leg->confirmed_ns + DIALOG_FORK_NS;
	return ends_ns;
}

static void keep_early(const struct answer *answer, struct dialog *leg)
{
	leg->binding.expiry = REASON_dialog_unanswered;
	paths_set_end(&leg->binding, early_end_ns(answer, leg->invite));
}

/* What the 2xx says of how long the session lasts (RFC 4028 section 7.2, trap 35). */
static void keep_confirmed(const struct answer *answer, struct dialog *leg)
{
	static const enum session_refresher own_role[] = {
		[SIGHTING_FROM_DEVICE] = REFRESHER_UAC,
		[SIGHTING_TO_DEVICE] = REFRESHER_UAS,
	};
	uint32_t interval_s = answer->response->session_expires;
	uint64_t lasts_ns = answer->room->options.max_lifetime_ns;

	leg->session_expires = interval_s;
	leg->device_refreshes = interval_s != FACTS_UNSTATED &&
				answer->response->refresher == own_role[answer->request->direction];
	leg->binding.expiry = REASON_dialog_too_long;
	if (interval_s != FACTS_UNSTATED && interval_s * NS_PER_S <= lasts_ns) {
		lasts_ns = (interval_s > 0 ? interval_s : 1) * NS_PER_S;
		leg->binding.expiry = REASON_dialog_session_expired;
	}
	paths_set_end(&leg->binding, answer->now_ns + lasts_ns);
}

static void note_accepted(const struct answer *answer, struct dialog *leg)
{
	int64_t *newest = &leg->accepted_cseq[answer->request->direction];
	int64_t cseq = answer->request->facts->cseq;

	leg->accepted_ns = answer->now_ns;
	if (cseq > *newest)
		*newest = cseq;
}

static void note_confirmed(const struct answer *answer, struct dialog *leg)
{
	leg->early = false;
	leg->confirmed_ns = answer->now_ns;
	note_accepted(answer, leg);
}

/* A leg that an initial INVITE has made is where it was, or begins on the INVITE's flow. */
static void settle(struct answer *answer, struct dialog *leg, enum binding_reason reason)
{
	side_introduce(&answer->side, &answer->request->flow, &leg->binding);
	add_change(answer, leg->binding.path ? BINDING_RENEWED : BINDING_BEGINS, reason, leg);
}

static void ring(struct answer *answer)
{
	struct dialog *leg = find_made(answer);

	if (leg ? !leg->early || dialog_has_ended(leg)
		: early_end_ns(answer, answer->invite) <= answer->now_ns)
		return;
	if (!leg)
		leg = make(answer);
	if (!leg)
		return;
	leg->early = true;
	keep_early(answer, leg);
	settle(answer, leg, REASON_dialog_early);
}

/* The other forks of an INVITE that has been accepted have only so long to be accepted, too. */
static void hurry_forks(struct answer *answer)
{
	struct dialog *leg = first_leg(answer);

	for (; leg; leg = dialog_table_next(leg)) {
		if (leg->invite != answer->invite || !leg->early || dialog_has_ended(leg) ||
		    leg->binding.ends_ns <= answer->now_ns + DIALOG_FORK_NS)
			continue;
		paths_set_end(&leg->binding, answer->now_ns + DIALOG_FORK_NS);
		if (leg->binding.path)
			add_change(answer, BINDING_RENEWED, REASON_dialog_early, leg);
	}
}

static void confirm(struct answer *answer)
{
	struct dialog *leg = find_made(answer);

	if (leg && (!leg->early || dialog_has_ended(leg)))
		return; /* trap 39: late, or repeated until the ACK comes */
	count_up(answer->room->options.counts, invites_accepted);
	if (!leg)
		leg = make(answer);
	if (leg) {
		note_confirmed(answer, leg);
		keep_confirmed(answer, leg);
		settle(answer, leg, REASON_dialog_confirmed);
	}
	hurry_forks(answer);
}

static void fail(struct answer *answer)
{
	struct dialog *leg = first_leg(answer);

	for (; leg; leg = dialog_table_next(leg))
		if (leg->invite == answer->invite && leg->early && !dialog_has_ended(leg))
			end(answer, leg, REASON_dialog_failed);
}

/* An UPDATE leaves an early leg early; a re-INVITE says that its INVITE was accepted (trap 45). */
static void keep_refreshed(const struct answer *answer, struct dialog *leg)
{
	if (leg->early && answer->request->facts->method == SIP_METHOD_UPDATE) {
		note_accepted(answer, leg);
		keep_early(answer, leg);
		return;
	}
	if (leg->early)
		note_confirmed(answer, leg);
	else
		note_accepted(answer, leg);
	keep_confirmed(answer, leg);
}

static enum binding_reason refresh_reason(const struct dialog *leg, enum binding_change_kind kind)
{
	if (kind == BINDING_BEGINS)
		return REASON_dialog_found;
	if (kind == BINDING_MOVED)
		return REASON_dialog_moved;
	return leg->early ? REASON_dialog_early : REASON_dialog_confirmed;
}

/* A request inside of a dialog was accepted. */
static void refresh(struct answer *answer)
{
	const struct facts *request = answer->request->facts;
	struct dialog *leg = find_known(answer);
	enum binding_change_kind kind;

	if (leg && (dialog_has_ended(leg) ||
		    request->cseq <= leg->accepted_cseq[answer->request->direction]))
		return;
	count_up(answer->room->options.counts, invites_accepted);
	if (!leg) {
		leg = make(answer);
		if (!leg)
			return;
		count_up(answer->room->options.counts, dialogs_found);
	}
	keep_refreshed(answer, leg);
	side_introduce(&answer->side, &answer->request->flow, &leg->binding);
	kind = binding_kept_on(&leg->binding, &answer->request->flow);
	add_change(answer, kind, refresh_reason(leg, kind), leg);
}

static void lose(struct answer *answer)
{
	struct dialog *leg = find_known(answer);

	if (leg && !dialog_has_ended(leg))
		end(answer, leg, REASON_dialog_gone);
}

static void work_in_initial(struct answer *answer)
{
	uint16_t status = answer->response->status;
	bool told = answer->side.tag.length > 0 && answer->side.peer_tag.length > 0;

	if (status >= 300)
		fail(answer); /* all of them, whichever To tag it has */
	else if (told && status >= 200)
		confirm(answer);
	else if (told && status > 100)
		ring(answer);
}

static void work_in_inside(struct answer *answer)
{
	uint16_t status = answer->response->status;

	if (answer->side.tag.length == 0 || answer->side.peer_tag.length == 0)
		return;
	if (status >= 200 && status <= 299)
		refresh(answer);
	else if (status == 481)
		lose(answer);
}

size_t dialogs_answered(struct dialogs *dialogs, const struct transaction *request,
			const struct facts *response, uint64_t now_ns,
			struct binding_change changes[DIALOG_CHANGES_MAX])
{
	struct answer answer = {
		.room = dialogs,
		.request = request,
		.response = response,
		.side = side_of_answered(request, response),
		.now_ns = now_ns,
		.changes = changes,
	};

	if (is_initial_invite(request->facts)) {
		answer.invite = invite_name(dialogs, request);
		work_in_initial(&answer);
	} else if (request->facts->to_tag.length > 0) {
		work_in_inside(&answer);
	}
	return answer.change_count;
}

size_t dialogs_bye(struct dialogs *dialogs, enum sighting_direction direction,
		   const struct facts *bye, uint64_t now_ns, struct binding_change *change)
{
	struct side side = side_of_request(direction, bye);
	struct dialog *leg;

	if (side.tag.length == 0 || side.peer_tag.length == 0)
		return 0;
	leg = dialog_table_find_live(&dialogs->table, bye->call_id, &side);
	if (!leg)
		return 0;
	*change = ending(dialogs, leg, REASON_dialog_bye, now_ns);
	return 1;
}

void dialogs_write(const struct binding *binding, struct record *record)
{
	const struct dialog *leg = dialog_of(binding);

	record->call_id = leg->call_id;
	record->device_tag = leg->device_tag;
	record->peer_tag = leg->peer_tag;
	record->accepted_ns = leg->accepted_ns;
	record->session_expires = leg->session_expires;
	record->early = leg->early;
	record->device_called = leg->device_called;
	record->device_refreshes = leg->device_refreshes;
}

bool dialogs_restore(struct dialogs *dialogs, const struct record *record,
		     struct binding_change *change)
{
	struct side side = {
		.tag = record->device_tag,
		.peer_tag = record->peer_tag,
		.aor = record->aor,
	};
	struct dialog *leg = dialog_table_add(&dialogs->table, record->call_id, &side);

	if (!leg)
		return false;
	leg->accepted_ns = record->accepted_ns;
	leg->session_expires = record->session_expires;
	leg->early = record->early;
	leg->device_called = record->device_called;
	leg->device_refreshes = record->device_refreshes;
	side_set_target(&leg->binding, record->target);
	*change = binding_restored(&leg->binding, record);
	return true;
}

void dialogs_forget(struct dialogs *dialogs, struct binding *binding)
{
	dialog_table_remove(&dialogs->table, (struct dialog *)(void *)binding);
}

size_t dialogs_count(const struct dialogs *dialogs)
{
	return dialog_table_count(&dialogs->table);
}
