/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cluster/redis_sign_in.h"

#include <stdio.h>
#include <string.h>

#include <hiredis/hiredis.h>

#include "cluster/redis_refusal.h"

/* What a server says that we have no words of our own for is cut after so many bytes. */
#define COMPLAINT_MAX 120

static const char put_text[] =
#include "put.lua.h"
	;
static const char drop_text[] =
#include "drop.lua.h"
	;
static const char beat_text[] =
#include "beat.lua.h"
	;

static const struct span scripts[] = {
	[REDIS_SCRIPT_PUT] = SPAN(put_text),
	[REDIS_SCRIPT_DROP] = SPAN(drop_text),
	[REDIS_SCRIPT_BEAT] = SPAN(beat_text),
};

_Static_assert(sizeof(scripts) / sizeof(scripts[0]) == REDIS_SCRIPT_MAX, "a script has no text");

static bool is_error(const struct redisReply *reply, const char *code)
{
	return reply->type == REDIS_REPLY_ERROR && strncmp(reply->str, code, strlen(code)) == 0;
}

/* Gives up with the server's own words, as far as they may stand in a log. */
static void give_up_as_it_says(struct redis_sign_in *sign_in, const struct redisReply *reply)
{
	char complaint[COMPLAINT_MAX];

	snprintf(complaint, sizeof(complaint), "it says: %s", reply->str);
	for (char *c = complaint; *c; c++) {
		if (*c < ' ' || *c > '~')
			*c = '?';
	}
	redis_connection_give_up(sign_in->connection, complaint);
}

/* False if the server does not do what it was asked for, or has been lost: then that is the end. */
static bool is_good(struct redis_sign_in *sign_in, const struct redisReply *reply)
{
	const char *refusal = reply ? redis_refusal(reply) : NULL;

	if (!reply)
		return false;
	if (refusal)
		redis_connection_give_up(sign_in->connection, refusal);
	else if (reply->type == REDIS_REPLY_ERROR)
		give_up_as_it_says(sign_in, reply);
	return reply->type != REDIS_REPLY_ERROR;
}

static void on_let_in(void *context, const struct redisReply *reply)
{
	is_good(context, reply);
}

static bool is_replica(const struct redisReply *reply)
{
	return reply->type == REDIS_REPLY_ARRAY && reply->elements > 0 &&
	       reply->element[0]->type == REDIS_REPLY_STRING &&
	       strcmp(reply->element[0]->str, "slave") == 0;
}

/* An access list may well keep ROLE from us; whether the server takes writes is then seen later. */
static void on_role(void *context, const struct redisReply *reply)
{
	struct redis_sign_in *sign_in = context;

	if (reply && is_error(reply, "NOPERM"))
		return;
	if (is_good(sign_in, reply) && is_replica(reply))
		redis_connection_give_up(
			sign_in->connection,
			"it is a replica: it takes no writes until it is promoted");
}

static void on_script(void *context, const struct redisReply *reply)
{
	struct redis_sign_in *sign_in = context;

	if (!is_good(sign_in, reply))
		return;
	if (reply->type != REDIS_REPLY_STRING || reply->len != REDIS_SCRIPT_NAME_LENGTH) {
		redis_connection_give_up(sign_in->connection, "it gives a script no name");
		return;
	}
	memcpy(sign_in->names[sign_in->loaded], reply->str, REDIS_SCRIPT_NAME_LENGTH);
	if (++sign_in->loaded == REDIS_SCRIPT_MAX)
		sign_in->done(sign_in->context);
}

static int ask(struct redis_sign_in *sign_in, const struct span *words, size_t count,
	       redis_link_answer *answer)
{
	return redis_connection_ask(sign_in->connection, words, count, false, answer, sign_in);
}

static int ask_to_let_in(struct redis_sign_in *sign_in)
{
	const struct redis_address *address = sign_in->address;
	const struct span words[] = { SPAN("AUTH"), span_of(address->user),
				      span_of(address->password) };
	const struct span words_without_user[] = { SPAN("AUTH"), span_of(address->password) };

	if (address->user[0])
		return ask(sign_in, words, 3, on_let_in);
	if (address->password[0])
		return ask(sign_in, words_without_user, 2, on_let_in);
	return 0;
}

static int ask_for_database(struct redis_sign_in *sign_in)
{
	char number[sizeof("4294967295")];
	struct span words[] = { SPAN("SELECT"), { number, 0 } };

	if (sign_in->address->database == 0)
		return 0;
	words[1].length =
		(size_t)snprintf(number, sizeof(number), "%u", sign_in->address->database);
	return ask(sign_in, words, 2, on_let_in);
}

static int ask_for_role(struct redis_sign_in *sign_in)
{
	const struct span word = SPAN("ROLE");

	return ask(sign_in, &word, 1, on_role);
}

static int ask_for_scripts(struct redis_sign_in *sign_in)
{
	int err = 0;

	for (size_t i = 0; i < REDIS_SCRIPT_MAX && !err; i++) {
		const struct span words[] = { SPAN("SCRIPT"), SPAN("LOAD"), scripts[i] };

		err = ask(sign_in, words, 3, on_script);
	}
	return err;
}

int redis_sign_in_begin(struct redis_sign_in *sign_in)
{
	static int (*const steps[])(struct redis_sign_in *) = { ask_to_let_in, ask_for_database,
								ask_for_role, ask_for_scripts };
	int err = 0;

	sign_in->loaded = 0;
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]) && !err; i++)
		err = steps[i](sign_in);
	if (err)
		redis_connection_give_up(sign_in->connection, strerror(-err));
	return err;
}

struct span redis_sign_in_name(const struct redis_sign_in *sign_in, enum redis_script script)
{
	return (struct span){ sign_in->names[script], REDIS_SCRIPT_NAME_LENGTH };
}
