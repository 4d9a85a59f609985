/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hooks.h - the two places on an interface where our programs sit: XDP at the
 * ingress, a tc filter of the clsact qdisc at the egress.
 *
 * All return -errno without a log line; libbpf_log_reason() may say more.
 */
#ifndef AGENT_KERNEL_HOOKS_H
#define AGENT_KERNEL_HOOKS_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Our filter at the egress. It stands early, because the verdict of a filter before
 * it may end the classification, and ours lets every other have its say; but not
 * first, for who wants to be first says "prio 1".
 */
#define HOOKS_EGRESS_PRIORITY 50
#define HOOKS_EGRESS_HANDLE 0x5060

/* Attaches XDP where nothing is; a program that is there is never replaced. */
int hooks_attach_ingress(unsigned int interface, int program_fd, bool native);

/*
 * Puts a program in the place of this very one, and no packet comes by in between; -EBUSY or
 * -ENOENT if that is not there any more.
 */
int hooks_replace_ingress(unsigned int interface, uint32_t before, int program_fd, bool native);

/* Takes off this very program; -EBUSY or -ENOENT if it is not there any more. */
int hooks_detach_ingress(unsigned int interface, uint32_t program_id, bool native);

/*
 * Makes sure that there is a clsact qdisc; *made says whether it was not there before.
 * -EBUSY if an "ingress" qdisc has its place.
 */
int hooks_make_clsact(unsigned int interface, bool *made);

/* Takes it away, unless filters hang on it. */
int hooks_remove_clsact(unsigned int interface);

/* Puts a program in our place at the egress; "replace" what is there, as hooks_replace_ingress(). */
int hooks_attach_egress(unsigned int interface, int program_fd, bool replace);
int hooks_detach_egress(unsigned int interface);

/* The program in our place at the egress; -ENOENT if there is none. */
int hooks_egress_program(unsigned int interface, uint32_t *program_id);

#endif
