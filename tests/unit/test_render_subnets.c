/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The page of the subnets: a block for each. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "page.h"
#include "render/render.h"

static const char blocks_reply[] =
	"{'subnets':[{'link':'eth0','prefix':'10.1.0.0/24',"
	"'addresses':['10.1.0.2','10.1.0.7'],'managed':true,'uplink':true,"
	"'table':7100,'model':'weak','rules':[{'priority':7109,"
	"'from':'10.1.0.0/24'}],'default':{'kind':'congruent',"
	"'via':'10.1.0.1','dev':'eth0','metric':100}},{"
	"'link':'enp0s31f6.4000a','prefix':'2001:db8:1234:5678::/64',"
	"'addresses':['2001:db8:1234:5678:9abc:def0:1234:5678'],"
	"'managed':true,'uplink':false,'table':7101,'model':'strong',"
	"'rules':[{'priority':7101,"
	"'from':'2001:db8:1234:5678:9abc:def0:1234:5678/128'},{"
	"'priority':7101,'from':'2001:db8:1234:5678::7/128'}],'default':{"
	"'kind':'strong_drop'}},{'link':'docker0','prefix':'172.17.0.0/16',"
	"'addresses':['172.17.0.1'],'managed':false,'uplink':false,"
	"'model':'weak','rules':[],'default':{'kind':'weak','via':'10.1.0.1',"
	"'dev':'eth0','metric':100}}]}";

static const char blocks_page[] =
	"10.1.0.0/24 on eth0: congruent\n"
	"    packets leave through a router of their own subnet\n"
	"    addresses  10.1.0.2\n"
	"               10.1.0.7\n"
	"    uplink     yes\n"
	"    default    via 10.1.0.1 dev eth0 metric 100\n"
	"    table      7100 (weak model)\n"
	"    rules      7109: from 10.1.0.0/24\n"
	"\n"
	"2001:db8:1234:5678::/64 on enp0s31f6.4000a: strong-drop\n"
	"    no router fits this source: packets are dropped (strong model)\n"
	"    addresses  2001:db8:1234:5678:9abc:def0:1234:5678\n"
	"    uplink     no: it has no router now\n"
	"    table      7101 (strong model)\n"
	"    rules      7101: from "
	"2001:db8:1234:5678:9abc:def0:1234:5678/128\n"
	"               7101: from 2001:db8:1234:5678::7/128\n"
	"\n"
	"172.17.0.0/16 on docker0: not managed\n"
	"    no uplink, or left alone by the config: table main decides\n"
	"    addresses  172.17.0.1\n";

static void has_a_block_for_each_subnet(void **state)
{
	(void)state;
	page_check(render_subnets, blocks_reply, blocks_page, NULL);
}

static const char empty_reply[] = "{'subnets':[]}";

static const char empty_page[] = "No subnets: no address on any link.\n";

static void says_so_where_there_are_none(void **state)
{
	(void)state;
	page_check(render_subnets, empty_reply, empty_page, NULL);
}

static void survives_answers_that_make_no_sense(void **state)
{
	static const char json[] =
		"{'subnets':[{'link':'eth0','prefix':'10.1.0.0/24',"
		"'addresses':['10.1.0.2','10.1.0.7'],'managed':true,"
		"'uplink':true,'table':7100,'model':'weak','rules':[{"
		"'priority':7109,'from':'10.1.0.0/24'}],'default':{"
		"'kind':'congruent','via':'10.1.0.1','dev':'eth0',"
		"'metric':100}},{'link':'docker0','prefix':'172.17.0.0/16',"
		"'addresses':['172.17.0.1'],'managed':false,'uplink':false,"
		"'model':'weak','rules':[],'default':{'kind':'weak',"
		"'via':'10.1.0.1','dev':'eth0','metric':100}}]}";

	(void)state;
	page_check_nonsense(render_subnets, json, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(has_a_block_for_each_subnet),
		cmocka_unit_test(says_so_where_there_are_none),
		cmocka_unit_test(survives_answers_that_make_no_sense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
