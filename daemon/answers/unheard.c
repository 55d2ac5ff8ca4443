/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "answers/unheard.h"

#include <errno.h>
#include <time.h>

#include "engine/engine_read.h"

#define LISTENS_MAX 16
#define EXPIRY_MS   2000 /* how far apart the two may be */
#define REST	    20	 /* times as long as it took */

static uint64_t clock_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Prefixes that messages speak of while we look. */
struct overheard {
	struct engine_observer observer; /* who watches otherwise */
	struct prefix_vec prefixes;
	bool lost;
};

static void on_overheard(const struct engine *engine,
			 const struct kernel_event *event, void *data)
{
	struct overheard *overheard = data;

	if (event->kind == KERNEL_ROUTE)
		vec_push(&overheard->prefixes, event->route.prefix);
	overheard->lost |= event->kind == KERNEL_LOST;
	if (overheard->observer.heard)
		overheard->observer.heard(engine, event,
					  overheard->observer.data);
}

/* What is told only now, or was not even told, was on its way when we read. */
static int listen_on(struct engine *engine, uint64_t now_ms,
		     struct overheard *ret)
{
	int error = kernel_settle(engine->kernel);

	if (error)
		return error;
	ret->observer = engine->observer;
	engine->observer =
		(struct engine_observer){.heard = on_overheard, .data = ret};
	for (int i = 0; i < LISTENS_MAX && engine_listen(engine, now_ms); i++)
		;
	engine->observer = ret->observer;
	return 0;
}

static bool has_prefix(const struct prefix_vec *prefixes,
		       const struct ip_prefix *which)
{
	const struct ip_prefix *it;

	vec_foreach(prefixes, it)
		if (ip_prefix_equal(it, which))
			return true;
	return false;
}

/* Those that go in these seconds; the kernel counts finer than we do. */
static void find_going(const struct model *model, uint64_t now_ms,
		       struct prefix_vec *ret)
{
	const struct deadline *it;

	vec_foreach(&model->leaving, it)
		vec_push(ret, it->prefix);
	model_find_expiring(model, now_ms + EXPIRY_MS, ret);
}

int unheard_find(struct engine *engine, uint64_t now_ms, struct prefix_vec *ret)
{
	struct overheard overheard = {0};
	struct prefix_vec going = {0};
	struct prefix_vec news = {0};
	const struct ip_prefix *it;
	uint64_t start_ms = clock_ms();
	int error;

	if (now_ms < engine->unheard_next_ms)
		return -EAGAIN;
	find_going(&engine->model, now_ms, &going);
	error = engine_read_table(engine, ROUTE_TABLE_MAIN);
	engine->unheard_next_ms = now_ms + REST * (clock_ms() - start_ms);
	if (!error) {
		/* Also what goes since this reading, for a settle time. */
		find_going(&engine->model, now_ms, &going);
		vec_foreach(&engine->model.rib.dirty, it)
			if (news.n < UNHEARD_MAX && cell_wanted_at(it) &&
			    !has_prefix(&going, it))
				vec_push(&news, *it);
		error = listen_on(engine, now_ms, &overheard);
	}
	vec_foreach(&news, it)
		if (!error && !overheard.lost &&
		    !has_prefix(&overheard.prefixes, it))
			vec_push(ret, *it);
	vec_done(&overheard.prefixes);
	vec_done(&going);
	vec_done(&news);
	return error;
}
