/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What clients of the control socket send, in pieces. Whatever that is, it closes that client and
 * nothing else: another one is served afterwards. The agent around it is that of the unit tests.
 */
#include "fuzz.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "directory_world.h"

#define SEPARATOR "\n--\n" /* between pieces; the loop turns after each */

#define TURNS 8 /* after each piece: enough for the longest answer that fits a socket */

int LLVMFuzzerInitialize(int *argc, char ***argv);

/* The agent stands as long as the process, which leaves its socket behind only if it crashes. */
static void tidy_up(void)
{
	end(NULL);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	if (begin_agent(NULL))
		abort();
	for (uint32_t i = 0; i < 3; i++)
		add_path_over(i == 2 ? FLOW_TCP : FLOW_UDP, i);
	atexit(tidy_up);
	return 0;
}

static void take_turns(void)
{
	for (int i = 0; i < TURNS; i++)
		turn();
}

/* What comes is a line of JSON each time, whatever was asked. */
static void listen_to(struct peer *peer)
{
	char *line = peer->bytes, *line_end;

	(void)hear(peer);
	while ((line_end = memchr(line, '\n', peer->used - (size_t)(line - peer->bytes)))) {
		json_t *document = json_loadb(line, (size_t)(line_end - line), 0, NULL);

		fuzz_demand(document);
		json_decref(document);
		line = line_end + 1;
	}
	peer->used -= (size_t)(line - peer->bytes);
	memmove(peer->bytes, line, peer->used);
}

/* Somebody else is served as if nothing had happened. */
static void ask_as_bystander(void)
{
	struct peer *peer = connect_peer();

	say(peer, "{\"command\": \"threshold\"}");
	json_decref(expect_row(peer));
	expect_end(peer);
	leave(peer);
}

/* As the first byte says, the cluster answers at once, later, or not at all. */
static void choose_cluster(uint8_t how)
{
	static const struct node nodes[] = {
		{ .name = SPAN("a"), .uri = SPAN("sip:192.0.2.11:5060"), .beat_ms = NOW_MS },
	};
	static const struct directory_answer answers[] = {
		{ .now_ms = NOW_MS },
		{ .now_ms = NOW_MS, .nodes = nodes, .node_count = 1 },
		{ .error = -ENOENT, .reason = "no such node" },
	};

	refusal = how & 4 ? -ENOTCONN : 0;
	at_once = how & 3 ? &answers[(how & 3) - 1] : NULL;
	keeper_set_threshold(&pipeline.keeper, 24 * NS_PER_S);
}

/* Whatever was put to the cluster is answered in the end, as the directory promises. */
static void answer_all(void)
{
	const struct directory_answer gone = { .error = -ENOTCONN, .reason = "it has gone" };

	for (size_t i = 0; i < question_count; i++) {
		void *asker = questions[i].asker;

		questions[i].asker = NULL;
		if (asker)
			questions[i].answered(asker, &gone);
	}
	question_count = 0;
	take_turns();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = { data, size };
	struct peer *peer;

	choose_cluster(fuzz_byte(&input));
	peer = connect_peer();
	while (input.left > 0) {
		struct span piece = fuzz_piece(&input, SEPARATOR);

		if (send(peer->fd, piece.at, piece.length, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
			break; /* it has been closed, or does not read on for now */
		take_turns();
		listen_to(peer);
	}
	leave(peer);
	answer_all();
	ask_as_bystander();
	return 0;
}
