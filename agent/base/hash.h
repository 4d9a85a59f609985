/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hash.h - SipHash-2-4, keyed: for tables whose keys come from outside, and for
 * the tokens of prompts.
 *
 * Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012.
 */
#ifndef AGENT_BASE_HASH_H
#define AGENT_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

struct hash_key {
	uint64_t half[2];
};

/* Fills a key from the kernel's random source; -errno if it has none. */
int hash_key_make(struct hash_key *key);

/* The 64-bit SipHash-2-4 of so many bytes. */
uint64_t hash_bytes(const struct hash_key *key, const void *bytes, size_t length);

#endif
