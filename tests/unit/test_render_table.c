/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What our tables hold, as it comes bit by bit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "page.h"
#include "render/render.h"

static const char lines_reply[] =
	"{'link':'eth0','prefix':'10.1.0.0/24','table':7100,'entries':[{"
	"'prefix':'0.0.0.0/0','kind':'congruent','type':'unicast',"
	"'next_hops':[{'via':'10.1.0.1','dev':'eth0'}],'metric':100,"
	"'state':'in_place','route':'x'},{'prefix':'10.0.0.0/8',"
	"'kind':'strong_drop','type':'unreachable','next_hops':[],"
	"'state':'in_place'},{'prefix':'10.1.0.0/24','kind':'congruent',"
	"'type':'unicast','next_hops':[{'dev':'eth0'}],'metric':0,"
	"'state':'in_place'},{'prefix':'172.16.0.0/12','kind':'weak',"
	"'type':'unicast','next_hops':[{'via':'10.2.0.1','dev':'eth1'},{"
	"'via':'10.3.0.1','dev':'eth2'},{'dev':'ppp0'}],'metric':4294967295,"
	"'state':'in_place'},{'prefix':'198.51.100.0/24','tos':16,"
	"'kind':'weak','type':'throw','next_hops':[],'metric':5,"
	"'state':'in_place'}]}";

static const char lines_page[] =
	"10.1.0.0/24 on eth0, table 7100\n"
	"PREFIX              KIND         NEXT HOP                           "
	"      METRIC\n"
	"0.0.0.0/0           congruent    10.1.0.1 dev eth0                  "
	"         100\n"
	"10.0.0.0/8          strong-drop  unreachable\n"
	"10.1.0.0/24         congruent    dev eth0                           "
	"           0\n"
	"172.16.0.0/12       weak         10.2.0.1 dev eth1                  "
	"  4294967295\n"
	"                                 10.3.0.1 dev eth2\n"
	"                                 dev ppp0\n"
	"198.51.100.0/24 tos 0x10\n"
	"                    weak         throw: table main decides          "
	"           5\n";

static void has_a_line_for_each_next_hop(void **state)
{
	(void)state;
	page_check(render_table, lines_reply, lines_page, NULL);
}

static const char ipv6_reply[] =
	"{'link':'eth0','prefix':'2001:db8:1::/64','table':7101,'entries':[{"
	"'prefix':'::/0','kind':'congruent','type':'unicast','next_hops':[{"
	"'via':'fe80::a8bb:ccff:fedd:eeff','dev':'eth0'}],'metric':1024,"
	"'state':'in_place'},{"
	"'prefix':'2001:db8:1234:5678:9abc:def0:1234:5678/128',"
	"'kind':'congruent','type':'unicast','next_hops':[{"
	"'via':'fe80::a8bb:ccff:fedd:eeff','dev':'wwp0s20u1i12.1'}],"
	"'metric':1024,'state':'in_place'},{'prefix':'2001:db8:1::/64',"
	"'kind':'congruent','type':'unicast','next_hops':[{'dev':'eth0'}],"
	"'metric':256,'state':'in_place'}]}";

static const char ipv6_page[] =
	"2001:db8:1::/64 on eth0, table 7101\n"
	"PREFIX              KIND         NEXT HOP                           "
	"      METRIC\n"
	"::/0                congruent    fe80::a8bb:ccff:fedd:eeff dev eth0 "
	"        1024\n"
	"2001:db8:1234:5678:9abc:def0:1234:5678/128\n"
	"                    congruent    fe80::a8bb:ccff:fedd:eeff dev "
	"wwp0s20u1i12.1\n"
	"                                                                   "
	"         1024\n"
	"2001:db8:1::/64     congruent    dev eth0                           "
	"         256\n";

static void gives_long_prefixes_a_line_of_their_own(void **state)
{
	(void)state;
	page_check(render_table, ipv6_reply, ipv6_page, NULL);
}

static const char states_reply[] =
	"{'link':'eth0','prefix':'10.1.0.0/24','table':7100,'entries':[{"
	"'prefix':'192.0.2.0/24','kind':'congruent','type':'unicast',"
	"'next_hops':[{'via':'10.1.0.1','dev':'eth0'}],'metric':5,"
	"'state':'missing','route':'192.0.2.0/24 via 10.1.0.1 dev eth0 table "
	"7100 proto 109 metric 1'},{'prefix':'198.51.100.0/24',"
	"'kind':'congruent','type':'unicast','next_hops':[{'via':'10.1.0.1',"
	"'dev':'eth0'}],'metric':5,'state':'differs','route':'198.51.100.0/24 "
	"via 10.1.0.1 dev eth0 table 7100 proto 109 metric 1'},{"
	"'prefix':'203.0.113.0/24','kind':'congruent','type':'unicast',"
	"'next_hops':[{'via':'10.1.0.1','dev':'eth0'}],'metric':5,"
	"'state':'surplus','route':'203.0.113.0/24 via 10.1.0.1 dev eth0 "
	"table 7100 proto 109 metric 1'},{'prefix':'203.0.113.7/32',"
	"'kind':'congruent','type':'unicast','next_hops':[{'via':'10.1.0.1',"
	"'dev':'eth0'}],'metric':5,'state':'foreign','route':'203.0.113.7/32 "
	"via 10.1.0.1 dev eth0 table 7100 proto 109 metric 1'},{"
	"'prefix':'203.0.113.8/32','kind':'congruent','type':'unicast',"
	"'next_hops':[{'via':'10.1.0.1','dev':'eth0'}],'metric':5,"
	"'state':'new','route':'203.0.113.8/32 via 10.1.0.1 dev eth0 table "
	"7100 proto 109 metric 1'}]}";

static const char states_page[] =
	"10.1.0.0/24 on eth0, table 7100\n"
	"PREFIX              KIND         NEXT HOP                           "
	"      METRIC\n"
	"192.0.2.0/24        congruent    10.1.0.1 dev eth0                  "
	"           5\n"
	"  ! missing: wanted, but not in the kernel (yet)\n"
	"    192.0.2.0/24 via 10.1.0.1 dev eth0 table 7100 proto 109 metric "
	"1\n"
	"198.51.100.0/24     congruent    10.1.0.1 dev eth0                  "
	"           5\n"
	"  ! differs: something else is in its place\n"
	"    198.51.100.0/24 via 10.1.0.1 dev eth0 table 7100 proto 109 "
	"metric 1\n"
	"203.0.113.0/24      congruent    10.1.0.1 dev eth0                  "
	"           5\n"
	"  ! surplus: ours, but no longer wanted\n"
	"    203.0.113.0/24 via 10.1.0.1 dev eth0 table 7100 proto 109 "
	"metric 1\n"
	"203.0.113.7/32      congruent    10.1.0.1 dev eth0                  "
	"           5\n"
	"  ! foreign: somebody else's, left alone\n"
	"    203.0.113.7/32 via 10.1.0.1 dev eth0 table 7100 proto 109 "
	"metric 1\n"
	"203.0.113.8/32      congruent    10.1.0.1 dev eth0                  "
	"           5\n"
	"  ! not known to this program\n"
	"    203.0.113.8/32 via 10.1.0.1 dev eth0 table 7100 proto 109 "
	"metric 1\n";

static void says_what_is_not_in_place(void **state)
{
	(void)state;
	page_check(render_table, states_reply, states_page, NULL);
}

/* The heading comes once for each subnet, with however many replies. */
static void goes_on_with_the_same_subnet(void **state)
{
	static const char first[] =
		"{'link':'eth0','prefix':'10.1.0.0/24','table':7100,"
		"'entries':[{'prefix':'0.0.0.0/0','kind':'congruent',"
		"'type':'unicast','next_hops':[{'via':'10.1.0.1',"
		"'dev':'eth0'}],'metric':100,'state':'in_place','route':'x'}]}";
	static const char second[] =
		"{'link':'eth0','prefix':'10.1.0.0/24','table':7100,"
		"'entries':[{'prefix':'10.1.0.0/24','kind':'congruent',"
		"'type':'unicast','next_hops':[{'dev':'eth0'}],'metric':0,"
		"'state':'in_place'}]}";
	static const char third[] =
		"{'link':'eth1','prefix':'10.1.0.0/24','table':7101,"
		"'entries':[]}";
	static const char *const replies[] = {first, second, third};
	char *page = page_of_stream(render_table, replies, 3);

	(void)state;
	assert_string_equal(
		page,
		"10.1.0.0/24 on eth0, table 7100\n"
		"PREFIX              KIND         NEXT HOP                   "
		"              METRIC\n"
		"0.0.0.0/0           congruent    10.1.0.1 dev eth0          "
		"                 100\n"
		"10.1.0.0/24         congruent    dev eth0                   "
		"                   0\n"
		"\n"
		"10.1.0.0/24 on eth1, table 7101\n"
		"    no entries\n");
	free(page);
}

static void survives_answers_that_make_no_sense(void **state)
{
	static const char json[] =
		"{'link':'eth0','prefix':'10.1.0.0/24','table':7100,"
		"'entries':[{'prefix':'192.0.2.0/24','kind':'congruent',"
		"'type':'unicast','next_hops':[{'via':'10.1.0.1',"
		"'dev':'eth0'}],'metric':5,'state':'missing',"
		"'route':'192.0.2.0/24 via 10.1.0.1 dev eth0 table 7100 proto "
		"109 metric 1'},{'prefix':'172.16.0.0/12','kind':'weak',"
		"'type':'unicast','next_hops':[{'via':'10.2.0.1',"
		"'dev':'eth1'},{'via':'10.3.0.1','dev':'eth2'},{"
		"'dev':'ppp0'}],'metric':4294967295,'state':'in_place'},{"
		"'prefix':'198.51.100.0/24','tos':16,'kind':'weak',"
		"'type':'throw','next_hops':[],'metric':5,"
		"'state':'in_place'}]}";

	(void)state;
	page_check_nonsense(render_table, json, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(has_a_line_for_each_next_hop),
		cmocka_unit_test(gives_long_prefixes_a_line_of_their_own),
		cmocka_unit_test(says_what_is_not_in_place),
		cmocka_unit_test(goes_on_with_the_same_subnet),
		cmocka_unit_test(survives_answers_that_make_no_sense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
