/* SPDX-License-Identifier: GPL-2.0-or-later */
/* text.bpf.h - the few comparisons of characters that the programs need. */
#ifndef BPF_TEXT_BPF_H
#define BPF_TEXT_BPF_H

#include <linux/types.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>

/*
 * True if the bytes at "at" are those of a string literal, without its final NUL. The
 * constant bound makes clang turn the literal into immediates: no call of memcmp(), which
 * BPF does not have, and nothing added to .rodata.
 */
#define text_starts_with(at, literal) \
	({ \
		__u8 difference_ = 0; \
		_Pragma("unroll") for (__u32 i_ = 0; i_ < sizeof(literal) - 1; i_++) \
			difference_ |= (at)[i_] ^ (literal)[i_]; \
		difference_ == 0; \
	})

static __always_inline bool text_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static __always_inline bool text_is_letter(char c)
{
	return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

/* Value of a lower-case hex digit, or -1. */
static __always_inline int text_hex_value(char c)
{
	if (text_is_digit(c))
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

#endif
