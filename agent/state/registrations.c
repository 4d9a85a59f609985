/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "state/registrations.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "state/contact.h"
#include "state/grant.h"
#include "state/nat.h"
#include "state/paths.h"
#include "state/registration_table.h"
#include "state/restored.h"
#include "state/uri.h"

_Static_assert(REGISTRATIONS_PER_AOR_MAX <= REGISTRATION_CHANGES_MAX &&
		       FACTS_CONTACTS_MAX <= REGISTRATION_CHANGES_MAX,
	       "one REGISTER ends all of an AOR, or changes one registration for each Contact");

struct registrations {
	struct registration_table table;
	struct counts *counts;
	bool refusing; /* said once, until one fits again */
};

/* One accepted REGISTER, while it is worked in. */
struct acceptance {
	struct registrations *room;
	const struct transaction *request;
	uint64_t accepted_ns;
	struct span aor; /* folded */
	uint32_t lifetimes_s[FACTS_CONTACTS_MAX]; /* of the request's Contacts */
	struct binding_change *changes;
	size_t change_count;
	bool stale; /* something newer was known */
};

/* contact_same_binding() or contact_same_device() */
typedef bool (*contact_sameness)(const struct facts_contact *, const struct facts_contact *);

struct registrations *registrations_new(size_t limit, struct counts *counts)
{
	cleanup_free struct registrations *registrations = calloc(1, sizeof(*registrations));

	if (!registrations || registration_table_init(&registrations->table, limit))
		return NULL;
	registrations->counts = counts;
	return take_ptr(registrations);
}

void registrations_free(struct registrations *registrations)
{
	if (!registrations)
		return;
	registration_table_clear(&registrations->table);
	free(registrations);
}

/* The first registration of the AOR; registration_table_next() gives the others. */
static struct registration *first_of_aor(const struct acceptance *acceptance)
{
	return registration_table_first(&acceptance->room->table, acceptance->aor);
}

static struct facts_contact contact_of(const struct registration *registration)
{
	return (struct facts_contact){
		.uri = registration->binding.target,
		.instance = registration->instance,
		.reg_id = registration->reg_id,
	};
}

static struct registration *find(const struct acceptance *acceptance,
				 const struct facts_contact *contact, contact_sameness same)
{
	struct registration *registration = first_of_aor(acceptance);

	for (; registration; registration = registration_table_next(registration)) {
		struct facts_contact known = contact_of(registration);

		if (same(contact, &known))
			return registration;
	}
	return NULL;
}

static bool same_call_id(const struct acceptance *acceptance,
			 const struct registration *registration)
{
	return span_equal(registration->call_id, acceptance->request->facts->call_id);
}

static bool same_flow(const struct flow *a, const struct flow *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

/* The flows differ in nothing but the remote side, if at all. */
static bool same_local_side(const struct flow *a, const struct flow *b)
{
	struct flow other = *b;

	memcpy(other.remote_addr, a->remote_addr, sizeof(other.remote_addr));
	other.remote_port = a->remote_port;
	return same_flow(a, &other);
}

/*
 * The registration may be this Contact's under another URI: made by the same user
 * agent, as far as a Call-ID can tell, and towards the same local side (trap 5).
 */
static bool same_user_agent(const struct acceptance *acceptance,
			    const struct facts_contact *contact,
			    const struct registration *registration)
{
	const struct path *path = registration->binding.path;

	if (!same_call_id(acceptance, registration))
		return false;
	if (contact->instance.length > 0 && registration->instance.length > 0)
		return false;
	return !path || same_local_side(&path->flow, &acceptance->request->flow);
}

static bool changed_already(const struct acceptance *acceptance,
			    const struct registration *registration)
{
	for (size_t i = 0; i < acceptance->change_count; i++)
		if (acceptance->changes[i].binding == &registration->binding)
			return true;
	return false;
}

static bool removed_by_request(const struct acceptance *acceptance,
			       const struct registration *registration)
{
	const struct facts *facts = acceptance->request->facts;
	struct facts_contact known = contact_of(registration);

	for (uint32_t i = 0; i < facts->contact_count; i++)
		if (acceptance->lifetimes_s[i] == 0 &&
		    contact_same_binding(&facts->contacts[i], &known))
			return true;
	return false;
}

/* Its device has left it: for another mapping, or by removing it in this very REGISTER. */
static bool is_left(const struct acceptance *acceptance, const struct registration *registration)
{
	const struct path *path = registration->binding.path;

	return !path || !same_flow(&path->flow, &acceptance->request->flow) ||
	       removed_by_request(acceptance, registration);
}

static struct registration *find_left(const struct acceptance *acceptance,
				      const struct facts_contact *contact)
{
	struct registration *registration = first_of_aor(acceptance);

	for (; registration; registration = registration_table_next(registration))
		if (same_user_agent(acceptance, contact, registration) &&
		    !changed_already(acceptance, registration) && is_left(acceptance, registration))
			return registration;
	return NULL;
}

/* The registration that the Contact's device has, or NULL. */
static struct registration *find_device(const struct acceptance *acceptance,
					const struct facts_contact *contact)
{
	struct registration *registration = find(acceptance, contact, contact_same_binding);

	if (!registration)
		registration = find(acceptance, contact, contact_same_device);
	return registration ? registration : find_left(acceptance, contact);
}

/* What is known is newer than this REGISTER (traps 27, 30). */
static bool is_newer(struct acceptance *acceptance, const struct registration *registration)
{
	bool newer = acceptance->accepted_ns < registration->accepted_ns ||
		     (same_call_id(acceptance, registration) &&
		      acceptance->request->facts->cseq < registration->cseq);

	acceptance->stale |= newer;
	return newer;
}

/* This REGISTER tells nothing more of the registration. */
static bool is_settled(struct acceptance *acceptance, const struct registration *registration)
{
	if (changed_already(acceptance, registration) || is_newer(acceptance, registration))
		return true;
	return same_call_id(acceptance, registration) &&
	       acceptance->request->facts->cseq == registration->cseq;
}

/* The user agent of an unknown Contact has registered since: it does without this one now. */
static bool was_dropped(struct acceptance *acceptance, const struct facts_contact *contact)
{
	struct registration *registration = first_of_aor(acceptance);

	for (; registration; registration = registration_table_next(registration))
		if (same_user_agent(acceptance, contact, registration) &&
		    is_newer(acceptance, registration))
			return true;
	return false;
}

static void add_change(struct acceptance *acceptance, enum binding_change_kind kind,
		       struct registration *registration)
{
	static const enum binding_reason reasons[] = {
		[BINDING_BEGINS] = REASON_registered,
		[BINDING_RENEWED] = REASON_registered,
		[BINDING_MOVED] = REASON_registration_moved,
		[BINDING_ENDS] = REASON_unregistered,
	};

	acceptance->changes[acceptance->change_count++] = (struct binding_change){
		.kind = kind,
		.reason = reasons[kind],
		.binding = &registration->binding,
		.flow = acceptance->request->flow,
	};
	binding_count_change(acceptance->room->counts, kind);
}

static void refuse(struct registrations *room)
{
	count_up(room->counts, bindings_refused);
	if (room->refusing || !registration_table_full(&room->table))
		return;
	room->refusing = true;
	log_warning("%zu registrations are kept, which is the limit (%u for each of paths-max), so "
		    "new ones are not: raise --paths-max",
		    registration_table_count(&room->table), REGISTRATIONS_PER_PATH);
}

/* The registration of the Contact's device becomes as the Contact says; else one begins. */
static void keep(struct acceptance *acceptance, const struct facts_contact *contact,
		 uint32_t lifetime_s)
{
	struct span call_id = acceptance->request->facts->call_id;
	struct registration *registration = find_device(acceptance, contact);

	if (registration ? is_settled(acceptance, registration) : was_dropped(acceptance, contact))
		return;
	if (!registration)
		registration = registration_table_add(&acceptance->room->table, acceptance->aor,
						      contact, call_id);
	if (!registration || registration_table_rewrite(registration, contact, call_id)) {
		refuse(acceptance->room);
		return;
	}
	acceptance->room->refusing &= registration_table_full(&acceptance->room->table);
	registration->cseq = acceptance->request->facts->cseq;
	registration->accepted_ns = acceptance->accepted_ns;
	paths_set_nat(&registration->binding,
		      nat_between(&acceptance->request->flow, acceptance->request->facts));
	paths_set_end(&registration->binding, acceptance->accepted_ns + lifetime_s * NS_PER_S);
	add_change(acceptance, binding_kept_on(&registration->binding, &acceptance->request->flow),
		   registration);
}

static void end(struct acceptance *acceptance, struct registration *registration)
{
	if (!is_settled(acceptance, registration))
		add_change(acceptance, BINDING_ENDS, registration);
}

static void end_all(struct acceptance *acceptance)
{
	struct registration *registration = first_of_aor(acceptance);

	for (; registration; registration = registration_table_next(registration))
		end(acceptance, registration);
}

/* Ends come last: a path is then never without a binding in between. */
static void accept_contacts(struct acceptance *acceptance)
{
	const struct facts *facts = acceptance->request->facts;
	struct registration *registration;

	for (uint32_t i = 0; i < facts->contact_count; i++)
		if (acceptance->lifetimes_s[i] > 0)
			keep(acceptance, &facts->contacts[i], acceptance->lifetimes_s[i]);
	for (uint32_t i = 0; i < facts->contact_count; i++) {
		if (acceptance->lifetimes_s[i] > 0)
			continue;
		registration = find(acceptance, &facts->contacts[i], contact_same_binding);
		if (registration)
			end(acceptance, registration);
	}
}

size_t registrations_accept(struct registrations *registrations, const struct transaction *request,
			    const struct facts *response, uint64_t accepted_ns,
			    struct binding_change changes[REGISTRATION_CHANGES_MAX])
{
	const struct facts *facts = request->facts;
	struct acceptance acceptance = {
		.room = registrations,
		.request = request,
		.accepted_ns = accepted_ns,
		.changes = changes,
	};
	char folded[TRANSACTION_BYTES_MAX];

	if (response->status < 200 || response->status > 299 || facts->aor.length > sizeof(folded))
		return 0;
	count_up(registrations->counts, registers_accepted);
	acceptance.aor = uri_fold(facts->aor, folded);
	if (!facts->contact_star) {
		grant_lifetimes(request, response, acceptance.lifetimes_s);
		accept_contacts(&acceptance);
	} else if (facts->expires == 0) {
		end_all(&acceptance);
	}
	if (acceptance.stale)
		count_up(registrations->counts, registers_stale);
	return acceptance.change_count;
}

void registrations_write(const struct binding *binding, struct record *record)
{
	const struct registration *registration = registration_of(binding);

	record->call_id = registration->call_id;
	record->instance = registration->instance;
	record->reg_id = registration->reg_id;
	record->cseq = registration->cseq;
	record->accepted_ns = registration->accepted_ns;
}

bool registrations_restore(struct registrations *registrations, const struct record *record,
			   struct binding_change *change)
{
	struct facts_contact contact = {
		.uri = record->target,
		.instance = record->instance,
		.reg_id = record->reg_id,
	};
	struct registration *registration = registration_table_add(
		&registrations->table, record->aor, &contact, record->call_id);

	if (!registration)
		return false;
	registration->cseq = record->cseq;
	registration->accepted_ns = record->accepted_ns;
	*change = binding_restored(&registration->binding, record);
	return true;
}

struct registration *registrations_first(const struct registrations *registrations, struct span aor)
{
	return registration_table_first(&registrations->table, aor);
}

struct registration *registrations_next(const struct registration *registration)
{
	return registration_table_next(registration);
}

struct binding_change registrations_leave(struct registrations *registrations,
					  struct registration *registration)
{
	binding_count_change(registrations->counts, BINDING_ENDS);
	return (struct binding_change){
		.kind = BINDING_ENDS,
		.reason = REASON_registered_elsewhere,
		.binding = &registration->binding,
	};
}

void registrations_forget(struct registrations *registrations, struct binding *binding)
{
	registration_table_remove(&registrations->table, (struct registration *)(void *)binding);
}

size_t registrations_count(const struct registrations *registrations)
{
	return registration_table_count(&registrations->table);
}
