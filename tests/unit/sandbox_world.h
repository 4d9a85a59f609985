/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sandbox_world.h - a process that gives up its privileges, and what it can do then. */
#ifndef TESTS_UNIT_SANDBOX_WORLD_H
#define TESTS_UNIT_SANDBOX_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "privileges/capabilities.h"
#include "privileges/sandbox.h"

#define NOBODY 65534

#define SUCCESS 0
#define KILLED 1000 /* by the filter; smaller numbers are an errno */
#define NOT_CONFINED 1001

/* One that is refused returns -1 and leaves errno. */
typedef long attempt(void);

/* Becomes what it has to be, and tries; -1 where the attempt has no errno. */
static inline int try_here(enum sandbox_of whose, attempt *try)
{
	uid_t user = geteuid() == 0 ? NOBODY : (uid_t)-1;

	if (capabilities_leave(user, NOBODY) || sandbox_enter(whose))
		return 255;
	errno = 0;
	return try() == -1 ? errno : SUCCESS;
}

/* What came of it: SUCCESS, an errno, or KILLED. */
static inline int outcome(enum sandbox_of whose, attempt *try)
{
	pid_t child = fork();
	int status;

	assert_true(child >= 0);
	if (child == 0)
		_exit(try_here(whose, try));
	assert_int_equal(waitpid(child, &status, 0), child);
	if (WIFSIGNALED(status))
		return WTERMSIG(status) == SIGSYS ? KILLED : NOT_CONFINED;
	return WEXITSTATUS(status) == 255 ? NOT_CONFINED : WEXITSTATUS(status);
}

#endif
