/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * another_build.h - makes of our BPF object one that another compiler could have built: it does
 * the same with other instructions. Included by another_build.c and by unit tests.
 */
#ifndef TESTS_LAB_ANOTHER_BUILD_H
#define TESTS_LAB_ANOTHER_BUILD_H

#include <elf.h>
#include <stddef.h>

#include <linux/bpf.h>

/*
 * "w0 = N" becomes "r0 = N": a 32-bit move clears the upper half, and so does a 64-bit move of
 * a number that is not negative. Returns how many there were.
 */
static inline size_t another_build_of_code(struct bpf_insn *code, size_t count)
{
	size_t changed = 0;

	for (size_t i = 0; i < count; i++) {
		if (code[i].code != (BPF_ALU | BPF_MOV | BPF_K) || code[i].dst_reg != BPF_REG_0 ||
		    code[i].imm < 0)
			continue;
		code[i].code = BPF_ALU64 | BPF_MOV | BPF_K;
		changed++;
	}
	return changed;
}

/* The same in all programs of an object, whose bytes are changed in place. */
static inline size_t another_build_of_object(unsigned char *object)
{
	const Elf64_Ehdr *header = (void *)object;
	const Elf64_Shdr *sections = (void *)(object + header->e_shoff);
	size_t changed = 0;

	for (size_t i = 0; i < header->e_shnum; i++)
		if (sections[i].sh_flags & SHF_EXECINSTR)
			changed += another_build_of_code((void *)(object + sections[i].sh_offset),
							 sections[i].sh_size /
								 sizeof(struct bpf_insn));
	return changed;
}

#endif
