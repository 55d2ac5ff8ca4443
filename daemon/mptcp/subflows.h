/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * subflows - those that all MPTCP connections of this host have now.
 */
#ifndef SUBFLOWS_H
#define SUBFLOWS_H

#include "core/connection.h"

/**
 * subflows_list() - by connection, as connection_sort() has them
 * @ret: empty; whatever its state of both families, also with no source of ours
 *
 * A walk over all TCP sockets: for what is rare.
 * Return: 0 or -errno: which there are is not known then.
 */
int subflows_list(struct flow_vec *ret);

#endif
