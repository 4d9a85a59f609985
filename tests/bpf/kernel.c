/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "kernel.h"
#include "sippath.skel.h"

struct kernel {
	struct sippath_bpf *programs;
	struct ring_buffer *ring;
	union {
		struct sighting sighting;
		uint8_t bytes[sizeof(struct sighting) + SIGHTING_CAPTURE_MAX];
	} last;
	size_t sightings;
	bool one_at_a_time;
};

static int on_sighting(void *context, void *record, size_t size)
{
	struct kernel *kernel = context;

	assert_in_range(size, sizeof(struct sighting), sizeof(kernel->last));
	memcpy(&kernel->last, record, size);
	assert_int_equal(size, sizeof(struct sighting) + kernel->last.sighting.captured);
	kernel->sightings++;
	return kernel->one_at_a_time ? -ECANCELED : 0;
}

static int load_programs(struct kernel *kernel, uint32_t flags)
{
	struct bpf_map *map;

	kernel->programs = sippath_bpf__open();
	if (!kernel->programs)
		return -errno;
	bpf_object__for_each_map(map, kernel->programs->obj) bpf_map__set_pin_path(map, NULL);
	bpf_map__set_max_entries(kernel->programs->maps.sip_paths, KERNEL_PATHS);
	bpf_map__set_max_entries(kernel->programs->maps.sip_flows, KERNEL_FLOWS);
	bpf_map__set_max_entries(kernel->programs->maps.sip_connections, KERNEL_CONNECTIONS);
	bpf_map__set_max_entries(kernel->programs->maps.sip_sightings, KERNEL_SIGHTINGS_BYTES);
	bpf_program__set_flags(kernel->programs->progs.sippath_ingress, flags);
	return sippath_bpf__load(kernel->programs);
}

static int setup(void **state, uint32_t flags)
{
	struct kernel *kernel = calloc(1, sizeof(*kernel));

	if (!kernel)
		return -ENOMEM;
	*state = kernel;
	if (load_programs(kernel, flags))
		return -1;
	kernel->ring = ring_buffer__new(bpf_map__fd(kernel->programs->maps.sip_sightings),
					on_sighting, kernel, NULL);
	return kernel->ring ? 0 : -1;
}

int kernel_setup(void **state)
{
	return setup(state, 0);
}

int kernel_setup_frags(void **state)
{
	return setup(state, BPF_F_XDP_HAS_FRAGS);
}

int kernel_teardown(void **state)
{
	struct kernel *kernel = *state;

	ring_buffer__free(kernel->ring);
	sippath_bpf__destroy(kernel->programs);
	free(kernel);
	return 0;
}

static bool try_run(const struct bpf_program *program, const struct frame *frame,
		    struct __sk_buff *context, int *verdict)
{
	static uint8_t out[FRAME_MAX];
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame->bytes,
		    .data_size_in = (uint32_t)frame->length, .data_out = out,
		    .data_size_out = sizeof(out), .ctx_in = context,
		    .ctx_size_in = context ? sizeof(*context) : 0, .repeat = 1);

	assert_int_equal(bpf_prog_test_run_opts(bpf_program__fd(program), &options), 0);
	*verdict = (int)options.retval;
	return options.data_size_out == frame->length &&
	       memcmp(out, frame->bytes, frame->length) == 0;
}

bool kernel_run(struct kernel *kernel, enum sighting_direction direction, const struct frame *frame,
		uint32_t mark, int *verdict)
{
	struct __sk_buff context = { .mark = mark };

	if (direction == SIGHTING_FROM_DEVICE)
		return try_run(kernel->programs->progs.sippath_ingress, frame, NULL, verdict);
	return try_run(kernel->programs->progs.sippath_egress, frame, &context, verdict);
}

int kernel_ingress(struct kernel *kernel, const struct frame *frame)
{
	int verdict;

	assert_true(kernel_run(kernel, SIGHTING_FROM_DEVICE, frame, 0, &verdict));
	return verdict;
}

int kernel_egress(struct kernel *kernel, const struct frame *frame, uint32_t mark)
{
	int verdict;

	assert_true(kernel_run(kernel, SIGHTING_TO_DEVICE, frame, mark, &verdict));
	return verdict;
}

static void build_plain(struct frame *frame, struct flow flow, enum sighting_direction direction,
			const char *payload)
{
	struct frame_plan plan = frame_plan(flow, direction);

	frame_build(frame, &plan, payload, strlen(payload));
}

int kernel_receive(struct kernel *kernel, struct flow flow, const char *payload)
{
	struct frame frame;

	build_plain(&frame, flow, SIGHTING_FROM_DEVICE, payload);
	return kernel_ingress(kernel, &frame);
}

int kernel_send(struct kernel *kernel, struct flow flow, const char *payload, uint32_t mark)
{
	struct frame frame;

	build_plain(&frame, flow, SIGHTING_TO_DEVICE, payload);
	return kernel_egress(kernel, &frame, mark);
}

static void write_map(const struct bpf_map *map, const void *key, const void *value)
{
	assert_int_equal(bpf_map_update_elem(bpf_map__fd(map), key, value, BPF_ANY), 0);
}

void kernel_set(struct kernel *kernel, const struct sip_settings *settings)
{
	uint32_t index = 0;

	write_map(kernel->programs->maps.sip_settings, &index, settings);
}

int kernel_try_path(struct kernel *kernel, struct flow flow, const struct path_entry *entry)
{
	int map = bpf_map__fd(kernel->programs->maps.sip_paths);

	return bpf_map_update_elem(map, &flow, entry, BPF_NOEXIST);
}

void kernel_add_path(struct kernel *kernel, struct flow flow, const struct path_entry *entry)
{
	assert_int_equal(kernel_try_path(kernel, flow, entry), 0);
}

void kernel_put_path(struct kernel *kernel, struct flow flow, const struct path_entry *entry)
{
	write_map(kernel->programs->maps.sip_paths, &flow, entry);
}

struct path_entry kernel_path(struct kernel *kernel, struct flow flow)
{
	int map = bpf_map__fd(kernel->programs->maps.sip_paths);
	struct path_entry entry;

	assert_int_equal(bpf_map_lookup_elem(map, &flow, &entry), 0);
	return entry;
}

bool kernel_flow(struct kernel *kernel, struct flow flow, struct flow_entry *entry)
{
	int map = bpf_map__fd(kernel->programs->maps.sip_flows);

	return bpf_map_lookup_elem(map, &flow, entry) == 0;
}

bool kernel_take_flow(struct kernel *kernel, struct flow *flow, struct flow_entry *entry)
{
	int map = bpf_map__fd(kernel->programs->maps.sip_flows);

	if (bpf_map_get_next_key(map, NULL, flow))
		return false;
	assert_int_equal(bpf_map_lookup_elem(map, flow, entry), 0);
	assert_int_equal(bpf_map_delete_elem(map, flow), 0);
	return true;
}

void kernel_connect(struct kernel *kernel, struct flow flow)
{
	struct connection_entry entry = { .opened_ns = 1 };

	kernel_connect_as(kernel, flow, &entry);
}

void kernel_connect_as(struct kernel *kernel, struct flow flow,
		       const struct connection_entry *entry)
{
	write_map(kernel->programs->maps.sip_connections, &flow, entry);
}

void kernel_disconnect(struct kernel *kernel, struct flow flow)
{
	int map = bpf_map__fd(kernel->programs->maps.sip_connections);

	assert_int_equal(bpf_map_delete_elem(map, &flow), 0);
}

bool kernel_connection(struct kernel *kernel, struct flow flow, struct connection_entry *entry)
{
	int map = bpf_map__fd(kernel->programs->maps.sip_connections);

	return bpf_map_lookup_elem(map, &flow, entry) == 0;
}

static size_t held(const struct bpf_map *map)
{
	struct flow flow, *previous = NULL;
	size_t entries = 0;

	while (bpf_map_get_next_key(bpf_map__fd(map), previous, &flow) == 0) {
		previous = &flow;
		entries++;
	}
	return entries;
}

size_t kernel_connections_held(struct kernel *kernel)
{
	return held(kernel->programs->maps.sip_connections);
}

size_t kernel_paths_held(struct kernel *kernel)
{
	return held(kernel->programs->maps.sip_paths);
}

size_t kernel_flows_held(struct kernel *kernel)
{
	return held(kernel->programs->maps.sip_flows);
}

uint64_t kernel_count(struct kernel *kernel, enum kernel_counter counter)
{
	int map = bpf_map__fd(kernel->programs->maps.sip_counters);
	int processors = libbpf_num_possible_cpus();
	uint64_t *values = test_calloc((size_t)processors, sizeof(*values));
	uint64_t sum = 0;
	uint32_t index = counter;

	assert_int_equal(bpf_map_lookup_elem(map, &index, values), 0);
	for (int i = 0; i < processors; i++)
		sum += values[i];
	test_free(values);
	return sum;
}

size_t kernel_sightings(struct kernel *kernel)
{
	kernel->sightings = 0;
	assert_true(ring_buffer__consume(kernel->ring) >= 0);
	return kernel->sightings;
}

const struct sighting *kernel_sighting(const struct kernel *kernel)
{
	return &kernel->last.sighting;
}

const struct sighting *kernel_next_sighting(struct kernel *kernel)
{
	int err;

	kernel->one_at_a_time = true;
	err = ring_buffer__consume(kernel->ring);
	kernel->one_at_a_time = false;
	assert_true(err == 0 || err == -ECANCELED);
	return err ? &kernel->last.sighting : NULL;
}

struct bpf_program *kernel_program(struct kernel *kernel, const char *name)
{
	struct bpf_program *program = bpf_object__find_program_by_name(kernel->programs->obj, name);

	assert_non_null(program);
	return program;
}

/* The first value of a map by its id if it is .rodata, or 0. */
static uint32_t rodata_value(uint32_t map_id)
{
	int map = bpf_map_get_fd_by_id(map_id);
	struct bpf_map_info info = { 0 };
	uint32_t size = sizeof(info), index = 0;
	uint32_t value[4] = { 0 };

	assert_true(map >= 0);
	assert_int_equal(bpf_obj_get_info_by_fd(map, &info, &size), 0);
	if (strstr(info.name, ".rodata") && info.value_size <= sizeof(value))
		assert_int_equal(bpf_map_lookup_elem(map, &index, value), 0);
	close(map);
	return value[0];
}

uint32_t kernel_abi_of(struct kernel *kernel, const char *program)
{
	int fd = bpf_program__fd(kernel_program(kernel, program));
	uint32_t map_ids[16], size, abi = 0;
	struct bpf_prog_info info = { .nr_map_ids = 16, .map_ids = (uintptr_t)map_ids };

	size = sizeof(info);
	assert_int_equal(bpf_obj_get_info_by_fd(fd, &info, &size), 0);
	for (uint32_t i = 0; i < info.nr_map_ids && abi == 0; i++)
		abi = rodata_value(map_ids[i]);
	return abi;
}

uint64_t kernel_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}
