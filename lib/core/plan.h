/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * plan - what the kernel shall have: rules, and for one prefix at a time the
 * entries of all subnets' tables.
 *
 * Pure: the same view gives the same plan. One row depends on its own prefix's
 * candidates only, so a changed route means one row planned again, a changed
 * subnet means its entries in every row.
 */
#ifndef PLAN_H
#define PLAN_H

#include "core/cell.h"

#define PLAN_METRIC	 1024	    /* of every entry in our tables */
#define PLAN_TAIL_METRIC UINT32_MAX /* of a strong table's last resort */

/* One wanted entry of one of our tables. */
struct want {
	uint32_t table;
	uint8_t tos;
	uint32_t metric; /* PLAN_METRIC or PLAN_TAIL_METRIC */
	uint32_t attrs;	 /* id; the want holds a ref */
};

VEC(want_vec, struct want);

/** plan_want_cmp() - by table, TOS and metric */
int plan_want_cmp(const struct want *x, const struct want *y);

/** plan_intern_reject() - the id of a reject route's attributes, with a ref */
uint32_t plan_intern_reject(struct attrset_store *attrs, uint8_t family,
			    enum attrset_type type);

/**
 * plan_intern_as_taken() - @id, or its onlink form if the kernel refused it
 *
 * Return: with a ref. It may be refused as well: then nothing can be done.
 */
uint32_t plan_intern_as_taken(struct attrset_store *attrs, uint32_t id);

/** plan_row_build() - entries of all managed subnets' tables for @prefix
 * @row:   its routes; NULL: none
 * @attrs: the store of the view's model: new attribute sets are entered
 * @ret:   appended: those sorted by table, tos, metric, no two equal
 *
 * A cell whose attributes the kernel refused before is tried with "onlink"; if
 * that was refused too, it becomes `throw` (weak: main itself answers for the
 * prefix) or `unreachable` (strong, or only the config has the prefix).
 */
void plan_row_build(const struct view *view, const struct ip_prefix *prefix,
		    const struct row *row, struct attrset_store *attrs,
		    struct want_vec *ret);

/** plan_row_done() - give back the refs and empty @wants */
void plan_row_done(struct attrset_store *attrs, struct want_vec *wants);

/* A foreign rule that sends all unmarked host traffic into a tunnel. */
struct tunnel {
	bool found;
	uint32_t priority; /* of the first such rule */
	uint32_t table;
};

/**
 * plan_tunnel_find() - whether a full tunnel of @family is up
 *
 * A rule that is not ours, comes before main, catches unmarked packets of this
 * host from any source to any destination, and whose table has a default route
 * that is not of our protocol, be it an unreachable one (a kill switch). The
 * table's number may be one of our range.
 */
struct tunnel plan_tunnel_find(const struct view *view, uint8_t family);

/** plan_yields() - whether, by the policy, no rule of @family is to be */
bool plan_yields(const struct view *view, uint8_t family);

/** plan_rule_may_tunnel() - such a rule, whatever its table holds */
bool plan_rule_may_tunnel(const struct policy *policy, const struct rule *rule);

/**
 * plan_rules_build() - our rules of @family
 * @ret: appended, sorted by rule_cmp(), no two equal
 *
 * None while a tunnel is yielded to. Only subnets with a table count.
 */
void plan_rules_build(const struct view *view, uint8_t family,
		      struct rule_vec *ret);

/**
 * plan_routers_build() - gateways that our tables use for @family-independent
 * upkeep: those with a link and an address, from the live attribute sets
 * @ret: appended, sorted, unique
 */
void plan_routers_build(const struct view *view, struct neighbour_vec *ret);

/**
 * plan_other_routers_build() - gateways over links of no managed subnet
 * @ret: appended, sorted, unique
 *
 * Nobody keeps these resolved: what the kernel found out about one it may have
 * told before anything named it as a gateway.
 */
void plan_other_routers_build(const struct view *view,
			      struct neighbour_vec *ret);

#endif
