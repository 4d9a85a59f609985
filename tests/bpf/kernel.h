/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kernel.h - the programs, loaded with private maps and run on one frame at a time
 * with BPF_PROG_TEST_RUN. Nothing is attached here and nothing is pinned.
 */
#ifndef TESTS_BPF_KERNEL_H
#define TESTS_BPF_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "counters.h"
#include "flow.h"
#include "frame.h"
#include "kernel_abi.h"
#include "path_entry.h"
#include "sighting.h"

/* Small maps, so that a test can fill them. */
#define KERNEL_PATHS 256
#define KERNEL_FLOWS 1024
#define KERNEL_CONNECTIONS 4
#define KERNEL_SIGHTINGS_BYTES 262144

struct bpf_program;
struct kernel;

/* For cmocka: a fresh kernel per test, in *state; the second takes multi-buffer frames. */
int kernel_setup(void **state);
int kernel_setup_frags(void **state);
int kernel_teardown(void **state);

#define KERNEL_TEST(test) cmocka_unit_test_setup_teardown(test, kernel_setup, kernel_teardown)

/*
 * Run a program on a frame and return its verdict. Fails the test if the program could
 * not be run, or if the frame came out changed.
 */
int kernel_ingress(struct kernel *kernel, const struct frame *frame);
int kernel_egress(struct kernel *kernel, const struct frame *frame, uint32_t mark);

/* The same whichever way it goes, for a test that judges itself: false if it came out changed. */
bool kernel_run(struct kernel *kernel, enum sighting_direction direction, const struct frame *frame,
		uint32_t mark, int *verdict);

/* The same for a plain frame of a flow. */
int kernel_receive(struct kernel *kernel, struct flow flow, const char *payload);
int kernel_send(struct kernel *kernel, struct flow flow, const char *payload, uint32_t mark);

void kernel_set(struct kernel *kernel, const struct sip_settings *settings);

/* What only the agent does: makes a flow a path. */
void kernel_add_path(struct kernel *kernel, struct flow flow, const struct path_entry *entry);

/* The same where there may be no room: 0 or -errno. */
int kernel_try_path(struct kernel *kernel, struct flow flow, const struct path_entry *entry);

/* Makes the entry of a path what it has never been, or adds the path. */
void kernel_put_path(struct kernel *kernel, struct flow flow, const struct path_entry *entry);

/* The entry of a path; fails the test if there is none. */
struct path_entry kernel_path(struct kernel *kernel, struct flow flow);

/* The entry of a flow; false if there is none. */
bool kernel_flow(struct kernel *kernel, struct flow flow, struct flow_entry *entry);

/* Takes an entry of a flow out; false if there is none. */
bool kernel_take_flow(struct kernel *kernel, struct flow *flow, struct flow_entry *entry);

/*
 * What only the handshake does: writes down a connection of this flow, both of whose streams
 * are at number 0, or with this entry.
 */
void kernel_connect(struct kernel *kernel, struct flow flow);
void kernel_connect_as(struct kernel *kernel, struct flow flow,
		       const struct connection_entry *entry);

/* Deletes its entry. */
void kernel_disconnect(struct kernel *kernel, struct flow flow);

/* The entry of a connection; false if there is none. */
bool kernel_connection(struct kernel *kernel, struct flow flow, struct connection_entry *entry);

size_t kernel_connections_held(struct kernel *kernel);
size_t kernel_paths_held(struct kernel *kernel);
size_t kernel_flows_held(struct kernel *kernel);

uint64_t kernel_count(struct kernel *kernel, enum kernel_counter counter);

/* Reads the ring buffer empty and returns how many sightings there were. */
size_t kernel_sightings(struct kernel *kernel);

/* The last of them. Good until the next call that reads the ring buffer. */
const struct sighting *kernel_sighting(const struct kernel *kernel);

/* Reads one sighting, in its turn, or NULL if there is none. */
const struct sighting *kernel_next_sighting(struct kernel *kernel);

/* A program by its name, for those that have to be attached. */
struct bpf_program *kernel_program(struct kernel *kernel, const char *name);

/* The number that a stranger finds behind a program: 0 if none of its maps is .rodata. */
uint32_t kernel_abi_of(struct kernel *kernel, const char *program);

/* CLOCK_MONOTONIC. */
uint64_t kernel_now_ns(void);

#endif
