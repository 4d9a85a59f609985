/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * redis_server.h - a Redis server that answers with the bytes of an input, and a clock that stands
 * still unless it is moved on, for fuzz_redis_replies.c. connect() of the rooms leads here.
 */
#ifndef TESTS_FUZZ_REDIS_SERVER_H
#define TESTS_FUZZ_REDIS_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"

/* Nobody is connected, and it is the same time as ever. */
void redis_server_begin(bool lets_in);

/* How many connections have been made since, of which the last few still stand. */
size_t redis_server_connections(void);

/* Answers the connection of that number, counted from the first that stands, with these bytes. */
void redis_server_say(size_t number, struct span bytes);

/* Takes what has been asked, and forgets it. */
void redis_server_listen(void);

/* Closes one, or all that stand. */
void redis_server_hang_up(size_t number);
void redis_server_end(void);

/* CLOCK_MONOTONIC goes on, for libev as well. */
void redis_server_wait(uint64_t ns);

#endif
