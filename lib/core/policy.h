/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * policy - what the administrator wants, as values.
 *
 * Filled from the config file by the daemon (daemon/config/) or by a test; the
 * core only reads it. Every field has its default in policy_init().
 */
#ifndef POLICY_H
#define POLICY_H

#include "core/ip.h"
#include "core/link.h"
#include "core/vec.h"

enum host_model {
	HOST_MODEL_WEAK,   /* draft section 4, rule 3 */
	HOST_MODEL_STRONG, /* its alternative: drop */
};

enum vpn_mode {
	VPN_YIELD,    /* withdraw our rules while a full tunnel is up */
	VPN_OVERRIDE, /* keep them, before the tunnel's */
};

enum manage {
	MANAGE_AUTO, /* uplinks */
	MANAGE_ALWAYS,
	MANAGE_NEVER,
};

/* Which flows keep their path when routes change. */
enum pin_scope {
	PIN_SCOPE_TCP, /* all TCP connections, MPTCP subflows included */
	PIN_SCOPE_MPTCP,
	PIN_SCOPE_OFF,
};

struct policy_pinning {
	enum pin_scope scope;
	uint32_t hold_ms; /* how long flows wait for a lost path; 0: not */
	uint32_t max;	  /* pins */
};

/* Who opens subflows of MPTCP connections. */
enum path_manager {
	PATH_MANAGER_KERNEL,	/* the kernel's, by endpoints that we keep */
	PATH_MANAGER_USERSPACE, /* we are, for each connection */
	PATH_MANAGER_OFF,	/* none of our business */
};

/* What the addresses of a link are for. */
enum mptcp_link {
	MPTCP_LINK_SUBFLOW,  /* subflows are opened from them */
	MPTCP_LINK_BACKUP,   /* only where no other path is left */
	MPTCP_LINK_FULLMESH, /* to each address of the peer */
	MPTCP_LINK_SIGNAL,   /* the peer is told of them, and may open some */
	MPTCP_LINK_OFF,
};

struct policy_mptcp {
	enum path_manager path_manager;
	uint32_t subflows;	 /* of a connection, besides its first one */
	bool announce;		 /* all addresses are told to the peer too */
	bool reject_incongruent; /* subflows of peers, draft section 5.2 */
};

/* One entry of `interfaces`; the first whose match fits a link applies. */
struct policy_interface {
	char match[LINK_NAME_MAX *
		   2]; /* a name, with * ? [] as in fnmatch(3) */
	enum manage manage;
	bool has_model;
	enum host_model model; /* of this link's subnets, if has_model */
	uint32_t metric_add; /* on top of the metric of routes over the link */
	enum mptcp_link mptcp;
};

/* One entry of `routes`: a candidate that table main lacks. */
struct policy_route {
	struct ip_prefix to;
	struct ip_addr via; /* not set: on the link itself */
	char dev[LINK_NAME_MAX];
	uint32_t metric;
};

/* One prefix of one entry of `bindings`. */
struct policy_binding {
	struct ip_addr router; /* not set: everything behind the link */
	char dev[LINK_NAME_MAX];
	struct ip_prefix prefix;
};

VEC(policy_interface_vec, struct policy_interface);
VEC(policy_route_vec, struct policy_route);
VEC(policy_binding_vec, struct policy_binding);

struct policy {
	enum host_model model;
	enum vpn_mode vpn;
	uint32_t table_first;
	uint32_t table_last;
	uint32_t rule_priority; /* POLICY_PRIORITIES from it on are ours */
	uint8_t protocol;	/* our mark on routes, rules and neighbours */
	uint32_t settle_ms;
	bool ignore_linkdown;
	struct policy_pinning pinning;
	struct policy_mptcp mptcp;
	struct policy_interface_vec interfaces; /* in the config's order */
	struct policy_route_vec routes;
	struct policy_binding_vec bindings; /* in the config's order */
};

#define POLICY_PRIORITIES 200

/** policy_init() - the defaults: weak, 7100-7999, 7100, 109, yield, tcp */
void policy_init(struct policy *policy);
void policy_done(struct policy *policy);

/**
 * policy_interface_find() - entry of `interfaces` that applies to @link
 *
 * The loopback link is matched only by its exact name. Return: NULL if none.
 */
const struct policy_interface *
policy_interface_find(const struct policy *policy, const struct link *link);

/** policy_is_ours() - whether @table is in our range */
bool policy_is_our_table(const struct policy *policy, uint32_t table);

#endif
