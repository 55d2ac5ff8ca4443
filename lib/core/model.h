/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * model - the observed state: what the kernel has, as far as it concerns us.
 *
 * Events and dumps are entered here and nowhere else; entering the same thing
 * twice changes nothing. The model decides nothing. What it keeps is a record
 * of what changed since it was last asked: rows of the rib, and whether links,
 * addresses or rules changed (struct model_changes).
 *
 * Time comes in as a value: milliseconds on a clock that never goes back.
 */
#ifndef MODEL_H
#define MODEL_H

#include "core/address.h"
#include "core/binding.h"
#include "core/link.h"
#include "core/policy.h"
#include "core/rib.h"
#include "core/rule.h"

/* A neighbour entry of a router, as far as usability goes. */
struct neighbour {
	/* Key, in sort order. */
	uint32_t ifindex;
	struct ip_addr addr;
	/* Value. */
	bool failed;	  /* NUD_FAILED, and not valid again since */
	bool permanent;	  /* NUD_PERMANENT or NUD_NOARP: no need to keep it */
	bool managed;	  /* NTF_EXT_MANAGED */
	bool unresolved;  /* only on its way in: the kernel is asking */
	uint8_t protocol; /* who made the entry; 0: the kernel */
};

VEC(neighbour_vec, struct neighbour); /* sorted by the key, unique */

/* A route as it came from the kernel: an entry, its place and its attributes */
struct model_route {
	struct ip_prefix prefix;
	struct route route; /* route.attrs is not used */
	struct attrset set; /* owned by whoever filled it in */
};

/* What changed since model_changes_clear(), besides rib.dirty. */
struct model_changes {
	bool links; /* any link: name, flags, master, gone */
	bool names; /* a link's name is new or gone */
	bool addresses;
	bool rules;
	bool neighbours; /* a router became unusable or usable */
	bool bindings;	 /* a router serves another set of prefixes */
};

/* Something at @prefix whose time ends. */
struct deadline {
	uint64_t at_ms;
	struct ip_prefix prefix;
};

VEC(deadline_vec, struct deadline); /* sorted by at_ms; prefixes may repeat */

/* An entry that a table of ours had, as far as anybody has planned with it. */
struct lost_entry {
	/* Key, in sort order. */
	struct ip_prefix prefix;
	uint32_t table;
	uint32_t order; /* of several losses the first one counts */
	/* Value. */
	uint32_t attrs; /* id, with a ref */
};

VEC(lost_entry_vec, struct lost_entry);

struct model {
	struct link_vec links;
	struct address_vec addresses;
	struct neighbour_vec neighbours;
	struct rule_vec rules; /* sorted by rule_cmp(); duplicates possible */
	struct binding_vec bindings; /* learned ones; the config's: policy.h */
	uint64_t bindings_version;   /* grows with every change of the set */
	struct rib rib;
	/* Routes of main that are gone, but stay for the settle time. */
	struct deadline_vec leaving;
	/*
	 * The kernel expires no route of main (IPv6) before; 0: none ever. Most
	 * lifetimes are renewed long before their end: it may be too early.
	 */
	uint64_t expiring_ms;
	struct model_changes changes;
	/*
	 * What tables besides main lost since model_forget_lost(), not by our
	 * own doing: flows were led by it. Only while @keep_lost is set; sorted
	 * and unique after model_sort_lost().
	 */
	struct lost_entry_vec lost;
	bool keep_lost;
	uint32_t reading_ifindex; /* a read of one link's routes is under way */
	bool reading_all; /* one of a table in full: what it says is so */
};

void model_init(struct model *model);
void model_done(struct model *model);

/* --- links, addresses, rules, neighbours --- */

const struct link *model_link(const struct model *model, uint32_t ifindex);
const struct link *model_link_by_name(const struct model *model,
				      const char *name);

/** model_put_link() / model_remove_link() - Return: whether anything changed */
bool model_put_link(struct model *model, const struct link *link);
bool model_remove_link(struct model *model, uint32_t ifindex);

/** model_has_address() - whether @addr is an address of this host */
bool model_has_address(const struct model *model, const struct ip_addr *addr);

/**
 * model_is_on_link() - whether @hop's gateway is an address of ours: IPv4 takes
 * that to say that the destination is on the link
 */
bool model_is_on_link(const struct model *model, const struct next_hop *hop);

/** model_leads_by() - whether who follows @hop leaves by @way: link, gateway */
bool model_leads_by(const struct model *model, const struct next_hop *hop,
		    const struct next_hop *way);

/** model_touch_link() - rows with a next hop over the link are planned anew */
void model_touch_link(struct model *model, uint8_t family, uint32_t ifindex);

/** model_touch_routers() - those with a gateway inside @prefix on that link */
void model_touch_routers(struct model *model, uint32_t ifindex,
			 const struct ip_prefix *prefix);

/** model_touch_own() - those with @addr as gateway or preferred source */
void model_touch_own(struct model *model, const struct ip_addr *addr);

/** model_touch_gateway() - the same of a router whose usability changed */
void model_touch_gateway(struct model *model, uint32_t ifindex,
			 const struct ip_addr *addr);

bool model_put_address(struct model *model, const struct address *address);
bool model_remove_address(struct model *model, const struct address *address);

/** model_set_rules() - all rules of @family, in any order; takes the items */
void model_set_rules(struct model *model, uint8_t family,
		     struct rule_vec *rules);

/** model_add_rule() / model_remove_rule() - one rule, written by ourselves */
void model_add_rule(struct model *model, const struct rule *rule);
void model_remove_rule(struct model *model, const struct rule *rule);

/** neighbour_vec_has() - by link and address; in whatever order they are */
bool neighbour_vec_has(const struct neighbour_vec *neighbours,
		       const struct neighbour *which);

/**
 * model_put_neighbour() - enter what the kernel says of a neighbour
 *
 * Only entries of routers that failed, and those that are managed, permanent or
 * carry somebody's protocol are kept: a LAN can have thousands of others.
 */
bool model_put_neighbour(struct model *model,
			 const struct neighbour *neighbour);
bool model_remove_neighbour(struct model *model, uint32_t ifindex,
			    const struct ip_addr *addr);
const struct neighbour *model_neighbour(const struct model *model,
					uint32_t ifindex,
					const struct ip_addr *addr);

/* --- lost entries --- */

/** model_note_lost() - @route, of @prefix, is about to go */
void model_note_lost(struct model *model, const struct ip_prefix *prefix,
		     const struct route *route);

void model_sort_lost(struct model *model);
void model_forget_lost(struct model *model);

/** model_lost() - what @table had at @prefix, or NULL; sorted before */
const struct lost_entry *model_lost(const struct model *model,
				    const struct ip_prefix *prefix,
				    uint32_t table);

/* --- bindings --- */

/**
 * model_put_binding() - a router advertised a prefix
 * @ret_full: another binding of the link made place for it
 *
 * A link that is not known has no bindings.
 * Return: whether anything changed; new times change nothing.
 */
bool model_put_binding(struct model *model, const struct binding *binding,
		       uint64_t now_ms, bool *ret_full);

/**
 * model_set_router() - how long a router of a link is one
 * @until_ms: not later than now: it is none any more, its bindings go
 */
bool model_set_router(struct model *model, uint32_t ifindex,
		      const struct ip_addr *router, uint64_t until_ms,
		      uint64_t now_ms);

/** model_drop_orphans() - drop bindings of links that are gone unheard */
void model_drop_orphans(struct model *model);

/** model_expire_bindings() - drop those whose time is up */
void model_expire_bindings(struct model *model, uint64_t now_ms);

/* --- routes --- */

/* How a route message is to be entered (from its NLM_F_ flags). */
enum model_put {
	MODEL_APPEND,
	MODEL_PREPEND,
	MODEL_REPLACE,
};

/**
 * model_put_route() - enter an added, changed or dumped route
 *
 * Return: 0, or -EAGAIN when the message does not tell what the kernel now has
 * (KERNEL: IPv6 siblings, replace among several): read the table again.
 */
int model_put_route(struct model *model, const struct model_route *in,
		    enum model_put how);

/**
 * model_remove_route() - enter a deletion
 * @until_ms: 0, or keep the route as leaving till then (settle time); only
 *	      routes of main through a gateway on a usable link are kept
 *
 * Return: 0 (also if it was not there), or -EAGAIN as above.
 */
int model_remove_route(struct model *model, const struct model_route *in,
		       uint64_t until_ms);

/**
 * model_next_deadline() - when model_settle(), model_expire() or
 * model_expire_bindings() has work
 *
 * Return: in ms; 0: never, nothing waits.
 */
uint64_t model_next_deadline(const struct model *model);

/** model_settle() - drop leaving routes whose time is up */
void model_settle(struct model *model, uint64_t now_ms);

/** model_note_expiry() - @route is entered, and may be the first to expire */
void model_note_expiry(struct model *model, const struct route *route);

/**
 * model_is_expiring() - whether a route's expiry may have passed
 *
 * It may have been refreshed, also without a message: read table main of
 * IPv6 again, then call model_expire().
 */
bool model_is_expiring(const struct model *model, uint64_t now_ms);

/**
 * model_find_expiring() - prefixes with a route that expires till @until_ms
 * @ret: appended; sorted, unique
 */
void model_find_expiring(const struct model *model, uint64_t until_ms,
			 struct prefix_vec *ret);

/** model_expire() - drop routes that expired: lookups skip them already */
void model_expire(struct model *model, uint64_t now_ms);

/**
 * model_settle_link() - drop leaving routes through @ifindex at once
 */
void model_settle_link(struct model *model, uint32_t ifindex);

/**
 * model_read_begin() / model_read_end() - a table is read again in full
 * @family, @table, @ifindex: what is read; ifindex 0: over any link
 *
 * Between the two, every route read is entered with model_put_route(); at the
 * end what was not seen again is gone. A read of one link's routes cannot tell
 * the order among equal keys: where that matters, model_put_route() asks for a
 * read in full (-EAGAIN). So does model_read_end() for a multipath route that
 * was not seen and has legs over other links: it may live on with these. One
 * that broke off ends with model_read_abort(): what was not seen is not gone.
 */
void model_read_begin(struct model *model, uint8_t family, uint32_t table,
		      uint32_t ifindex);
void model_read_abort(struct model *model);
int model_read_end(struct model *model, uint8_t family, uint32_t table,
		   uint32_t ifindex);

/** model_uses_link() - whether a route of @family leads over @ifindex */
bool model_uses_link(const struct model *model, uint8_t family,
		     uint32_t ifindex);

/** model_uses_gateway() - whether one leads through @addr on that link */
bool model_uses_gateway(const struct model *model, uint32_t ifindex,
			const struct ip_addr *addr);

/** model_uses_nexthop() - whether one refers to nexthop object @nh_id */
bool model_uses_nexthop(const struct model *model, uint32_t nh_id);

/**
 * model_set_config_routes() - enter the config's `routes` as candidates
 *
 * Those whose link does not exist wait for it; call again when links change.
 */
void model_set_config_routes(struct model *model, const struct policy *policy);

/**
 * model_is_usable() - link has carrier, and the gateway's family, and the
 * gateway has not failed
 */
bool model_is_usable(const struct model *model, const struct next_hop *hop);

#endif
