/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/stage.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define HOST                                                                   \
	"link 2 a up\n"                                                        \
	"link 3 b up\n"                                                        \
	"addr 10.1.0.2/24 dev a\n"                                             \
	"addr 10.2.0.2/24 dev b\n"                                             \
	"route 0.0.0.0/0 via 10.1.0.1 dev a metric 1\n"                        \
	"route 0.0.0.0/0 via 10.2.0.1 dev b metric 2\n"                        \
	"route 192.0.2.0/25 via 10.1.0.9 dev a\n"                              \
	"neigh 10.1.0.9 dev a failed\n"

void stage_look(struct stage *stage)
{
	scene_manage(&stage->scene);
	stage->engine.model = stage->scene.model;
	stage->engine.subnets = stage->scene.subnets;
	/* Nothing waits. */
	memset(&stage->engine.model.changes, 0,
	       sizeof(stage->engine.model.changes));
	stage->engine.model.rib.dirty.n = 0;
}

void stage_init(struct stage *stage)
{
	memset(stage, 0, sizeof(*stage));
	scene_make(&stage->scene, HOST);
	stage->engine.policy = &stage->scene.policy;
	stage->us = 1000000;
	stage_look(stage);
	round_init(&stage->round, &stage->engine, stage->us);
}

void stage_done(struct stage *stage)
{
	round_done(&stage->round);
	scene_done(&stage->scene);
}

struct op stage_rule_op(enum op_kind kind)
{
	struct op op = {.kind = kind};

	op.rule = (struct rule){
		.family = AF_INET,
		.priority = 7109,
		.src = scene_prefix("10.1.0.0/24"),
		.dst = scene_prefix("0.0.0.0/0"),
		.table = 7100,
		.action = RULE_ACTION_LOOKUP,
		.protocol = 109,
		.iif_lo = true,
		.suppress_len = -1,
	};
	return op;
}

struct kernel_event stage_link_event(const char *name, uint32_t ifindex,
				     bool up, bool carrier)
{
	struct kernel_event event = {.kind = KERNEL_LINK};

	event.link =
		(struct link){.ifindex = ifindex, .up = up, .carrier = carrier};
	(void)snprintf(event.link.name, sizeof(event.link.name), "%s", name);
	return event;
}

struct kernel_event stage_route_event(const char *prefix, uint32_t table,
				      uint32_t port)
{
	const struct next_hop hop = {.ifindex = 2,
				     .gateway = scene_addr("10.1.0.1")};
	struct kernel_event event = {.kind = KERNEL_ROUTE, .port = port};

	event.route.prefix = scene_prefix(prefix);
	event.route.route.table = table;
	event.route.route.protocol = table == 254 ? 3 : 109;
	attrset_init(&event.route.set, AF_INET, ATTRSET_UNICAST);
	attrset_add_hop(&event.route.set, &hop, NULL, 0);
	return event;
}
