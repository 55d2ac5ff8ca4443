/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/engine_pin_flows.h"

#include <errno.h>

#include "log.h"

/* One question: about some subnets. */
struct listing {
	struct engine *engine;
	struct ip_prefix sources[ENGINE_SOURCES_MAX];
	struct table_vec tables; /* whose prefixes these are */
	struct pin_flow_vec *flows;
};

static void take_flow(const struct flow *flow, void *data)
{
	struct listing *listing = data;
	const struct engine *engine = listing->engine;
	const struct subnet *subnet =
		subnet_of_source(&engine->subnets, &flow->src);
	struct pin_flow it = {
		.src = flow->src,
		.dst = flow->dst,
		.sport = flow->sport,
		.dport = flow->dport,
		.cookie = flow->cookie,
		.age = flow->inode,
		.stalled = flow->stalled,
	};

	/* Where subnets nest, other questions list the flow as well. */
	if (!subnet || !subnet->table ||
	    !table_vec_has(&listing->tables, subnet->table))
		return;
	/* A socket bound to a link stays on it, whatever the tables say. */
	if (flow->oif && flow->oif != subnet->ifindex)
		return;
	if (engine->policy->pinning.scope == PIN_SCOPE_MPTCP && !flow->mptcp)
		return;
	it.table = subnet->table;
	vec_push(listing->flows, it);
}

/* Return: 0 or -errno. */
static int list_some(struct listing *listing)
{
	struct engine_pins *pins = &listing->engine->pins;
	int error = 0;

	if (listing->tables.n) {
		pins->counters.listings++;
		error = pins->flows.list(pins->flows.data, listing->sources,
					 listing->tables.n, take_flow, listing);
	}
	vec_clear(&listing->tables);
	return error;
}

/* As many at a time as one question may ask for. Return: 0 or -errno. */
static int list_all(struct listing *listing, const struct table_vec *tables)
{
	const struct subnet *it;
	int error = 0;

	vec_foreach(&listing->engine->subnets.subnets, it) {
		if (error || !it->table || !table_vec_has(tables, it->table))
			continue;
		listing->sources[listing->tables.n] = it->prefix;
		vec_push(&listing->tables, it->table);
		if (listing->tables.n == ENGINE_SOURCES_MAX)
			error = list_some(listing);
	}
	return error ? error : list_some(listing);
}

/*
 * What fails may be a passing want (ENOBUFS), and flows that are not listed
 * move with their route, which no connection survives behind a NAT. Only a
 * kernel that does not answer is not waited for twice. Return: 0 or -errno.
 */
static int list_stubbornly(struct listing *listing,
			   const struct table_vec *tables)
{
	int error = list_all(listing, tables);

	if (error == 0 || error == -ETIMEDOUT)
		return error;
	vec_clear(listing->flows);
	return list_all(listing, tables);
}

bool engine_pin_flows_list(struct engine *engine, uint64_t now_ms,
			   const struct table_vec *tables,
			   struct pin_flow_vec *flows)
{
	struct listing listing = {.engine = engine, .flows = flows};
	int error = list_stubbornly(&listing, tables);

	vec_done(&listing.tables);
	if (error) {
		log_limited(LOG_KIND_LISTING, now_ms, LOG_WARNING,
			    "listing TCP connections: %s; none of them is "
			    "pinned",
			    strerror(-error));
		vec_clear(flows);
		return false;
	}
	pin_flows_sort(flows);
	return true;
}
