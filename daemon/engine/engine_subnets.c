/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/engine_subnets.h"

#include <errno.h>
#include <netinet/in.h>

#include "engine/engine_read.h"
#include "log.h"

void engine_touch_all(struct engine *engine, uint8_t family)
{
	struct ip_prefix all = ip_prefix_default(family);

	rib_touch_all(&engine->model.rib, family);
	/* A strong table's last resort needs no route of main. */
	rib_touch(&engine->model.rib, &all);
}

static void log_subnets(const struct engine *engine,
			const struct subnet_set *before)
{
	const struct subnet *it;

	vec_foreach(&engine->subnets.subnets, it) {
		const struct subnet *old =
			subnet_find(before, &it->prefix, it->ifindex);
		const struct link *link =
			model_link(&engine->model, it->ifindex);
		char text[IP_TEXT_MAX];

		if (it->managed && it->table &&
		    (!old || old->table != it->table))
			log_notice("subnet %s link=%s: managed, table=%u",
				   ip_prefix_format(&it->prefix, text),
				   link ? link->name : "?", it->table);
	}
	vec_foreach(&before->subnets, it) {
		const struct subnet *now =
			subnet_find(&engine->subnets, &it->prefix, it->ifindex);
		char text[IP_TEXT_MAX];

		/* Without a table it never was: that was said then. */
		if (it->managed && it->table && (!now || !now->managed))
			log_notice("subnet %s: no longer managed, table %u "
				   "is given up",
				   ip_prefix_format(&it->prefix, text),
				   it->table);
	}
}

static bool is_given(const struct engine *engine, uint32_t table)
{
	const struct subnet *it;

	vec_foreach(&engine->subnets.subnets, it)
		if (it->table == table)
			return true;
	return false;
}

/* Tables that are nobody's any more and empty need not be read again. */
void engine_prune_tables(struct engine *engine)
{
	for (size_t i = engine->tables.n; i-- > 0;) {
		uint32_t table = engine->tables.items[i];

		if (!is_given(engine, table) &&
		    !subnet_table_is_taken(&engine->subnets, &engine->model,
					   table))
			vec_remove(&engine->tables, i);
	}
}

/*
 * A number that nobody else's routes or rules use. Return: 0, -ENOSPC: there is
 * none left, or what it cannot be known for.
 */
static int free_table(struct engine *engine, uint32_t *ret)
{
	uint32_t table = engine->policy->table_first;

	for (;; table++) {
		bool is_taken = subnet_table_is_taken(&engine->subnets,
						      &engine->model, table);
		int error = is_taken ? 0 : engine_read_table(engine, table);

		if (error)
			return error;
		if (!is_taken &&
		    !subnet_table_is_taken(&engine->subnets, &engine->model,
					   table)) {
			*ret = table;
			return 0;
		}
		if (table == engine->policy->table_last)
			return -ENOSPC;
	}
}

static void log_no_table(const struct engine *engine,
			 const struct subnet *subnet, int error)
{
	char text[IP_TEXT_MAX];

	ip_prefix_format(&subnet->prefix, text);
	if (error == -ENOSPC)
		log_err("subnet %s: no table number is free in %u-%u; it is "
			"not managed",
			text, engine->policy->table_first,
			engine->policy->table_last);
	else
		log_warn("subnet %s: it is not known which table is free: %s",
			 text, strerror(-error));
}

static void give_tables(struct engine *engine)
{
	struct subnet *it;

	engine->lacks_table = false;
	vec_foreach(&engine->subnets.subnets, it) {
		int error;

		if (!it->managed || it->table)
			continue;
		error = free_table(engine, &it->table);
		if (error)
			log_no_table(engine, it, error);
		else
			engine_pins_managed(engine, it);
		engine->lacks_table |= error && error != -ENOSPC;
	}
}

static bool waits_for_table(const struct engine *engine)
{
	const struct subnet *it;

	vec_foreach(&engine->subnets.subnets, it)
		if (it->managed && !it->table)
			return true;
	return false;
}

bool engine_can_give_table(const struct engine *engine)
{
	const struct policy *policy = engine->policy;

	if (!waits_for_table(engine))
		return false;
	/* The last number may be the last there is. */
	for (uint64_t i = policy->table_first; i <= policy->table_last; i++)
		if (!subnet_table_is_taken(&engine->subnets, &engine->model,
					   (uint32_t)i))
			return true;
	return false;
}

static bool is_uplink_new(const struct engine *engine)
{
	const struct view view = engine_view(engine);
	struct attr_id_vec routed = {0};
	const struct subnet *it;
	bool looked = false;
	bool found = false;

	vec_foreach(&engine->subnets.subnets, it) {
		if (it->uplink || found)
			continue;
		if (!looked)
			subnet_find_routed(&engine->model, &routed);
		looked = true;
		found = subnet_is_uplink(&view, it, &routed);
	}
	vec_done(&routed);
	return found;
}

/* A row that changed can make a subnet an uplink: then look at all of them. */
static bool subnets_may_change(const struct engine *engine)
{
	const struct model_changes *changes = &engine->model.changes;

	if (changes->links || changes->addresses || changes->bindings ||
	    engine->policy_changed || engine->lacks_table ||
	    engine_can_give_table(engine))
		return true;
	return engine->model.rib.dirty.n > 0 && is_uplink_new(engine);
}

/* Bindings and metric_add go by a link's name, and a name is new or gone. */
static bool names_matter(const struct engine *engine)
{
	return engine->model.changes.names &&
	       (engine->policy->bindings.n || engine->policy->interfaces.n);
}

static void build_subnets(struct engine *engine,
			  const struct subnet_set *before)
{
	memset(&engine->subnets, 0, sizeof(engine->subnets));
	subnet_set_build(&engine->model, engine->policy, before,
			 &engine->subnets);
}

/* What an earlier life of ours managed, found by its rules. */
static void recover_subnets(struct engine *engine)
{
	struct subnet_set found;

	engine->recovered = true;
	subnet_recover_tables(&engine->subnets, &engine->model, engine->policy);
	/* Once more: that more of them are managed changes other things. */
	found = engine->subnets;
	build_subnets(engine, &found);
	subnet_set_done(&found);
}

/* --- what that means for rows --- */

/* Whether a table has the same columns as before. */
static bool is_same_column(const struct subnet *a, const struct subnet *b)
{
	return a->managed == b->managed &&
	       (!a->managed ||
		(a->strong == b->strong && a->table == b->table));
}

/*
 * A column is for all rows, and which links are local hangs on managed subnets.
 * Of others it only matters which gateways are inside. @was, @now: NULL: none.
 * Return: whether all rows are concerned.
 */
static bool touch_for(struct engine *engine, const struct subnet *was,
		      const struct subnet *now)
{
	const struct subnet *it = was ? was : now;

	if (was && now && is_same_column(was, now))
		return false;
	if ((was && was->managed) || (now && now->managed))
		return true;
	/* It is new, or gone. */
	model_touch_routers(&engine->model, it->ifindex, &it->prefix);
	return false;
}

/* Both are in order. Return: as above. */
static bool touch_differences(struct engine *engine,
			      const struct subnet_set *before)
{
	const struct subnet *was = before->subnets.items;
	const struct subnet *now = engine->subnets.subnets.items;
	size_t n_was = before->subnets.n;
	size_t n_now = engine->subnets.subnets.n;
	bool all = false;

	while ((n_was || n_now) && !all) {
		int order = n_was == 0	 ? 1
			    : n_now == 0 ? -1
					 : subnet_cmp(was, now);

		all = touch_for(engine, order <= 0 ? was : NULL,
				order >= 0 ? now : NULL);
		if (order <= 0) {
			was++;
			n_was--;
		}
		if (order >= 0) {
			now++;
			n_now--;
		}
	}
	return all;
}

static void touch_rows(struct engine *engine, const struct subnet_set *before)
{
	if (!engine->policy_changed && !names_matter(engine) &&
	    !engine->links_read && !touch_differences(engine, before))
		return;
	engine_touch_all(engine, AF_INET);
	engine_touch_all(engine, AF_INET6);
}

bool engine_update_subnets(struct engine *engine)
{
	struct subnet_set before = engine->subnets;

	if (!subnets_may_change(engine))
		return false;
	if (engine->policy->routes.n || engine->policy_changed)
		model_set_config_routes(&engine->model, engine->policy);
	build_subnets(engine, &before);
	if (!engine->recovered)
		recover_subnets(engine);
	give_tables(engine);
	if (engine->policy_changed || names_matter(engine) ||
	    !subnet_set_equal(&before, &engine->subnets)) {
		log_subnets(engine, &before);
		if (engine->observer.subnets)
			engine->observer.subnets(engine, &before,
						 engine->observer.data);
		touch_rows(engine, &before);
	}
	engine->links_read = false;
	subnet_set_done(&before);
	return true;
}
