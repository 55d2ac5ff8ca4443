/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * stage - an engine that has no kernel, the round of work that watches it, and
 * events and ops made up for them.
 *
 * The host has 10.1.0.2/24 on a (link 2), in table 7100, with the default via
 * 10.1.0.1, and 10.2.0.2/24 on b (link 3), in table 7101, with one via 10.2.0.1
 * that is second. A third router, 10.1.0.9 on a, does not answer.
 */
#ifndef STAGE_H
#define STAGE_H

#include "round/round.h"
#include "tests/unit/scene.h"

/* The engine's model, policy and subnets are the scene's. */
struct stage {
	struct scene scene;
	struct engine engine;
	struct round round;
	uint64_t us; /* the time */
};

/** stage_init() - the host, in its round of the start; nothing waits */
void stage_init(struct stage *stage);
void stage_done(struct stage *stage);

/**
 * stage_look() - the engine sees what the scene has become since
 *
 * And nothing waits: it is steady unless a test says otherwise.
 */
void stage_look(struct stage *stage);

/** stage_rule_op() - the rule of 10.1.0.0/24 */
struct op stage_rule_op(enum op_kind kind);

struct kernel_event stage_link_event(const char *name, uint32_t ifindex,
				     bool up, bool carrier);

/** stage_route_event() - via 10.1.0.1; free with attrset_done() of its set */
struct kernel_event stage_route_event(const char *prefix, uint32_t table,
				      uint32_t port);

#endif
