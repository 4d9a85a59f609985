/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * failing.c - what rooms and libraries in a unit test call where they say malloc().
 *
 * The rooms are linked with these names in place of those of the C library, see the Makefile;
 * libosip2 and jansson are told. Not covered is what other libraries allocate:
 * - libev ends the process (ev_set_allocator() changes the allocator, not that: it has no way to
 *   say that there is none); the loop's few arrays grow with descriptors and timers only. systemd
 *   starts the agent again, and the state is on disk.
 * - lmdb, hiredis, libbpf, libelf and libinih call malloc() themselves. The rooms around them
 *   handle what they return for that (ENOMEM, NULL, REDIS_ERR_OOM), unseen by this test.
 * - the C library within calls that do not only allocate: of fopen(), getline(), getaddrinfo()
 *   and the like it is the whole call that fails.
 */
#include "failing.h"

#include <dirent.h>
#include <errno.h>
#include <net/if.h>
#include <netdb.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>

#include <jansson.h>
#include <osipparser2/osip_port.h>
#include <sanitizer/common_interface_defs.h>

#define PLACES_MAX 16384 /* of one program; a power of two */
#define CALLERS 4 /* of an allocation, by which its place is known at most */
#define FRAME_MAX 65536 /* bytes of stack; what claims more is no frame */

/* Which allocations of a place fail, counted from 1 in each process. */
static const unsigned int turns[] = { 1, 8 };

#define TURNS (sizeof(turns) / sizeof(turns[0]))

struct callers {
	uintptr_t at[CALLERS]; /* innermost first; 0 beyond the last that is known */
};

struct place {
	uint64_t hash; /* of its callers; 0 for a free slot */
	bool failed[TURNS];
};

/* Shared by the processes. */
struct places {
	struct place slots[PLACES_MAX];
	size_t used;
	size_t failures; /* in all processes */
	bool happened; /* in the present one */
	struct callers last; /* of the allocation that failed last */
};

static struct places *places; /* NULL: all allocations are let pass */
static int callers_max; /* by which places are told apart */
static unsigned int seen[PLACES_MAX]; /* allocations of each slot's place in this process */

extern const char __executable_start[], etext[]; /* the linker's */

void *failing_malloc(size_t size);
void *failing_calloc(size_t count, size_t size);
void *failing_realloc(void *memory, size_t size);
char *failing_strndup(const char *text, size_t length);
int failing_vasprintf(char **out, const char *format, va_list arguments)
	__attribute__((format(printf, 2, 0)));
FILE *failing_fopen(const char *path, const char *mode);
FILE *failing_fdopen(int fd, const char *mode);
DIR *failing_opendir(const char *path);
ssize_t failing_getline(char **line, size_t *size, FILE *file);
struct if_nameindex *failing_if_nameindex(void);
int failing_getaddrinfo(const char *host, const char *port, const struct addrinfo *hints,
			struct addrinfo **out);

static bool is_ours(uintptr_t code)
{
	return code >= (uintptr_t)__executable_start && code < (uintptr_t)etext;
}

/*
 * Frames lie one above the other on the stack. A library without frame pointers leaves anything
 * in their place, so what is not of this program ends the chain.
 */
static struct callers callers_of(const uintptr_t *frame)
{
	struct callers callers = { .at[0] = frame[1] };

	for (int i = 1; i < callers_max; i++) {
		const uintptr_t *above = (const uintptr_t *)frame[0];

		if (above <= frame || (uintptr_t)above - (uintptr_t)frame > FRAME_MAX ||
		    (uintptr_t)above % sizeof(*above) != 0 || !is_ours(above[1]))
			break;
		callers.at[i] = above[1];
		frame = above;
	}
	return callers;
}

static uint64_t hash_of(const struct callers *callers)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (int i = 0; i < CALLERS; i++)
		hash = (hash ^ callers->at[i]) * UINT64_C(0x100000001b3);
	return hash ? hash : 1;
}

/* The slot of a place, which is added if it is new; PLACES_MAX if there are too many. */
static size_t slot_of(uint64_t hash)
{
	size_t slot = hash % PLACES_MAX;

	for (; places->slots[slot].hash; slot = (slot + 1) % PLACES_MAX)
		if (places->slots[slot].hash == hash)
			return slot;
	if (places->used >= PLACES_MAX / 2)
		return PLACES_MAX;
	places->slots[slot].hash = hash;
	places->used++;
	return slot;
}

/* True if an allocation of this place has its turn to fail, which it has once. */
static bool take_turn(size_t slot)
{
	seen[slot]++;
	for (size_t i = 0; i < TURNS; i++)
		if (seen[slot] == turns[i] && !places->slots[slot].failed[i])
			return places->slots[slot].failed[i] = true;
	return false;
}

static bool denies(const void *frame)
{
	struct callers callers;
	size_t slot;

	if (!places || places->happened)
		return false;
	callers = callers_of(frame);
	slot = slot_of(hash_of(&callers));
	if (slot == PLACES_MAX || !take_turn(slot))
		return false;
	places->last = callers;
	places->failures++;
	places->happened = true;
	errno = ENOMEM;
	return true;
}

void *failing_malloc(size_t size)
{
	return denies(__builtin_frame_address(0)) ? NULL : malloc(size);
}

void *failing_calloc(size_t count, size_t size)
{
	return denies(__builtin_frame_address(0)) ? NULL : calloc(count, size);
}

void *failing_realloc(void *memory, size_t size)
{
	return denies(__builtin_frame_address(0)) ? NULL : realloc(memory, size);
}

char *failing_strndup(const char *text, size_t length)
{
	return denies(__builtin_frame_address(0)) ? NULL : strndup(text, length);
}

int failing_vasprintf(char **out, const char *format, va_list arguments)
{
	return denies(__builtin_frame_address(0)) ? -1 : vasprintf(out, format, arguments);
}

FILE *failing_fopen(const char *path, const char *mode)
{
	return denies(__builtin_frame_address(0)) ? NULL : fopen(path, mode);
}

FILE *failing_fdopen(int fd, const char *mode)
{
	return denies(__builtin_frame_address(0)) ? NULL : fdopen(fd, mode);
}

DIR *failing_opendir(const char *path)
{
	return denies(__builtin_frame_address(0)) ? NULL : opendir(path);
}

ssize_t failing_getline(char **line, size_t *size, FILE *file)
{
	return denies(__builtin_frame_address(0)) ? -1 : getline(line, size, file);
}

struct if_nameindex *failing_if_nameindex(void)
{
	return denies(__builtin_frame_address(0)) ? NULL : if_nameindex();
}

int failing_getaddrinfo(const char *host, const char *port, const struct addrinfo *hints,
			struct addrinfo **out)
{
	return denies(__builtin_frame_address(0)) ? EAI_MEMORY
						  : getaddrinfo(host, port, hints, out);
}

int failing_begin(bool coarsely)
{
	callers_max = coarsely ? 1 : CALLERS;
	places = mmap(NULL, sizeof(*places), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	if (places == MAP_FAILED) {
		places = NULL;
		return -errno;
	}
	osip_set_allocators(failing_malloc, failing_realloc, free);
	json_set_alloc_funcs(failing_malloc, free);
	/* The process that starts the others has no failure of its own. */
	places->happened = true;
	return 0;
}

void failing_rearm(void)
{
	places->happened = false;
}

bool failing_happened(void)
{
	return places->happened;
}

size_t failing_count(void)
{
	return places->failures;
}

void failing_say(const char *before)
{
	char line[256];

	for (int i = 0; i < CALLERS && places->last.at[i]; i++) {
		snprintf(line, sizeof(line), "%#lx", (unsigned long)places->last.at[i]);
#ifdef __SANITIZE_ADDRESS__
		/* A return address is that of the next instruction. */
		__sanitizer_symbolize_pc((void *)(places->last.at[i] - 1), "%f %s:%l", line,
					 sizeof(line));
#endif
		printf("%s%s\n", before, line);
	}
}
