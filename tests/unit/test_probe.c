/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/probe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void probes_are_the_edges(void **state)
{
	static const struct {
		const char *prefix;
		const char *probes;
		const char *why;
	} cases[] = {
		{"192.0.2.0/24", "192.0.1.255 192.0.2.0 192.0.2.255 192.0.3.0",
		 "outside, first, last, outside"},
		{"192.0.2.7/32", "192.0.2.6 192.0.2.7 192.0.2.8",
		 "first and last are one"},
		{"192.0.2.6/31", "192.0.2.5 192.0.2.6 192.0.2.7 192.0.2.8",
		 "two addresses"},
		{"0.0.0.0/0", "", "edges that nobody routes"},
		{"128.0.0.0/1", "128.0.0.0",
		 "127.255.255.255 is loopback, the end is broadcast"},
		{"224.0.0.0/4", "223.255.255.255 240.0.0.0",
		 "multicast itself is not asked about"},
		{"255.255.255.255/32", "255.255.255.254",
		 "limited broadcast, and no address behind it"},
		{"1.0.0.0/8", "0.255.255.255 1.0.0.0 1.255.255.255 2.0.0.0",
		 "a carry over three bytes"},
		{"2001:db8::/32",
		 "2001:db7:ffff:ffff:ffff:ffff:ffff:ffff 2001:db8:: "
		 "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff 2001:db9::",
		 "IPv6"},
		{"::/0", "", "unspecified at one end, multicast at the other"},
		{"fe80::/10", "fe7f:ffff:ffff:ffff:ffff:ffff:ffff:ffff fec0::",
		 "link-local is not routed by tables of ours"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ip_addr found[PROBE_MAX];
		struct ip_prefix prefix;
		char one[IP_TEXT_MAX];
		char text[512] = "";
		size_t n;

		assert_int_equal(ip_prefix_parse(cases[i].prefix, &prefix), 0);
		n = probe_addresses(&prefix, found);
		for (size_t j = 0; j < n; j++) {
			(void)strcat(text, j ? " " : "");
			(void)strcat(text, ip_addr_format(&found[j], one));
		}
		if (strcmp(text, cases[i].probes) != 0)
			fail_msg("%s: %s (%s)", cases[i].prefix, text,
				 cases[i].why);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(probes_are_the_edges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
