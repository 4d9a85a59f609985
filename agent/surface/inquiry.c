/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "surface/inquiry.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* A directory may hand on what Redis says: what is longer is cut. */
#define REASON_MAX 256

struct inquiry {
	const struct directory *directory;
	struct waker waker;
	bool answered;
	struct directory_answer answer; /* points at what follows */
	char reason[REASON_MAX];
	struct location *locations;
	struct node *nodes;
	char *texts; /* of the locations or of the nodes */
};

static int compare_spans(struct span a, struct span b)
{
	size_t shorter = a.length < b.length ? a.length : b.length;
	int difference = shorter > 0 ? memcmp(a.at, b.at, shorter) : 0;

	if (difference)
		return difference;
	return (a.length > b.length) - (a.length < b.length);
}

static int compare_nodes(const void *left, const void *right)
{
	const struct node *a = left, *b = right;

	return compare_spans(a->name, b->name);
}

/* Two that were accepted in the same millisecond stand in the same order each time. */
static int compare_locations(const void *left, const void *right)
{
	const struct location *a = left, *b = right;
	int difference = (a->accepted_ms < b->accepted_ms) - (a->accepted_ms > b->accepted_ms);

	if (!difference)
		difference = compare_spans(a->node, b->node);
	return difference ? difference : memcmp(&a->flow, &b->flow, sizeof(a->flow));
}

static struct span keep_text(struct text *texts, struct span bytes)
{
	struct span kept = { texts->buffer + texts->used, bytes.length };

	if (!bytes.at)
		return bytes;
	text_add(texts, bytes);
	return kept;
}

static int copy_nodes(struct inquiry *inquiry, const struct directory_answer *answer)
{
	struct text texts = { .size = 1 };

	for (size_t i = 0; i < answer->node_count; i++)
		texts.size += answer->nodes[i].name.length + answer->nodes[i].uri.length;
	inquiry->nodes = calloc(answer->node_count, sizeof(*inquiry->nodes));
	texts.buffer = inquiry->texts = malloc(texts.size);
	if (!inquiry->nodes || !inquiry->texts)
		return -ENOMEM;
	for (size_t i = 0; i < answer->node_count; i++) {
		struct node *node = &inquiry->nodes[i];

		*node = answer->nodes[i];
		node->name = keep_text(&texts, node->name);
		node->uri = keep_text(&texts, node->uri);
	}
	qsort(inquiry->nodes, answer->node_count, sizeof(*inquiry->nodes), compare_nodes);
	inquiry->answer.nodes = inquiry->nodes;
	inquiry->answer.node_count = answer->node_count;
	return 0;
}

static int copy_locations(struct inquiry *inquiry, const struct directory_answer *answer)
{
	struct text texts = { .size = 1 };
	size_t count = answer->location_count;

	if (count > DIRECTORY_LOCATIONS_MAX)
		count = DIRECTORY_LOCATIONS_MAX;
	for (size_t i = 0; i < count; i++)
		texts.size += answer->locations[i].node.length;
	inquiry->locations = calloc(count, sizeof(*inquiry->locations));
	texts.buffer = inquiry->texts = malloc(texts.size);
	if (!inquiry->locations || !inquiry->texts)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		struct location *location = &inquiry->locations[i];

		*location = answer->locations[i];
		location->node = keep_text(&texts, location->node);
		location->aor = location->device = (struct span){ NULL, 0 };
	}
	qsort(inquiry->locations, count, sizeof(*inquiry->locations), compare_locations);
	inquiry->answer.locations = inquiry->locations;
	inquiry->answer.location_count = count;
	return 0;
}

/* No question is answered with both. */
static int copy_answer(struct inquiry *inquiry, const struct directory_answer *answer)
{
	inquiry->answer.now_ms = answer->now_ms;
	if (answer->node_count > 0)
		return copy_nodes(inquiry, answer);
	return answer->location_count > 0 ? copy_locations(inquiry, answer) : 0;
}

static void refuse(struct inquiry *inquiry, int error, const char *why)
{
	snprintf(inquiry->reason, sizeof(inquiry->reason), "%s", why ? why : strerror(-error));
	inquiry->answer = (struct directory_answer){ .error = error, .reason = inquiry->reason };
}

static void on_answer(void *context, const struct directory_answer *answer)
{
	struct inquiry *inquiry = context;

	if (answer->error)
		refuse(inquiry, answer->error, answer->reason);
	else if (copy_answer(inquiry, answer))
		refuse(inquiry, -ENOMEM, "out of memory");
	inquiry->answered = true;
	inquiry->waker.wake(inquiry->waker.context);
}

static struct inquiry *inquiry_new(const struct directory *directory, struct waker waker)
{
	struct inquiry *inquiry = calloc(1, sizeof(*inquiry));

	if (inquiry) {
		inquiry->directory = directory;
		inquiry->waker = waker;
	}
	return inquiry;
}

/* Hands the inquiry on if it was asked; if not, nobody will answer it. */
static int hand_on(struct inquiry *inquiry, int error, struct inquiry **out)
{
	if (error)
		free(inquiry);
	else
		*out = inquiry;
	return error;
}

int inquiry_where(const struct directory *directory, struct waker waker, struct span aor,
		  struct inquiry **out)
{
	struct inquiry *inquiry = inquiry_new(directory, waker);

	if (!inquiry)
		return -ENOMEM;
	return hand_on(inquiry, directory->where(directory->context, aor, on_answer, inquiry), out);
}

int inquiry_cluster(const struct directory *directory, struct waker waker, struct inquiry **out)
{
	struct inquiry *inquiry = inquiry_new(directory, waker);

	if (!inquiry)
		return -ENOMEM;
	return hand_on(inquiry, directory->cluster(directory->context, on_answer, inquiry), out);
}

int inquiry_order(const struct directory *directory, struct waker waker, struct span node,
		  const struct order *order, struct inquiry **out)
{
	struct inquiry *inquiry = inquiry_new(directory, waker);
	int error;

	if (!inquiry)
		return -ENOMEM;
	error = directory->order(directory->context, node, order, on_answer, inquiry);
	return hand_on(inquiry, error, out);
}

const struct directory_answer *inquiry_answer(const struct inquiry *inquiry)
{
	return inquiry->answered ? &inquiry->answer : NULL;
}

void inquiry_free(struct inquiry *inquiry)
{
	if (!inquiry)
		return;
	if (!inquiry->answered)
		inquiry->directory->forget(inquiry->directory->context, inquiry);
	free(inquiry->locations);
	free(inquiry->nodes);
	free(inquiry->texts);
	free(inquiry);
}
