/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * op - one change of the kernel's state.
 *
 * Ops are made by diff, carried out in order by lib/kernel and printed by
 * --plan. Every op can be repeated: putting what is there and deleting what is
 * gone are no errors.
 */
#ifndef OP_H
#define OP_H

#include "core/model.h"

enum op_kind {
	OP_ROUTE_PUT, /* create or replace by (prefix, tos, metric) */
	OP_ROUTE_DELETE,
	OP_RULE_ADD,
	OP_RULE_DELETE,
	OP_NEIGHBOUR_PUT, /* make a managed entry, marked with our protocol */
	OP_NEIGHBOUR_DELETE,
};

struct op {
	enum op_kind kind;
	union {
		struct {
			struct ip_prefix prefix;
			struct route route; /* attrs: id; the op holds no ref */
			bool insert; /* the table had no entry for the prefix */
			bool hidden; /* it stands behind another of its key */
		} route;
		struct rule rule;
		struct neighbour neighbour;
	};
};

VEC(op_vec, struct op);

#define OP_KINDS (OP_NEIGHBOUR_DELETE + 1)

/**
 * op_enter() - @op took effect in the kernel: the model follows
 *
 * As the kernel does it: a put replaces the entry of its key that has no source
 * prefix; deleting what is not there changes nothing. @op's attribute ids may
 * be dead afterwards, unless somebody holds a ref.
 */
void op_enter(struct model *model, const struct op *op);

#define OP_TEXT_MAX (ROUTE_TEXT_MAX + 32)

/**
 * op_format() - as a line for `ip -batch`, "-4 " or "-6 " in front
 * @text: at least OP_TEXT_MAX bytes; no newline
 */
const char *op_format(const struct op *op, const struct attrset_store *attrs,
		      const struct link_vec *names, char *text);

#endif
