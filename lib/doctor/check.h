/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * check - the single checks, and what they put a finding together with.
 *
 * A check appends to its findings and looks at nothing that was there before.
 * It says only what is true of this host now, and names a fix that mends it.
 */
#ifndef CHECK_H
#define CHECK_H

#include "doctor/doctor.h"

typedef void check_fn(const struct view *view, const struct facts *facts,
		      struct finding_vec *ret);

check_fn check_address_twice;
check_fn check_arp_flux;
check_fn check_dead_default;
check_fn check_foreign_rules;
check_fn check_forwarding_ra;
check_fn check_mptcp_endpoints;
check_fn check_mptcp_limits;
check_fn check_mptcp_manager;
check_fn check_mptcp_off;
check_fn check_networkd_routes;
check_fn check_networkd_rules;
check_fn check_nexthop_compat;
check_fn check_no_default;
check_fn check_no_rules;
check_fn check_no_table;
check_fn check_prefix_twice;
check_fn check_refused_routes;
check_fn check_rp_filter;
check_fn check_shared_router;

/* --- findings; doctor_examine() enters the id --- */

/** finding_add() - a new one at the end; valid until the next */
__attribute__((format(printf, 3, 4))) struct finding *
finding_add(struct finding_vec *ret, enum severity severity,
	    const char *subject, ...);

/* As printf() would print it; a fix goes to the first free place. */
__attribute__((format(printf, 2, 3))) void
finding_what(struct finding *finding, const char *format, ...);
__attribute__((format(printf, 2, 3))) void
finding_breaks(struct finding *finding, const char *format, ...);
__attribute__((format(printf, 2, 3))) void finding_fix(struct finding *finding,
						       const char *format, ...);

/** finding_fix_command() - words that a shell is to take as they are */
__attribute__((format(printf, 2, 3))) void
finding_fix_command(struct finding *finding, const char *format, ...);

/* A setting of one link. */
struct link_sysctl {
	uint8_t family;
	const char *link;
	const char *name;
	int value;
};

/** finding_fix_link() - two fixes: the command, and the line that lasts */
void finding_fix_link(struct finding *finding,
		      const struct link_sysctl *sysctl);

/** finding_fix_sysctl() - the same for a key as sysctl(8) is given it */
void finding_fix_sysctl(struct finding *finding, const char *key, int value);

/**
 * finding_fix_list() - one entry of a list of the config
 * @another: the config has, or will have, such a list already
 */
void finding_fix_list(struct finding *finding, const struct facts *facts,
		      const char *list, const char *entry, bool another);

/* A next hop that the config may name. */
struct route_fix {
	struct ip_prefix to;
	struct ip_addr via; /* not set: nobody knows it */
	const char *dev;
	uint32_t metric;
	bool another; /* as of finding_fix_list() */
};

/** finding_fix_route() - two fixes: the entry of `routes`, and the reload */
void finding_fix_route(struct finding *finding, const struct facts *facts,
		       const struct route_fix *route);

/* --- looking things up --- */

/** check_link_name() - "?" if there is no such link; borrowed */
const char *check_link_name(const struct view *view, uint32_t ifindex);

/** check_family_name() - "IPv4" or "IPv6" */
const char *check_family_name(uint8_t family);

/** check_is_candidate() - a route of main or the config, with a next hop */
bool check_is_candidate(const struct view *view, const struct route *route);

/** check_attrs() - of a route; borrowed */
const struct attrset *check_attrs(const struct view *view,
				  const struct route *route);

/** check_default_row() - the routes for everything; may be NULL */
const struct row *check_default_row(const struct view *view, uint8_t family);

/**
 * check_own_default() - the first on-subnet next hop of a default route
 *
 * Of table main or the config, usable or not; that a link is local does not
 * count. Return: NULL if the subnet has none; borrowed.
 */
const struct next_hop *check_own_default(const struct view *view,
					 const struct subnet *subnet);

/** check_next_metric() - behind every default of @family, for a new one */
uint32_t check_next_metric(const struct view *view, uint8_t family);

/** check_is_unique_local() - an address of fc00::/7, which has no provider */
bool check_is_unique_local(const struct ip_addr *addr);

#endif
