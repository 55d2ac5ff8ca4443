/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <netinet/in.h>

#include "tests/unit/scene.h"

static void plan_row(struct scene *scene, const struct ip_prefix *prefix,
		     struct scene_plan *plan)
{
	struct view view = scene_view(scene);
	struct scene_row row = {.prefix = *prefix};

	plan_row_build(&view, prefix, rib_row(&scene->model.rib, prefix),
		       &scene->model.rib.attrs, &row.wants);
	vec_push(&plan->rows, row);
}

void scene_plan_build(struct scene *scene, struct scene_plan *ret)
{
	static const uint8_t families[] = {AF_INET, AF_INET6};
	struct view view = scene_view(scene);

	for (size_t i = 0; i < 2; i++) {
		const struct trie *trie =
			rib_trie(&scene->model.rib, families[i]);
		struct ip_prefix all = ip_prefix_default(families[i]);
		struct ip_prefix prefix;
		struct trie_walk walk;
		uint32_t at;

		plan_rules_build(&view, families[i], &ret->rules);
		/* A strong table ends in a default whatever main has. */
		if (trie_find(trie, &all) == TRIE_NONE)
			plan_row(scene, &all, ret);
		trie_walk_start(&walk, trie, &all);
		while (trie_walk_next(&walk, &prefix, &at))
			plan_row(scene, &prefix, ret);
	}
}

void scene_plan_done(struct scene *scene, struct scene_plan *plan)
{
	struct scene_row *row;

	vec_foreach(&plan->rows, row) {
		plan_row_done(&scene->model.rib.attrs, &row->wants);
		vec_done(&row->wants);
	}
	vec_done(&plan->rows);
	vec_done(&plan->rules);
}

static void rule_ops(struct scene *scene, uint8_t family,
		     const struct scene_plan *plan, struct op_vec *ops)
{
	struct rule_vec have = {0};
	struct rule_vec want = {0};
	const struct rule *rule;

	vec_foreach(&scene->model.rules, rule)
		if (rule->family == family)
			vec_push(&have, *rule);
	vec_foreach(&plan->rules, rule)
		if (rule->family == family)
			vec_push(&want, *rule);
	diff_rules(&scene->policy, &have, &want, ops);
	vec_done(&have);
	vec_done(&want);
}

void scene_ops(struct scene *scene, const struct scene_plan *plan,
	       struct op_vec *ops, size_t phase_end[DIFF_PHASES])
{
	struct view view = scene_view(scene);
	struct neighbour_vec routers = {0};
	const struct scene_row *row;

	vec_foreach(&plan->rows, row)
		diff_row(&view, &row->prefix,
			 rib_row(&scene->model.rib, &row->prefix), &row->wants,
			 ops);
	rule_ops(scene, AF_INET, plan, ops);
	rule_ops(scene, AF_INET6, plan, ops);
	plan_routers_build(&view, &routers);
	diff_neighbours(&scene->policy, &scene->model.neighbours, &routers,
			ops);
	vec_done(&routers);
	diff_order(ops, phase_end);
}

void scene_steady(struct scene *scene)
{
	struct scene_plan plan = {0};
	struct op_vec ops = {0};
	size_t phase_end[DIFF_PHASES];
	const struct op *op;

	scene_plan_build(scene, &plan);
	scene_ops(scene, &plan, &ops, phase_end);
	vec_foreach(&ops, op)
		op_enter(&scene->model, op);
	vec_done(&ops);
	scene_plan_done(scene, &plan);
}
