/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/engine_pin_flows.h"

#include <errno.h>

#include "log.h"

enum {
	/* For more rows a list costs little beside all the rest. */
	ROWS_MAX = 1024,
	/* Till it is tried again whether there are few enough to remember. */
	MEMORY_PAUSE_MS = 60000,
};

/* --- what is known without a list --- */

static bool is_in_mind(const struct engine *engine)
{
	const struct flow_memory *memory = &engine->pins.memory;
	const struct subnet *it;

	if (!memory->known)
		return false;
	vec_foreach(&engine->subnets.subnets, it)
		if (it->table && !flow_memory_has_source(memory, &it->prefix))
			return false;
	return true;
}

/* Whether it is known that no flow leads to what is dirty. */
static bool is_none_moving(const struct engine *engine)
{
	const struct engine_flows *flows = &engine->pins.flows;
	const struct flow_memory *memory = &engine->pins.memory;
	const struct ip_prefix *row;
	uint64_t begun;

	if (engine->pins.first.n || engine->model.rib.dirty.n > ROWS_MAX ||
	    !is_in_mind(engine))
		return false;
	vec_foreach(&engine->model.rib.dirty, row)
		if (flow_memory_leads_into(memory, row))
			return false;
	return flows->begun(flows->data, &begun) && begun == memory->begun;
}

bool engine_pin_flows_any(const struct engine *engine)
{
	const struct engine_flows *flows = &engine->pins.flows;

	if (is_none_moving(engine))
		return false;
	/* Where there were some a while ago, a list says it as soon. */
	return engine->pins.memory.known || !flows->any ||
	       flows->any(flows->data);
}

/* --- a list --- */

/* One list: about some subnets, in as many questions as it takes. */
struct listing {
	struct engine *engine;
	const struct table_vec *wanted; /* whose flows these are to be */
	struct prefix_vec dests;	/* where they lead; empty: anywhere */
	struct flow_memory *memory;	/* takes all of them; NULL: none does */
	struct ip_prefix sources[FLOW_SOURCES_MAX];
	struct table_vec tables; /* whose prefixes these are */
	struct pin_flow_vec *flows;
};

static struct listing new_list(struct engine *engine,
			       const struct table_vec *tables,
			       struct pin_flow_vec *flows)
{
	return (struct listing){
		.engine = engine,
		.wanted = tables,
		.flows = flows,
	};
}

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

	if (listing->memory)
		flow_memory_add(listing->memory, flow);
	/* Where subnets nest, other questions list the flow as well. */
	if (flow_is_opening(flow) || !subnet || !subnet->table ||
	    !table_vec_has(&listing->tables, subnet->table) ||
	    !table_vec_has(listing->wanted, subnet->table))
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
	const struct flow_query query = {
		.sources = listing->sources,
		.n_sources = listing->tables.n,
		.dests = listing->dests.items,
		.n_dests = listing->dests.n,
		.opening = listing->memory != NULL,
	};
	int error = 0;

	if (listing->tables.n) {
		pins->counters.listings++;
		error = pins->flows.list(pins->flows.data, &query, take_flow,
					 listing);
	}
	vec_clear(&listing->tables);
	return error;
}

static bool is_asked_about(const struct listing *listing,
			   const struct subnet *subnet)
{
	return subnet->table && (listing->memory ||
				 table_vec_has(listing->wanted, subnet->table));
}

/* As many at a time as one question may ask for. Return: 0 or -errno. */
static int list_all(struct listing *listing)
{
	const struct subnet *it;
	int error = 0;

	vec_foreach(&listing->engine->subnets.subnets, it) {
		if (error || !is_asked_about(listing, it))
			continue;
		if (listing->memory)
			flow_memory_add_source(listing->memory, &it->prefix);
		listing->sources[listing->tables.n] = it->prefix;
		vec_push(&listing->tables, it->table);
		if (listing->tables.n == FLOW_SOURCES_MAX)
			error = list_some(listing);
	}
	return error ? error : list_some(listing);
}

/* Before each list: what begins while it is made counts as new. */
static void begin_memory(struct listing *listing)
{
	const struct engine_flows *flows = &listing->engine->pins.flows;
	uint64_t begun;

	if (!listing->memory)
		return;
	if (flows->begun && flows->begun(flows->data, &begun))
		flow_memory_begin(listing->memory, begun);
	else
		listing->memory = NULL;
}

static int list_once(struct listing *listing)
{
	vec_clear(listing->flows);
	begin_memory(listing);
	return list_all(listing);
}

/*
 * What fails may be a passing want (ENOBUFS), and flows that are not listed
 * move with their route, which no connection survives behind a NAT. Only a
 * kernel that does not answer is not waited for twice. Return: 0 or -errno.
 */
static int list_stubbornly(struct listing *listing)
{
	int error = list_once(listing);

	if (error == 0 || error == -ETIMEDOUT)
		return error;
	vec_clear(&listing->tables);
	return list_once(listing);
}

static void end_memory(struct listing *listing, uint64_t now_ms)
{
	if (listing->memory && !flow_memory_end(listing->memory))
		listing->engine->pins.memory_ms = now_ms + MEMORY_PAUSE_MS;
}

static bool list(struct listing *listing, uint64_t now_ms)
{
	int error = list_stubbornly(listing);

	vec_done(&listing->tables);
	vec_done(&listing->dests);
	if (error) {
		log_limited(LOG_KIND_LISTING, now_ms, LOG_WARNING,
			    "listing TCP connections: %s; none of them is "
			    "pinned",
			    strerror(-error));
		vec_clear(listing->flows);
		return false;
	}
	end_memory(listing, now_ms);
	pin_flows_sort(listing->flows);
	return true;
}

bool engine_pin_flows_pinned(struct engine *engine, uint64_t now_ms,
			     const struct table_vec *tables,
			     struct pin_flow_vec *flows)
{
	struct listing listing = new_list(engine, tables, flows);
	const struct pin_vec *pins = &engine->pins.set.pins;
	const struct pin *pin;

	if (pins->n <= FLOW_DESTS_MAX)
		vec_foreach(pins, pin)
			vec_push(&listing.dests, ip_prefix_host(&pin->dst));
	return list(&listing, now_ms);
}

/* --- what a plan moves --- */

/* One question is to say all that there is to remember. */
static bool may_remember(const struct engine *engine, uint64_t now_ms)
{
	const struct subnet *it;
	size_t n = 0;

	vec_foreach(&engine->subnets.subnets, it)
		n += it->table != 0;
	return n <= FLOW_SOURCES_MAX && now_ms >= engine->pins.memory_ms;
}

bool engine_pin_flows_moving(struct engine *engine, uint64_t now_ms,
			     const struct table_vec *tables,
			     struct pin_flow_vec *flows)
{
	struct listing listing = new_list(engine, tables, flows);
	const struct prefix_vec *rows = &engine->model.rib.dirty;
	const struct ip_prefix *row;

	if (tables->n == 0 || is_none_moving(engine))
		return true;
	if (may_remember(engine, now_ms))
		listing.memory = &engine->pins.memory;
	else if (engine->pins.first.n == 0 && rows->n <= FLOW_DESTS_MAX)
		vec_foreach(rows, row)
			vec_push(&listing.dests, *row);
	return list(&listing, now_ms);
}
