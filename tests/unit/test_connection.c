/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/connection.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <cmocka.h>

static struct ip_addr addr_of(const char *text)
{
	struct ip_addr addr;

	assert_int_equal(ip_addr_parse(text, &addr), 0);
	return addr;
}

static struct flow subflow(uint32_t token, const char *src, uint8_t state)
{
	return (struct flow){
		.src = addr_of(src),
		.dst = addr_of("203.0.113.9"),
		.state = state,
		.mptcp = token != 0,
		.token_local = token,
	};
}

static void a_connection_is_a_run_of_subflows(void **state)
{
	struct flow_vec flows = {0};

	(void)state;
	vec_push(&flows, subflow(7, "10.2.0.2", TCP_ESTABLISHED));
	vec_push(&flows, subflow(0, "10.1.0.2", TCP_ESTABLISHED));
	vec_push(&flows, subflow(5, "10.1.0.2", TCP_ESTABLISHED));
	vec_push(&flows, subflow(7, "10.1.0.2", TCP_ESTABLISHED));
	connection_sort(&flows);
	assert_int_equal(flows.n, 3);
	assert_int_equal(connection_end(&flows, 0), 1);
	assert_int_equal(connection_end(&flows, 1), 3);
	assert_true(ip_addr_cmp(&flows.items[1].src, &flows.items[2].src) < 0);
	vec_done(&flows);
}

static void a_connection_depends_on_its_last_source(void **state)
{
	static const struct {
		const char *why;
		struct {
			uint32_t token;
			const char *src;
			uint8_t state;
		} flows[3];
		bool depends;
	} cases[] = {
		{"none at all", {{0}}, false},
		{"no MPTCP", {{0, "10.1.0.2", TCP_ESTABLISHED}}, false},
		{"the only one", {{1, "10.1.0.2", TCP_ESTABLISHED}}, true},
		{"of elsewhere", {{1, "10.2.0.2", TCP_ESTABLISHED}}, false},
		{"one of two",
		 {{1, "10.1.0.2", TCP_ESTABLISHED},
		  {1, "10.2.0.2", TCP_ESTABLISHED}},
		 false},
		{"two from one source",
		 {{1, "10.1.0.2", TCP_ESTABLISHED},
		  {1, "10.1.0.2", TCP_CLOSE_WAIT}},
		 true},
		{"the other one closes",
		 {{1, "10.1.0.2", TCP_ESTABLISHED},
		  {1, "10.2.0.2", TCP_FIN_WAIT2}},
		 true},
		{"itself closes", {{1, "10.1.0.2", TCP_LAST_ACK}}, false},
		{"another connection has the other one",
		 {{1, "10.1.0.2", TCP_ESTABLISHED},
		  {2, "10.2.0.2", TCP_ESTABLISHED}},
		 true},
		{"only the second connection",
		 {{1, "10.2.0.2", TCP_ESTABLISHED},
		  {2, "10.1.0.2", TCP_ESTABLISHED}},
		 true},
	};
	const struct ip_addr source = addr_of("10.1.0.2");

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct flow_vec flows = {0};

		for (size_t j = 0; j < 3 && cases[i].flows[j].src; j++)
			vec_push(&flows, subflow(cases[i].flows[j].token,
						 cases[i].flows[j].src,
						 cases[i].flows[j].state));
		connection_sort(&flows);
		if (connection_depends_on(&flows, &source) != cases[i].depends)
			fail_msg("%s", cases[i].why);
		vec_done(&flows);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_connection_is_a_run_of_subflows),
		cmocka_unit_test(a_connection_depends_on_its_last_source),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
