# SPDX-License-Identifier: GPL-2.0-or-later
#
# make            the daemon, the command-line tool and the BPF object, in build/
# make demo       phones behind a real NAT, without and with sippath (root)
# make demo-cluster   a set of proxies, and calls that find their way (root)
# make test       every test, with sanitizers (root)
# make fuzz       hours of random input for whatever reads from outside (SECONDS_EACH=3600)
# make bench-cluster  what a set of proxies costs, measured (root)
# make bench-restart  how fast an agent that was killed goes on, measured (root)
# make bench-flood    what a flood from a million sources does to prompts, measured (root)
# make bench-kills, bench-replace  the agent killed, the programs replaced, 200 times under traffic (root)
# make test-kernels   the programs in Debian's kernels 6.1 and 6.12, in qemu (root)
# make torture    what the agent makes of the SIP messages in a directory (DIR=..., CRLF=1)
# make lint, fmt  what the style asks for
#
# demo, demo-cluster, test, lint and fmt install the packages they need (root); "make deps" installs
# those for plain "make".

MAKEFLAGS += --no-builtin-rules
.SUFFIXES:
.DELETE_ON_ERROR:

# make V=1 shows the commands.
comma := ,

ifndef V
say = @$(if $(findstring s,$(firstword -$(MAKEFLAGS))),,printf '  %-5s %s\n' $(1) $(2);)
endif

# In goals that go on to do something else: one line, and errors. What root has built in
# somebody's checkout is then theirs.
build_quietly = echo "building $(2)" && \
	$(MAKE) --no-print-directory -s -j$(shell nproc) $(1) && \
	if [ -n "$$SUDO_UID" ]; then chown -R "$$SUDO_UID:$$SUDO_GID" $O; fi

CC = gcc
CLANG ?= clang
BPFTOOL ?= $(firstword $(wildcard /usr/sbin/bpftool /usr/local/sbin/bpftool) bpftool)
MULTIARCH := $(shell $(CC) -print-multiarch 2>/dev/null)

VERSION := 0.1.0
O := build

CPPFLAGS := -Iinclude -I$O/include -D_GNU_SOURCE -DSIPPATH_VERSION='"$(VERSION)"'
WARNINGS := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-Wpointer-arith -Wwrite-strings -Wformat=2 -Wimplicit-fallthrough -Wvla
CFLAGS ?= -O2 -g
C_FLAGS := -std=gnu17 $(WARNINGS) -fstack-protector-strong -MMD -MP $(CFLAGS)
BPF_FLAGS := -target bpf -mcpu=v3 -std=gnu17 -O2 -g -Wall -Wextra -Werror -MMD -MP \
	-Iinclude -Ibpf -idirafter /usr/include/$(MULTIARCH)

ifdef SANITIZE
B := $O/sanitize
C_FLAGS += -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
LDFLAGS += -fsanitize=address,undefined
else
B := $O
CPPFLAGS += -D_FORTIFY_SOURCE=2
endif

AGENT_LIBS := -lbpf -lelf -lz -losip2 -losipparser2 -lev -ljansson -linih -llmdb -lhiredis \
	-lcap-ng -lseccomp
TOOL_LIBS := -ljansson

AGENT_C := $(wildcard agent/*.c agent/*/*.c)
AGENT_LUA := $(wildcard agent/*/*.lua)
TOOL_C := $(wildcard tools/sippath/*.c)
BPF_C := $(wildcard bpf/*.bpf.c)
UNIT_C := $(wildcard tests/unit/test_*.c)
ALLOCATION_C := $(wildcard tests/allocation/*.c)
SIM_TEST_C := $(wildcard tests/sim/test_*.c)
SIM_WORLD_C := $(filter-out $(SIM_TEST_C),$(wildcard tests/sim/*.c))
TOOL_TEST_C := $(wildcard tests/tools/test_*.c)
BPF_TEST_C := $(wildcard tests/bpf/test_*.c)
TEST_SUPPORT_C := $(filter-out $(BPF_TEST_C),$(wildcard tests/bpf/*.c))

agent_objects := $(AGENT_C:%.c=$B/obj/%.o)
script_headers := $(patsubst %,$O/include/%.h,$(notdir $(AGENT_LUA)))
room_objects := $(filter-out $B/obj/agent/main.o,$(agent_objects))
allocation_objects := $(ALLOCATION_C:%.c=$B/obj/%.o)
tool_objects := $(TOOL_C:%.c=$B/obj/%.o)
bpf_objects := $(BPF_C:%.c=$O/obj/%.o)
unit_tests := $(UNIT_C:tests/%.c=$B/tests/%)
# Sanitizers need system calls that the shipped build is refused: these are run without them as well.
plain_tests := $(addprefix $B/tests/unit/,test_sandbox test_warden)
sim_tests := $(SIM_TEST_C:tests/%.c=$B/tests/%)
tool_tests := $(TOOL_TEST_C:tests/%.c=$B/tests/%)
bpf_tests := $(BPF_TEST_C:tests/%.c=$B/tests/%)

ifeq ($(shell command -v $(CLANG) 2>/dev/null),)
ifneq ($(filter all,$(or $(MAKECMDGOALS),all)),)
$(error there is no $(CLANG) here: "sudo make deps" installs what the build needs)
endif
endif

all: $B/sippathd $B/sippath $O/sippath.bpf.o

$B/sippathd: $(agent_objects)
	$(call say,LD,$@) $(CC) $(C_FLAGS) $(LDFLAGS) -o $@ $^ $(AGENT_LIBS)

$B/sippath: $(tool_objects)
	$(call say,LD,$@) $(CC) $(C_FLAGS) $(LDFLAGS) -o $@ $^ $(TOOL_LIBS)

$B/obj/agent/%.o: agent/%.c | $O/include/sippath.skel.h $(script_headers)
	@mkdir -p $(@D)
	$(call say,CC,$<) $(CC) $(CPPFLAGS) -Iagent $(C_FLAGS) -c -o $@ $<

$B/obj/tools/%.o: tools/%.c
	@mkdir -p $(@D)
	$(call say,CC,$<) $(CC) $(CPPFLAGS) $(C_FLAGS) -c -o $@ $<

$O/obj/bpf/%.o: bpf/%.c
	@mkdir -p $(@D)
	$(call say,BPF,$<) $(CLANG) $(BPF_FLAGS) -c -o $@ $<

$O/sippath.bpf.o: $(bpf_objects)
	$(call say,BPF,$@) $(BPFTOOL) gen object $@ $^

$O/include/sippath.skel.h: $O/sippath.bpf.o
	@mkdir -p $(@D)
	$(call say,BPF,$@) $(BPFTOOL) gen skeleton $< name sippath_bpf >$@

.SECONDARY: $(script_headers) $(allocation_objects)

# A Lua script as the C string that the agent hands to Redis.
$O/include/%.lua.h: agent/cluster/%.lua
	@mkdir -p $(@D)
	$(call say,LUA,$@) sed 's/\\/\\\\/g; s/"/\\"/g; s/.*/"&\\n"/' $< >$@

# A unit test is one file and the agent's rooms; it may include a room's headers only. The rooms
# in it allocate through tests/allocation/failing.c.
allocators := malloc calloc realloc strndup vasprintf fopen fdopen opendir getline if_nameindex \
	getaddrinfo
$B/failing_rooms.a: $B/rooms.a
	$(call say,AR,$@) objcopy $(foreach name,$(allocators),--redefine-sym $(name)=failing_$(name)) $< $@

$B/obj/tests/%.o: tests/%.c
	@mkdir -p $(@D)
	$(call say,CC,$<) $(CC) $(CPPFLAGS) $(C_FLAGS) -c -o $@ $<

$B/tests/unit/%: tests/unit/%.c $(allocation_objects) $B/failing_rooms.a
	@mkdir -p $(@D)
	$(call say,TEST,$<) $(CC) $(CPPFLAGS) -Iagent $(C_FLAGS) $(LDFLAGS) -Wl,--wrap=_cmocka_run_group_tests -o $@ \
		$(filter %.c %.o %.a,$^) -lcmocka $(AGENT_LIBS)

# A simulation brings its own kernel and network: what it defines is not taken from the rooms.
$B/tests/sim/%: tests/sim/%.c $(SIM_WORLD_C) tests/sim/world.h $B/rooms.a
	@mkdir -p $(@D)
	$(call say,TEST,$<) $(CC) $(CPPFLAGS) -Iagent -Itests/sim $(C_FLAGS) $(LDFLAGS) -o $@ $< $(SIM_WORLD_C) \
		$B/rooms.a -lcmocka $(AGENT_LIBS)

# A test of the command-line tool links all of it but its main().
$B/tests/tools/%: tests/tools/%.c $(filter-out %/main.o,$(tool_objects))
	@mkdir -p $(@D)
	$(call say,TEST,$<) $(CC) $(CPPFLAGS) -Itools $(C_FLAGS) $(LDFLAGS) -o $@ \
		$(filter-out %.h,$^) -lcmocka $(TOOL_LIBS)

$B/tests/bpf/%: tests/bpf/%.c $(TEST_SUPPORT_C) $(wildcard tests/bpf/*.h) $O/include/sippath.skel.h
	@mkdir -p $(@D)
	$(call say,TEST,$<) $(CC) $(CPPFLAGS) -Itests/bpf $(C_FLAGS) $(LDFLAGS) -o $@ $< $(TEST_SUPPORT_C) \
		-lcmocka -lbpf -lelf -lz

# The set of nasty messages is read where it lies; the program reads those of others.
$B/tests/unit/test_torture: tests/torture/outcome.h | $B/tests/torture/torture
$B/tests/unit/test_torture: private CPPFLAGS += -DTORTURE_SET='"$(abspath tests/data/torture)"'
$B/tests/torture/torture: tests/torture/torture.c tests/torture/outcome.h $B/rooms.a
	@mkdir -p $(@D)
	$(call say,TEST,$<) $(CC) $(CPPFLAGS) -Iagent $(C_FLAGS) $(LDFLAGS) -o $@ $< $B/rooms.a $(AGENT_LIBS)

# A measuring program is built like a unit test, without sanitizers.
$B/tests/bench/%: tests/bench/%.c $B/rooms.a
	@mkdir -p $(@D)
	$(call say,BENCH,$<) $(CC) $(CPPFLAGS) -Iagent $(C_FLAGS) $(LDFLAGS) -o $@ $< $B/rooms.a $(AGENT_LIBS)

$B/rooms.a: $(room_objects)
	$(call say,AR,$@) rm -f $@ && ar rcs $@ $^

tests: $(unit_tests) $(sim_tests) $(tool_tests) $(bpf_tests)

plain-tests: $(plain_tests)

include tests/fuzz/fuzz.mk

deps:
	@tests/lab/need build

demo:
	@tests/lab/need test
	@$(call build_quietly,all,sippath)
	@tests/lab/demo

demo-cluster:
	@tests/lab/need test
	@$(call build_quietly,all,sippath)
	@tests/lab/demo-cluster

test:
	@tests/lab/need test
	@$(call build_quietly,all plain-tests,sippath)
	@$(call build_quietly,SANITIZE=1 all tests,the tests$(comma) with sanitizers)
	@$(call build_quietly,fuzz-targets,what is fuzzed)
	@tests/run

# What a set of proxies costs, and how fast calls find their way: some eight minutes.
bench-cluster:
	@tests/lab/need test
	@$(call build_quietly,all $O/tests/bench/cluster_load,sippath)
	@O=$(abspath $O) tests/bench/cluster_sizing
	@O=$(abspath $O) tests/bench/cluster_calls

# How late prompts are in a flood: some four minutes.
bench-flood:
	@tests/lab/need test
	@$(call build_quietly,all,sippath)
	@O=$(abspath $O) tests/bench/flood

# How an agent goes on with a million paths that was killed: some two minutes.
bench-restart:
	@tests/lab/need test
	@$(call build_quietly,$O/tests/bench/restart_load,the bench)
	@O=$(abspath $O) tests/bench/restart

# The agent killed, and the programs replaced, 200 times each under traffic: some ten minutes each.
bench-kills:
	@tests/lab/need test
	@$(call build_quietly,all,sippath)
	@O=$(abspath $O) tests/bench/kills 200

bench-replace:
	@tests/lab/need test
	@$(call build_quietly,all,sippath)
	@O=$(abspath $O) PATIENCE=900 tests/e2e/replace.sh

# Debian's own kernels in a virtual machine: what loads, attaches and runs the programs.
test-kernels:
	@tests/lab/need kernels
	@$(call build_quietly,all,sippath)
	@$(call build_quietly,SANITIZE=1 all tests,the tests$(comma) with sanitizers)
	@O=$(abspath $O) tests/kernels/run

# What the agent makes of each message in DIR, with sanitizers: tests/torture/torture.c.
torture:
	@tests/lab/need test
	@$(call build_quietly,SANITIZE=1 $O/sanitize/tests/torture/torture,the readers with sanitizers)
	@$O/sanitize/tests/torture/torture $(if $(CRLF),--crlf) $(or $(DIR),tests/data/torture)

# Each trap of the field with the tests that show it.
traps:
	@tests/arch/traps

lint:
	@tests/lab/need lint
	@$(call build_quietly,all,sippath)
	@tests/arch/lint

fmt:
	@tests/lab/need lint
	find agent bpf include tests tools -name '*.[ch]' -print0 | xargs -0 clang-format -i

clean:
	rm -rf $O

.PHONY: all tests plain-tests deps demo demo-cluster test test-kernels torture traps lint fmt clean
.PHONY: bench-cluster bench-restart bench-flood bench-kills bench-replace

test_programs := $(unit_tests) $(sim_tests) $(tool_tests) $(bpf_tests)
-include $(agent_objects:.o=.d) $(tool_objects:.o=.d) $(allocation_objects:.o=.d) $(bpf_objects:.o=.d) $(test_programs:=.d)
