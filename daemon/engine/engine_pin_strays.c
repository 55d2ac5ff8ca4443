/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/engine_pin_strays.h"

#include "engine/engine.h"

/* tcp_retries2 is worth a quarter of an hour (15 m 24 s). */
#define WAIT_MS 924000

static void stray_done(struct engine *engine, struct engine_stray *stray)
{
	const struct pin *pin;

	vec_foreach(&stray->pins, pin)
		attrset_unref(&engine->model.rib.attrs, pin->attrs);
	vec_done(&stray->pins);
	vec_done(&stray->members);
}

static void forget_first(struct engine *engine)
{
	stray_done(engine, &engine->pins.strays.items[0]);
	vec_remove(&engine->pins.strays, 0);
}

static size_t count(const struct engine_stray_vec *strays)
{
	const struct engine_stray *it;
	size_t n = 0;

	vec_foreach(strays, it)
		n += it->pins.n;
	return n;
}

static void collect(struct engine *engine, const struct subnet *home,
		    uint64_t now_ms)
{
	struct engine_stray stray = {
		.home = *home,
		.until_ms = now_ms + WAIT_MS,
	};

	pin_set_take(&engine->pins.set, home->table, &stray.pins,
		     &stray.members);
	if (stray.pins.n)
		vec_push(&engine->pins.strays, stray);
	else
		stray_done(engine, &stray);
}

void engine_strays_collect(struct engine *engine, uint64_t now_ms)
{
	struct engine_stray_vec *strays = &engine->pins.strays;
	const struct subnet *home;

	vec_foreach(&engine->pins.homes, home) {
		const struct subnet *now = subnet_find(
			&engine->subnets, &home->prefix, home->ifindex);

		if (!now || now->table != home->table)
			collect(engine, home, now_ms);
	}
	while (strays->n && (strays->items[0].until_ms <= now_ms ||
			     count(strays) > engine->policy->pinning.max)) {
		forget_first(engine);
		/* Their routers may be nobody's any more. */
		engine->model.changes.neighbours = true;
	}
	/* A hold without its subnet is over when that has returned. */
	engine->pins.next_ms = pin_next_ms(&engine->pins.set);
}

uint64_t engine_strays_next(const struct engine *engine)
{
	const struct engine_stray_vec *strays = &engine->pins.strays;

	return strays->n ? strays->items[0].until_ms : 0;
}

static void give(struct engine *engine, uint32_t table,
		 struct engine_stray *stray)
{
	const struct pin *pin;

	vec_foreach(&stray->pins, pin) {
		struct ip_prefix host = ip_prefix_host(&pin->dst);

		rib_touch(&engine->model.rib, &host);
	}
	pin_set_give(&engine->pins.set, &engine->model.rib.attrs, table,
		     &stray->pins, &stray->members);
}

void engine_strays_return(struct engine *engine, const struct subnet *subnet)
{
	struct engine_stray_vec *strays = &engine->pins.strays;
	const struct subnet *home;

	/* One that was there all the time gets another number. */
	vec_foreach(&engine->pins.homes, home)
		if (subnet_cmp(home, subnet) == 0)
			collect(engine, home, 0);
	for (size_t i = strays->n; i-- > 0;)
		if (subnet_cmp(&strays->items[i].home, subnet) == 0) {
			give(engine, subnet->table, &strays->items[i]);
			vec_remove(strays, i);
		}
}

void engine_strays_done(struct engine *engine)
{
	while (engine->pins.strays.n)
		forget_first(engine);
	vec_done(&engine->pins.strays);
}
