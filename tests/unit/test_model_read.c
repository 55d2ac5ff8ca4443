/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The model: reading a table again, in full or of one link. What is not seen
 * is gone, what is known is no news, and the order is the kernel's.
 */
#include "core/model.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "tests/unit/row_text.h"
#include "tests/unit/scene.h"

#define LINKS                                                                  \
	"link 2 a up\n"                                                        \
	"link 3 b up\n"

#define P  "10.0.0.0/8 "
#define P6 "2001:db8::/32 "
#define GW "via 192.0.2.1 dev a "

static void what_is_not_read_again_is_gone(void **state)
{
	struct scene scene;
	struct model *model = &scene.model;
	char text[ROW_TEXT_MAX];

	(void)state;
	scene_make(&scene,
		   LINKS "route " P GW "\nroute " P "via 192.0.2.2 dev a\n"
			 "route 10.1.0.0/16 dev b\nroute 10.2.0.0/16 dev b\n"
			 "route 10.1.0.0/16 dev b table 99\n"
			 "route 2001:db8::/32 dev b\n");
	rib_clean(&model->rib);
	model_read_begin(model, AF_INET, ROUTE_TABLE_MAIN, 0);
	assert_int_equal(scene_line(&scene, "route 10.2.0.0/16 dev b"), 0);
	assert_int_equal(scene_line(&scene, "route " P "via 192.0.2.2 dev a"),
			 0);
	assert_int_equal(scene_line(&scene, "route 10.3.0.0/16 dev b"), 0);
	model_read_end(model, AF_INET, ROUTE_TABLE_MAIN, 0);
	assert_string_equal(row_text(model, "10.0.0.0/8", text), "2a");
	assert_string_equal(row_text(model, "10.1.0.0/16", text), "0b");
	assert_string_equal(row_text(model, "10.2.0.0/16", text), "0b");
	assert_string_equal(row_text(model, "10.3.0.0/16", text), "0b");
	assert_string_equal(row_text(model, "2001:db8::/32", text), "0b 1024");
	/* 10.0.0.0/8, 10.1.0.0/16 and 10.3.0.0/16. */
	assert_int_equal(model->rib.dirty.n, 3);
	scene_done(&scene);
}

static void reading_one_link_leaves_the_others(void **state)
{
	struct scene scene;
	struct model *model = &scene.model;
	char text[ROW_TEXT_MAX];

	(void)state;
	scene_make(&scene, LINKS "route " P GW "\nroute 10.1.0.0/16 dev b\n"
				 "route unreachable 10.2.0.0/16\n");
	model_read_begin(model, AF_INET, ROUTE_TABLE_MAIN, 2);
	model_read_end(model, AF_INET, ROUTE_TABLE_MAIN, 2);
	assert_string_equal(row_text(model, "10.0.0.0/8", text), "");
	assert_string_equal(row_text(model, "10.1.0.0/16", text), "0b");
	assert_string_equal(row_text(model, "10.2.0.0/16", text), "x");
	scene_done(&scene);
}

/* It does not show the entries of other links between which it stands. */
static void reading_one_link_does_not_tell_the_order(void **state)
{
	struct scene scene;
	struct model *model = &scene.model;

	(void)state;
	scene_make(&scene,
		   LINKS "route " P GW "\n"
			 "route " P "via 192.0.2.2 dev b\n"
			 "route 10.1.0.0/16 dev a\n"
			 "route fe80::/64 dev a\nroute fe80::/64 dev b\n"
			 "route " P6 "dev a\nroute " P6 "dev b\n"
			 "route 10.2.0.0/16 dev b metric 5\n");
	model_read_begin(model, AF_INET, ROUTE_TABLE_MAIN, 2);
	assert_int_equal(scene_line(&scene, "route 10.1.0.0/16 dev a"), 0);
	assert_int_equal(scene_line(&scene, "route " P GW), -EAGAIN);
	assert_int_equal(scene_line(&scene, "route " P "via 192.0.2.9 dev a"),
			 -EAGAIN);
	assert_int_equal(scene_line(&scene, "route 10.9.0.0/16 dev a"), 0);
	assert_int_equal(scene_line(&scene, "route 10.2.0.0/16 dev a"), 0);
	model_read_end(model, AF_INET, ROUTE_TABLE_MAIN, 2);
	/* An event tells it. */
	assert_int_equal(scene_line(&scene, "route 10.1.0.0/16 dev b"), 0);
	/* Nobody chooses between these. */
	model_read_begin(model, AF_INET6, ROUTE_TABLE_MAIN, 2);
	assert_int_equal(scene_line(&scene, "route fe80::/64 dev a"), 0);
	assert_int_equal(scene_line(&scene, "route " P6 "dev a"), -EAGAIN);
	model_read_end(model, AF_INET6, ROUTE_TABLE_MAIN, 2);
	/* In full it does. */
	model_read_begin(model, AF_INET, ROUTE_TABLE_MAIN, 0);
	assert_int_equal(scene_line(&scene, "route " P "via 192.0.2.2 dev b"),
			 0);
	assert_int_equal(scene_line(&scene, "route " P GW), 0);
	model_read_end(model, AF_INET, ROUTE_TABLE_MAIN, 0);
	scene_done(&scene);
}

static void reading_the_same_again_changes_nothing(void **state)
{
	struct scene scene;
	struct model *model = &scene.model;
	char text[ROW_TEXT_MAX];

	(void)state;
	scene_make(&scene, LINKS "route " P GW "\nroute 10.1.0.0/16 dev b\n");
	rib_clean(&model->rib);
	model_read_begin(model, AF_INET, ROUTE_TABLE_MAIN, 0);
	assert_int_equal(scene_line(&scene, "route 10.1.0.0/16 dev b"), 0);
	assert_int_equal(scene_line(&scene, "route " P GW), 0);
	model_read_end(model, AF_INET, ROUTE_TABLE_MAIN, 0);
	assert_int_equal(model->rib.dirty.n, 0);
	assert_string_equal(row_text(model, "10.0.0.0/8", text), "1a");
	scene_done(&scene);
}

/*
 * A multipath route loses its leg over the link that is read: the read does not
 * show it, and yet it lives on with the other leg.
 */
static void reading_one_link_ends_no_route_of_two(void **state)
{
	struct scene scene;
	struct model *model = &scene.model;

	(void)state;
	scene_make(&scene, LINKS "route " P6 "nexthop via fe80::1 dev a "
				 "nexthop via fe80::2 dev b\n"
				 "route 2001:db8:9::/48 via fe80::1 dev a\n");
	model_read_begin(model, AF_INET6, ROUTE_TABLE_MAIN, 2);
	assert_int_equal(model_read_end(model, AF_INET6, ROUTE_TABLE_MAIN, 2),
			 -EAGAIN);
	/* Of one that had no other leg it is clear. */
	rib_clean(&model->rib);
	assert_int_equal(rib_count(&model->rib, AF_INET6), 1);
	model_read_begin(model, AF_INET6, ROUTE_TABLE_MAIN, 0);
	assert_int_equal(scene_line(&scene, "route " P6 "via fe80::2 dev b"),
			 0);
	assert_int_equal(model_read_end(model, AF_INET6, ROUTE_TABLE_MAIN, 0),
			 0);
	assert_int_equal(rib_count(&model->rib, AF_INET6), 1);
	scene_done(&scene);
}

/*
 * Of IPv6 routes with one key a read in full is not in doubt: neither beside a
 * reject, which is no leg that is missing, nor where attributes are others.
 */
static void reading_in_full_is_never_in_doubt(void **state)
{
	static const char *const second[] = {
		"route " P6 "nexthop via fe80::1 dev a nexthop via fe80::2 "
		"dev b",
		"route " P6 "nexthop via fe80::1 dev a onlink nexthop via "
		"fe80::2 dev b",
	};
	struct scene scene;
	struct model *model = &scene.model;
	struct ip_prefix prefix;

	(void)state;
	scene_make(&scene, LINKS "route blackhole " P6 "\n");
	for (size_t i = 0; i < 4; i++) {
		model_read_begin(model, AF_INET6, ROUTE_TABLE_MAIN, 0);
		assert_int_equal(scene_line(&scene, "route blackhole " P6), 0);
		assert_int_equal(scene_line(&scene, second[i / 2]), 0);
		assert_int_equal(
			model_read_end(model, AF_INET6, ROUTE_TABLE_MAIN, 0),
			0);
	}
	assert_int_equal(ip_prefix_parse("2001:db8::/32", &prefix), 0);
	assert_int_equal(rib_row(&model->rib, &prefix)->n, 2);
	scene_done(&scene);
}

/* Or a look whether all is as known would find news each time. */
static void reading_what_is_known_is_no_news(void **state)
{
	static const char *const lines[] = {
		"route " P GW,
		"route " P "via 192.0.2.2 dev a",
		"route " P "via 192.0.2.3 dev a",
	};
	struct scene scene;
	struct model *model = &scene.model;

	(void)state;
	scene_make(&scene, LINKS "route " P GW "\n"
				 "route " P "via 192.0.2.2 dev a\n"
				 "route " P "via 192.0.2.3 dev a\n");
	rib_clean(&model->rib);
	model_read_begin(model, AF_INET, ROUTE_TABLE_MAIN, 0);
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		assert_int_equal(scene_line(&scene, lines[i]), 0);
	model_read_end(model, AF_INET, ROUTE_TABLE_MAIN, 0);
	assert_int_equal(model->rib.dirty.n, 0);
	scene_done(&scene);
}

static void reading_finds_the_kernels_order(void **state)
{
	struct scene scene;
	struct model *model = &scene.model;
	char text[ROW_TEXT_MAX];

	(void)state;
	scene_make(&scene, LINKS "route " P GW "\n"
				 "route " P "via 192.0.2.2 dev a\n"
				 "route " P "via 192.0.2.3 dev a\n");
	model_read_begin(model, AF_INET, ROUTE_TABLE_MAIN, 0);
	assert_int_equal(scene_line(&scene, "route " P "via 192.0.2.3 dev a"),
			 0);
	assert_int_equal(scene_line(&scene, "route " P GW), 0);
	assert_int_equal(scene_line(&scene, "route " P "via 192.0.2.2 dev a"),
			 0);
	model_read_end(model, AF_INET, ROUTE_TABLE_MAIN, 0);
	assert_string_equal(row_text(model, "10.0.0.0/8", text), "3a, 1a, 2a");
	/* Nothing is left to be swept by a read that sees nothing else. */
	model_read_end(model, AF_INET, ROUTE_TABLE_MAIN, 0);
	assert_string_equal(row_text(model, "10.0.0.0/8", text), "3a, 1a, 2a");
	scene_done(&scene);
}

static void leaving_route_outlives_a_read(void **state)
{
	struct scene scene;
	struct model *model = &scene.model;
	char text[ROW_TEXT_MAX];

	(void)state;
	scene_make(&scene, LINKS "route " P GW "\n"
				 "del route " P GW "settle 200\n");
	model_read_begin(model, AF_INET, ROUTE_TABLE_MAIN, 0);
	model_read_end(model, AF_INET, ROUTE_TABLE_MAIN, 0);
	assert_string_equal(row_text(model, "10.0.0.0/8", text), "1a!");
	model_settle(model, 200);
	assert_string_equal(row_text(model, "10.0.0.0/8", text), "");
	scene_done(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_not_read_again_is_gone),
		cmocka_unit_test(reading_one_link_leaves_the_others),
		cmocka_unit_test(reading_one_link_does_not_tell_the_order),
		cmocka_unit_test(reading_the_same_again_changes_nothing),
		cmocka_unit_test(reading_one_link_ends_no_route_of_two),
		cmocka_unit_test(reading_in_full_is_never_in_doubt),
		cmocka_unit_test(reading_what_is_known_is_no_news),
		cmocka_unit_test(reading_finds_the_kernels_order),
		cmocka_unit_test(leaving_route_outlives_a_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
