/* SPDX-License-Identifier: GPL-2.0-or-later */
/* commands_cluster.c - the commands that show and steer the set of proxies. */
#include <errno.h>
#include <string.h>

#include "base/address.h"
#include "sip/uri.h"
#include "surface/commands_parts.h"
#include "surface/row.h"
#include "surface/rows.h"

#define NO_CLUSTER "this agent is in no cluster: see --cluster"

/* Why there is no answer; "why" is what the directory says of it, or NULL. */
static enum command_result refuse_unanswered(const struct subject *subject,
					     struct progress *progress, int error, const char *why)
{
	if (error == -ENOMEM)
		return COMMAND_NO_MEMORY;
	if (!subject->options.cluster)
		return commands_refuse(progress, NO_CLUSTER);
	if (error == -ENOTCONN && subject->keeper)
		return commands_refuse(progress,
				       "the cluster is out of reach: \"sippath bindings\" "
				       "shows what this host keeps");
	if (error == -ENOTCONN)
		return commands_refuse(progress, "the cluster is out of reach: \"sippath status\" "
						 "says since when");
	if (error == -EBUSY)
		return commands_refuse(progress, "too many ask the cluster at a time: try again");
	return commands_refuse(progress, "the cluster does not say: %s",
			       why ? why : strerror(-error));
}

/* COMMAND_ROW once *answer is there and has no error. */
static enum command_result await(const struct subject *subject, struct progress *progress,
				 const struct directory_answer **answer)
{
	*answer = inquiry_answer(progress->inquiry);
	if (!*answer)
		return COMMAND_QUIET;
	if ((*answer)->error)
		return refuse_unanswered(subject, progress, (*answer)->error, (*answer)->reason);
	return COMMAND_ROW;
}

/* An agent asks Redis; call control shows what it knows, even while that cannot be followed. */
static bool is_current(const struct control_options *options)
{
	return !options->routing || options->routing(options->context).following;
}

enum command_result commands_cluster(const struct subject *subject, struct progress *progress,
				     json_t **row)
{
	const struct directory_answer *answer;
	enum command_result result;
	int error = 0;

	if (!progress->inquiry)
		error = inquiry_cluster(subject->options.directory, progress->waker,
					&progress->inquiry);
	if (error)
		return refuse_unanswered(subject, progress, error, NULL);
	result = await(subject, progress, &answer);
	if (result != COMMAND_ROW)
		return result;
	if (progress->cursor >= answer->node_count)
		return COMMAND_END;
	*row = rows_node(&answer->nodes[progress->cursor++], is_current(&subject->options),
			 answer->now_ms);
	return commands_with_row(*row, COMMAND_ROW);
}

static bool begins_with(struct span text, struct span beginning)
{
	return text.length >= beginning.length &&
	       span_equal_nocase((struct span){ text.at, beginning.length }, beginning);
}

/* An AOR as registrations have it; absent if it is none, or does not fit. */
static struct span read_aor(const char *argument, struct text *memory)
{
	static const struct span schemes[] = { { "sip:", 4 }, { "sips:", 5 }, { "tel:", 4 } };
	char written[COMMANDS_ARGUMENT_MAX];
	struct text text = TEXT_OVER(written);
	struct span aor = { NULL, 0 };
	bool has_scheme = false;
	struct uri uri;

	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
		has_scheme = has_scheme || begins_with(span_of(argument), schemes[i]);
	text_format(&text, "%s%s", has_scheme ? "" : "sip:", argument);
	if (!text.overflow && uri_read(text_span(&text), memory, &uri) == 0)
		aor = uri_make_aor(&uri, memory);
	return memory->overflow ? (struct span){ NULL, 0 } : aor;
}

static enum command_result ask_where(const struct subject *subject, struct progress *progress)
{
	char buffer[2 * COMMANDS_ARGUMENT_MAX];
	struct text memory = TEXT_OVER(buffer);
	struct span aor = read_aor(progress->argument, &memory);
	int error;

	if (!progress->argument[0] || !aor.at)
		return commands_refuse(progress,
				       "an AOR is expected, of at most %d bytes, such as "
				       "sip:alice@example.org",
				       LOCATION_TEXT_MAX);
	error = inquiry_where(subject->options.directory, progress->waker, aor, &progress->inquiry);
	return error ? refuse_unanswered(subject, progress, error, NULL) : COMMAND_ROW;
}

/* True if an earlier location was on the same path, whose row then had this one in it. */
static bool was_shown(const struct directory_answer *answer, uint32_t index)
{
	for (uint32_t i = 0; i < index; i++) {
		if (rows_on_one_path(&answer->locations[i], &answer->locations[index]))
			return true;
	}
	return false;
}

enum command_result commands_where(const struct subject *subject, struct progress *progress,
				   json_t **row)
{
	const struct directory_answer *answer;
	enum command_result result = COMMAND_ROW;
	uint32_t index;

	if (!progress->inquiry)
		result = ask_where(subject, progress);
	if (result == COMMAND_ROW)
		result = await(subject, progress, &answer);
	if (result != COMMAND_ROW)
		return result;
	while (progress->cursor < answer->location_count && was_shown(answer, progress->cursor))
		progress->cursor++;
	index = progress->cursor++;
	if (index >= answer->location_count)
		return COMMAND_END;
	*row = rows_locations(&answer->locations[index], answer->location_count - index,
			      answer->now_ms);
	return commands_with_row(*row, COMMAND_ROW);
}

/* COMMAND_ROW if calls come here, or come here no longer, as wanted. */
static enum command_result set_draining(const struct subject *subject, struct progress *progress)
{
	const struct directory *directory = subject->options.directory;
	bool on = strcmp(progress->argument, "on") == 0;
	int error;

	if (!on && strcmp(progress->argument, "off") != 0)
		return commands_refuse(progress, "expected on or off, not \"%s\"",
				       progress->argument);
	error = directory->drain(directory->context, on);
	return error ? refuse_unanswered(subject, progress, error, NULL) : COMMAND_ROW;
}

enum command_result commands_drain(const struct subject *subject, struct progress *progress,
				   json_t **out)
{
	const struct directory *directory = subject->options.directory;
	enum command_result result = COMMAND_ROW;
	struct row row;

	if (!subject->keeper)
		return commands_refuse(progress, "this is a call control server, not a proxy: say "
						 "\"sippath order NODE drain\"");
	if (!directory->drain || !directory->is_draining)
		return commands_refuse(progress, NO_CLUSTER);
	if (progress->has_argument)
		result = set_draining(subject, progress);
	if (result != COMMAND_ROW)
		return result;
	row = row_begin();
	row_put_flag(&row, "draining", directory->is_draining(directory->context));
	*out = row_end(&row);
	return commands_with_row(*out, COMMAND_LAST_ROW);
}

/* Cuts off the first word, and the blanks around it. */
static struct span next_word(struct span *rest)
{
	struct span word = span_trim(*rest);
	size_t length = 0;

	while (length < word.length && !span_is_blank(word.at[length]))
		length++;
	*rest = span_trim((struct span){ word.at + length, word.length - length });
	word.length = length;
	return word;
}

/* Reads "NODE WHAT [FLOW]"; -EINVAL. "leave" is what nodes say to each other alone. */
static int read_order(const char *argument, struct span *node, struct order *order)
{
	struct span rest = span_of(argument);

	*node = next_word(&rest);
	*order = (struct order){ .kind = order_find(next_word(&rest)) };
	if (!node_name_is_good(*node))
		return -EINVAL;
	switch (order->kind) {
	case ORDER_drop:
	case ORDER_prompt:
		return flow_read(rest, &order->flow);
	case ORDER_drain:
	case ORDER_undrain:
		return rest.length > 0 ? -EINVAL : 0;
	default:
		return -EINVAL;
	}
}

static enum command_result refuse_order(const struct subject *subject, struct progress *progress,
					struct span node, int error, const char *why)
{
	if (error == -ENOENT && subject->options.cluster)
		return commands_refuse(progress, "there is no node %.*s in the cluster",
				       (int)node.length, node.at);
	return refuse_unanswered(subject, progress, error, why);
}

static json_t *row_of_order(struct span node, const struct order *order)
{
	struct row row = row_begin();

	row_put_text(&row, "node", node);
	row_put_word(&row, "order", order_name(order->kind));
	return row_end(&row);
}

enum command_result commands_order(const struct subject *subject, struct progress *progress,
				   json_t **row)
{
	const struct directory_answer *answer;
	struct order order;
	struct span node;
	int error = 0;

	if (read_order(progress->argument, &node, &order))
		return commands_refuse(progress,
				       "expected NODE and drain or undrain, or NODE and "
				       "drop or prompt and a flow, such as \"a prompt udp "
				       "192.0.2.1:5060 198.51.100.7:40001\"");
	if (!progress->inquiry)
		error = inquiry_order(subject->options.directory, progress->waker, node, &order,
				      &progress->inquiry);
	if (error)
		return refuse_order(subject, progress, node, error, NULL);
	answer = inquiry_answer(progress->inquiry);
	if (!answer)
		return COMMAND_QUIET;
	if (answer->error)
		return refuse_order(subject, progress, node, answer->error, answer->reason);
	*row = row_of_order(node, &order);
	return commands_with_row(*row, COMMAND_LAST_ROW);
}
