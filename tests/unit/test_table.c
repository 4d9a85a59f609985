/* SPDX-License-Identifier: GPL-2.0-or-later */
/* base/table: what was put in is found until it is taken out, at any size. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/table.h"

#define ELEMENTS 5000

struct element {
	int number;
	struct table_node node;
};

static bool is_found(const struct table *table, const struct element *element, uint64_t hash)
{
	struct table_node *node = table_first(table, hash);

	while (node && node != &element->node)
		node = table_next(node);
	return node;
}

/* Spreads small numbers over 64 bits; any bijection does. */
static uint64_t hash_of(size_t i)
{
	return (i + 1) * UINT64_C(0x9e3779b97f4a7c15);
}

static void an_empty_table_finds_nothing(void **state)
{
	struct table table = { 0 };

	(void)state;
	assert_null(table_first(&table, 0));
	table_clear(&table);
	assert_int_equal(table.count, 0);
}

static void elements_are_found_by_their_node(void **state)
{
	struct table table = { 0 };
	struct element element = { .number = 7 };

	(void)state;
	assert_int_equal(table_put(&table, &element.node, 99), 0);
	assert_ptr_equal(table_element(table_first(&table, 99), struct element, node), &element);
	assert_null(table_first(&table, 98));
	table_take(&table, &element.node);
	assert_null(table_first(&table, 99));
	table_clear(&table);
}

static void several_share_one_hash(void **state)
{
	struct table table = { 0 };
	struct element three[3] = { 0 };
	/* another hash in the same bucket, whatever the number of buckets */
	struct element other = { 0 };
	int found = 0;

	(void)state;
	for (int i = 0; i < 3; i++)
		assert_int_equal(table_put(&table, &three[i].node, 5), 0);
	assert_int_equal(table_put(&table, &other.node, 5 + (UINT64_C(1) << 63)), 0);
	for (struct table_node *node = table_first(&table, 5); node; node = table_next(node))
		found++;
	assert_int_equal(found, 3);
	table_take(&table, &three[1].node);
	assert_true(is_found(&table, &three[0], 5));
	assert_false(is_found(&table, &three[1], 5));
	assert_true(is_found(&table, &three[2], 5));
	assert_true(is_found(&table, &other, 5 + (UINT64_C(1) << 63)));
	table_clear(&table);
}

static void growth_loses_nothing(void **state)
{
	static struct element elements[ELEMENTS];
	struct table table = { 0 };

	(void)state;
	for (size_t i = 0; i < ELEMENTS; i++)
		assert_int_equal(table_put(&table, &elements[i].node, hash_of(i)), 0);
	assert_int_equal(table.count, ELEMENTS);
	assert_true(table.bucket_count >= ELEMENTS / 2);
	for (size_t i = 0; i < ELEMENTS; i++)
		assert_true(is_found(&table, &elements[i], hash_of(i)));
	for (size_t i = 0; i < ELEMENTS; i += 2)
		table_take(&table, &elements[i].node);
	for (size_t i = 0; i < ELEMENTS; i++)
		assert_int_equal(is_found(&table, &elements[i], hash_of(i)), i % 2);
	assert_int_equal(table.count, ELEMENTS / 2);
	table_clear(&table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_table_finds_nothing),
		cmocka_unit_test(elements_are_found_by_their_node),
		cmocka_unit_test(several_share_one_hash),
		cmocka_unit_test(growth_loses_nothing),
	};

	return cmocka_run_group_tests_name("table", tests, NULL, NULL);
}
