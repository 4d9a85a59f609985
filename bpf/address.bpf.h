/* SPDX-License-Identifier: GPL-2.0-or-later */
/* address.bpf.h - addresses as struct flow holds them. */
#ifndef BPF_ADDRESS_BPF_H
#define BPF_ADDRESS_BPF_H

#include <linux/types.h>
#include <bpf/bpf_helpers.h>

/* Writes an IPv4 address into 16 bytes that are zero. */
static __always_inline void address_write_ipv4(__u8 *to, __be32 address)
{
	to[10] = 0xff;
	to[11] = 0xff;
	__builtin_memcpy(to + 12, &address, sizeof(address));
}

#endif
