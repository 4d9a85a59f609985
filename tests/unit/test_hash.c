/* SPDX-License-Identifier: GPL-2.0-or-later */
/* base/hash: SipHash-2-4 against the vectors that its authors published. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/hash.h"

/* Key 00 01 .. 0f, its halves read as little-endian words. */
static const struct hash_key published_key = {
	{ UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908) },
};

static void published_vectors(void **state)
{
	/* The input of each is the bytes 00 01 02 ... */
	static const struct {
		size_t length;
		uint64_t hash;
	} vectors[] = {
		{ 0, UINT64_C(0x726fdb47dd0e0e31) }, { 1, UINT64_C(0x74f839c593dc67fd) },
		{ 2, UINT64_C(0x0d6c8009d9a94f5a) }, { 3, UINT64_C(0x85676696d7fb7e2d) },
		{ 4, UINT64_C(0xcf2794e0277187b7) }, { 5, UINT64_C(0x18765564cd99a68d) },
		{ 6, UINT64_C(0xcbc9466e58fee3ce) }, { 7, UINT64_C(0xab0200f58b01d137) },
		{ 8, UINT64_C(0x93f5f5799a932462) }, { 15, UINT64_C(0xa129ca6149be45e5) },
	};
	uint8_t input[16];

	(void)state;
	for (size_t i = 0; i < sizeof(input); i++)
		input[i] = (uint8_t)i;
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++)
		assert_int_equal(hash_bytes(&published_key, input, vectors[i].length),
				 vectors[i].hash);
}

static void alignment_does_not_matter(void **state)
{
	uint8_t input[32];

	(void)state;
	for (size_t shift = 0; shift < 8; shift++) {
		for (size_t i = 0; i < 15; i++)
			input[shift + i] = (uint8_t)i;
		assert_int_equal(hash_bytes(&published_key, input + shift, 15),
				 UINT64_C(0xa129ca6149be45e5));
	}
}

static void no_bytes_may_be_absent(void **state)
{
	(void)state;
	assert_int_equal(hash_bytes(&published_key, NULL, 0), UINT64_C(0x726fdb47dd0e0e31));
}

static void each_key_is_another(void **state)
{
	struct hash_key a, b;

	(void)state;
	assert_int_equal(hash_key_make(&a), 0);
	assert_int_equal(hash_key_make(&b), 0);
	assert_memory_not_equal(&a, &b, sizeof(a));
	assert_int_not_equal(hash_bytes(&a, "sip", 3), hash_bytes(&b, "sip", 3));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(published_vectors),
		cmocka_unit_test(alignment_does_not_matter),
		cmocka_unit_test(no_bytes_may_be_absent),
		cmocka_unit_test(each_key_is_another),
	};

	return cmocka_run_group_tests_name("hash", tests, NULL, NULL);
}
