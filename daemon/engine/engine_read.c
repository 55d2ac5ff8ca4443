/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/engine_read.h"

#include <errno.h>
#include <netinet/in.h>

#include "engine/engine_apply.h"
#include "engine/engine_intake.h"
#include "log.h"

/* From so many prefixes on, tables are looked for by their numbers. */
#define MANY_PREFIXES 20000
#define REREADS_MORE  16 /* in one round, than there were at its begin */
#define PROBES_MAX    2000
#define DRAIN_MAX     64 /* goes: more than the socket can hold */

/* Of reading everything again and again in a storm: a quarter of our time. */
#define RESYNC_ENTRIES_PER_MS 250

static const uint8_t families[] = {AF_INET, AF_INET6};
#define N_FAMILIES (sizeof(families) / sizeof(families[0]))

/* --- dumps --- */

static int dump(struct engine *engine, struct kernel_read what,
		bool defaults_only)
{
	struct intake intake = {
		.engine = engine,
		.is_dump = true,
		.defaults_only = defaults_only,
	};

	return kernel_read(engine->kernel, &what, engine_take, &intake);
}

static int read_routes(struct engine *engine, const struct reread *what,
		       bool defaults_only)
{
	int error;

	model_read_begin(&engine->model, what->family, what->table,
			 what->ifindex);
	error = dump(engine,
		     (struct kernel_read){.what = KERNEL_ROUTE,
					  .family = what->family,
					  .table = what->table,
					  .ifindex = what->ifindex},
		     defaults_only);
	/* What was not seen because of an error is not gone. */
	if (error)
		model_read_abort(&engine->model);
	else if (model_read_end(&engine->model, what->family, what->table,
				what->ifindex) == -EAGAIN)
		engine_mark_routes(engine, what->family, what->table, 0);
	return error;
}

int engine_read_table(struct engine *engine, uint32_t table)
{
	int error = 0;

	engine_catch_up(engine);
	engine_add_table(engine, table);
	for (size_t f = 0; f < N_FAMILIES && error == 0; f++) {
		struct reread what = {families[f], table, 0};

		error = read_routes(engine, &what, false);
	}
	return error;
}

/*
 * Whether a tunnel is full can depend on the defaults of foreign tables. Of
 * those of our range the rest is known as well.
 */
static int read_tunnel_tables(struct engine *engine)
{
	int error = 0;

	for (size_t i = 0; i < engine->model.rules.n && error == 0; i++) {
		const struct rule *rule = &engine->model.rules.items[i];
		struct reread what = {rule->family, rule->table, 0};

		if (plan_rule_may_tunnel(engine->policy, rule))
			error = read_routes(engine, &what,
					    !policy_is_our_table(engine->policy,
								 what.table));
	}
	return error;
}

static int read_rules_of(struct engine *engine, uint8_t family)
{
	const struct kernel_read what = {.what = KERNEL_RULE, .family = family};
	struct rule_vec rules = {0};
	struct intake intake = {
		.engine = engine, .is_dump = true, .rules = &rules};
	int error = kernel_read(engine->kernel, &what, engine_take, &intake);

	if (error)
		vec_done(&rules);
	else
		model_set_rules(&engine->model, family, &rules);
	return error;
}

static int read_rules(struct engine *engine)
{
	int error = 0;

	for (size_t f = 0; f < N_FAMILIES && error == 0; f++)
		error = read_rules_of(engine, families[f]);
	if (error == 0)
		error = read_tunnel_tables(engine);
	engine->read_rules &= error != 0;
	return error;
}

/*
 * While the kernel asks again, an entry is what it was. One of an earlier life
 * of ours has long been asked for: it is dead till it answers.
 */
static void put_seen(struct engine *engine, const struct neighbour *seen)
{
	struct neighbour neighbour = *seen;
	const struct neighbour *old =
		model_neighbour(&engine->model, seen->ifindex, &seen->addr);

	neighbour.unresolved = false;
	if (seen->unresolved)
		neighbour.failed =
			old ? old->failed
			    : seen->protocol == engine->policy->protocol;
	model_put_neighbour(&engine->model, &neighbour);
}

void engine_read_neighbours(struct engine *engine, uint64_t now_ms)
{
	struct neighbour_vec seen = {0};
	struct intake intake = {
		.engine = engine, .is_dump = true, .neighbours = &seen};
	struct model *model = &engine->model;
	const struct neighbour *it;
	int error = 0;

	for (size_t f = 0; f < N_FAMILIES && error == 0; f++) {
		struct kernel_read what = {.what = KERNEL_NEIGHBOUR,
					   .family = families[f]};

		error = kernel_read(engine->kernel, &what, engine_take,
				    &intake);
	}
	engine->read_neighbours = error != 0;
	if (error)
		log_limited(LOG_KIND_LOST, now_ms, LOG_WARNING,
			    "reading neighbours: %s", strerror(-error));
	for (size_t i = model->neighbours.n; i-- > 0 && error == 0;) {
		const struct neighbour old = model->neighbours.items[i];

		if (!neighbour_vec_has(&seen, &old))
			model_remove_neighbour(model, old.ifindex, &old.addr);
	}
	vec_foreach(&seen, it)
		put_seen(engine, it);
	vec_done(&seen);
}

void engine_watch_routers(struct engine *engine, uint64_t now_ms)
{
	const struct view view = engine_view(engine);
	struct neighbour_vec routers = {0};
	const struct neighbour *it;
	bool is_news = false;

	plan_other_routers_build(&view, &routers);
	vec_foreach(&routers, it)
		is_news |= !neighbour_vec_has(&engine->others, it);
	vec_done(&engine->others);
	engine->others = routers;
	if (is_news)
		engine_read_neighbours(engine, now_ms);
}

/* Links and addresses: what a new dump, a whole one, does not have is gone. */
static int read_links(struct engine *engine)
{
	struct link_vec links = engine->model.links;
	struct address_vec addresses = engine->model.addresses;
	int error;

	memset(&engine->model.links, 0, sizeof(links));
	memset(&engine->model.addresses, 0, sizeof(addresses));
	error = dump(engine, (struct kernel_read){.what = KERNEL_LINK}, false);
	for (size_t f = 0; f < N_FAMILIES && error == 0; f++)
		error = dump(engine,
			     (struct kernel_read){.what = KERNEL_ADDRESS,
						  .family = families[f]},
			     false);
	if (error) {
		vec_done(&engine->model.links);
		vec_done(&engine->model.addresses);
		engine->model.links = links;
		engine->model.addresses = addresses;
		return error;
	}
	model_drop_orphans(&engine->model);
	engine->links_read = true;
	engine->model.changes.links = true;
	engine->model.changes.addresses = true;
	vec_done(&links);
	vec_done(&addresses);
	return 0;
}

/* All else that a link is we are told of, in its place among other news. */
static void take_ipv6(const struct kernel_event *event, void *data)
{
	struct engine *engine = data;
	const struct link *old;
	struct link link;

	if (event->kind != KERNEL_LINK)
		return;
	old = model_link(&engine->model, event->link.ifindex);
	if (!old)
		return;
	link = *old;
	link.no_ipv6 = event->link.no_ipv6;
	model_put_link(&engine->model, &link);
}

/* @ifindex: 0: of all links */
static int read_ipv6_of(struct engine *engine, uint32_t ifindex)
{
	const struct kernel_read what = {
		.what = KERNEL_LINK,
		.ifindex = ifindex,
	};

	return kernel_read(engine->kernel, &what, take_ipv6, engine);
}

static int read_ipv6(struct engine *engine)
{
	int error = 0;

	if (engine->read_ipv6)
		error = read_ipv6_of(engine, 0);
	for (size_t i = 0; error == 0 && i < engine->ipv6_links.n; i++)
		if (!engine->read_ipv6)
			error = read_ipv6_of(engine,
					     engine->ipv6_links.items[i]);
	if (error)
		return error;
	engine->read_ipv6 = false;
	vec_clear(&engine->ipv6_links);
	return 0;
}

static int read_once(struct engine *engine, uint32_t table,
		     struct table_vec *seen)
{
	if (table_vec_has(seen, table))
		return 0;
	vec_push(seen, table);
	return engine_read_table(engine, table);
}

/* Those that nothing is known of but their number; mostly there is nothing. */
static int probe_tables(struct engine *engine, const struct table_vec *seen)
{
	const struct policy *policy = engine->policy;
	int error = 0;

	/* The last number may be the last there is. */
	for (uint64_t i = policy->table_first;
	     i <= policy->table_last && error == 0; i++)
		for (size_t f = 0; f < N_FAMILIES && error == 0; f++) {
			const struct reread what = {families[f], (uint32_t)i,
						    0};

			if (!table_vec_has(seen, what.table))
				error = read_routes(engine, &what, false);
		}
	return error;
}

static int read_protocol(struct engine *engine)
{
	int error = 0;

	for (size_t f = 0; f < N_FAMILIES && error == 0; f++)
		error = dump(engine,
			     (struct kernel_read){
				     .what = KERNEL_ROUTE,
				     .family = families[f],
				     .protocol = engine->policy->protocol},
			     false);
	return error;
}

/*
 * Routes of ours in tables that no rule names any more: the kernel finds them
 * by our mark, but looks at every route it has for that, and sends those that
 * we have read already as well. Of many routes, asking for a thousand tables by
 * their numbers is less.
 */
static int find_tables(struct engine *engine, const struct table_vec *seen)
{
	const struct rib *rib = &engine->model.rib;
	const struct policy *policy = engine->policy;

	if (rib_count(rib, AF_INET) + rib_count(rib, AF_INET6) <
		    MANY_PREFIXES ||
	    policy->table_last - policy->table_first >= PROBES_MAX)
		return read_protocol(engine);
	return probe_tables(engine, seen);
}

static int read_tables(struct engine *engine)
{
	struct table_vec seen = {0};
	const struct rule *rule;
	int error = read_once(engine, ROUTE_TABLE_MAIN, &seen);

	/* Of another range as well: an earlier life may have had that. */
	vec_foreach(&engine->model.rules, rule)
		if (error == 0 && rule->protocol == engine->policy->protocol &&
		    rule->table != ROUTE_TABLE_LOCAL)
			error = read_once(engine, rule->table, &seen);
	if (error == 0 && !engine->recovered)
		error = find_tables(engine, &seen);
	for (size_t i = 0; i < engine->tables.n && error == 0; i++)
		error = read_once(engine, engine->tables.items[i], &seen);
	vec_done(&seen);
	return error;
}

static int read_all(struct engine *engine, uint64_t now_ms)
{
	int error = read_links(engine);

	engine->counters.reads++;
	if (error == 0)
		error = read_rules(engine);
	if (error == 0)
		error = read_tables(engine);
	if (error)
		return error;
	engine_read_neighbours(engine, now_ms);
	vec_clear(&engine->rereads);
	vec_clear(&engine->resync);
	engine->resync_ms = 0;
	engine->read_all = false;
	engine->read_ipv6 = false;
	vec_clear(&engine->ipv6_links);
	return 0;
}

/* --- after a loss --- */

/* When the next one may begin: reading must leave time for the rest. */
static void rest(struct engine *engine, uint64_t now_ms)
{
	const struct rib_table *it;
	size_t n = 0;

	vec_foreach(&engine->model.rib.tables, it)
		n += it->n4 + it->n6;
	engine->resync_next_ms = now_ms + n / RESYNC_ENTRIES_PER_MS;
}

static void queue_table(struct engine *engine, uint32_t table)
{
	for (size_t f = 0; f < N_FAMILIES; f++) {
		const struct reread what = {families[f], table, 0};

		vec_push(&engine->resync, what);
	}
}

static int read_next_table(struct engine *engine)
{
	const struct reread what = engine->resync.items[0];
	int error = read_routes(engine, &what, false);

	if (error == 0)
		vec_remove(&engine->resync, 0);
	return error;
}

/*
 * What is small and main at once; the other tables one by one, and others' work
 * in between.
 */
static int begin_resync(struct engine *engine, uint64_t now_ms)
{
	int error;

	/* What is still queued is older than what is read now. */
	for (int i = 0; i < DRAIN_MAX && engine_listen(engine, now_ms); i++)
		;
	error = read_links(engine);
	if (error == 0)
		error = read_rules(engine);
	if (error)
		return error;
	engine_read_neighbours(engine, now_ms);
	engine->counters.reads++;
	engine->resync_ms = 0;
	vec_clear(&engine->resync);
	queue_table(engine, ROUTE_TABLE_MAIN);
	for (size_t i = 0; i < engine->tables.n; i++)
		queue_table(engine, engine->tables.items[i]);
	rest(engine, now_ms);
	for (size_t f = 0; f < N_FAMILIES && error == 0; f++)
		error = read_next_table(engine);
	return error;
}

void engine_lost(struct engine *engine, uint64_t now_ms)
{
	engine->counters.resyncs++;
	if (engine->resync_ms)
		return;
	engine->resync_ms = engine->resync_next_ms > now_ms
				    ? engine->resync_next_ms
				    : now_ms;
	if (!engine->resync_ms)
		engine->resync_ms = 1;
}

bool engine_resync_is_due(const struct engine *engine, uint64_t now_ms)
{
	return engine->resync_ms && engine->resync_ms <= now_ms;
}

static int go_on_with_resync(struct engine *engine, uint64_t now_ms)
{
	if (engine_resync_is_due(engine, now_ms))
		return begin_resync(engine, now_ms);
	return engine->resync.n ? read_next_table(engine) : 0;
}

/*
 * What made us read again was told before it was over: routes that go without a
 * word go after the message about the link or the address. All of it is one
 * change for the kernel, which kernel_settle() waits for; a dump does not.
 */
static int let_it_end(struct engine *engine, uint64_t now_ms)
{
	if (engine->read_all || engine->read_rules || engine->read_ipv6 ||
	    engine->ipv6_links.n || engine->rereads.n ||
	    engine_resync_is_due(engine, now_ms))
		return kernel_settle(engine->kernel);
	return 0;
}

int engine_read_pending(struct engine *engine, uint64_t now_ms)
{
	int error = let_it_end(engine, now_ms);

	if (engine->read_neighbours && !engine->read_all)
		engine_read_neighbours(engine, now_ms);
	if (error == 0 && engine->read_all)
		error = read_all(engine, now_ms);
	if (error == 0)
		error = go_on_with_resync(engine, now_ms);
	if (error == 0)
		error = read_ipv6(engine);
	if (error == 0 && engine->read_rules)
		error = read_rules(engine);
	/* Should one lead to the next for ever, others have their turn. */
	for (size_t n = engine->rereads.n + REREADS_MORE;
	     error == 0 && engine->rereads.n && n > 0; n--) {
		struct reread what = engine->rereads.items[0];

		vec_remove(&engine->rereads, 0);
		error = read_routes(engine, &what, false);
		if (error)
			vec_push(&engine->rereads, what);
	}
	if (error == 0 && model_is_expiring(&engine->model, now_ms)) {
		struct reread main6 = {AF_INET6, ROUTE_TABLE_MAIN, 0};

		error = read_routes(engine, &main6, false);
		model_expire(&engine->model, now_ms);
	}
	engine->read_failed = error != 0;
	engine->read_error = error;
	if (error)
		log_limited(LOG_KIND_LOST, now_ms, LOG_WARNING,
			    "reading from the kernel: %s", strerror(-error));
	return error;
}

int engine_read(struct engine *engine, uint64_t now_ms)
{
	engine_catch_up(engine);
	engine->read_all = true;
	return engine_read_pending(engine, now_ms);
}
