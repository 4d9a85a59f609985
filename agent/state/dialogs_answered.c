/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/clock.h"
#include "state/dialogs_parts.h"
#include "state/paths.h"
#include "state/side.h"

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
	struct dialog *displaced; /* a leg that makes room for another, or NULL */
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

/* A new leg, or NULL where one is refused. */
static struct dialog *make(const struct answer *answer)
{
	const struct transaction *request = answer->request;
	struct dialog *leg = dialogs_add(answer->room, request->facts->call_id, &answer->side);

	if (!leg)
		return NULL;
	leg->invite = answer->invite;
	leg->device_called = request->direction == SIGHTING_FROM_DEVICE;
	return leg;
}

/* The leg makes room for another; its end is added last. */
static void displace(struct answer *answer, struct dialog *leg)
{
	dialog_table_displace(&answer->room->table, leg);
	answer->displaced = leg;
}

/* A new leg of a dialog that was accepted: one that only rings, or lingers, makes room for it. */
static struct dialog *make_accepted(struct answer *answer)
{
	const struct dialog_table *table = &answer->room->table;
	struct span call_id = answer->request->facts->call_id;
	struct dialog *lesser = dialog_table_has_room(table, call_id)
					? NULL
					: dialog_table_find_lesser(table, call_id);

	if (lesser)
		displace(answer, lesser);
	return make(answer);
}

/*
 * A leg begins that a request inside of its dialog reveals. It takes over what is known of
 * the one that it succeeds, which has ended, as it seemed; NULL if there is none.
 */
static struct dialog *reveal(struct answer *answer, struct dialog *former)
{
	struct dialog *leg;

	if (!former)
		return make_accepted(answer);
	displace(answer, former);
	leg = make(answer);
	if (!leg)
		return NULL;
	leg->early = former->early;
	leg->device_called = former->device_called;
	leg->confirmed_ns = former->confirmed_ns;
	for (size_t i = 0; i < 2; i++)
		leg->accepted_cseq[i] = former->accepted_cseq[i];
	paths_set_nat(&leg->binding, former->binding.behind_nat);
	side_set_target(&leg->binding, former->binding.target);
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

static void end(struct answer *answer, struct dialog *leg, enum binding_reason reason)
{
	answer->changes[answer->change_count++] =
		dialogs_end(answer->room, leg, reason, answer->now_ns);
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
	const struct facts *response = answer->response;

	leg->session_expires = response->session_expires;
	leg->device_refreshes = response->session_expires != FACTS_UNSTATED &&
				response->refresher == own_role[answer->request->direction];
	dialogs_time_session(answer->room, leg);
}

/*
 * Whoever sent the INVITE may have written another's address into it, and what the server
 * answers goes there: only an ACK, which has the tag of that answer, says that it was read
 * there. Who gets none ends the session after 64*T1 (RFC 3261 section 13.3.1.4).
 */
static void await_acknowledgement(const struct answer *answer, struct dialog *leg)
{
	uint64_t ends_ns = answer->now_ns + DIALOG_ACK_NS;

	if (answer->request->direction != SIGHTING_FROM_DEVICE || leg->binding.ends_ns <= ends_ns)
		return;
	leg->binding.expiry = REASON_dialog_unacknowledged;
	paths_set_end(&leg->binding, ends_ns);
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

static bool may_ring(const struct answer *answer)
{
	const struct dialog *leg = first_leg(answer);
	size_t count = 0;

	for (; leg; leg = dialog_table_next(leg))
		count += leg->invite == answer->invite && leg->early && !dialog_has_ended(leg);
	return count < DIALOG_EARLY_MAX;
}

static void ring(struct answer *answer)
{
	struct dialog *leg = find_made(answer);

	if (leg ? !leg->early || dialog_has_ended(leg)
		: early_end_ns(answer, answer->invite) <= answer->now_ns)
		return;
	if (!leg && !may_ring(answer)) {
		dialogs_refuse(answer->room);
		return;
	}
	if (!leg)
		leg = make(answer);
	if (!leg)
		return;
	leg->early = true;
	keep_early(answer, leg);
	settle(answer, leg, REASON_dialog_early);
}

/* The fork is over, before its INVITE is (199, RFC 6228). */
static void end_fork(struct answer *answer)
{
	struct dialog *leg = find_made(answer);

	if (leg && leg->early && !dialog_has_ended(leg))
		end(answer, leg, REASON_dialog_failed);
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
		leg = make_accepted(answer);
	if (leg) {
		note_confirmed(answer, leg);
		keep_confirmed(answer, leg);
		await_acknowledgement(answer, leg);
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

/* Newer than what was accepted before, and asked for after the leg has ended, if it has. */
static bool is_news(const struct answer *answer, const struct dialog *leg)
{
	const struct transaction *request = answer->request;

	return request->facts->cseq > leg->accepted_cseq[request->direction] &&
	       (!dialog_has_ended(leg) || request->seen_ns > leg->ended_ns);
}

/* What another proxy has passed on says nothing of where a device is (trap 32). */
static bool tells_place(const struct answer *answer)
{
	return !side_is_relayed(answer->request->direction, answer->request->facts);
}

static bool is_kept_there(const struct answer *answer, const struct dialog *leg)
{
	return leg && !dialog_has_ended(leg) &&
	       binding_kept_on(&leg->binding, &answer->request->flow) == BINDING_RENEWED;
}

/* A request inside of a dialog was accepted. */
static void refresh(struct answer *answer)
{
	struct dialog *leg = find_known(answer);
	enum binding_change_kind kind;

	if ((leg && !is_news(answer, leg)) || (!tells_place(answer) && !is_kept_there(answer, leg)))
		return;
	count_up(answer->room->options.counts, invites_accepted);
	if (!leg || dialog_has_ended(leg)) {
		leg = reveal(answer, leg);
		if (!leg)
			return;
		count_up(answer->room->options.counts, dialogs_found);
	}
	keep_refreshed(answer, leg);
	if (tells_place(answer))
		side_introduce(&answer->side, &answer->request->flow, &leg->binding);
	kind = binding_kept_on(&leg->binding, &answer->request->flow);
	add_change(answer, kind, refresh_reason(leg, kind), leg);
}

/* Only where the leg is, and by an answer to what is newer than what was accepted. */
static void lose(struct answer *answer)
{
	const struct transaction *request = answer->request;
	struct dialog *leg = dialog_table_find_on(&answer->room->table, request->facts->call_id,
						  &answer->side, &request->flow);

	if (leg && !leg->early && !dialog_has_ended(leg) && is_news(answer, leg))
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
	else if (told && status == 199)
		end_fork(answer);
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
	else if (status == 408 || status == 481)
		lose(answer);
}

/* A leg that has given its place away leaves after what began instead: its path stays open. */
static void add_displaced(struct answer *answer)
{
	struct dialog *leg = answer->displaced;

	if (leg)
		add_change(answer, BINDING_ENDS,
			   leg->binding.kind == BINDING_LINGERING ? REASON_linger_over
								  : REASON_dialog_unanswered,
			   leg);
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
	add_displaced(&answer);
	return answer.change_count;
}
