/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/flow_counts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const char whole[] =
	"Ip: Forwarding DefaultTTL InReceives\n"
	"Ip: 2 64 8\n"
	"IcmpMsg: InType3 OutType3\n"
	"IcmpMsg: 1 1\n"
	"Tcp: RtoAlgorithm RtoMin RtoMax MaxConn ActiveOpens PassiveOpens "
	"AttemptFails\n"
	"Tcp: 1 200 120000 -1 17 2 5\n"
	"Udp: InDatagrams NoPorts\n"
	"Udp: 0 0\n";

#define NAMES "\nTcp: ActiveOpens PassiveOpens X\n"

static void the_number_is_that_of_both_sides(void **state)
{
	static const struct {
		const char *text;
		uint64_t begun;
	} cases[] = {
		{whole, 19},
		{"\nTcp: PassiveOpens ActiveOpens X\nTcp: 3 4 5\n", 7},
		{NAMES "Tcp: 0 0 5\n", 0},
		{NAMES "Tcp: 18446744073709551615 0 5\n", UINT64_MAX},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t begun = 1;

		assert_true(flow_counts_parse(cases[i].text, &begun));
		assert_true(begun == cases[i].begun);
	}
}

static void what_makes_no_sense_is_no_number(void **state)
{
	static const char *const cases[] = {
		"",
		"\n",
		"Tcp: ",
		"\nTcp: ",
		NAMES,
		NAMES "Tcp: ",
		NAMES "Tcp: 1",
		NAMES "Tcp: 1 2",
		NAMES "Tcp: 1 \n",
		NAMES "Tcp: -1 2 3\n",
		NAMES "Tcp: 1 x 3\n",
		NAMES "Tcp: 1  2 3\n",
		NAMES "Tcp: 18446744073709551616 2 3\n",
		"\nTcp: ActiveOpens X\nTcp: 1 2\n",
		"\nTcp: ActiveOpens2 PassiveOpens X\nTcp: 1 2 3\n",
		"\nUdp: ActiveOpens PassiveOpens X\nUdp: 1 2 3\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t begun = 77;

		if (flow_counts_parse(cases[i], &begun))
			fail_msg("case %zu", i);
		assert_int_equal(begun, 77);
	}
}

/* A value that was cut off is not taken for a smaller one. */
static void no_part_of_it_is_another_number(void **state)
{
	char text[sizeof(whole)];

	(void)state;
	for (size_t n = 0; n < sizeof(whole); n++) {
		uint64_t begun;

		memcpy(text, whole, n);
		text[n] = '\0';
		if (flow_counts_parse(text, &begun))
			assert_int_equal(begun, 19);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_number_is_that_of_both_sides),
		cmocka_unit_test(what_makes_no_sense_is_no_number),
		cmocka_unit_test(no_part_of_it_is_another_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
