# SPDX-License-Identifier: GPL-2.0-or-later
#
# fuzz.mk - what fuzzing takes, built when it is asked for only. Included by the Makefile.
#
# make fuzz            each target for SECONDS_EACH seconds, as many at a time as there are processors
# make fuzz-coverage   how much of the rooms that read from outside the corpora reach
# make fuzz-merge      puts what the runs have found of interest into the saved corpora, small
#
# FUZZ_OSIP names an instrumented libosipparser2.a, which tests/fuzz/README.md says how to build:
# then what is wrong inside of libosip2 shows, too.

FUZZ_C := $(wildcard tests/fuzz/fuzz_*.c)
FUZZ_OSIP ?=
SECONDS_EACH ?= 3600

F := $O/fuzz
# The warnings are gcc's, which builds everything else: clang has some more for correct code.
FUZZ_WARNINGS := $(WARNINGS) -Wno-gnu-variable-sized-type-not-at-end -Wno-sign-compare \
	-Wno-missing-field-initializers -Wno-format-nonliteral
FUZZ_FLAGS := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
fuzz_rooms := $(filter-out agent/main.c agent/base/log.c,$(AGENT_C))

ifdef FUZZ_COVERAGE
F := $O/fuzz/coverage
FUZZ_FLAGS := -O1 -g -fprofile-instr-generate -fcoverage-mapping
endif

FUZZ_CC = $(CLANG) $(CPPFLAGS) -Iagent -Itests/fuzz -Itests/sim -Itests/unit -std=gnu17 $(FUZZ_WARNINGS) \
	-MMD -MP $(FUZZ_FLAGS)
fuzz_targets := $(FUZZ_C:tests/fuzz/%.c=$F/%)
fuzz_objects := $(fuzz_rooms:%.c=$F/obj/%.o) $F/obj/tests/fuzz/quiet_log.o

$F/obj/%.o: %.c | $O/include/sippath.skel.h $(script_headers)
	@mkdir -p $(@D)
	$(call say,FUZZ,$<) $(FUZZ_CC) -fsanitize=fuzzer-no-link -c -o $@ $<

$F/rooms.a: $(fuzz_objects)
	$(call say,AR,$@) rm -f $@ && ar rcs $@ $^

# What a target brings in place of the rooms, besides itself.
$F/fuzz_pipeline: $F/obj/tests/sim/seam.o $F/obj/tests/fuzz/flows.o
$F/fuzz_redis_replies: $F/obj/tests/fuzz/redis_server.o
$F/fuzz_redis_replies: FUZZ_LINK := -Wl,--wrap=connect,--wrap=clock_wall_ns

$F/fuzz_%: $F/obj/tests/fuzz/fuzz_%.o $F/obj/tests/fuzz/fuzz.o $F/rooms.a
	$(call say,LD,$@) $(FUZZ_CC) -fsanitize=fuzzer -Wl,--wrap=hash_key_make $(FUZZ_LINK) -o $@ $(filter %.o,$^) $F/rooms.a \
		-lcmocka $(FUZZ_OSIP) $(AGENT_LIBS)

.SECONDARY: $(FUZZ_C:%.c=$F/obj/%.o) $F/obj/tests/fuzz/fuzz.o

fuzz-targets: $(fuzz_targets)

fuzz:
	@tests/lab/need test
	@$(call build_quietly,fuzz-targets,what is fuzzed)
	@O=$(abspath $O) tests/fuzz/run $(SECONDS_EACH)

fuzz-coverage:
	@tests/lab/need test
	@$(call build_quietly,FUZZ_COVERAGE=1 fuzz-targets,what is fuzzed$(comma) with counters)
	@O=$(abspath $O) tests/fuzz/coverage

fuzz-merge:
	@O=$(abspath $O) tests/fuzz/merge

.PHONY: fuzz-targets fuzz fuzz-coverage fuzz-merge
-include $(fuzz_objects:.o=.d)
