/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/engine_advert.h"

#include <netinet/in.h>

#include "engine/engine_read.h"
#include "log.h"

enum {
	RESTORE_MS = 4000,     /* RFC 4861, 6.3.7: the wait for an answer */
	REREAD_AFTER_MS = 50,  /* of a message, for the kernel to act on it */
	REREAD_EVERY_MS = 500, /* at most */
	ENDED_MS = 1000,  /* no prefix of a router that ended counts so long */
	LINES_MS = 10000, /* in which at most LINES_MAX lines are logged */
	LINES_MAX = 20,
};

static uint64_t until(uint32_t lifetime_s, uint32_t forever, uint64_t now_ms)
{
	return lifetime_s == forever ? BINDING_FOREVER
				     : now_ms + (uint64_t)lifetime_s * 1000;
}

/* Whoever is on a link must not be able to fill the log. */
static bool may_log(struct engine *engine, uint64_t now_ms)
{
	if (now_ms - engine->router_lines_ms > LINES_MS) {
		engine->router_lines_ms = now_ms;
		engine->router_lines = 0;
	}
	return ++engine->router_lines <= LINES_MAX;
}

static void log_binding(struct engine *engine, const struct binding *binding,
			uint64_t now_ms)
{
	const struct link *link = model_link(&engine->model, binding->ifindex);
	bool ends = binding_until(binding) <= now_ms;
	char router[IP_TEXT_MAX];
	char prefix[IP_TEXT_MAX];

	if (may_log(engine, now_ms))
		log_info("router %s link=%s: %s prefix=%s%s",
			 ip_addr_format(&binding->router, router),
			 link ? link->name : "?",
			 ends ? "no longer advertises" : "advertises",
			 ip_prefix_format(&binding->prefix, prefix),
			 engine->router_lines == LINES_MAX
				 ? " (the next such lines are left out)"
				 : "");
}

static void put(struct engine *engine, const struct binding *binding,
		uint64_t now_ms)
{
	bool full;

	if (model_put_binding(&engine->model, binding, now_ms, &full))
		log_binding(engine, binding, now_ms);
	if (full)
		log_limited(LOG_KIND_BINDINGS_FULL, now_ms, LOG_WARNING,
			    "routers of one link advertise more than %d "
			    "prefixes; those heard longest ago are forgotten",
			    BINDING_MAX);
}

/* --- routes whose times changed without a message --- */

static struct seen_router *find_router(struct engine *engine, uint32_t ifindex,
				       const struct ip_addr *addr)
{
	struct seen_router *it;
	struct seen_router *oldest = NULL;
	const struct seen_router router = {.ifindex = ifindex, .addr = *addr};

	vec_foreach(&engine->routers, it) {
		if (it->ifindex == ifindex && ip_addr_equal(&it->addr, addr))
			return it;
		if (!oldest || it->heard_ms < oldest->heard_ms)
			oldest = it;
	}
	if (oldest && engine->routers.n >= SEEN_ROUTERS_MAX) {
		*oldest = router;
		return oldest;
	}
	vec_push(&engine->routers, router);
	return &engine->routers.items[engine->routers.n - 1];
}

/*
 * The kernel tells neither of a refresh nor of a changed lifetime, and it hands
 * a message to raw sockets before it acts on it itself: reading at once can be
 * too early, and would be done for every message of a flood.
 */
static void reread_routes(struct engine *engine, uint32_t ifindex,
			  uint64_t now_ms)
{
	const struct reread what = {AF_INET6, ROUTE_TABLE_MAIN, ifindex};
	const struct reread *it;

	engine->later_heard_ms = now_ms;
	if (!engine->later_ms)
		engine->later_ms = now_ms + REREAD_AFTER_MS;
	if (engine->later_ms < engine->reread_ms + REREAD_EVERY_MS)
		engine->later_ms = engine->reread_ms + REREAD_EVERY_MS;
	vec_foreach(&engine->later, it)
		if (it->ifindex == ifindex)
			return;
	vec_push(&engine->later, what);
}

void engine_advert_due(struct engine *engine, uint64_t now_ms)
{
	const struct reread *it;

	if (!engine->later_ms || engine->later_ms > now_ms)
		return;
	vec_foreach(&engine->later, it)
		engine_mark_routes(engine, it->family, it->table, it->ifindex);
	engine->reread_ms = now_ms;
	/* What came meanwhile the kernel may not have acted on yet. */
	if (now_ms < engine->later_heard_ms + REREAD_AFTER_MS) {
		engine->later_ms = now_ms + REREAD_EVERY_MS;
		return;
	}
	vec_clear(&engine->later);
	engine->later_ms = 0;
}

/* As if the kernel had said it: for whoever watches the engine. */
static void tell(struct engine *engine, const struct advert *advert,
		 const struct ra_prefix *prefix)
{
	const struct kernel_event event = {
		.kind = KERNEL_ADVERT,
		.advert = {.ifindex = advert->ifindex,
			   .router = advert->router,
			   .prefix = *prefix},
	};

	engine->counters.events[KERNEL_ADVERT]++;
	if (engine->observer.heard)
		engine->observer.heard(engine, &event, engine->observer.data);
}

/* A router that is none any more ends all of its prefixes. */
static void tell_end(struct engine *engine, const struct advert *advert)
{
	const struct binding *it;

	vec_foreach(&engine->model.bindings, it)
		if (it->ifindex == advert->ifindex &&
		    ip_addr_equal(&it->router, &advert->router))
			tell(engine, advert,
			     &(struct ra_prefix){.prefix = it->prefix});
}

/*
 * A host that is a router, too, hears itself; and nobody is to speak in its
 * name. The kernel does not listen to these either (accept_ra_from_local).
 */
static bool is_ourselves(const struct engine *engine,
			 const struct ip_addr *router)
{
	return model_has_address(&engine->model, router);
}

void engine_take_advert(struct engine *engine, const struct advert *advert,
			uint64_t now_ms)
{
	const struct ra *ra = advert->ra;
	struct seen_router *seen;
	uint64_t router_until_ms = until(ra->router_lifetime_s, 0, now_ms);

	if (is_ourselves(engine, &advert->router))
		return;
	if (ra->router_lifetime_s == 0) {
		router_until_ms = now_ms;
		tell_end(engine, advert);
	}
	model_set_router(&engine->model, advert->ifindex, &advert->router,
			 router_until_ms, now_ms);
	for (size_t i = 0; i < ra->n_prefixes; i++) {
		const struct binding binding = {
			.ifindex = advert->ifindex,
			.router = advert->router,
			.prefix = ra->prefixes[i].prefix,
			.prefix_until_ms = until(ra->prefixes[i].valid_s,
						 RA_FOREVER, now_ms),
			.router_until_ms = router_until_ms,
			.heard_ms = now_ms,
		};

		tell(engine, advert, &ra->prefixes[i]);
		put(engine, &binding, now_ms);
	}
	seen = find_router(engine, advert->ifindex, &advert->router);
	seen->heard_ms = now_ms;
	if (seen->routes_digest != ra->routes_digest)
		reread_routes(engine, advert->ifindex, now_ms);
	seen->routes_digest = ra->routes_digest;
	engine->hears_routers = true;
}

/* --- what the kernel passes on --- */

static uint64_t router_until(const struct engine *engine,
			     const struct kernel_advert *advert)
{
	const struct binding *it;

	vec_foreach(&engine->model.bindings, it)
		if (it->ifindex == advert->ifindex &&
		    ip_addr_equal(&it->router, &advert->router))
			return it->router_until_ms;
	return BINDING_FOREVER;
}

void engine_end_router(struct engine *engine, uint32_t ifindex,
		       const struct ip_addr *router, uint64_t now_ms)
{
	struct seen_router *seen = find_router(engine, ifindex, router);

	seen->heard_ms = now_ms;
	seen->ended_ms = now_ms;
	(void)model_set_router(&engine->model, ifindex, router, now_ms, now_ms);
}

/* The prefixes of the very message by which a router ends come behind that. */
static bool has_just_ended(const struct engine *engine,
			   const struct kernel_advert *advert, uint64_t now_ms)
{
	const struct seen_router *it;

	vec_foreach(&engine->routers, it)
		if (it->ifindex == advert->ifindex && it->ended_ms &&
		    ip_addr_equal(&it->addr, &advert->router))
			return now_ms - it->ended_ms < ENDED_MS;
	return false;
}

void engine_take_prefix(struct engine *engine,
			const struct kernel_advert *advert, uint64_t now_ms)
{
	const struct binding binding = {
		.ifindex = advert->ifindex,
		.router = advert->router,
		.prefix = advert->prefix.prefix,
		.prefix_until_ms =
			until(advert->prefix.valid_s, RA_FOREVER, now_ms),
		.router_until_ms = router_until(engine, advert),
		.heard_ms = now_ms,
	};

	if (has_just_ended(engine, advert, now_ms) ||
	    is_ourselves(engine, &advert->router))
		return;
	put(engine, &binding, now_ms);
	reread_routes(engine, advert->ifindex, now_ms);
}

void engine_restore_binding(struct engine *engine,
			    const struct binding *binding, uint64_t now_ms)
{
	struct binding kept = *binding;
	bool full;

	if (kept.prefix_until_ms < now_ms + RESTORE_MS)
		kept.prefix_until_ms = now_ms + RESTORE_MS;
	if (kept.router_until_ms < now_ms + RESTORE_MS)
		kept.router_until_ms = now_ms + RESTORE_MS;
	if (kept.heard_ms > now_ms)
		kept.heard_ms = now_ms;
	if (is_ourselves(engine, &kept.router))
		return;
	(void)model_put_binding(&engine->model, &kept, now_ms, &full);
}
