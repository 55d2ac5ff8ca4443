/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * change - a random host to which something happens, and the ops it takes.
 *
 * The line CHANGE_THEN stands between the lines of the host and those of what
 * happens to it; in between the host was as planned.
 */
#ifndef CHANGE_H
#define CHANGE_H

#include "tests/property/host.h"
#include "tests/property/lookup.h"

#define CHANGE_THEN "# then"

struct change {
	bool meddle; /* others get at our routes and rules, too */
	struct scene scene;
	struct scene_plan plan;
	struct op_vec ops;
	struct kernel before;
	struct kernel after;
	struct kernel now;
	struct kernel moved[2]; /* the old rules, new tables; and vice versa */
	struct addr_vec dsts;
	struct addr_vec srcs; /* own addresses, before and after */
	char why[400];	      /* of the first thing that went wrong */
};

/**
 * change_build() - the scene behind the event, the plan for it, and the ops
 * @change: its @meddle is read, all else made
 *
 * Return: false if the lines cannot be read, as half a host may be.
 */
bool change_build(const struct line_vec *lines, struct change *change);
void change_done(struct change *change);

#endif
