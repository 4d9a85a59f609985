/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * restart_load.c - how long an agent takes to go on where the last one was killed, for
 * tests/bench/restart.
 *
 *     restart_load DIRECTORY PATHS    writes a store of so many registrations and a map of
 *                                     their paths, and starts upon them as sippathd does
 *
 * The map is a real one; nothing is sent: what would be is counted when it is due. Prints lines
 * of NAME VALUE.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/number.h"
#include "kernel_abi.h"
#include "path_entry.h"
#include "pipeline.h"

#define THRESHOLD_NS (24 * NS_PER_S)
#define WATCHED_NS (60 * NS_PER_S)
#define SLOT_NS (100 * NS_PER_MS)
#define SLOTS (WATCHED_NS / SLOT_NS)
#define FLUSH_EVERY 4096

/* The slots in which prompts were due, from the first turn on. */
static uint32_t slots[SLOTS];
static uint64_t started_ns;
static uint32_t prompts;

/* --- in place of keep/wire: counts --- */

bool wire_holds(struct wire *wire, const struct flow *flow)
{
	(void)wire;
	(void)flow;
	return true;
}

int wire_queue(struct wire *wire, const struct flow *flow, struct span payload)
{
	uint64_t slot = (clock_now_ns() - started_ns) / SLOT_NS;

	(void)wire;
	(void)flow;
	(void)payload;
	if (slot < SLOTS)
		slots[slot]++;
	prompts++;
	return 0;
}

void wire_flush(struct wire *wire)
{
	(void)wire;
}

void wire_on_refusal(struct wire *wire, wire_refusal_handler *handler, void *context)
{
	(void)wire;
	(void)handler;
	(void)context;
}

void wire_addresses_changed(struct wire *wire)
{
	(void)wire;
}

static void __attribute__((noreturn)) die(const char *what)
{
	fprintf(stderr, "restart_load: %s\n", what);
	exit(1);
}

static struct flow flow_of(uint32_t number)
{
	struct flow flow = {
		.local_addr = { [10] = 0xff, [11] = 0xff, 192, 0, 2, 1 },
		.remote_addr = { [10] = 0xff,
				 [11] = 0xff,
				 10,
				 (uint8_t)(number >> 16),
				 (uint8_t)(number >> 8),
				 (uint8_t)number },
		.local_port = 5060,
		.remote_port = (uint16_t)(1024 + number % 60000),
		.transport = FLOW_UDP,
	};

	return flow;
}

/* A text of 80 bytes, and the span of what is written into it. */
#define PRINT(text, ...) (snprintf(text, sizeof(text), __VA_ARGS__), span_of(text))

static void put_registration(struct store *store, uint32_t number)
{
	char aor[80], target[80], call_id[80], instance[80];
	struct record record = {
		.flow = flow_of(number),
		.ends_ns = clock_now_ns() + 3600 * NS_PER_S,
		.accepted_ns = clock_now_ns(),
		.cseq = 7,
		.kind = BINDING_REGISTRATION,
		.expiry = REASON_registration_expired,
		.behind_nat = true,
		.aor = PRINT(aor, "sip:user%u@example.org", number),
		.target = PRINT(target, "sip:user%u@192.168.178.20:5060;transport=udp", number),
		.call_id = PRINT(call_id, "f81d4fae-7dec-11d0-a765-%012x@192.168.178.20", number),
		.instance = PRINT(instance, "<urn:uuid:f81d4fae-7dec-11d0-a765-%012x>", number),
	};

	if (store_put(store, 0, &record) == 0)
		die("cannot write the store");
}

static void write_store(const char *directory, uint32_t count)
{
	struct store *store;

	if (store_open(directory, &store) || !store_begin_anew(store, clock_now_ns()))
		die("cannot make the store");
	for (uint32_t i = 0; i < count; i++) {
		put_registration(store, i);
		if (i % FLUSH_EVERY == 0)
			store_flush(store);
	}
	store_complete(store);
	store_flush(store);
	_exit(0); /* as one that is killed */
}

/* Devices were last heard at any time in the last threshold. */
static int make_map(uint32_t count, uint64_t now_ns)
{
	LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_NO_PREALLOC);
	int map = bpf_map_create(BPF_MAP_TYPE_HASH, SIPPATH_MAP_PATHS, sizeof(struct flow),
				 sizeof(struct path_entry), count, &options);

	if (map < 0)
		die("cannot make the map");
	for (uint32_t i = 0; i < count; i++) {
		struct path_entry entry = { .last_seen_ns =
						    now_ns - (uint64_t)i * THRESHOLD_NS / count };
		struct flow flow = flow_of(i);

		if (bpf_map_update_elem(map, &flow, &entry, BPF_NOEXIST))
			die("cannot fill the map");
	}
	return map;
}

static void say(const char *name, double value)
{
	printf("%s %.3f\n", name, value);
	fflush(stdout);
}

/* Of this process and of those that it has waited for: busy machines differ in nothing else. */
static double cpu_seconds(void)
{
	static const int whose[] = { RUSAGE_SELF, RUSAGE_CHILDREN };
	double sum = 0;

	for (size_t i = 0; i < 2; i++) {
		struct rusage usage;

		getrusage(whose[i], &usage);
		sum += (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
		       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
	}
	return sum;
}

static double seconds(uint64_t from_ns, uint64_t until_ns)
{
	return (double)(until_ns - from_ns) / NS_PER_S;
}

static void say_memory(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	say("peak_resident_mib", (double)usage.ru_maxrss / 1024);
}

static void say_slots(void)
{
	uint32_t highest = 0;

	printf("prompts_each_100_ms");
	for (size_t i = 0; i < SLOTS; i++) {
		printf(" %u", slots[i]);
		if (slots[i] > highest)
			highest = slots[i];
	}
	printf("\n");
	say("prompts", prompts);
	say("most_prompts_in_100_ms", highest);
}

/* As the loop takes its turns: when it is asked to, or after a moment. */
static void watch(struct pipeline *pipeline)
{
	uint64_t longest_ns = 0, second_ns = 0, now_ns = clock_now_ns();

	while (now_ns < started_ns + WATCHED_NS) {
		uint64_t next_ns = pipeline_turn(pipeline, now_ns);
		uint64_t done_ns = clock_now_ns(), took_ns = done_ns - now_ns;

		if (took_ns > longest_ns) {
			second_ns = longest_ns;
			longest_ns = took_ns;
		} else if (took_ns > second_ns) {
			second_ns = took_ns;
		}
		if (next_ns > done_ns)
			usleep(next_ns > done_ns + NS_PER_MS * 10
				       ? 10000
				       : (useconds_t)((next_ns - done_ns) / 1000));
		now_ns = clock_now_ns();
	}
	say("longest_turn_ms", (double)longest_ns / NS_PER_MS);
	say("second_longest_turn_ms", (double)second_ns / NS_PER_MS);
}

static void restart(const char *directory, int map, uint32_t count)
{
	static struct counts counts;
	uint64_t begun_ns = clock_now_ns(), opened_ns, recalled_ns;
	double cpu_begun = cpu_seconds(), cpu_opened, cpu_recalled;
	struct pipeline_options options = {
		.keeper.path_map = map,
		.keeper.flow_map = -1,
		.keeper.connection_map = -1,
		.keeper.counts = &counts,
		.keeper.paths_max = count,
		.keeper.defaults.threshold_ns = THRESHOLD_NS,
		.transactions_max = 1000,
		.linger_ns = 32 * NS_PER_S,
		.dialog_max_ns = 3600 * NS_PER_S,
	};
	struct pipeline *pipeline;

	if (store_open(directory, &options.store))
		die("cannot open the store");
	opened_ns = clock_now_ns();
	cpu_opened = cpu_seconds();
	if (pipeline_new(&options, opened_ns, &pipeline) ||
	    pipeline_recall(pipeline, clock_now_ns()) != (int)count)
		die("not everything was recalled");
	recalled_ns = clock_now_ns();
	cpu_recalled = cpu_seconds();
	started_ns = recalled_ns;
	say("seconds_until_the_store_is_open", seconds(begun_ns, opened_ns));
	say("seconds_until_all_is_recalled", seconds(begun_ns, recalled_ns));
	say("cpu_seconds_to_open_the_store", cpu_opened - cpu_begun);
	say("cpu_seconds_to_recall_all", cpu_recalled - cpu_opened);
	pipeline_turn(pipeline, recalled_ns);
	say("cpu_seconds_of_the_first_turn", cpu_seconds() - cpu_recalled);
	say("seconds_until_the_first_turn_is_over", seconds(begun_ns, clock_now_ns()));
	say_memory();
	watch(pipeline);
	say_slots();
	pipeline_free(pipeline);
	store_close(options.store);
}

int main(int argc, char **argv)
{
	uint64_t count;
	int status, map;
	pid_t child;

	if (argc != 3 || number_read(span_of(argv[2]), 1, SIPPATH_PATHS_DEFAULT, &count)) {
		fprintf(stderr, "usage: restart_load DIRECTORY PATHS\n");
		return 2;
	}
	child = fork();
	if (child == 0)
		write_store(argv[1], (uint32_t)count);
	if (child < 0 || waitpid(child, &status, 0) != child || status != 0)
		die("the store was not written");
	map = make_map((uint32_t)count, clock_now_ns());
	restart(argv[1], map, (uint32_t)count);
	return 0;
}
