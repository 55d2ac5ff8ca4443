/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * facts - what doctor needs to know beside the model.
 *
 * Plain values that the daemon reads when it is asked (daemon/facts/), or
 * a test makes up. Nothing here is watched or kept.
 */
#ifndef FACTS_H
#define FACTS_H

#include "core/endpoint.h"
#include "core/vec.h"

#define FACT_UNKNOWN	(-1) /* the file is not there or cannot be read */
#define FACT_UNREADABLE (-2) /* of mptcp_enabled: it is there, but not for us */
#define FACT_PATH_MAX	160

/* Of net.mptcp.path_manager. */
#define FACT_MANAGER_KERNEL    0
#define FACT_MANAGER_USERSPACE 1

/* Of one link, or with ifindex 0 of conf/all. */
struct link_facts {
	uint32_t ifindex;
	/*
	 * Nobody is behind it who could be a router to elsewhere: a bridge of
	 * this host, a tap, a tunnel. Of ifindex 0 it means nothing.
	 */
	bool local;
	/* Sysctls; FACT_UNKNOWN where there are none. */
	int rp_filter;
	int arp_ignore;
	int arp_announce;
	int arp_filter;
	int ignore_linkdown4; /* ignore_routes_with_linkdown */
	int ignore_linkdown6;
	int forwarding6;
	int accept_ra;
};

VEC(link_facts_vec, struct link_facts); /* sorted by ifindex, unique */

/* A gateway in use, and the link-layer address the kernel knows for it. */
struct router_facts {
	uint32_t ifindex;
	struct ip_addr addr;
	uint8_t mac[32];
	uint8_t mac_len; /* 0: not known */
};

VEC(router_facts_vec, struct router_facts); /* by ifindex and address, unique */

/* A router that a DHCP lease names for a link. */
struct lease_facts {
	uint32_t ifindex;
	struct ip_addr router;
	char file[FACT_PATH_MAX]; /* where it says so */
};

VEC(lease_facts_vec, struct lease_facts); /* the newest of a link last */

enum fact_networkd {
	NETWORKD_NOT_RUNNING,
	NETWORKD_RUNNING,
	NETWORKD_UNKNOWN, /* could not be found out */
};

/* A yes or no of a configuration file. */
struct fact_setting {
	bool value;
	char file[FACT_PATH_MAX]; /* that says so; empty: it is the default */
};

/* Why something could not be looked at, for people. */
struct fact_gap {
	char text[200];
};

VEC(fact_gap_vec, struct fact_gap);

struct facts {
	struct link_facts_vec links;
	struct router_facts_vec routers;
	struct lease_facts_vec leases;
	enum fact_networkd networkd;
	/* As networkd's own files say; true is its default. */
	struct fact_setting networkd_rules;
	struct fact_setting networkd_routes;
	int mptcp_enabled;    /* net.mptcp.enabled */
	int mptcp_manager;    /* FACT_MANAGER_, or FACT_UNKNOWN */
	int mptcp_subflows;   /* the kernel's limit, or FACT_UNKNOWN */
	bool mptcp_forgets;   /* the kernel does not tell a connection's ids */
	uint32_t mptcp_other; /* netlink port of who else hears its events */
	struct endpoint_vec mptcp_others; /* the kernel's that are not ours */
	bool network_manager;	 /* it is at work here, or was since the boot */
	int nexthop_compat_mode; /* net.ipv4.nexthop_compat_mode */
	char config[FACT_PATH_MAX]; /* the daemon's own file */
	struct fact_gap_vec gaps;
};

/** facts_init() - nothing known, nothing running, every default */
void facts_init(struct facts *facts);

/** facts_done() - frees; may run twice */
void facts_done(struct facts *facts);

/** facts_link() - of @ifindex (0: conf/all), or NULL */
const struct link_facts *facts_link(const struct facts *facts,
				    uint32_t ifindex);

/** facts_lease() - the newest that names a router in @prefix; or NULL */
const struct lease_facts *facts_lease(const struct facts *facts,
				      uint32_t ifindex,
				      const struct ip_prefix *prefix);

/** facts_router() - or NULL */
const struct router_facts *facts_router(const struct facts *facts,
					uint32_t ifindex,
					const struct ip_addr *addr);

/** facts_add_gap() - as printf() would print it */
__attribute__((format(printf, 2, 3))) void
facts_add_gap(struct facts *facts, const char *format, ...);

#endif
