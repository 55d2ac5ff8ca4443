/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The story of one packet, told in the order of the draft's rules. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "page.h"
#include "render/render.h"

static const char plain_reply[] =
	"{'source':'10.1.0.2','source_is':'managed',"
	"'destination':'203.0.113.9','subnet':{'link':'eth0',"
	"'prefix':'10.1.0.0/24','table':7100,'model':'weak'},'rule':4,"
	"'kind':'congruent','why':'the lowest metric of the next hops on the "
	"source\\u0027s subnet','candidates':[{'prefix':'203.0.113.0/24',"
	"'type':'unicast','via':'10.1.0.1','dev':'eth0','metric':100,"
	"'origin':'main','usable':true,'on_subnet':true,'line':3,'why':'the "
	"gateway lies inside this subnet','chosen':true},{"
	"'prefix':'203.0.113.0/24','type':'unicast','via':'10.2.0.1',"
	"'dev':'eth1','metric':50,'origin':'main','usable':true,"
	"'on_subnet':false,'line':2,'why':'its link is another one',"
	"'chosen':false}],'next_hops':[{'via':'10.1.0.1','dev':'eth0'}],"
	"'kernel':{'via':'10.1.0.1','dev':'eth0','table':7100,'rule':'7109: "
	"from 10.1.0.0/24 iif lo lookup 7100 proto 109','ours':true},"
	"'agrees':true,'notes':[]}";

static const char plain_page[] =
	"10.1.0.2 -> 203.0.113.9\n"
	"Source: 10.1.0.2 is of subnet 10.1.0.0/24 on eth0 (table 7100, weak "
	"model).\n"
	"Longest matching prefix (rule 1): 203.0.113.0/24, with 2 "
	"candidates:\n"
	"     NEXT HOP           METRIC  ON SUBNET\n"
	"  *  10.1.0.1 dev eth0     100  yes, line 3: the gateway lies "
	"inside this subnet\n"
	"     10.2.0.1 dev eth1      50  no, line 2: its link is another "
	"one\n"
	"     (lines: see \"On-subnet\" in multihomed(8))\n"
	"Rule 4 decides: the lowest metric of the next hops on the source's "
	"subnet.\n"
	"=> via 10.1.0.1 dev eth0\n"
	"Kernel: via 10.1.0.1 dev eth0, table 7100: agrees.\n";

static void tells_which_rule_decided(void **state)
{
	(void)state;
	page_check(render_explain, plain_reply, plain_page, NULL);
}

static const char tunnel_reply[] =
	"{'source':'10.1.0.2','source_is':'unbound',"
	"'destination':'203.0.113.9','subnet':{'link':'eth0',"
	"'prefix':'10.1.0.0/24','table':7100,'model':'weak'},'rule':4,"
	"'kind':'congruent','why':'the lowest metric of the next hops on the "
	"source\\u0027s subnet','candidates':[{'prefix':'203.0.113.0/24',"
	"'type':'unicast','via':'10.1.0.1','dev':'eth0','metric':100,"
	"'origin':'main','usable':true,'on_subnet':true,'line':3,'why':'the "
	"gateway lies inside this subnet','chosen':true}],'next_hops':[{"
	"'via':'10.1.0.1','dev':'eth0'}],'kernel':{'via':'10.9.0.1',"
	"'dev':'wg0','table':51820,'source':'10.1.0.2','rule':'7000: from all "
	"lookup 51820','ours':false},'agrees':false,'notes':['a policy rule "
	"of somebody else comes before ours; see \\u0027multihomectl "
	"doctor\\u0027']}";

static const char tunnel_page[] =
	"any source -> 203.0.113.9\n"
	"No source given: the kernel chooses 10.1.0.2, of subnet 10.1.0.0/24 "
	"on eth0\n"
	"(table 7100, weak model).\n"
	"Longest matching prefix (rule 1): 203.0.113.0/24, with 1 "
	"candidate:\n"
	"     NEXT HOP           METRIC  ON SUBNET\n"
	"  *  10.1.0.1 dev eth0     100  yes, line 3: the gateway lies "
	"inside this subnet\n"
	"     (lines: see \"On-subnet\" in multihomed(8))\n"
	"Rule 4 decides: the lowest metric of the next hops on the source's "
	"subnet.\n"
	"=> via 10.1.0.1 dev eth0\n"
	"Kernel: via 10.9.0.1 dev wg0, table 51820: DISAGREES.\n"
	"  It follows the policy rule \"7000: from all lookup 51820\".\n"
	"Note: a policy rule of somebody else comes before ours; see "
	"'multihomectl\n"
	"      doctor'\n";

static void tells_of_a_tunnel_before_our_rules(void **state)
{
	(void)state;
	page_check(render_explain, tunnel_reply, tunnel_page, NULL);
}

static const char without_reply[] =
	"{'source':'10.2.0.2','source_is':'managed',"
	"'destination':'203.0.113.9','without':'eth1','subnet':{'link':'eth1',"
	"'prefix':'10.2.0.0/24','table':7101,'model':'weak'},'rule':3,"
	"'kind':'weak','why':'no next hop is on the source\\u0027s subnet; in "
	"the weak model the lowest metric of all counts','candidates':[{"
	"'prefix':'203.0.113.0/24','type':'unicast','via':'10.1.0.1',"
	"'dev':'eth0','metric':100,'origin':'main','usable':true,"
	"'on_subnet':false,'line':2,'why':'its link is another one',"
	"'chosen':true}],'next_hops':[{'via':'10.1.0.1','dev':'eth0'}],"
	"'notes':[]}";

static const char without_page[] =
	"If eth1 went down:\n"
	"10.2.0.2 -> 203.0.113.9\n"
	"Source: 10.2.0.2 is of subnet 10.2.0.0/24 on eth1 (table 7101, weak "
	"model).\n"
	"Longest matching prefix (rule 1): 203.0.113.0/24, with 1 "
	"candidate:\n"
	"     NEXT HOP           METRIC  ON SUBNET\n"
	"  *  10.1.0.1 dev eth0     100  no, line 2: its link is another "
	"one\n"
	"     (lines: see \"On-subnet\" in multihomed(8))\n"
	"Rule 3 decides: no next hop is on the source's subnet; in the weak "
	"model the\n"
	"lowest metric of all counts.\n"
	"=> via 10.1.0.1 dev eth0 (weak: not through the source's subnet)\n";

static void tells_what_would_be_without_a_link(void **state)
{
	(void)state;
	page_check(render_explain, without_reply, without_page, NULL);
}

static const char no_route_reply[] =
	"{'source':'10.1.0.2','source_is':'managed',"
	"'destination':'203.0.113.9','subnet':{'link':'eth0',"
	"'prefix':'10.1.0.0/24','table':7100,'model':'strong'},'rule':2,"
	"'kind':'none','why':'no route matches: dropped','candidates':[],"
	"'next_hops':[],'kernel':{'error':'EHOSTUNREACH','table':7100,"
	"'rule':'7109: from 10.1.0.0/24 iif lo lookup 7100','ours':true},"
	"'agrees':true,'notes':[]}";

static const char no_route_page[] =
	"10.1.0.2 -> 203.0.113.9\n"
	"Source: 10.1.0.2 is of subnet 10.1.0.0/24 on eth0 (table 7100, "
	"strong model).\n"
	"Longest matching prefix (rule 1): none, no route matches.\n"
	"Rule 2 decides: no route matches: dropped.\n"
	"=> dropped, and the sender is told so\n"
	"Kernel: the sender gets EHOSTUNREACH (no route to host): agrees.\n";

/* Rule 2, in the strong model. */
static void tells_that_nothing_matches(void **state)
{
	(void)state;
	page_check(render_explain, no_route_reply, no_route_page, NULL);
}

static const char bound_reply[] =
	"{'source':'10.1.0.2','source_is':'managed',"
	"'destination':'203.0.113.9','dev':'eth0','subnet':{'link':'eth0',"
	"'prefix':'10.1.0.0/24','table':7100,'model':'weak'},'rule':3,"
	"'kind':'weak','why':'no next hop is on the source\\u0027s subnet; in "
	"the weak model the lowest metric of all counts','candidates':[{"
	"'prefix':'203.0.113.0/24','type':'unicast','via':'10.2.0.1',"
	"'dev':'eth1','metric':50,'origin':'main','usable':true,"
	"'on_subnet':false,'line':2,'why':'its link is another one',"
	"'chosen':true},{'prefix':'203.0.113.0/24','type':'unreachable',"
	"'metric':4294967295,'origin':'config','usable':true,"
	"'on_subnet':false,'line':0,'why':'no next hop: it competes by its "
	"metric','chosen':false},{'prefix':'203.0.113.0/24','type':'unicast',"
	"'dev':'tun0','metric':7,'origin':'config','usable':false,"
	"'on_subnet':true,'line':1,'why':'the configuration binds it to this "
	"subnet\\u0027s prefix','chosen':false}],'next_hops':[{"
	"'via':'10.2.0.1','dev':'eth1'},{'dev':'ppp0'}],'kernel':{"
	"'via':'10.1.0.1','dev':'eth0','table':7100,'rule':'7109: from "
	"10.1.0.0/24 iif lo lookup 7100 proto 109','ours':true},'notes':['a "
	"socket bound to eth0 takes routes over eth0 only; where the "
	"subnet\\u0027s table has none, table main is asked','not usable: "
	"link tun0 has no carrier']}";

static const char bound_page[] =
	"10.1.0.2 -> 203.0.113.9 (socket bound to eth0)\n"
	"Source: 10.1.0.2 is of subnet 10.1.0.0/24 on eth0 (table 7100, weak "
	"model).\n"
	"Longest matching prefix (rule 1): 203.0.113.0/24, with 3 "
	"candidates:\n"
	"     NEXT HOP                            METRIC  ON SUBNET\n"
	"  *  10.2.0.1 dev eth1                       50  no, line 2: its "
	"link is another\n"
	"                                                 one\n"
	"     unreachable (config)            4294967295  no next hop: it "
	"competes by its\n"
	"                                                 metric\n"
	"     dev tun0 (config) (not usable)           7  yes, line 1: the "
	"configuration\n"
	"                                                 binds it to this "
	"subnet's\n"
	"                                                 prefix\n"
	"     (lines: see \"On-subnet\" in multihomed(8))\n"
	"Rule 3 decides: no next hop is on the source's subnet; in the weak "
	"model the\n"
	"lowest metric of all counts.\n"
	"So our tables say: via 10.2.0.1 dev eth1 and dev ppp0\n"
	"Kernel: via 10.1.0.1 dev eth0, table 7100. This is what counts "
	"here.\n"
	"  It follows our policy rule \"7109: from 10.1.0.0/24 iif lo lookup "
	"7100 proto\n"
	"  109\".\n"
	"Note: a socket bound to eth0 takes routes over eth0 only; where the "
	"subnet's\n"
	"      table has none, table main is asked\n"
	"Note: not usable: link tun0 has no carrier\n";

static void leaves_a_bound_socket_to_the_kernel(void **state)
{
	(void)state;
	page_check(render_explain, bound_reply, bound_page, NULL);
}

static const char other_reply[] =
	"{'source':'172.17.0.1','source_is':'not_managed',"
	"'destination':'203.0.113.9','subnet':{'link':'docker0',"
	"'prefix':'172.17.0.0/16','model':'weak'},'rule':0,'kind':'none',"
	"'why':'the source is not of a managed subnet: the kernel\\u0027s "
	"other rules and table main decide','candidates':[{"
	"'prefix':'203.0.113.0/24','type':'unicast','via':'10.2.0.1',"
	"'dev':'eth1','metric':50,'origin':'main','usable':true,"
	"'on_subnet':false,'line':2,'why':'its link is another one',"
	"'chosen':false}],'next_hops':[{'via':'10.2.0.1','dev':'eth1'}],"
	"'kernel':{'via':'10.2.0.1','dev':'eth1','table':254,'rule':'32766: "
	"from all lookup main','ours':false},'notes':[]}";

static const char other_page[] =
	"172.17.0.1 -> 203.0.113.9\n"
	"Source: 172.17.0.1 is of subnet 172.17.0.0/16 on docker0, which is "
	"not managed.\n"
	"Longest matching prefix (rule 1): 203.0.113.0/24, with 1 "
	"candidate:\n"
	"     NEXT HOP           METRIC  ON SUBNET\n"
	"     10.2.0.1 dev eth1      50  no, line 2: its link is another "
	"one\n"
	"     (lines: see \"On-subnet\" in multihomed(8))\n"
	"Not ours to decide: the source is not of a managed subnet: the "
	"kernel's other\n"
	"rules and table main decide.\n"
	"Kernel: via 10.2.0.1 dev eth1, table main. This is what counts "
	"here.\n"
	"  It follows the policy rule \"32766: from all lookup main\".\n";

static void leaves_other_sources_to_the_kernel(void **state)
{
	(void)state;
	page_check(render_explain, other_reply, other_page, NULL);
}

static const char foreign_reply[] =
	"{'source':'192.0.2.77','source_is':'foreign',"
	"'destination':'203.0.113.9','rule':0,'kind':'none','why':'the source "
	"is not of a managed subnet: the kernel\\u0027s other rules and table "
	"main decide','candidates':[{'prefix':'203.0.113.0/24',"
	"'type':'unicast','via':'10.2.0.1','dev':'eth1','metric':50,"
	"'origin':'main','usable':true,'on_subnet':false,'line':2,'why':'its "
	"link is another one','chosen':false}],'next_hops':[],'kernel':{"
	"'error':'EINVAL','ours':false},'notes':[]}";

static const char foreign_page[] =
	"192.0.2.77 -> 203.0.113.9\n"
	"Source: 192.0.2.77 is no address of this host.\n"
	"Longest matching prefix (rule 1): 203.0.113.0/24, with 1 "
	"candidate:\n"
	"     NEXT HOP           METRIC  ON SUBNET\n"
	"     10.2.0.1 dev eth1      50  -\n"
	"Not ours to decide: the source is not of a managed subnet: the "
	"kernel's other\n"
	"rules and table main decide.\n"
	"Kernel: the sender gets EINVAL (no valid source, or a blackhole "
	"route). This is\n"
	"what counts here.\n";

static void leaves_foreign_sources_to_the_kernel(void **state)
{
	(void)state;
	page_check(render_explain, foreign_reply, foreign_page, NULL);
}

static const char ipv6_reply[] =
	"{'source':'2001:db8:1:2:a8bb:ccff:fe00:1234','source_is':'managed',"
	"'destination':'2001:db8:ffff:1234:5678:9abc:def0:1234','subnet':{"
	"'link':'enp3s0','prefix':'2001:db8:1:2::/64','table':7102,"
	"'model':'strong'},'rule':4,'kind':'congruent','why':'the lowest "
	"metric of the next hops on the source\\u0027s subnet','candidates':[{"
	"'prefix':'2001:db8:ffff:1234:5678::/80','type':'unicast',"
	"'via':'fe80::a8bb:ccff:fedd:eeff','dev':'enp3s0','metric':1024,"
	"'origin':'main','usable':true,'on_subnet':true,'line':4,'why':'a "
	"link-local router that may serve any prefix','chosen':true},{"
	"'prefix':'2001:db8:ffff:1234:5678::/80','type':'unicast',"
	"'via':'fe80::a8bb:ccff:fedd:ee01','dev':'wwp0s20u1i12.1',"
	"'metric':20100,'origin':'main','usable':true,'on_subnet':false,"
	"'line':2,'why':'its link is another one','chosen':false}],"
	"'next_hops':[{'via':'fe80::a8bb:ccff:fedd:eeff','dev':'enp3s0'}],"
	"'kernel':{'via':'fe80::a8bb:ccff:fedd:eeff','dev':'enp3s0',"
	"'table':7102,'ours':true},'agrees':true,'notes':[]}";

static const char ipv6_page[] =
	"2001:db8:1:2:a8bb:ccff:fe00:1234 -> "
	"2001:db8:ffff:1234:5678:9abc:def0:1234\n"
	"Source: 2001:db8:1:2:a8bb:ccff:fe00:1234 is of subnet "
	"2001:db8:1:2::/64 on\n"
	"enp3s0 (table 7102, strong model).\n"
	"Longest matching prefix (rule 1): 2001:db8:ffff:1234:5678::/80, "
	"with 2\n"
	"candidates:\n"
	"     NEXT HOP                               METRIC  ON SUBNET\n"
	"  *  fe80::a8bb:ccff:fedd:eeff dev enp3s0     1024  yes, line 4: a "
	"link-local\n"
	"                                                    router that may "
	"serve any\n"
	"                                                    prefix\n"
	"     fe80::a8bb:ccff:fedd:ee01 dev wwp0s20u1i12.1\n"
	"                                             20100  no, line 2: its "
	"link is\n"
	"                                                    another one\n"
	"     (lines: see \"On-subnet\" in multihomed(8))\n"
	"Rule 4 decides: the lowest metric of the next hops on the source's "
	"subnet.\n"
	"=> via fe80::a8bb:ccff:fedd:eeff dev enp3s0\n"
	"Kernel: via fe80::a8bb:ccff:fedd:eeff dev enp3s0, table 7102: "
	"agrees.\n";

static void has_room_for_ipv6(void **state)
{
	(void)state;
	page_check(render_explain, ipv6_reply, ipv6_page, NULL);
}

static const char no_source_reply[] =
	"{'source_is':'unbound','destination':'203.0.113.9','rule':0,"
	"'kind':'none','why':'','candidates':[],'next_hops':[],'kernel':{"
	"'error':'ENETUNREACH','ours':false},'notes':[]}";

static const char no_source_page[] =
	"any source -> 203.0.113.9\n"
	"No source given, and the kernel finds none.\n"
	"Longest matching prefix (rule 1): none, no route matches.\n"
	"Kernel: the sender gets ENETUNREACH (network is unreachable). This "
	"is what\n"
	"counts here.\n";

static void tells_that_the_kernel_has_no_source(void **state)
{
	(void)state;
	page_check(render_explain, no_source_reply, no_source_page, NULL);
}

static const char unknown_source_reply[] =
	"{'source_is':'unbound','destination':'203.0.113.9','without':'eth1',"
	"'rule':0,'kind':'none','why':'','candidates':[],'next_hops':[],"
	"'notes':[]}";

static const char unknown_source_page[] =
	"If eth1 went down:\n"
	"any source -> 203.0.113.9\n"
	"No source given, and which one the kernel would choose is not "
	"known.\n"
	"Longest matching prefix (rule 1): none, no route matches.\n";

static void tells_that_the_source_is_not_known(void **state)
{
	(void)state;
	page_check(render_explain, unknown_source_reply, unknown_source_page,
		   NULL);
}

static void says_in_red_that_the_kernel_disagrees(void **state)
{
	char *page = page_of(render_explain,
			     "{'rule':4,'kernel':{'dev':'eth1','table':254},"
			     "'agrees':false}",
			     true);

	(void)state;
	assert_non_null(strstr(page, "\x1b[1;31mKernel: dev eth1, table main: "
				     "DISAGREES.\x1b[0m\n"));
	free(page);
}

static void survives_answers_that_make_no_sense(void **state)
{
	static const char json[] =
		"{'source':'10.1.0.2','source_is':'managed',"
		"'destination':'203.0.113.9','dev':'eth0','without':'eth1',"
		"'subnet':{'link':'eth0','prefix':'10.1.0.0/24','table':7100,"
		"'model':'weak'},'rule':4,'kind':'congruent','why':'the "
		"lowest metric of the next hops on the source\\u0027s subnet',"
		"'candidates':[{'prefix':'203.0.113.0/24','type':'unicast',"
		"'via':'10.1.0.1','dev':'eth0','metric':100,'origin':'main',"
		"'usable':true,'on_subnet':true,'line':3,'why':'the gateway "
		"lies inside this subnet','chosen':true},{"
		"'prefix':'203.0.113.0/24','type':'unicast','dev':'tun0',"
		"'metric':7,'origin':'config','usable':false,'on_subnet':true,"
		"'line':1,'why':'the configuration binds it to this "
		"subnet\\u0027s prefix','chosen':false}],'next_hops':[{"
		"'via':'10.1.0.1','dev':'eth0'}],'kernel':{'via':'10.1.0.1',"
		"'dev':'eth0','table':7100,'rule':'7109: from 10.1.0.0/24 iif "
		"lo lookup 7100 proto 109','ours':true},'agrees':false,"
		"'notes':['a']}";

	(void)state;
	page_check_nonsense(render_explain, json, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tells_which_rule_decided),
		cmocka_unit_test(tells_of_a_tunnel_before_our_rules),
		cmocka_unit_test(tells_what_would_be_without_a_link),
		cmocka_unit_test(tells_that_nothing_matches),
		cmocka_unit_test(leaves_a_bound_socket_to_the_kernel),
		cmocka_unit_test(leaves_other_sources_to_the_kernel),
		cmocka_unit_test(leaves_foreign_sources_to_the_kernel),
		cmocka_unit_test(has_room_for_ipv6),
		cmocka_unit_test(tells_that_the_kernel_has_no_source),
		cmocka_unit_test(tells_that_the_source_is_not_known),
		cmocka_unit_test(says_in_red_that_the_kernel_disagrees),
		cmocka_unit_test(survives_answers_that_make_no_sense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
