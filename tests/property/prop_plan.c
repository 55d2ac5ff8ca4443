/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * On random hosts, the kernel under our plan sends every packet of a managed
 * subnet where the draft's procedure says.
 *
 *   prop_plan [SEED [HOSTS]]
 *
 * The seed of a host is printed when it fails, after the host has been made as
 * small as it goes; the seed as argument rolls that host again.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <netinet/in.h>
#include <stdio.h>
#include <time.h>

#include "tests/property/agree.h"

#define HOSTS 3000

static uint64_t first_seed;
static size_t n_hosts = HOSTS;

/* --- the tests --- */

static void try_host(uint64_t seed, host_fails *fails)
{
	struct dice dice = {.state = seed};
	struct line_vec lines = {0};
	struct world world;
	struct scene scene;

	host_roll(&dice, &lines);
	if (!host_build(&lines, &scene)) {
		host_print(&lines);
		fail_msg("seed %llu: unreadable", (unsigned long long)seed);
	}
	scene_done(&scene);
	if (fails(&lines, &world)) {
		host_shrink(&lines, fails, &world);
		(void)fails(&lines, &world);
		host_print(&lines);
		fail_msg("seed %llu: %s", (unsigned long long)seed, world.why);
	}
	vec_done(&lines);
}

static void try_hosts(host_fails *fails)
{
	for (size_t i = 0; i < n_hosts; i++)
		try_host(first_seed + i, fails);
}

static void kernel_does_what_the_draft_says(void **state)
{
	static const char *const kinds[] = {
		[MET_NO_ROUTE] = "no route",
		[MET_WEAK] = "weak",
		[MET_STRONG] = "strong",
		[MET_CONGRUENT] = "congruent",
		[MET_MULTIPATH] = "multipath",
		[MET_REJECT] = "reject",
		[MET_TOS] = "tos",
		[MET_UNUSABLE] = "unusable",
		[MET_LOCAL_LINK] = "local link",
	};

	(void)state;
	try_hosts(agree_disagrees);
	for (size_t i = 0; i < MET_KINDS; i++) {
		print_message("# %s: %zu packets\n", kinds[i], agree_met[i]);
		assert_true(n_hosts < HOSTS || agree_met[i] > 1000);
	}
}

static void plans_are_sound(void **state)
{
	(void)state;
	try_hosts(agree_is_broken);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kernel_does_what_the_draft_says),
		cmocka_unit_test(plans_are_sound),
	};

	first_seed = (uint64_t)time(NULL) * 1000003U;
	if (argc > 1) {
		first_seed = strtoull(argv[1], NULL, 10);
		n_hosts = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
	}
	print_message("# seed %llu, %zu hosts\n",
		      (unsigned long long)first_seed, n_hosts);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
