/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>

#include "kernel/kernel.h"

/*
 * What each errno means for each op. Ops are made to be repeated, so "is there
 * already" and "is gone already" are success where nothing else can stand in
 * that place. An errno that is not here is REFUSED.
 */
static const struct {
	enum op_kind kind;
	int error;
	enum kernel_error_class class;
} of_kind[] = {
	/* The same route stands there, but not first of its key. */
	{OP_ROUTE_PUT, EEXIST, KERNEL_ERROR_RESYNC},
	/* Link, gateway's subnet or address went, and we do not know yet. */
	{OP_ROUTE_PUT, ENODEV, KERNEL_ERROR_RESYNC},
	{OP_ROUTE_PUT, ENETUNREACH, KERNEL_ERROR_RESYNC},
	{OP_ROUTE_PUT, ENETDOWN, KERNEL_ERROR_RESYNC},
	{OP_ROUTE_PUT, EHOSTUNREACH, KERNEL_ERROR_RESYNC},
	{OP_ROUTE_PUT, EADDRNOTAVAIL, KERNEL_ERROR_RESYNC},
	/* The same of a link's IPv6. */
	{OP_ROUTE_PUT, EACCES, KERNEL_ERROR_RESYNC},
	{OP_ROUTE_DELETE, ESRCH, KERNEL_ERROR_DONE},
	{OP_ROUTE_DELETE, ENOENT, KERNEL_ERROR_DONE},
	{OP_ROUTE_DELETE, ENODEV, KERNEL_ERROR_DONE},
	{OP_RULE_ADD, EEXIST, KERNEL_ERROR_DONE},
	{OP_RULE_DELETE, ENOENT, KERNEL_ERROR_DONE},
	{OP_RULE_DELETE, ESRCH, KERNEL_ERROR_DONE},
	{OP_NEIGHBOUR_PUT, ENODEV, KERNEL_ERROR_RESYNC},
	{OP_NEIGHBOUR_PUT, ENETDOWN, KERNEL_ERROR_RESYNC},
	{OP_NEIGHBOUR_PUT, EADDRNOTAVAIL, KERNEL_ERROR_RESYNC},
	{OP_NEIGHBOUR_DELETE, ENOENT, KERNEL_ERROR_DONE},
	{OP_NEIGHBOUR_DELETE, ESRCH, KERNEL_ERROR_DONE},
	{OP_NEIGHBOUR_DELETE, ENODEV, KERNEL_ERROR_DONE},
};

static const int later[] = {EBUSY, ENOBUFS, EAGAIN, ENOMEM, EINTR};

enum kernel_error_class kernel_error_class(enum op_kind kind, int error)
{
	size_t i;

	if (error < 0)
		error = -error;
	if (error == 0)
		return KERNEL_ERROR_DONE;
	for (i = 0; i < sizeof(of_kind) / sizeof(of_kind[0]); i++) {
		if (of_kind[i].kind == kind && of_kind[i].error == error)
			return of_kind[i].class;
	}
	for (i = 0; i < sizeof(later) / sizeof(later[0]); i++) {
		if (later[i] == error)
			return KERNEL_ERROR_LATER;
	}
	return KERNEL_ERROR_REFUSED;
}
