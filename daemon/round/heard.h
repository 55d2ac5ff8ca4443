/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * heard - what the kernel said, in words.
 *
 * Both functions are for an event that has not entered the model yet: what it
 * changes shows only against what was there before.
 */
#ifndef HEARD_H
#define HEARD_H

#include "engine/engine.h"

/*
 * How well an event explains what followed, the worst first: when a link goes
 * down, the routes that go with it are not what people want to hear of.
 */
enum heard_rank {
	HEARD_NOTHING, /* it changes nothing */
	HEARD_COPY,    /* the kernel itself changed entries of ours */
	HEARD_LOST,
	HEARD_ROUTE,
	HEARD_NEXTHOP,
	HEARD_NEIGHBOUR,
	HEARD_ADVERT,
	HEARD_ADDRESS,
	HEARD_RULE, /* or somebody changed an entry of ours */
	HEARD_LINK,
	HEARD_OWN, /* not heard at all: the start, a new configuration */
};

#define HEARD_RANKS    (HEARD_OWN + 1)
#define HEARD_TEXT_MAX (ROUTE_TEXT_MAX + 64)

/**
 * heard_line() - one line: "link eth1 up, no carrier"
 * @text: at least HEARD_TEXT_MAX bytes. Return: @text.
 */
const char *heard_line(const struct engine *engine,
		       const struct kernel_event *event, char *text);

/** heard_rank() - how well it explains; cheap */
enum heard_rank heard_rank(const struct engine *engine,
			   const struct kernel_event *event);

/**
 * heard_news() - the same as a clause: "eth1 lost its carrier"
 * @event: its rank is not HEARD_NOTHING
 * @text:  @size bytes. Return: @text.
 */
const char *heard_news(const struct engine *engine,
		       const struct kernel_event *event, char *text,
		       size_t size);

/* What is told of a route's event, if anybody wants to know. */
struct heard_route {
	struct ip_prefix prefix;
	struct ip_addr gateway; /* of the first next hop; may be unset */
	char link[LINK_NAME_MAX];
	size_t hops;
	uint32_t table; /* of ours; 0: another one */
	uint32_t port;	/* netlink port of who did it; 0: the kernel */
	bool ours;	/* it has our protocol as well */
	bool deleted;
	bool replaced;
};

/** heard_route() - to be told later: words cost more than the rest of it all */
void heard_route(const struct engine *engine, const struct kernel_event *event,
		 struct heard_route *ret);

/** heard_route_news() - as heard_news() would have told it */
const char *heard_route_news(const struct heard_route *it, char *text,
			     size_t size);

#endif
