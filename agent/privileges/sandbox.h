/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sandbox.h - the system calls that are left, to the agent and to its warden.
 *
 * What is on the list works; whatever is not is answered with ENOSYS, as by a kernel that lacks
 * it: a C library of tomorrow, or one of its name services, tries a call that is not known here,
 * and goes on with an older one. An agent that was killed for that would keep no path. A few
 * calls that nothing honest in here makes, now or after an upgrade, end the process at once: other
 * programs, other processes' memory, mounts, namespaces, modules. The kernel is asked to note
 * refusals (audit record 1326, or in its own log without auditd); it does so if auditing is on and
 * kernel.seccomp.actions_logged has "errno", a rate limit permitting.
 *
 * Paths are not looked at, the kernel cannot do that here: files are the business of the user
 * that the agent works as. No mapping is writable and executable, nor made executable once it
 * is there. That does not keep code out for good: files can be mapped as code, which the loading
 * of name services takes, and so can one that the agent has written into its state directory, or
 * has mapped a second time to write to it. The units' NoExecPaths= closes that.
 */
#ifndef AGENT_PRIVILEGES_SANDBOX_H
#define AGENT_PRIVILEGES_SANDBOX_H

enum sandbox_of {
	/* No program, process, or BPF object can be made; maps that are open can be worked with. */
	SANDBOX_AGENT,
	/* Also call control's, which has no maps. */
	SANDBOX_CALL_CONTROL = SANDBOX_AGENT,
	/* Programs can be loaded and attached, but no connection be made nor file be written. */
	SANDBOX_WARDEN,
};

/*
 * Confines all threads of this process, for good; no_new_privs must be set. Whatever it forks
 * later could not send itself a signal. -errno after one log line.
 */
int sandbox_enter(enum sandbox_of whose);

#endif
