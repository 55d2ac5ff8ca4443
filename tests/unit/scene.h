/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * scene - a small host, written as text, for tests of the core.
 *
 * One line says one thing; a line said again replaces what it said before, and
 * "del" in front takes it back. Links come before what names them.
 *
 *   link IFINDEX NAME up|down [no-carrier] [master IFINDEX] [vrf] [loopback]
 *        [no-ipv6]
 *   addr ADDR/LEN dev NAME [scope global|link|host] [secondary] [tentative]
 *        [dadfailed] [deprecated]
 *   addr ADDR peer ADDR/LEN dev NAME ...
 *   route [TYPE] PREFIX [from PREFIX] [via [inet6] ADDR] [dev NAME] [onlink]
 *         [metric N] [tos N] [table main|N] [proto N] [src ADDR]
 *         [scope ...] [pref high|medium|low] [nhid N] [mtu [lock] N]
 *         [expires S] [nexthop via ADDR dev NAME [weight N] [onlink]]...
 *   prepend route ..., replace route ...   (as the kernel would tell of it)
 *   rule PRIORITY [not] [from PREFIX] [to PREFIX] [iif lo|NAME] [oif NAME]
 *        [fwmark N/N] [tos N] lookup N|main [suppress_prefixlength N]
 *        [proto N] [inet6]
 *   neigh ADDR dev NAME [failed] [permanent] [managed] [proto N]
 *   policy model weak|strong
 *   policy vpn yield|override
 *   policy path_manager kernel|userspace|off
 *   policy interface MATCH [always|never] [weak|strong] [metric_add N]
 *          [mptcp subflow|backup|fullmesh|signal|off]
 *   policy route PREFIX [via ADDR] dev NAME [metric N]
 *   binding [router ADDR] [dev NAME] prefix PREFIX
 *   advert ROUTER dev NAME prefix PREFIX [until MS]
 *   del advert ROUTER dev NAME     (the router is none any more)
 *   clock MS                       (what waited until then happens)
 *
 * Metrics left out are 0 for IPv4 and 1024 for IPv6, as in the kernel. A '#'
 * starts a comment.
 */
#ifndef SCENE_H
#define SCENE_H

#include "core/diff.h"
#include "core/plan.h"

struct scene {
	struct model model;
	struct policy policy;
	struct subnet_set subnets;
};

void scene_init(struct scene *scene);
void scene_done(struct scene *scene);

/**
 * scene_line() - enter one line
 *
 * "del route ... settle MS" keeps the route as leaving until then.
 *
 * Return: 0; -EINVAL for a line that cannot be read, or whatever the model
 * said.
 */
int scene_line(struct scene *scene, const char *line);

/** scene_read() - enter lines; the first bad one is printed and aborts */
void scene_read(struct scene *scene, const char *text);

/** scene_manage() - compute the subnets anew and give tables to the managed */
void scene_manage(struct scene *scene);

/** scene_make() - scene_init(), scene_read(), scene_manage() */
void scene_make(struct scene *scene, const char *text);

/** scene_view() - borrowed; asks for scene_manage() before */
struct view scene_view(const struct scene *scene);

/** scene_subnet() - of "PREFIX" on the link called @dev; aborts if missing */
const struct subnet *scene_subnet(const struct scene *scene, const char *prefix,
				  const char *dev);

/* The plan of one prefix. */
struct scene_row {
	struct ip_prefix prefix;
	struct want_vec wants;
};

/* The plan of everything: both families, every prefix. */
struct scene_plan {
	struct rule_vec rules; /* sorted by rule_cmp() */
	VEC(, struct scene_row) rows;
};

/** scene_plan_build() - @ret: zeroed by the caller; freed by the next */
void scene_plan_build(struct scene *scene, struct scene_plan *ret);
void scene_plan_done(struct scene *scene, struct scene_plan *plan);

/** scene_ops() - what turns the model's kernel into @plan, in order */
void scene_ops(struct scene *scene, const struct scene_plan *plan,
	       struct op_vec *ops, size_t phase_end[DIFF_PHASES]);

/** scene_steady() - plan and apply; afterwards the kernel is as planned */
void scene_steady(struct scene *scene);

/* Text of one value, for tables of cases; aborts if it cannot be read. */
struct ip_addr scene_addr(const char *text);
struct ip_prefix scene_prefix(const char *text);

#endif
