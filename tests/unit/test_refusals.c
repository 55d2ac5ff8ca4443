/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mptcp/refusals.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct ip_addr addr_of(const char *text)
{
	struct ip_addr addr;

	assert_int_equal(ip_addr_parse(text, &addr), 0);
	return addr;
}

#define A "192.0.2.1"
#define B "2001:db8::1"

/* Of @wanted, blanks between them, what is left at @now_ms; and the time. */
static void check(struct refusal_vec *refusals, uint64_t now_ms,
		  const char *want, uint64_t want_ms)
{
	struct endpoint_vec wanted = {0};
	char left[128] = "";
	char text[IP_TEXT_MAX];
	const struct endpoint *it;

	vec_push(&wanted, ((struct endpoint){.addr = addr_of(A)}));
	vec_push(&wanted, ((struct endpoint){.addr = addr_of(B)}));
	assert_int_equal(refusals_leave_out(refusals, &wanted, now_ms),
			 want_ms);
	vec_foreach(&wanted, it) {
		(void)snprintf(left + strlen(left), sizeof(left) - strlen(left),
			       "%s%s", left[0] ? " " : "",
			       ip_addr_format(&it->addr, text));
	}
	assert_string_equal(left, want);
	vec_done(&wanted);
}

static void what_was_refused_waits_longer_each_time(void **state)
{
	static const uint64_t waits_ms[] = {10000,  20000,  40000,  80000,
					    160000, 320000, 640000, 640000};
	struct refusal_vec refusals = {0};
	const struct ip_addr b = addr_of(B);
	uint64_t now_ms = 1000;

	(void)state;
	check(&refusals, now_ms, A " " B, 0);
	for (size_t i = 0; i < sizeof(waits_ms) / sizeof(waits_ms[0]); i++) {
		uint64_t next_ms = now_ms + waits_ms[i];

		assert_int_equal(refusals_note(&refusals, &b, now_ms), next_ms);
		check(&refusals, next_ms - 1, A, next_ms);
		check(&refusals, next_ms, A " " B, 0);
		now_ms = next_ms;
	}
	refusals_forget(&refusals, &b);
	refusals_forget(&refusals, &b);
	assert_int_equal(refusals_note(&refusals, &b, now_ms), now_ms + 10000);
	vec_done(&refusals);
}

static void the_first_of_several_tells_the_time(void **state)
{
	struct refusal_vec refusals = {0};
	const struct ip_addr a = addr_of(A);
	const struct ip_addr b = addr_of(B);

	(void)state;
	(void)refusals_note(&refusals, &b, 2000);
	(void)refusals_note(&refusals, &a, 1000);
	check(&refusals, 3000, "", 11000);
	check(&refusals, 11000, A, 12000);
	vec_done(&refusals);
}

static void what_is_not_wanted_any_more_is_forgotten(void **state)
{
	struct refusal_vec refusals = {0};
	const struct ip_addr c = addr_of("192.0.2.3");
	const struct ip_addr a = addr_of(A);

	(void)state;
	(void)refusals_note(&refusals, &c, 1000);
	(void)refusals_note(&refusals, &a, 1000);
	check(&refusals, 2000, B, 11000);
	assert_int_equal(refusals.n, 1);
	vec_done(&refusals);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_refused_waits_longer_each_time),
		cmocka_unit_test(the_first_of_several_tells_the_time),
		cmocka_unit_test(what_is_not_wanted_any_more_is_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
