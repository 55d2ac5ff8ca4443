/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * engine_advert - what routers advertise enters the model.
 *
 * Two ways in: whole messages from the raw socket, and single prefixes that the
 * kernel passes on where it processes advertisements itself. Each says the
 * same; once whole messages come, single prefixes are passed over. A message
 * that only refreshes times changes the times and nothing else: no plan, no
 * write.
 */
#ifndef ENGINE_ADVERT_H
#define ENGINE_ADVERT_H

#include "engine/engine.h"
#include "ra/ra.h"

/* A message, and who sent it over which link. */
struct advert {
	uint32_t ifindex;
	struct ip_addr router; /* link-local */
	const struct ra *ra;
};

/** engine_take_advert() - a whole message */
void engine_take_advert(struct engine *engine, const struct advert *advert,
			uint64_t now_ms);

/**
 * engine_take_prefix() - one prefix, told by the kernel
 *
 * How long the router is one is not said; what is known of that stays.
 */
void engine_take_prefix(struct engine *engine,
			const struct kernel_advert *advert, uint64_t now_ms);

/** engine_advert_due() - mark the routes whose time to be read has come */
void engine_advert_due(struct engine *engine, uint64_t now_ms);

/**
 * engine_end_router() - the kernel deleted its default route
 *
 * Where only prefixes are told, this is how a lifetime of zero shows.
 */
void engine_end_router(struct engine *engine, uint32_t ifindex,
		       const struct ip_addr *router, uint64_t now_ms);

/**
 * engine_restore_binding() - one that an earlier life of ours has learned
 *
 * Its router may have spoken while nobody listened: it stays for four seconds
 * at least, the time to ask the router. For the start, when links are known.
 */
void engine_restore_binding(struct engine *engine,
			    const struct binding *binding, uint64_t now_ms);

#endif
