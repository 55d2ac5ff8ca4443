/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * IPv6 is switched off on one link, on the fake kernel: nobody is told, a leg
 * over it stays in main, and no copy with such a leg is taken.
 */
#include "engine/engine.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/engine/story.h"
#include "tests/engine/world_fake.h"

/* A third uplink, whose sources neither of the legs fits. */
#define HOST                                                                   \
	STORY_V6                                                               \
	"route add 2001:db8:77::/48 metric 10 "                                \
	"nexthop via fe80::1 dev d1 nexthop via fe80::2 dev d2\n"              \
	"link add d3 type dummy\n"                                             \
	"link set d3 up\n"                                                     \
	"address add 2001:db8:3::2/64 dev d3\n"                                \
	"route add ::/0 via fe80::3 dev d3 metric 300\n"                       \
	"neigh replace fe80::2 dev d2 lladdr 02:00:00:00:00:02 nud "           \
	"reachable\n"                                                          \
	"neigh replace fe80::3 dev d3 lladdr 02:00:00:00:00:03 nud "           \
	"reachable\n"

#define HELD_2_3                                                               \
	"rule 7100 from all to fe80::/10 iif lo lookup main\n"                 \
	"rule 7165 from 2001:db8:2::/64 iif lo lookup 7101\n"                  \
	"rule 7165 from 2001:db8:3::/64 iif lo lookup 7102\n"                  \
	"7101 ::/0 via fe80::2 dev d2\n"                                       \
	"7101 2001:db8:2::/64 dev d2\n"                                        \
	"7101 2001:db8:3::/64 dev d3\n"                                        \
	"7101 2001:db8:77::/48 via fe80::2 dev d2\n"                           \
	"7102 ::/0 via fe80::3 dev d3\n"                                       \
	"7102 2001:db8:2::/64 dev d2\n"                                        \
	"7102 2001:db8:3::/64 dev d3\n"
#define HELD_1                                                                 \
	"rule 7165 from 2001:db8:1::/64 iif lo lookup 7100\n"                  \
	"7100 ::/0 via fe80::1 dev d1\n"                                       \
	"7100 2001:db8:1::/64 dev d1\n"                                        \
	"7100 2001:db8:2::/64 dev d2\n"                                        \
	"7100 2001:db8:3::/64 dev d3\n"                                        \
	"7100 2001:db8:77::/48 via fe80::1 dev d1\n"                           \
	"7101 2001:db8:1::/64 dev d1\n"                                        \
	"7102 2001:db8:1::/64 dev d1\n"
#define BOTH_LEGS                                                              \
	"7102 2001:db8:77::/48 nexthop via fe80::1 dev d1 weight 1 "           \
	"nexthop via fe80::2 dev d2 weight 1\n"
#define ONE_LEG "7102 2001:db8:77::/48 via fe80::2 dev d2\n"

#define ON                                                                     \
	"link set d1 ipv6 on\n"                                                \
	"address add 2001:db8:1::2/64 dev d1\n"                                \
	"route add ::/0 via fe80::1 dev d1 metric 100\n"

static void a_leg_goes_and_comes_back(void **state)
{
	struct world *world = *state;

	world_do(HOST);
	world_start(world);
	world_must_hold(world, HELD_2_3 HELD_1 BOTH_LEGS, "");
	world_do("link set d1 ipv6 off");
	world_run(world);
	world_pass(world, 1000);
	world_must_hold(world, HELD_2_3 ONE_LEG, "");
	world_must_be_steady(world);
	world_do(ON);
	world_run(world);
	world_pass(world, 1000);
	world_must_hold(world, HELD_2_3 HELD_1 BOTH_LEGS, "");
	world_must_be_steady(world);
}

static void it_was_switched_off_unheard(void **state)
{
	struct world *world = *state;

	world_do(HOST);
	world_start(world);
	world_stop(world);
	world_do("link set d1 ipv6 off");
	world_start(world);
	world_pass(world, 1000);
	world_must_hold(world, HELD_2_3 ONE_LEG, "");
}

/* Without an address to lose, the kernel's refusal is the first news. */
static void nothing_at_all_tells(void **state)
{
	struct world *world = *state;

	world_do(HOST "address del 2001:db8:1::2/64 dev d1\n"
		      "route del ::/0 via fe80::1 dev d1 metric 100");
	world_start(world);
	world_pass(world, 1000);
	world_do("link set d1 ipv6 off\n"
		 "link add d4 type dummy\n"
		 "link set d4 up\n"
		 "address add 2001:db8:4::2/64 dev d4\n"
		 "route add ::/0 via fe80::4 dev d4 metric 400");
	world_run(world);
	assert_int_equal(world->engine.refused.n, 0);
	assert_true(model_link_by_name(&world->engine.model, "d1")->no_ipv6);
	world_pass(world, 1000);
	world_must_be_steady(world);
}

/* Whatever call fails, it is made up for. */
static void the_list_of_links_fails(void **state)
{
	struct world *world = *state;

	world_do(HOST);
	world_start(world);
	fake_fail(world_fake(), &(struct fake_fault){.call = FAKE_READ,
						     .nth = 1,
						     .error = -ENOBUFS,
						     .times = 2});
	world_do("link set d1 ipv6 off");
	world_run(world);
	world_pass(world, 10000);
	assert_int_equal(fake_faults_hit(world_fake()), 2);
	world_must_hold(world, HELD_2_3 ONE_LEG, "");
	world_must_be_steady(world);
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, world_make, world_unmake)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_leg_goes_and_comes_back),
		TEST(it_was_switched_off_unheard),
		TEST(nothing_at_all_tells),
		TEST(the_list_of_links_fails),
	};

	if (!world_enter())
		return WORLD_SKIP;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
