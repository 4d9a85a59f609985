/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libbpf_log.h - what the library and the kernel say when something is refused.
 *
 * The library's own chatter goes to the debug log; of it, the one sentence that
 * says why is kept, so that a caller's log line can quote it.
 */
#ifndef AGENT_KERNEL_LIBBPF_LOG_H
#define AGENT_KERNEL_LIBBPF_LOG_H

/* Routes the library's lines from here on and forgets the reason kept so far. */
void libbpf_log_begin(void);

/* Why the last call was refused, "" if nobody said. Good until libbpf_log_begin(). */
const char *libbpf_log_reason(void);

#endif
