/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "state/registration_table.h"

#include <errno.h>
#include <stdlib.h>

#include "state/span_pack.h"

int registration_table_init(struct registration_table *table, size_t limit)
{
	*table = (struct registration_table){ .limit = limit };
	return hash_key_make(&table->key);
}

/* The texts are one allocation, which starts with the AOR. */
static void free_registration(struct registration *registration)
{
	free((char *)registration->binding.aor.at);
	free(registration);
}

void registration_table_clear(struct registration_table *table)
{
	for (size_t i = 0; i < table->by_aor.bucket_count; i++)
		while (table->by_aor.buckets[i])
			registration_table_remove(table,
						  table_element(table->by_aor.buckets[i],
								struct registration, by_aor));
	table_clear(&table->by_aor);
}

static struct registration *same_aor(struct table_node *node, struct span aor)
{
	for (; node; node = table_next(node)) {
		struct registration *registration =
			table_element(node, struct registration, by_aor);

		if (span_equal(registration->binding.aor, aor))
			return registration;
	}
	return NULL;
}

static uint64_t aor_hash(const struct registration_table *table, struct span aor)
{
	return hash_bytes(&table->key, aor.at, aor.length);
}

struct registration *registration_table_first(const struct registration_table *table,
					      struct span aor)
{
	return same_aor(table_first(&table->by_aor, aor_hash(table, aor)), aor);
}

struct registration *registration_table_next(const struct registration *registration)
{
	return same_aor(table_next(&registration->by_aor), registration->binding.aor);
}

static int write_contact(struct registration *registration, struct span aor,
			 const struct facts_contact *contact, struct span call_id)
{
	char *texts = malloc(aor.length + contact->uri.length + call_id.length +
			     contact->instance.length);
	char *at = texts, *earlier = (char *)registration->binding.aor.at;

	if (!texts)
		return -ENOMEM;
	span_pack(aor, &at);
	/* Never absent: it owns them all. */
	registration->binding.aor = (struct span){ texts, aor.length };
	registration->binding.target = span_pack(contact->uri, &at);
	registration->call_id = span_pack(call_id, &at);
	registration->instance = span_pack(contact->instance, &at);
	registration->reg_id = contact->reg_id;
	free(earlier); /* last: "aor" may lie in it */
	return 0;
}

static bool is_full(const struct registration_table *table, struct span aor)
{
	struct registration *registration = registration_table_first(table, aor);
	size_t count = 0;

	for (; registration; registration = registration_table_next(registration))
		count++;
	return count >= REGISTRATIONS_PER_AOR_MAX || registration_table_full(table);
}

struct registration *registration_table_add(struct registration_table *table, struct span aor,
					    const struct facts_contact *contact,
					    struct span call_id)
{
	struct registration *registration;

	if (is_full(table, aor))
		return NULL;
	registration = calloc(1, sizeof(*registration));
	if (!registration)
		return NULL;
	registration->binding.kind = BINDING_REGISTRATION;
	registration->binding.expiry = REASON_registration_expired;
	if (write_contact(registration, aor, contact, call_id) ||
	    table_put(&table->by_aor, &registration->by_aor, aor_hash(table, aor))) {
		free_registration(registration);
		return NULL;
	}
	return registration;
}

int registration_table_rewrite(struct registration *registration,
			       const struct facts_contact *contact, struct span call_id)
{
	if (span_equal(registration->binding.target, contact->uri) &&
	    span_equal(registration->call_id, call_id) &&
	    span_equal(registration->instance, contact->instance) &&
	    registration->reg_id == contact->reg_id)
		return 0;
	return write_contact(registration, registration->binding.aor, contact, call_id);
}

void registration_table_remove(struct registration_table *table, struct registration *registration)
{
	table_take(&table->by_aor, &registration->by_aor);
	free_registration(registration);
}

bool registration_table_full(const struct registration_table *table)
{
	return registration_table_count(table) >= table->limit;
}

size_t registration_table_count(const struct registration_table *table)
{
	return table->by_aor.count;
}
