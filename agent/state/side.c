/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "state/side.h"

#include <stdlib.h>
#include <string.h>

#include "sip/prompt_msg.h"
#include "state/nat.h"
#include "state/paths.h"
#include "state/span_pack.h"

struct side side_of_request(enum sighting_direction direction, const struct facts *request)
{
	if (direction == SIGHTING_FROM_DEVICE)
		return (struct side){
			.tag = request->from_tag,
			.peer_tag = request->to_tag,
			.aor = request->from_aor,
			.said = request,
		};
	return (struct side){
		.tag = request->to_tag,
		.peer_tag = request->from_tag,
		.aor = request->aor,
	};
}

struct side side_of_answered(const struct transaction *request, const struct facts *response)
{
	struct side side = side_of_request(request->direction, request->facts);
	struct span *to_tag =
		request->direction == SIGHTING_FROM_DEVICE ? &side.peer_tag : &side.tag;

	if (to_tag->length == 0) /* outside of a dialog: the response makes it */
		*to_tag = response->to_tag;
	if (!side.said)
		side.said = response;
	return side;
}

bool side_is_near(const struct binding *binding, const struct flow *flow)
{
	const struct path *path = binding->path;

	return !path ||
	       memcmp(path->flow.remote_addr, flow->remote_addr, sizeof(flow->remote_addr)) == 0;
}

bool side_is_relayed(enum sighting_direction direction, const struct facts *request)
{
	return direction == SIGHTING_FROM_DEVICE && request->via_count > 1;
}

void side_set_target(struct binding *binding, struct span target)
{
	char *copy;

	if (target.length == 0 || target.length > PROMPT_MSG_TARGET_MAX ||
	    span_equal(binding->target, target))
		return;
	copy = malloc(target.length);
	if (!copy)
		return;
	side_free_target(binding);
	binding->target = span_pack(target, &copy);
}

void side_introduce(const struct side *side, const struct flow *flow, struct binding *binding)
{
	const struct facts *said = side->said;

	if (said->is_request || said->contact_count > 0)
		paths_set_nat(binding, nat_between(flow, said));
	if (said->contact_count > 0 && said->contacts[0].host.length > 0)
		side_set_target(binding, said->contacts[0].uri);
}

void side_free_target(struct binding *binding)
{
	free((char *)binding->target.at);
	binding->target = (struct span){ NULL, 0 };
}
