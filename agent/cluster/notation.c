/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cluster/notation.h"

#include <errno.h>
#include <inttypes.h>

#include "base/address.h"
#include "base/number.h"

#define VERSION "1"

/* The scripts count in doubles, which are exact up to here: as a time, the year 287396. */
#define EXACT_MAX ((UINT64_C(1) << 53) - 1)

#define SERVING "serving"
#define DRAINING "draining"

static const char kind_letters[] = {
	[BINDING_REGISTRATION] = 'r',
	[BINDING_SUBSCRIPTION] = 's',
	[BINDING_DIALOG] = 'd',
	[BINDING_LINGERING] = 'l',
};

_Static_assert(sizeof(kind_letters) == BINDING_CONNECTION,
	       "every kind that is shared has a letter");

void notation_write_field(struct text *out, const struct location *location)
{
	text_format(out, "%c ", kind_letters[location->kind]);
	text_add(out, location->node);
	text_add(out, SPAN(" "));
	text_add(out, location->device);
}

void notation_write_value(struct text *out, const struct location *location)
{
	text_format(out, VERSION " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %s ",
		    location->epoch, location->accepted_ms, location->ends_ms, location->heard_ms,
		    path_health_name(location->health));
	flow_write(out, &location->flow);
}

void notation_write_node_head(struct text *out, const struct node *node)
{
	text_format(out, VERSION " %" PRIu64, node->incarnation);
}

void notation_write_node_tail(struct text *out, const struct node *node)
{
	text_format(out, "%" PRIu64 " %" PRIu64 " %" PRIu32 " %" PRIu32 " %s ", node->begun,
		    node->whole, node->paths, node->lag_ms, node->draining ? DRAINING : SERVING);
	text_add(out, node->uri);
}

static void write_leave(struct text *out, const struct order *order)
{
	text_format(out, " %" PRIu64 " ", order->accepted_ms);
	text_add(out, order->node);
	text_format(out, " %zu ", order->aor.length);
	text_add(out, order->aor);
	text_add(out, SPAN(" "));
	text_add(out, order->device);
}

static bool order_has_flow(enum order_kind kind)
{
	return kind == ORDER_drop || kind == ORDER_prompt;
}

void notation_write_order(struct text *out, const struct order *order)
{
	text_format(out, VERSION " %s %" PRIu64, order_name(order->kind), order->issued_ms);
	if (order->kind == ORDER_leave)
		write_leave(out, order);
	if (order_has_flow(order->kind)) {
		text_add(out, SPAN(" "));
		flow_write(out, &order->flow);
	}
}

/* Takes a word off the front of *rest, and the blank behind it; after the last word *rest is absent. */
static struct span take_word(struct span *rest)
{
	const char *blank = rest->length > 0 ? memchr(rest->at, ' ', rest->length) : NULL;
	struct span word = *rest;

	if (blank) {
		word.length = (size_t)(blank - rest->at);
		rest->at = blank + 1;
		rest->length -= word.length + 1;
	} else {
		*rest = (struct span){ NULL, 0 };
	}
	return word;
}

static bool take_version(struct span *rest)
{
	return span_equal(take_word(rest), SPAN(VERSION));
}

/* As it is written: without zeros in front. */
static bool read_number(struct span digits, uint64_t highest, uint64_t *out)
{
	if (digits.length > 1 && digits.at[0] == '0')
		return false;
	return number_read(digits, 0, highest, out) == 0;
}

static bool take_number(struct span *rest, uint64_t *out)
{
	return read_number(take_word(rest), UINT64_MAX, out);
}

static bool take_time(struct span *rest, uint64_t *ms)
{
	return read_number(take_word(rest), EXACT_MAX, ms);
}

/* So high that no node gets there by counting, and so low that it can always count on. */
static bool take_epochs(struct span *rest, struct node *node)
{
	return read_number(take_word(rest), EXACT_MAX, &node->begun) &&
	       read_number(take_word(rest), node->begun, &node->whole);
}

static bool take_small(struct span *rest, uint32_t *out)
{
	uint64_t number;

	if (!read_number(take_word(rest), UINT32_MAX, &number))
		return false;
	*out = (uint32_t)number;
	return true;
}

static bool take_kind(struct span *rest, uint8_t *kind)
{
	struct span word = take_word(rest);
	const char *letter =
		word.length == 1 ? memchr(kind_letters, word.at[0], sizeof(kind_letters)) : NULL;

	if (!letter)
		return false;
	*kind = (uint8_t)(letter - kind_letters);
	return true;
}

static bool take_health(struct span *rest, uint8_t *health)
{
	struct span word = take_word(rest);

	for (uint8_t i = 0; i < PATH_HEALTH_MAX; i++) {
		if (span_equal(word, span_of(path_health_name(i)))) {
			*health = i;
			return true;
		}
	}
	return false;
}

static bool take_node(struct span *rest, struct span *name)
{
	*name = take_word(rest);
	return node_name_is_good(*name);
}

static bool is_good_text(struct span text)
{
	return text.length > 0 && text.length <= LOCATION_TEXT_MAX;
}

int notation_read_field(struct span field, struct location *out)
{
	struct location read = { 0 };

	if (!take_kind(&field, &read.kind) || !take_node(&field, &read.node) ||
	    !is_good_text(field))
		return -EBADMSG;
	read.device = field;
	*out = read;
	return 0;
}

static int read_value(struct span value, struct location *out)
{
	if (!take_version(&value) || !take_number(&value, &out->epoch) ||
	    !take_time(&value, &out->accepted_ms) || !take_time(&value, &out->ends_ms) ||
	    !take_time(&value, &out->heard_ms) || !take_health(&value, &out->health) ||
	    flow_read(value, &out->flow))
		return -EBADMSG;
	return 0;
}

int notation_read_location(struct span field, struct span value, struct location *out)
{
	struct location read;

	if (notation_read_field(field, &read) || read_value(value, &read))
		return -EBADMSG;
	*out = read;
	return 0;
}

static bool take_draining(struct span *rest, bool *draining)
{
	struct span word = take_word(rest);

	*draining = span_equal(word, SPAN(DRAINING));
	return *draining || span_equal(word, SPAN(SERVING));
}

/* It goes into headers of SIP, between "<" and ">". */
static bool uri_is_good(struct span uri)
{
	if (uri.length == 0 || uri.length > NODE_URI_MAX)
		return false;
	for (size_t i = 0; i < uri.length; i++)
		if (uri.at[i] <= ' ' || uri.at[i] > '~' || memchr("<>\"", uri.at[i], 3))
			return false;
	return true;
}

int notation_read_node(struct span name, struct span value, struct node *out)
{
	struct node read = { .name = name };

	if (!node_name_is_good(name) || !take_version(&value) ||
	    !take_number(&value, &read.incarnation) || !take_time(&value, &read.beat_ms) ||
	    !take_epochs(&value, &read) || !take_small(&value, &read.paths) ||
	    !take_small(&value, &read.lag_ms) || !take_draining(&value, &read.draining) ||
	    !uri_is_good(value))
		return -EBADMSG;
	read.uri = value;
	*out = read;
	return 0;
}

/* LENGTH AOR DEVICE: the AOR may have blanks, by mischief, so its length says where it ends. */
static bool read_whose(struct span rest, struct order *out)
{
	uint64_t length;

	if (!read_number(take_word(&rest), LOCATION_TEXT_MAX, &length) || length == 0 ||
	    rest.length <= length || rest.at[length] != ' ')
		return false;
	out->aor = (struct span){ rest.at, length };
	out->device = (struct span){ rest.at + length + 1, rest.length - length - 1 };
	return is_good_text(out->device);
}

static bool read_leave(struct span rest, struct order *out)
{
	return take_time(&rest, &out->accepted_ms) && take_node(&rest, &out->node) &&
	       read_whose(rest, out);
}

int notation_read_order(struct span text, struct order *out)
{
	struct order read = { 0 };
	bool good;

	if (!take_version(&text))
		return -EBADMSG;
	read.kind = order_find(take_word(&text));
	if (read.kind == ORDER_MAX || !take_time(&text, &read.issued_ms))
		return -EBADMSG;
	if (read.kind == ORDER_leave)
		good = read_leave(text, &read);
	else if (order_has_flow(read.kind))
		good = flow_read(text, &read.flow) == 0;
	else
		good = text.at == NULL;
	if (!good)
		return -EBADMSG;
	*out = read;
	return 0;
}

struct span notation_aor_of(struct span key)
{
	const struct span prefix = SPAN(NOTATION_AOR);

	if (key.length < prefix.length || memcmp(key.at, prefix.at, prefix.length) != 0)
		return (struct span){ NULL, 0 };
	return (struct span){ key.at + prefix.length, key.length - prefix.length };
}
