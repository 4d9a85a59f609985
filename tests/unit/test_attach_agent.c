/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_attach_agent.c - one agent, one change at a time, and what is not kept is undone. */
#include "attach_world.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

static void a_second_agent_is_refused_and_changes_nothing(void **state)
{
	const char *const one[] = { "v0" }, *const both[] = { "v0", "v1" };
	struct attach_options options = options_for(one, 1), second = options_for(both, 2);
	struct attachment *agent, *attachment = NULL;
	struct sip_settings before, after;

	(void)state;
	options.agent = true;
	agent = must_open(&options);
	before = settings_of(agent);
	second.agent = true;
	second.settings.ports[0] = 5099;
	assert_int_equal(open_said(&second, &attachment), -EBUSY);
	assert_said("another sippathd works with the maps in " PIN_DIR);
	after = settings_of(agent);
	assert_memory_equal(&after, &before, sizeof(after));
	assert_untouched("v1");
	attach_close(agent);
	attach_close(must_open(&second));
}

static void an_agent_that_ends_makes_room_for_the_next(void **state)
{
	const char *const interfaces[] = { "v0" };
	struct attach_options options = options_for(interfaces, 1);

	(void)state;
	options.agent = true;
	attach_close(must_open(&options));
	attach_close(must_open(&options));
}

static void an_interface_may_be_attached_beside_an_agent(void **state)
{
	const char *const first[] = { "v0" }, *const second[] = { "v1" };
	struct attach_options options = options_for(first, 1), more = options_for(second, 1);
	struct attachment *agent, *other;

	(void)state;
	options.agent = true;
	agent = must_open(&options);
	more.keep_settings = true;
	more.settings.ports[0] = 5080;
	other = must_open(&more);
	assert_int_equal(map_id(attach_map(other, SIPPATH_MAP_PATHS)),
			 map_id(attach_map(agent, SIPPATH_MAP_PATHS)));
	assert_int_equal(settings_of(agent).ports[0], 5070);
	attach_close(other);
	attach_close(agent);
}

/* A process that has the turn takes long, is killed, and nothing is in the way any more. */
static void whoever_attaches_waits_for_his_turn(void **state)
{
	const char *const interfaces[] = { "v0" };
	struct attach_options options = options_for(interfaces, 1);
	struct attachment *attachment = NULL;
	int ready[2], status;
	pid_t child;
	char byte;

	(void)state;
	options.agent = true;
	assert_int_equal(pipe(ready), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (attach_open(&options, &attachment) == 0 && write(ready[1], "", 1) == 1)
			pause();
		_exit(1);
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	assert_int_equal(open_said(&options, &attachment), -EBUSY);
	assert_said("another sippathd is attaching or detaching in " PIN_DIR);
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	attach_close(must_open(&options));
}

static void what_is_not_kept_is_undone(void **state)
{
	const char *const both[] = { "v0", "v1" };
	struct attach_options options = options_for(both, 2);
	struct attachment *attachment = NULL;

	(void)state;
	options.agent = true;
	assert_int_equal(attach_open(&options, &attachment), 0);
	assert_int_not_equal(xdp_of("v1"), 0);
	attach_close(attachment);
	assert_untouched("v0");
	assert_untouched("v1");
	assert_int_not_equal(access(PIN_DIR, F_OK), 0);
}

static void undoing_leaves_an_earlier_attachment_as_it_was(void **state)
{
	const char *const both[] = { "v0", "v1" };
	struct attach_options options = options_for(both, 2);
	struct attachment *first = must_open_one("v0"), *attachment = NULL;
	struct sip_settings before = settings_of(first), after;

	(void)state;
	options.settings.ports[0] = 5090;
	assert_int_equal(attach_open(&options, &attachment), 0);
	attach_close(attachment);
	after = settings_of(first);
	assert_memory_equal(&after, &before, sizeof(after));
	assert_int_equal(xdp_of("v0"), interface_of(first, 0)->ingress_id);
	assert_int_equal(filters_on("v0"), 1);
	assert_true(is_pinned(SIPPATH_MAP_PATHS));
	assert_untouched("v1");
	attach_close(first);
}

#define IN_A_WORLD(test) cmocka_unit_test_setup(test, world_make)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_A_WORLD(a_second_agent_is_refused_and_changes_nothing),
		IN_A_WORLD(an_agent_that_ends_makes_room_for_the_next),
		IN_A_WORLD(an_interface_may_be_attached_beside_an_agent),
		IN_A_WORLD(whoever_attaches_waits_for_his_turn),
		IN_A_WORLD(what_is_not_kept_is_undone),
		IN_A_WORLD(undoing_leaves_an_earlier_attachment_as_it_was),
	};

	return cmocka_run_group_tests_name("attach_agent", tests, NULL, NULL);
}
