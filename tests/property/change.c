/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/property/change.h"

#include <netinet/in.h>

#define DESTINATIONS_MAX 60

static void split(const struct line_vec *lines, struct line_vec *base,
		  struct line_vec *then)
{
	const struct line *line;
	bool behind = false;

	vec_foreach(lines, line) {
		if (strcmp(line->text, CHANGE_THEN) == 0)
			behind = true;
		else if (behind)
			vec_push(then, *line);
		else
			vec_push(base, *line);
	}
}

/* Sources that were there before and still are: only those have packets. */
static void find_sources(const struct model *model, struct addr_vec *ret)
{
	const struct address *it;

	vec_foreach(&model->addresses, it)
		if (it->scope == 0)
			vec_push(ret, it->local);
}

static void keep_common(struct addr_vec *srcs, const struct addr_vec *old)
{
	for (size_t i = srcs->n; i-- > 0;) {
		const struct ip_addr *it;
		bool found = false;

		vec_foreach(old, it)
			found |= ip_addr_equal(it, &srcs->items[i]);
		if (!found)
			vec_remove(srcs, i);
	}
}

/* --- what others do to our routes and rules --- */

static bool has_entry(const struct row *row, const struct route *route)
{
	for (size_t i = 0; i < row->n; i++)
		if (row->routes[i].attrs == route->attrs &&
		    route_key_cmp(&row->routes[i], route) == 0)
			return true;
	return false;
}

static void meddle_route(struct dice *dice, struct model *model,
			 const struct ip_prefix *prefix, size_t at)
{
	const struct row *row = rib_row(&model->rib, prefix);
	struct route route = row->routes[at];
	struct route twin = route;
	const struct route *first = &row->routes[0];

	/* As another route of the row has it, if it is for any source. */
	if (!attrset_get(&model->rib.attrs, first->attrs)->src.addr.family)
		twin.attrs = first->attrs;
	switch (dice_below(dice, 12)) {
	case 0:
	case 1:
		rib_remove_at(&model->rib, prefix, at);
		break;
	case 2:
		route.protocol = 3;
		rib_set(&model->rib, prefix, at, &route);
		break;
	case 3:
		if (!has_entry(row, &twin))
			rib_replace(&model->rib, prefix, at, &twin);
		break;
	case 4:
		(void)rib_put_interned(&model->rib, prefix, &twin, RIB_APPEND);
		break;
	default:
		break;
	}
}

static void meddle_routes(struct dice *dice, struct scene *scene,
			  uint8_t family)
{
	struct rib *rib = &scene->model.rib;
	struct ip_prefix all = ip_prefix_default(family);
	struct ip_prefix prefix;
	struct trie_walk walk;
	uint32_t at;

	trie_walk_start(&walk, rib_trie(rib, family), &all);
	while (trie_walk_next(&walk, &prefix, &at)) {
		for (size_t i = rib_row_at(rib, at)->n; i-- > 0;)
			if (rib_row(rib, &prefix)->routes[i].protocol ==
			    scene->policy.protocol)
				meddle_route(dice, &scene->model, &prefix, i);
	}
}

static void meddle(struct dice *dice, struct scene *scene)
{
	struct rule_vec rules = {0};
	const struct rule *rule;

	vec_foreach(&scene->model.rules, rule)
		vec_push(&rules, *rule);
	vec_foreach(&rules, rule) {
		if (rule->protocol != scene->policy.protocol)
			continue;
		if (dice_chance(dice, 30))
			model_remove_rule(&scene->model, rule);
		else if (dice_chance(dice, 10))
			model_add_rule(&scene->model, rule);
	}
	vec_done(&rules);
	meddle_routes(dice, scene, AF_INET);
	meddle_routes(dice, scene, AF_INET6);
}

bool change_build(const struct line_vec *lines, struct change *change)
{
	struct line_vec base = {0};
	struct line_vec then = {0};
	struct addr_vec old_srcs = {0};
	struct dice dice = {.state = lines->n};
	size_t phase_end[DIFF_PHASES];
	const struct op *op;
	bool ok;

	*change = (struct change){.meddle = change->meddle};
	split(lines, &base, &then);
	ok = host_build(&base, &change->scene);
	if (ok) {
		scene_steady(&change->scene);
		find_sources(&change->scene.model, &old_srcs);
		if (change->meddle)
			meddle(&dice, &change->scene);
		ok = host_read(&then, &change->scene);
	}
	/* Main's, by a rule of its own, whatever the tables say. */
	vec_push(&change->dsts, scene_addr("fe80::77"));
	find_sources(&change->scene.model, &change->srcs);
	keep_common(&change->srcs, &old_srcs);
	vec_done(&old_srcs);
	vec_done(&base);
	vec_done(&then);
	if (!ok)
		return false;

	scene_manage(&change->scene);
	scene_plan_build(&change->scene, &change->plan);
	scene_ops(&change->scene, &change->plan, &change->ops, phase_end);
	kernel_read(&change->before, &change->scene.model);
	kernel_copy(&change->before, &change->now);
	kernel_copy(&change->before, &change->after);
	kernel_copy(&change->before, &change->moved[0]);
	kernel_copy(&change->before, &change->moved[1]);
	vec_foreach(&change->ops, op) {
		bool rule =
			op->kind == OP_RULE_ADD || op->kind == OP_RULE_DELETE;

		kernel_apply(&change->after, op);
		kernel_apply(&change->moved[rule], op);
	}
	host_destinations(&change->scene, &dice, &change->dsts);
	while (change->dsts.n > DESTINATIONS_MAX)
		vec_remove(&change->dsts,
			   dice_below(&dice, (uint32_t)change->dsts.n));
	return true;
}

void change_done(struct change *change)
{
	kernel_done(&change->before);
	kernel_done(&change->after);
	kernel_done(&change->now);
	kernel_done(&change->moved[0]);
	kernel_done(&change->moved[1]);
	vec_done(&change->dsts);
	vec_done(&change->srcs);
	vec_done(&change->ops);
	scene_plan_done(&change->scene, &change->plan);
	scene_done(&change->scene);
}
