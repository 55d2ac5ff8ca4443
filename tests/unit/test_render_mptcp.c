/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's MPTCP endpoints. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "page.h"
#include "render/render.h"

#define REPLY                                                                  \
	"{'available':true,'path_manager':'kernel','limits':{'subflows':8,"    \
	"'accepted':8},'endpoints':[{'address':'10.1.0.2','id':1,'flags':["    \
	"'subflow'],'link':'eth0','bound':false,'ours':true},{'address':"      \
	"'2001:db8:2::2','id':2,'flags':['subflow','backup'],'link':'wwan0',"  \
	"'bound':false,'ours':true,'seconds_left':3},{'address':'10.9.0.2',"   \
	"'id':7,'flags':['signal'],'bound':true,'ours':false},{'address':"     \
	"'10.8.0.2','id':8,'flags':['implicit'],'link':'eth2','bound':false,"  \
	"'ours':false}],'missing':["                                           \
	"'10.3.0.2']}"

static void each_endpoint_has_a_row(void **state)
{
	static const char page[] =
		"ADDRESS        ID  LINK   FLAGS           OWNER\n"
		"10.1.0.2        1  eth0   subflow         ours\n"
		"2001:db8:2::2   2  wwan0  subflow backup  ours, 3 s left\n"
		"10.9.0.2        7  -      signal          others\n"
		"10.8.0.2        8  eth2   implicit        the kernel\n"
		"\n"
		"10.3.0.2 should have an endpoint and has none: somebody "
		"removed it;\n"
		"'multihomectl reload' adds it again.\n"
		"A connection may have 8 more subflows, and take 8 addresses "
		"that its peer\n"
		"announces.\n";

	(void)state;
	page_check(render_mptcp, REPLY, page, NULL);
}

static void what_is_kept_is_explained(void **state)
{
	static const char page[] =
		"ADDRESS   ID  LINK  FLAGS    OWNER\n"
		"10.1.0.2   1  eth0  subflow  ours, kept\n"
		"\n"
		"kept: its path is gone, but a connection has no other "
		"subflow, and would end\n"
		"with it.\n";

	(void)state;
	page_check(render_mptcp,
		   "{'available':true,'path_manager':'kernel','endpoints':[{"
		   "'address':'10.1.0.2','id':1,'flags':['subflow'],'link':"
		   "'eth0','bound':false,'ours':true,'kept':true}],"
		   "'missing':[]}",
		   page, NULL);
}

static void what_is_off_is_said(void **state)
{
	(void)state;
	page_check(render_mptcp, "{'available':false,'endpoints':[]}",
		   "This kernel has no MPTCP.\n", NULL);
	page_check(render_mptcp,
		   "{'available':true,'kernel_error':'ENOBUFS','path_manager':"
		   "'kernel','endpoints':[],'missing':[]}",
		   "The kernel cannot be asked for endpoints (ENOBUFS). The "
		   "daemon tries again.\n",
		   NULL);
	page_check(render_mptcp,
		   "{'available':true,'path_manager':'off','endpoints':[],"
		   "'missing':[]}",
		   "No endpoints: connections have one path.\n"
		   "mptcp.path_manager is \"off\": endpoints are none of the "
		   "daemon's business.\n",
		   NULL);
}

static void a_token_of_nobody_is_all_that_is_said(void **state)
{
	(void)state;
	page_check(render_mptcp,
		   "{'available':true,'path_manager':'kernel','endpoints':[],"
		   "'missing':['10.3.0.2'],'connections':[],"
		   "'unknown_token':'fedcba98'}",
		   "There is no connection fedcba98.\n", NULL);
}

static void survives_answers_that_make_no_sense(void **state)
{
	(void)state;
	page_check_nonsense(render_mptcp, REPLY, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_endpoint_has_a_row),
		cmocka_unit_test(what_is_kept_is_explained),
		cmocka_unit_test(what_is_off_is_said),
		cmocka_unit_test(a_token_of_nobody_is_all_that_is_said),
		cmocka_unit_test(survives_answers_that_make_no_sense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
