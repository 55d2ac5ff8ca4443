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

static bool has_deadline(const struct deadline_vec *deadlines,
			 uint64_t until_ms, const struct ip_prefix *which)
{
	const struct deadline *it;

	vec_foreach(deadlines, it)
		if (it->at_ms <= until_ms &&
		    ip_prefix_equal(&it->prefix, which))
			return true;
	return false;
}

/* It goes in these seconds, and the kernel counts finer than we do. */
static bool is_going(const struct engine *engine, uint64_t now_ms,
		     const struct ip_prefix *which)
{
	return has_deadline(&engine->model.leaving, UINT64_MAX, which) ||
	       has_deadline(&engine->model.expiring, now_ms + EXPIRY_MS, which);
}

int unheard_find(struct engine *engine, uint64_t now_ms, struct prefix_vec *ret)
{
	struct overheard overheard = {0};
	struct prefix_vec news = {0};
	const struct ip_prefix *it;
	uint64_t start_ms = clock_ms();
	int error;

	if (now_ms < engine->unheard_next_ms)
		return -EAGAIN;
	error = engine_read_table(engine, ROUTE_TABLE_MAIN);
	engine->unheard_next_ms = now_ms + REST * (clock_ms() - start_ms);
	if (error)
		return error;
	vec_foreach(&engine->model.rib.dirty, it)
		if (news.n < UNHEARD_MAX && cell_wanted_at(it) &&
		    !is_going(engine, now_ms, it))
			vec_push(&news, *it);
	error = listen_on(engine, now_ms, &overheard);
	vec_foreach(&news, it)
		if (!error && !overheard.lost &&
		    !has_prefix(&overheard.prefixes, it))
			vec_push(ret, *it);
	vec_done(&overheard.prefixes);
	vec_done(&news);
	return error;
}
