/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "keep/caps.h"

#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/clock.h"
#include "base/hash.h"

#define ROWS 2

/*
 * A million paths behind as many addresses share 65,536 places: 16 of them need 0.7 prompts a
 * second together, which is little even beside a cap that was set low.
 */
#define PATHS_PER_CELL 16
#define CELLS_MIN 1024

/* Two times for each place of each row: the later they are, the less may leave. */
struct cell {
	uint64_t spent_ns; /* until then the cap is used up by what has left */
	uint64_t given_ns; /* until then tickets are given */
};

struct level {
	uint64_t gap_ns; /* between two prompts in the long run; 0: no cap */
	uint64_t mask; /* of a place in a row */
	struct cell *rows[ROWS];
};

struct caps {
	struct hash_key key;
	struct level levels[CAPS_LEVEL_MAX];
};

/* The places of one address in the rows of a level. */
struct places {
	struct cell *cells[ROWS];
};

static uint64_t cells_for(uint32_t paths_max)
{
	uint64_t cells = CELLS_MIN;

	while (cells < paths_max / PATHS_PER_CELL)
		cells *= 2;
	return cells;
}

static bool make_level(struct level *level, uint32_t per_second, uint64_t cells)
{
	if (per_second == 0)
		return true;
	level->gap_ns = (NS_PER_S + per_second - 1) / per_second;
	level->mask = cells - 1;
	for (size_t i = 0; i < ROWS; i++) {
		level->rows[i] = calloc(cells, sizeof(struct cell));
		if (!level->rows[i])
			return false;
	}
	return true;
}

struct caps *caps_new(const struct caps_limits *limits, uint32_t paths_max)
{
	struct caps *caps = calloc(1, sizeof(*caps));
	uint64_t cells = cells_for(paths_max);

	if (caps && hash_key_make(&caps->key) == 0 &&
	    make_level(&caps->levels[CAPS_ADDRESS], limits->per_address, cells) &&
	    make_level(&caps->levels[CAPS_NETWORK], limits->per_network, cells) &&
	    make_level(&caps->levels[CAPS_HOST], limits->per_host, 1))
		return caps;
	caps_free(caps);
	return NULL;
}

void caps_free(struct caps *caps)
{
	if (!caps)
		return;
	for (size_t i = 0; i < CAPS_LEVEL_MAX; i++)
		for (size_t row = 0; row < ROWS; row++)
			free(caps->levels[i].rows[row]);
	free(caps);
}

/* What a level goes by: an address as it is, or its network. The host's has one place only. */
static uint64_t hash_remote(const struct caps *caps, const uint8_t address[16],
			    enum caps_level level)
{
	uint8_t network[16];

	if (level == CAPS_ADDRESS)
		return hash_bytes(&caps->key, address, 16);
	address_network(address, network);
	return hash_bytes(&caps->key, network, sizeof(network));
}

static struct places find_places(const struct caps *caps, const uint8_t address[16],
				 enum caps_level which)
{
	const struct level *level = &caps->levels[which];
	uint64_t hash = level->mask > 0 ? hash_remote(caps, address, which) : 0;
	struct places places;

	for (size_t row = 0; row < ROWS; row++)
		places.cells[row] = &level->rows[row][(hash >> (row * 32)) & level->mask];
	return places;
}

static uint64_t later(uint64_t a_ns, uint64_t b_ns)
{
	return a_ns > b_ns ? a_ns : b_ns;
}

/* What is true of an address is at most what the lesser of its places says. */
static uint64_t spent(const struct places *places)
{
	uint64_t a_ns = places->cells[0]->spent_ns, b_ns = places->cells[1]->spent_ns;

	return a_ns < b_ns ? a_ns : b_ns;
}

static uint64_t given(const struct places *places)
{
	uint64_t a_ns = places->cells[0]->given_ns, b_ns = places->cells[1]->given_ns;

	return a_ns < b_ns ? a_ns : b_ns;
}

static bool has_left(const struct places *places, bool ticket, uint64_t now_ns)
{
	return spent(places) <= now_ns + CAPS_SLACK_NS && (ticket || given(places) <= now_ns);
}

/* Places that say more already stay: so none is raised for want of a reason. */
static void spend(const struct places *places, uint64_t gap_ns, uint64_t now_ns)
{
	uint64_t until_ns = later(spent(places), now_ns) + gap_ns;

	for (size_t row = 0; row < ROWS; row++)
		places->cells[row]->spent_ns = later(places->cells[row]->spent_ns, until_ns);
}

bool caps_take(struct caps *caps, const uint8_t address[16], uint8_t tickets, uint64_t now_ns,
	       enum caps_level *by)
{
	struct places places[CAPS_LEVEL_MAX] = { 0 };

	for (unsigned int i = 0; i < CAPS_LEVEL_MAX; i++) {
		if (caps->levels[i].gap_ns == 0)
			continue;
		places[i] = find_places(caps, address, (enum caps_level)i);
		if (!has_left(&places[i], tickets & (1U << i), now_ns)) {
			*by = (enum caps_level)i;
			return false;
		}
	}
	for (unsigned int i = 0; i < CAPS_LEVEL_MAX; i++)
		if (caps->levels[i].gap_ns > 0)
			spend(&places[i], caps->levels[i].gap_ns, now_ns);
	return true;
}

uint64_t caps_queue(struct caps *caps, const uint8_t address[16], enum caps_level by,
		    uint64_t now_ns)
{
	struct places places = find_places(caps, address, by);
	uint64_t ticket_ns = later(given(&places), now_ns + 1), left_ns = spent(&places);

	if (left_ns > now_ns + CAPS_SLACK_NS)
		ticket_ns = later(ticket_ns, left_ns - CAPS_SLACK_NS);
	for (size_t row = 0; row < ROWS; row++)
		places.cells[row]->given_ns =
			later(places.cells[row]->given_ns, ticket_ns + caps->levels[by].gap_ns);
	return ticket_ns;
}
