/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * agree - whether the kernel under our plan does what the draft says, on a host
 * that is given as lines.
 *
 * The two properties of a plan, for random hosts (prop_plan.c) and for hosts of
 * random bytes (tests/fuzz/fuzz_plan.c).
 */
#ifndef AGREE_H
#define AGREE_H

#include "core/forward.h"
#include "tests/property/host.h"
#include "tests/property/lookup.h"

/*
 * What the packets met. A generator that no longer makes some kind of host
 * would leave the test green and empty, so each of these must turn up.
 */
enum met {
	MET_NO_ROUTE,
	MET_WEAK,
	MET_STRONG,
	MET_CONGRUENT,
	MET_MULTIPATH,
	MET_REJECT,
	MET_TOS,
	MET_UNUSABLE,
	MET_LOCAL_LINK,
	MET_KINDS,
};

extern size_t agree_met[MET_KINDS];

/* A scene with the kernel as it is once the plan is carried out. */
struct world {
	struct scene scene;
	struct scene_plan plan;
	struct kernel kernel;
	struct view view;
	char why[256]; /* of the first disagreement */
};

/**
 * agree_disagrees() - the kernel sends a packet elsewhere than the draft says
 * @context: struct world; says why
 *
 * A host_fails, as the next one.
 */
bool agree_disagrees(const struct line_vec *lines, void *context);

/** agree_is_broken() - the plan is not sorted, not sound, or not safe */
bool agree_is_broken(const struct line_vec *lines, void *context);

#endif
