/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether the kernel's answer for a packet is what the rules say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "answers/judge.h"
#include "tests/unit/scene.h"

/*
 * The longest prefix leads over a link that is down; the kernel passes over it,
 * to a copy with a nexthop object: it names the table of another copy then.
 */
#define PASSED_OVER                                                            \
	"link 2 a up\nlink 3 b up\nlink 4 c down\n"                            \
	"addr 2001:db8:1::2/64 dev a\naddr 2001:db8:2::2/64 dev b\n"           \
	"route ::/0 via fe80::1 dev a metric 100\n"                            \
	"route ::/0 via fe80::2 dev b metric 200\n"                            \
	"route 2000::/3 via fe80::9 dev b metric 20 nhid 7\n"                  \
	"route 2001:db8:ee::/48 via fe80::8 dev c metric 20\n"

static enum judgement judge(const struct scene *scene, const char *gateway,
			    uint32_t ifindex, uint32_t table)
{
	const struct ip_addr src = scene_addr("2001:db8:1::2");
	const struct ip_addr dst = scene_addr("2001:db8:ee::9");
	const struct view view = scene_view(scene);
	const struct subnet *subnet = subnet_of_source(&scene->subnets, &src);
	struct kernel_answer answer = {
		.type = 1,
		.table = table,
		.hop = {.ifindex = ifindex, .gateway = scene_addr(gateway)},
	};
	struct forward forward = {0};
	struct judge_case it = {
		.src = &src,
		.dst = &dst,
		.subnet = subnet,
		.forward = &forward,
		.answer = &answer,
	};
	enum judgement judgement;

	assert_non_null(subnet);
	forward_pick(&view, subnet, &dst, 0, &forward);
	judgement = judge_packet(&view, &it);
	forward_done(&forward);
	return judgement;
}

static void the_table_of_a_nexthop_object_is_vague(void **state)
{
	const struct ip_addr other = scene_addr("2001:db8:2::2");
	struct scene scene;
	uint32_t table;

	(void)state;
	scene_make(&scene, PASSED_OVER);
	scene_steady(&scene);
	table = subnet_of_source(&scene.subnets, &other)->table;
	assert_int_equal(judge(&scene, "fe80::9", 3, table), JUDGE_AGREES);
	/* Another copy of that table is no such thing. */
	assert_int_equal(judge(&scene, "fe80::2", 3, table), JUDGE_DISAGREES);
	scene_done(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_table_of_a_nexthop_object_is_vague),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
