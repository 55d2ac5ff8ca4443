/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/op.h"

#include <netinet/in.h>
#include <stdio.h>

static const char *const verbs[] = {
	[OP_ROUTE_PUT] = "route replace",
	[OP_ROUTE_DELETE] = "route del",
	[OP_RULE_ADD] = "rule add",
	[OP_RULE_DELETE] = "rule del",
	[OP_NEIGHBOUR_PUT] = "neigh replace",
	[OP_NEIGHBOUR_DELETE] = "neigh del",
};

static uint8_t family_of(const struct op *op)
{
	switch (op->kind) {
	case OP_ROUTE_PUT:
	case OP_ROUTE_DELETE:
		return op->route.prefix.addr.family;
	case OP_RULE_ADD:
	case OP_RULE_DELETE:
		return op->rule.family;
	case OP_NEIGHBOUR_PUT:
	case OP_NEIGHBOUR_DELETE:
		return op->neighbour.addr.family;
	}
	return 0;
}

static void format_neighbour(const struct neighbour *neighbour, bool put,
			     const struct link_vec *names, char *text)
{
	char addr[IP_TEXT_MAX];
	char dev[LINK_NAME_MAX + 4];
	const struct link *link;

	(void)snprintf(dev, sizeof(dev), "if%u", neighbour->ifindex);
	vec_foreach(names, link)
		if (link->ifindex == neighbour->ifindex)
			(void)snprintf(dev, sizeof(dev), "%s", link->name);
	(void)snprintf(text, ROUTE_TEXT_MAX, "%s dev %s proto %u%s",
		       ip_addr_format(&neighbour->addr, addr), dev,
		       neighbour->protocol, put ? " managed" : "");
}

const char *op_format(const struct op *op, const struct attrset_store *attrs,
		      const struct link_vec *names, char *text)
{
	char body[ROUTE_TEXT_MAX] = "";

	switch (op->kind) {
	case OP_ROUTE_PUT:
	case OP_ROUTE_DELETE:
		route_format(&op->route.prefix, &op->route.route,
			     attrset_get(attrs, op->route.route.attrs), names,
			     body);
		break;
	case OP_RULE_ADD:
	case OP_RULE_DELETE:
		rule_format(&op->rule, body);
		break;
	case OP_NEIGHBOUR_PUT:
	case OP_NEIGHBOUR_DELETE:
		format_neighbour(&op->neighbour, op->kind == OP_NEIGHBOUR_PUT,
				 names, body);
		break;
	}
	(void)snprintf(text, OP_TEXT_MAX, "%s %s %s",
		       family_of(op) == AF_INET6 ? "-6" : "-4", verbs[op->kind],
		       body);
	return text;
}

/* --- entering --- */

/* The kernel asks for it again, but that alone brings no answer. */
static void enter_neighbour(struct model *model, const struct op *op)
{
	struct neighbour neighbour = op->neighbour;
	const struct neighbour *old =
		model_neighbour(model, neighbour.ifindex, &neighbour.addr);

	neighbour.failed = old && old->failed;
	model_put_neighbour(model, &neighbour);
}

void op_enter(struct model *model, const struct op *op)
{
	switch (op->kind) {
	case OP_ROUTE_PUT:
		rib_write(&model->rib, &op->route.prefix, &op->route.route);
		break;
	case OP_ROUTE_DELETE:
		rib_erase(&model->rib, &op->route.prefix, &op->route.route);
		break;
	case OP_RULE_ADD:
		model_add_rule(model, &op->rule);
		break;
	case OP_RULE_DELETE:
		model_remove_rule(model, &op->rule);
		break;
	case OP_NEIGHBOUR_PUT:
		enter_neighbour(model, op);
		break;
	case OP_NEIGHBOUR_DELETE:
		model_remove_neighbour(model, op->neighbour.ifindex,
				       &op->neighbour.addr);
		break;
	}
}
