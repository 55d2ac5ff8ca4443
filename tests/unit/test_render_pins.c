/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which running connections keep their path. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "page.h"
#include "render/render.h"

#define PINNED                                                                 \
	"{'destination':'203.0.113.9','link':'eth0','prefix':'10.1.0.0/24',"   \
	"'table':7100,'kind':'path','next_hops':[{'via':'10.1.0.1',"           \
	"'dev':'eth0'}],'why':'a longer prefix appeared','flows':12000,"       \
	"'stalled':0,'seconds':125}"
#define HELD                                                                   \
	"{'destination':'2001:db8:b::9','link':'eth0',"                        \
	"'prefix':'2001:db8:1::/64','table':7102,'kind':'hold',"               \
	"'next_hops':[{'via':'fe80::1','dev':'eth0'}],"                        \
	"'why':'their path is gone','flows':1,'stalled':1,'seconds':2,"        \
	"'seconds_left':3}"
#define AWAY                                                                   \
	"{'destination':'203.0.113.10','link':'ppp0','prefix':'10.64.0.7/32'," \
	"'table':7101,'kind':'away','next_hops':[{'dev':'ppp0'}],"             \
	"'why':'their path is gone','flows':2,'stalled':0,'seconds':7200}"

static const char head[] =
	"pinned: flows stay on the path they began on, while new destinations "
	"take\n"
	"another one. held: their path is gone, and they wait for it. away: "
	"they lost it,\n"
	"and go home when it returns.\n"
	"\n"
	"DESTINATION          KIND    PATH                            FLOWS"
	"     SINCE\n";

static void each_destination_has_a_row(void **state)
{
	char page[2048];

	(void)state;
	(void)snprintf(page, sizeof(page), "%s%s", head,
		       "203.0.113.9          pinned  10.1.0.1 dev eth0        "
		       "      12,000     2 min\n"
		       "    from 10.1.0.0/24: a longer prefix appeared\n"
		       "2001:db8:b::9        held    fe80::1 dev eth0         "
		       "           1       2 s\n"
		       "    from 2001:db8:1::/64: their path is gone\n"
		       "    for 3 s more\n"
		       "203.0.113.10         away    dev ppp0                 "
		       "           2       2 h\n"
		       "    from 10.64.0.7/32: their path is gone\n");
	page_check(render_pins, "{'pins':[" PINNED "," HELD "," AWAY "]}", page,
		   NULL);
}

static void several_replies_have_one_heading(void **state)
{
	static const char *const replies[] = {"{'pins':[" PINNED "]}",
					      "{'pins':[" AWAY "]}"};
	char *page;

	(void)state;
	page = page_of_stream(render_pins, replies, 2);
	assert_true(strncmp(page, head, sizeof(head) - 1) == 0);
	assert_null(strstr(page + sizeof(head), "DESTINATION"));
	assert_non_null(strstr(page, "203.0.113.10"));
	free(page);
}

static void none_is_said(void **state)
{
	(void)state;
	page_check(render_pins, "{'pins':[]}",
		   "No pins: all flows leave as the routes say.\n", NULL);
}

static void what_was_let_go_is_counted(void **state)
{
	(void)state;
	page_check(render_unpin, "{'pins':0}", "0 pins let go.\n", NULL);
	page_check(render_unpin, "{'pins':1}", "1 pin let go.\n", NULL);
}

static void survives_answers_that_make_no_sense(void **state)
{
	(void)state;
	page_check_nonsense(render_pins, "{'pins':[" HELD "," PINNED "]}",
			    NULL);
	page_check_nonsense(render_unpin, "{'pins':3}", NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_destination_has_a_row),
		cmocka_unit_test(several_replies_have_one_heading),
		cmocka_unit_test(none_is_said),
		cmocka_unit_test(what_was_let_go_is_counted),
		cmocka_unit_test(survives_answers_that_make_no_sense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
