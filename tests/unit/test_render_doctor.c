/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What doctor found, the worst first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "page.h"
#include "render/render.h"

static const char worst_first_reply[] =
	"{'findings':[{'id':'mptcp_off','severity':'hint','what':'MPTCP is "
	"off (net.mptcp.enabled is 0).','breaks':'Applications that ask for "
	"it get plain TCP.','fix':['sysctl -w net.mptcp.enabled=1']},{"
	"'id':'rp_filter','severity':'error','subject':'eth1',"
	"'what':'rp_filter is strict (1) on eth1, while packets of "
	"10.2.0.0/24 leave through eth0.','breaks':'Answers that come in on "
	"eth1 are dropped, and nothing says so but a counter.','fix':['sysctl "
	"-w net.ipv4.conf.eth1.rp_filter=2','echo "
	"net.ipv4.conf.eth1.rp_filter = 2 >>/etc/sysctl.d/60-multihomed.conf "
	"&& sysctl --system']},{'id':'networkd','severity':'warning',"
	"'subject':'systemd-networkd','what':'It runs, and removes rules that "
	"it did not make.','breaks':'Packets take the wrong path until they "
	"are put back.',"
	"'fix':['/etc/systemd/networkd.conf.d/multihomed.conf:\\n[Network]\\nM"
	"anageForeignRoutingPolicyRules=no\\n']}],'checks':['rp_filter',"
	"'networkd','mptcp_off'],'not_checked':['the ARP settings: /proc/sys "
	"cannot be read']}";

static const char worst_first_page[] =
	"3 checks: 1 error, 1 warning, 1 hint.\n"
	"\n"
	"Errors: packets are lost or leave by the wrong path.\n"
	"\n"
	"rp_filter: eth1\n"
	"  rp_filter is strict (1) on eth1, while packets of 10.2.0.0/24 "
	"leave through\n"
	"  eth0.\n"
	"  Effect: Answers that come in on eth1 are dropped, and nothing "
	"says so but a\n"
	"  counter.\n"
	"  To mend it:\n"
	"      sysctl -w net.ipv4.conf.eth1.rp_filter=2\n"
	"      echo net.ipv4.conf.eth1.rp_filter = 2 "
	">>/etc/sysctl.d/60-multihomed.conf && sysctl --system\n"
	"\n"
	"Warnings: that will happen when something else does.\n"
	"\n"
	"networkd: systemd-networkd\n"
	"  It runs, and removes rules that it did not make.\n"
	"  Effect: Packets take the wrong path until they are put back.\n"
	"  To mend it:\n"
	"      /etc/systemd/networkd.conf.d/multihomed.conf:\n"
	"      [Network]\n"
	"      ManageForeignRoutingPolicyRules=no\n"
	"\n"
	"Hints: worth knowing.\n"
	"\n"
	"mptcp_off\n"
	"  MPTCP is off (net.mptcp.enabled is 0).\n"
	"  Effect: Applications that ask for it get plain TCP.\n"
	"  To mend it:\n"
	"      sysctl -w net.mptcp.enabled=1\n"
	"\n"
	"Not looked at:\n"
	"  the ARP settings: /proc/sys cannot be read\n";

static void shows_the_worst_first(void **state)
{
	(void)state;
	page_check(render_doctor, worst_first_reply, worst_first_page,
		   "      ");
}

static const char healthy_reply[] =
	"{'findings':[],'checks':['rp_filter','arp_flux','networkd',"
	"'foreign_rule','no_default','accept_ra','linkdown','one_router',"
	"'mptcp_off'],'not_checked':[]}";

static const char healthy_page[] =
	"9 checks, nothing found.\n"
	"Checked: rp_filter, arp_flux, networkd, foreign_rule, no_default, "
	"accept_ra,\n"
	"linkdown, one_router, mptcp_off\n";

/* Nothing found: the checks are named. */
static void says_what_it_looked_at(void **state)
{
	(void)state;
	page_check(render_doctor, healthy_reply, healthy_page, "      ");
}

static void commands_steer_no_terminal(void **state)
{
	char *page = page_of(
		render_doctor,
		"{'findings':[{'fix':['ip\\u001b[2J \\u009b\\nb']}]}", false);

	(void)state;
	assert_non_null(strstr(page, "\n      ip?[2J ?\n      b\n"));
	free(page);
}

static void survives_answers_that_make_no_sense(void **state)
{
	static const char json[] =
		"{'findings':[{'id':'rp_filter','severity':'error',"
		"'subject':'eth1','what':'rp_filter is strict (1) on eth1, "
		"while packets of 10.2.0.0/24 leave through eth0.',"
		"'breaks':'Answers that come in on eth1 are dropped, and "
		"nothing says so but a counter.','fix':['sysctl -w "
		"net.ipv4.conf.eth1.rp_filter=2','COMMAND']}],"
		"'checks':['rp_filter','networkd','mptcp_off'],"
		"'not_checked':['x']}";

	(void)state;
	page_check_nonsense(render_doctor, json, "      ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shows_the_worst_first),
		cmocka_unit_test(says_what_it_looked_at),
		cmocka_unit_test(commands_steer_no_terminal),
		cmocka_unit_test(survives_answers_that_make_no_sense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
