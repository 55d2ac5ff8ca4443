/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pin_story - flows from A over the first uplink, and what may displace them.
 */
#ifndef PIN_STORY_H
#define PIN_STORY_H

#include "tests/engine/story.h"
#include "tests/engine/world.h"

// clang-format off
#define A "192.0.2.2"
#define B "203.0.113.9"
#define C "203.0.113.77"
#define VIA_1 "via 192.0.2.1 dev d1"
#define VIA_OTHER "via 192.0.2.9 dev d1"
#define VIA_2 "via 198.51.100.1 dev d2"
#define MOVED "-7100 0.0.0.0/0 " VIA_1 "\n7100 0.0.0.0/0 " VIA_OTHER "\n"
#define ROUTERS STORY_ROUTERS \
	"neigh replace 192.0.2.9 dev d1 lladdr 02:00:00:00:00:09 nud reachable"
#define BETTER "route add 0.0.0.0/0 " VIA_OTHER " metric 50"
#define LOST "-7100 0.0.0.0/0 " VIA_1 "\n7100 0.0.0.0/0 " VIA_2 "\n"
#define LOSE "route del 0.0.0.0/0 " VIA_1 " metric 100"
#define RETURN "route add 0.0.0.0/0 " VIA_1 " metric 100"
#define UNRELATED "route add 0.0.0.0/0 via 198.51.100.77 dev d2 metric 900"
#define UNRULE "rule del priority 7109 from 192.0.2.0/24 iif lo lookup 7100 " \
	"proto 109"
// clang-format on

/* Routes go at once: what happens while they settle is tested elsewhere. */
static inline void begin(struct world *world)
{
	world->policy.settle_ms = 0;
	world_do(STORY_V4);
	world_start(world);
	world_must_hold(world, STORY_HELD4, "");
}

#endif
