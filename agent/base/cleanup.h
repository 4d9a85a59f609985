/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cleanup.h - what a variable owns is released where its scope ends.
 *
 * Ownership is handed on with take_ptr() or take_fd(), which leave the variable
 * empty; so a reader sees in one place that nothing leaks.
 */
#ifndef AGENT_BASE_CLEANUP_H
#define AGENT_BASE_CLEANUP_H

#include <stdlib.h>
#include <unistd.h>

static inline void cleanup_free_(void *pointer)
{
	free(*(void **)pointer);
}

static inline void cleanup_close_(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

/* A heap pointer that is freed when it goes out of scope. */
#define cleanup_free __attribute__((cleanup(cleanup_free_)))

/* A file descriptor that is closed when it goes out of scope; starts at -1. */
#define cleanup_close __attribute__((cleanup(cleanup_close_)))

/* The pointer's value; the pointer itself becomes NULL. */
#define take_ptr(pointer) \
	({ \
		__auto_type taken_ptr_ = (pointer); \
		(pointer) = NULL; \
		taken_ptr_; \
	})

/* The descriptor's value; the variable itself becomes -1. */
#define take_fd(fd) \
	({ \
		int taken_fd_ = (fd); \
		(fd) = -1; \
		taken_fd_; \
	})

/* Closes the descriptor, if it is one; the variable becomes -1. */
static inline void close_fd(int *fd)
{
	int open_fd = take_fd(*fd);

	if (open_fd >= 0)
		close(open_fd);
}

#endif
