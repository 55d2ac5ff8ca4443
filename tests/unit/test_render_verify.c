/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What verify found: one sentence, and each disagreement. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "page.h"
#include "render/render.h"

static const char agreement_reply[] =
	"{'asked':2800,'total':2800,'local':12,'subnets':4,'prefixes':700,"
	"'seconds':0.62,'skipped':[],'found':0,'disagreements':[]}";

static const char agreement_page[] =
	"Asked 2800 questions about 4 subnets and 700 prefixes in 0.62 s: "
	"the kernel\n"
	"agrees with all of them.\n"
	"12 answers left out: table local has own, broadcast and anycast "
	"addresses.\n";

static void says_that_the_kernel_agrees(void **state)
{
	(void)state;
	page_check(render_verify, agreement_reply, agreement_page, NULL);
}

static const char disagreement_reply[] =
	"{'asked':28000,'total':28000,'local':0,'subnets':4,'prefixes':700,"
	"'seconds':0.62,'skipped':['ipv6'],'found':2,'disagreements':[{"
	"'link':'eth0','prefix':'10.1.0.0/24','source':'10.1.0.2',"
	"'destination':'203.0.113.0','wanted':'via 10.1.0.1 dev eth0, table "
	"7100','kernel':'via 10.2.0.1 dev eth1, table 254','hint':'table main "
	"answered: our rule or our entry is missing; \\u0027multihomectl "
	"reload\\u0027 reads everything again'},{'link':'enp0s31f6.4000a',"
	"'prefix':'2001:db8:1234:5678:9abc:def0:1234:5678/128',"
	"'source':'2001:db8:1234:5678:9abc:def0:1234:5678',"
	"'destination':'2001:db8:ffff:ffff:ffff:ffff:ffff:ffff',"
	"'wanted':'dropped (rule 3, strong)','kernel':'dropped (EINVAL)',"
	"'hint':''}]}";

static const char disagreement_page[] =
	"Asked 28,000 questions about 4 subnets and 700 prefixes in 0.62 s: "
	"the kernel\n"
	"disagrees with us on 2 of them.\n"
	"IPv6 is left out: a full tunnel is up, and our rules are withdrawn "
	"meanwhile.\n"
	"\n"
	"10.1.0.2 -> 203.0.113.0 (10.1.0.0/24 on eth0)\n"
	"    wanted  via 10.1.0.1 dev eth0, table 7100\n"
	"    kernel  via 10.2.0.1 dev eth1, table 254\n"
	"    hint    table main answered: our rule or our entry is missing; "
	"'multihomectl\n"
	"            reload' reads everything again\n"
	"\n"
	"2001:db8:1234:5678:9abc:def0:1234:5678 -> "
	"2001:db8:ffff:ffff:ffff:ffff:ffff:ffff\n"
	"(2001:db8:1234:5678:9abc:def0:1234:5678/128 on enp0s31f6.4000a)\n"
	"    wanted  dropped (rule 3, strong)\n"
	"    kernel  dropped (EINVAL)\n";

static void shows_each_disagreement(void **state)
{
	(void)state;
	page_check(render_verify, disagreement_reply, disagreement_page, NULL);
}

static const char unheard_reply[] =
	"{'asked':2800,'total':2800,'local':0,'subnets':4,'prefixes':700,"
	"'seconds':0.62,'skipped':[],'found':2,'disagreements':[],"
	"'unheard':['203.0.113.0/24','2001:db8:f::/48']}";

static const char unheard_page[] =
	"Asked 2800 questions about 4 subnets and 700 prefixes in 0.62 s: "
	"the kernel\n"
	"agrees with all of them.\n"
	"Table main had changed without a word to the daemon, for:\n"
	"  203.0.113.0/24\n"
	"  2001:db8:f::/48\n"
	"It has read table main now and mends its tables.\n";

static void tells_what_nobody_told_the_daemon(void **state)
{
	(void)state;
	page_check(render_verify, unheard_reply, unheard_page, NULL);
}

static const char nothing_reply[] =
	"{'asked':0,'total':0,'local':0,'subnets':0,'prefixes':0,'seconds':0,"
	"'skipped':['ipv4'],'found':0,'disagreements':[]}";

static const char nothing_page[] =
	"Nothing to ask about: no subnet is managed and has its rules in "
	"place.\n"
	"IPv4 is left out: a full tunnel is up, and our rules are withdrawn "
	"meanwhile.\n";

static void says_that_there_was_nothing_to_ask(void **state)
{
	(void)state;
	page_check(render_verify, nothing_reply, nothing_page, NULL);
}

/* A reply with @told of @found disagreements; free with free(). */
static char *reply_with(int told, int found)
{
	char *json = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&json, &len);
	int i;

	assert_non_null(out);
	(void)fprintf(out, "{'asked':9000,'found':%d,'disagreements':[", found);
	for (i = 0; i < told; i++)
		(void)fprintf(out, "%s{'source':'s','destination':'d%d'}",
			      i > 0 ? "," : "", i);
	(void)fputs("]}", out);
	assert_int_equal(fclose(out), 0);
	return json;
}

static void shows_the_first_of_many(void **state)
{
	static const struct {
		int told;
		int found;
		const char *end;
	} cases[] = {
		{20, 20, "\ns -> d19 (? on ?)\n"},
		{21, 21, "\n\n... and 1 more (see --json).\n"},
		{1000, 12345, "\n\n... and 12,325 more (see --json).\n"},
	};
	char *json;
	char *page;
	size_t len;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		json = reply_with(cases[i].told, cases[i].found);
		page = page_of(render_verify, json, false);
		len = strlen(cases[i].end);
		assert_true(strlen(page) > len);
		assert_string_equal(page + strlen(page) - len, cases[i].end);
		assert_null(strstr(page, "-> d20"));
		free(page);
		free(json);
	}
}

static void survives_answers_that_make_no_sense(void **state)
{
	static const char json[] =
		"{'asked':5,'total':5,'local':3,'subnets':4,'prefixes':700,"
		"'seconds':0.62,'skipped':['ipv6'],'found':4,"
		"'disagreements':[{'link':'eth0','prefix':'10.1.0.0/24',"
		"'source':'10.1.0.2','destination':'203.0.113.0',"
		"'wanted':'via 10.1.0.1 dev eth0, table 7100','kernel':'via "
		"10.2.0.1 dev eth1, table 254','hint':'table main answered: "
		"our rule or our entry is missing; \\u0027multihomectl "
		"reload\\u0027 reads everything again'}]}";

	(void)state;
	page_check_nonsense(render_verify, json, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_that_the_kernel_agrees),
		cmocka_unit_test(shows_each_disagreement),
		cmocka_unit_test(tells_what_nobody_told_the_daemon),
		cmocka_unit_test(says_that_there_was_nothing_to_ask),
		cmocka_unit_test(shows_the_first_of_many),
		cmocka_unit_test(survives_answers_that_make_no_sense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
