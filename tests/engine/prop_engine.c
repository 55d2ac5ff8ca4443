/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whatever happens to a host, once it is quiet the kernel has what an engine
 * that reads everything anew would plan; and whoever looks in wide rounds only,
 * or at rows that lead to it, has seen all that concerns it.
 *
 *	prop_engine [SEED [WALKS]]
 *
 * The seed of a walk is printed when it fails; alone, as argument, it tells
 * what happens.
 */
#include "engine/engine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "engine/engine_advert.h"
#include "tests/engine/walk.h"

enum {
	WALKS = 200,
	QUIETS = 6,	   /* of a walk */
	STEPS = 12,	   /* before each */
	QUIET_MS = 200000, /* longer than whatever is tried again, or held */
	LOST_MS = 10000,   /* longer than a subflow waits for its path */
};

static uint64_t first_seed;
static size_t n_walks = WALKS;

static void wrote(const struct engine *engine, const struct op *op, void *data)
{
	char text[OP_TEXT_MAX];

	(void)data;
	print_error("    wrote %s\n", op_format(op, &engine->model.rib.attrs,
						&engine->model.links, text));
}

static void copy_subnets(const struct subnet_set *from, struct subnet_set *to)
{
	const struct subnet_address *address;
	const struct subnet *subnet;

	vec_foreach(&from->subnets, subnet)
		vec_push(&to->subnets, *subnet);
	vec_foreach(&from->addresses, address)
		vec_push(&to->addresses, *address);
}

/* An engine that reads everything anew, and has been here as long as @old. */
static void begin_anew(struct walk *walk, struct engine *ret)
{
	const struct engine *old = &walk->world->engine;
	const struct binding *binding;
	const struct neighbour *neighbour;
	const uint32_t *table;

	copy_subnets(&old->subnets, &ret->subnets);
	ret->recovered = true;
	vec_foreach(&old->tables, table)
		vec_push(&ret->tables, *table);
	assert_int_equal(engine_read(ret, walk->world->now_ms), 0);
	vec_foreach(&old->model.bindings, binding)
		engine_restore_binding(ret, binding, walk->world->now_ms);
	/* Of a router that it keeps, the old one knows since when it waits. */
	for (size_t i = ret->model.neighbours.n; i-- > 0;)
		if (ret->model.neighbours.items[i].protocol ==
		    old->policy->protocol)
			vec_remove(&ret->model.neighbours, i);
	vec_foreach(&old->model.neighbours, neighbour)
		if (neighbour->protocol == old->policy->protocol)
			model_put_neighbour(&ret->model, neighbour);
	ret->policy_changed = true;
}

/*
 * Whether the op must not be left. Of pins and of what the kernel refused only
 * the old engine knows, and of tables that no rule names any more.
 */
static bool is_due(const struct walk *walk, const struct op *op)
{
	const struct engine *old = &walk->world->engine;

	if (op->kind == OP_RULE_ADD || op->kind == OP_RULE_DELETE)
		return true;
	if (op->kind == OP_NEIGHBOUR_DELETE &&
	    rib_table(&old->model.rib, WALK_FOREIGN_TABLE))
		return false;
	return !walk->pins && old->refused.n == 0;
}

/* Return: how many ops are left to do. */
static size_t plan_anew(struct walk *walk, struct engine *engine)
{
	struct planned planned = {0};
	char text[OP_TEXT_MAX];
	struct op_vec ops = {0};
	const struct op *op;
	size_t n = 0;

	engine_plan(engine, walk->world->now_ms, &ops, &planned);
	vec_foreach(&ops, op) {
		if (!is_due(walk, op))
			continue;
		print_error("  left: %s\n",
			    op_format(op, &engine->model.rib.attrs,
				      &engine->model.links, text));
		n++;
	}
	vec_done(&ops);
	planned_done(&planned);
	return n;
}

static bool differs_anew(struct walk *walk)
{
	const struct policy *policy = &walk->world->policy;
	const struct kernel_config config = walk_config(policy);
	struct kernel *kernel;
	struct engine engine;
	bool differs;

	assert_int_equal(kernel_open(&config, &kernel), 0);
	engine_init(&engine, kernel, policy);
	begin_anew(walk, &engine);
	differs = plan_anew(walk, &engine) > 0;
	if (!subnet_set_equal(&walk->world->engine.subnets, &engine.subnets)) {
		print_error("  the subnets are others\n");
		differs = true;
	}
	engine_done(&engine);
	kernel_free(kernel);
	return differs;
}

static bool has_old_offer(struct walk *walk)
{
	const struct view view = engine_view(&walk->world->engine);
	struct endpoint_vec now = {0};
	bool differs;

	endpoint_build(&view, &walk->offered, &now);
	differs = now.n != walk->offered.n;
	for (size_t i = 0; i < now.n && !differs; i++)
		differs = !ip_addr_equal(&now.items[i].addr,
					 &walk->offered.items[i].addr) ||
			  now.items[i].flags != walk->offered.items[i].flags;
	vec_done(&now);
	return differs;
}

/*
 * Whether flows wait for a path. Once no route names its router any more, the
 * router's entry goes, and whether it is dead is not known: that it may be
 * there is found by chance only (docs/pins.md).
 */
static bool has_away(const struct engine *engine)
{
	const struct pin *pin;

	vec_foreach(&engine->pins.set.pins, pin)
		if (pin->kind == PIN_AWAY)
			return true;
	return false;
}

/* Looks at everything, with pins and refusals. Return: whether it writes. */
static bool writes_more(struct walk *walk)
{
	struct engine *engine = &walk->world->engine;
	bool may_write = engine->refused.n > 0 || has_away(engine);
	uint64_t written = world_written(walk->world);

	engine->policy_changed = true;
	world_run(walk->world);
	if (may_write || written == world_written(walk->world))
		return false;
	print_error("  a wide round writes more\n");
	return true;
}

/* Looks at every connection. Return: whether there is more to do. */
static bool connects_more(struct walk *walk)
{
	manager_touch(&walk->manager);
	return walk_act(walk, true) > 0;
}

static bool is_behind(struct walk *walk)
{
	bool bad = !engine_is_steady(&walk->world->engine, walk->world->now_ms);

	if (bad)
		print_error("  it is not steady\n");
	bad |= differs_anew(walk);
	if (has_old_offer(walk)) {
		print_error("  endpoints are behind\n");
		bad = true;
	}
	bad |= writes_more(walk);
	bad |= connects_more(walk);
	walk->world->now_ms += LOST_MS;
	return connects_more(walk) || bad;
}

static bool is_turn_over(void *data)
{
	struct walk *walk = data;

	return walk->haste && walk_roll(walk, 2);
}

static void walk_one(uint64_t seed, bool talk)
{
	struct walk walk = {.dice = {.state = seed}, .talk = talk};
	void *state;

	(void)world_make(&state);
	walk.world = state;
	fake_set_answers(world_fake(), true);
	fake_set_link_locals(world_fake());
	world_do("link add d3 type veth peer name p3\nlink set p3 up\n"
		 "link set d3 up\naddress add 172.16.0.2/24 dev d3");
	if (walk_roll(&walk, 2))
		world_do("route add 0.0.0.0/0 via 192.0.2.1 dev d1 metric 100\n"
			 "route add 0.0.0.0/0 via 198.51.100.1 dev d2 "
			 "metric 200\n");
	walk.many = !walk_roll(&walk, 4);
	walk.pins = !walk_roll(&walk, 3);
	walk.haste = walk_roll(&walk, 2);
	world_open(walk.world);
	walk.world->engine.before_write =
		(struct engine_hook){walk_mark, &walk};
	walk.world->engine.turn = (struct engine_turn){
		.is_over = is_turn_over,
		.data = &walk,
		.aside_ms = walk_roll(&walk, 2),
	};
	if (talk)
		walk.world->engine.observer.wrote = wrote;
	for (int i = 0; i < QUIETS; i++) {
		if (talk)
			print_error("--- quiet %d\n", i);
		for (uint32_t n = 1 + walk_roll(&walk, STEPS); n > 0; n--)
			walk_step(&walk);
		fake_mend(world_fake());
		walk_pass(&walk, QUIET_MS);
		if (is_behind(&walk))
			fail_msg("seed %llu, quiet %d",
				 (unsigned long long)seed, i);
	}
	manager_done_all(&walk.manager);
	vec_done(&walk.offered);
	(void)world_unmake(&state);
}

static void the_kernel_has_what_a_full_plan_wants(void **state)
{
	(void)state;
	for (size_t i = 0; i < n_walks; i++)
		walk_one(first_seed + i, n_walks == 1);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_kernel_has_what_a_full_plan_wants),
	};

	first_seed = dice_seed(argc, argv);
	if (argc > 1)
		n_walks = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
	if (!world_enter())
		return WORLD_SKIP;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
