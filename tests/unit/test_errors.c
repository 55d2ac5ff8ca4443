/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/kernel.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void errors_have_their_class(void **state)
{
	static const struct {
		enum op_kind kind;
		int error;
		enum kernel_error_class class;
		const char *why;
	} cases[] = {
		{OP_ROUTE_PUT, 0, KERNEL_ERROR_DONE, "no error"},
		{OP_ROUTE_PUT, EEXIST, KERNEL_ERROR_RESYNC, "not in our place"},
		{OP_ROUTE_PUT, ENODEV, KERNEL_ERROR_RESYNC, "link is gone"},
		{OP_ROUTE_PUT, ENETUNREACH, KERNEL_ERROR_RESYNC, "no subnet"},
		{OP_ROUTE_PUT, EINVAL, KERNEL_ERROR_REFUSED, "our bug"},
		{OP_ROUTE_PUT, ESRCH, KERNEL_ERROR_REFUSED, "only of deletes"},
		{OP_ROUTE_DELETE, ESRCH, KERNEL_ERROR_DONE, "gone already"},
		{OP_ROUTE_DELETE, EPERM, KERNEL_ERROR_REFUSED, "no right"},
		{OP_RULE_ADD, EEXIST, KERNEL_ERROR_DONE, "there already"},
		{OP_RULE_DELETE, ENOENT, KERNEL_ERROR_DONE, "gone already"},
		{OP_NEIGHBOUR_PUT, ENODEV, KERNEL_ERROR_RESYNC, "link is gone"},
		{OP_NEIGHBOUR_DELETE, ENOENT, KERNEL_ERROR_DONE, "gone"},
		{OP_RULE_ADD, ENOBUFS, KERNEL_ERROR_LATER, "for any op"},
		{OP_ROUTE_PUT, EBUSY, KERNEL_ERROR_LATER, "for any op"},
		{OP_ROUTE_DELETE, 9999, KERNEL_ERROR_REFUSED, "unheard of"},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (kernel_error_class(cases[i].kind, -cases[i].error) !=
		    cases[i].class)
			fail_msg("errno %d (%s)", cases[i].error, cases[i].why);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(errors_have_their_class),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
