/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * endpoints - the kernel's MPTCP endpoints follow routing.
 *
 * Strict order: table, rule, address usable, then the endpoint; and backwards:
 * the endpoint goes before the rule that its subflows need. When a path is gone
 * but its address is there, the endpoint waits for pinning.hold_ms: deleting it
 * closes its subflows, the first one of a connection too. So it also stays
 * while a connection would have no subflow left. Ours are remembered in a file
 * beside the control socket; what others added is left alone.
 *
 *	wanted  endpoint_build() has it
 *	waits   its path is gone; to go when hold_ms are over
 *	goes    its address, rule or permission is gone: deleted at once
 *	kept    to go, when no connection has all its subflows from it
 */
#ifndef ENDPOINTS_H
#define ENDPOINTS_H

#include "engine/engine.h"
#include "mptcp/attempt.h"
#include "mptcp/limits.h"
#include "mptcp/refusals.h"

/* One of ours. */
struct own_endpoint {
	struct endpoint endpoint;
	uint64_t lost_ms; /* since when its path is gone; 0: it is there */
	bool kept;	  /* it is to go, but a connection depends on it */
};

VEC(own_endpoint_vec, struct own_endpoint);

struct endpoints {
	struct mptcp *mptcp;	/* NULL: it is not open */
	struct attempt opening; /* its error is -ENOENT: there is no MPTCP */
	struct own_endpoint_vec ours;
	struct refusal_vec refusals;
	char path[128]; /* of the file */
	struct limits limits;
	const struct policy *policy; /* that was acted on last */
	uint64_t wide;	  /* rounds of the engine, when it was looked at last */
	uint64_t next_ms; /* when there is work by the clock; 0: none */
	uint64_t save_ms; /* when the file is tried again; 0: it is written */
	uint64_t added;	  /* since the start */
	uint64_t removed;
	uint64_t errors;
};

/**
 * endpoints_init() - those of an earlier life are known from its file
 * @path: of the file
 *
 * Return: 0; -ENOENT: this kernel has no MPTCP: nothing of the below does
 * anything; or -errno, which was logged: endpoints_update() tries again.
 */
int endpoints_init(struct endpoints *endpoints, const char *path,
		   uint64_t now_ms);
void endpoints_done(struct endpoints *endpoints);

/**
 * endpoints_withdraw() - delete those that may not stay
 *
 * Also between a plan and its writes: rules that go are still there then.
 */
void endpoints_withdraw(struct endpoints *endpoints,
			const struct engine *engine, uint64_t now_ms);

/** endpoints_update() - when the kernel is as planned: add what is missing */
void endpoints_update(struct endpoints *endpoints, const struct engine *engine,
		      uint64_t now_ms);

/** endpoints_next() - when there is work by the clock; 0: never */
uint64_t endpoints_next(const struct endpoints *endpoints);

/**
 * endpoints_remove() - all of ours, and the limits are put back
 *
 * Those that connections depend on stay, and stay ours for the next start.
 */
void endpoints_remove(struct endpoints *endpoints, uint64_t now_ms);

/**
 * endpoints_flush() - the same, whatever depends on them
 *
 * After endpoints_init() returned 0.
 * Return: 0, or -errno: some could not be, or the limits, which was logged;
 * they stay in the file.
 */
int endpoints_flush(struct endpoints *endpoints, uint64_t now_ms);

/** endpoints_wanted() - those there shall be; @ret: appended, without ids */
void endpoints_wanted(const struct endpoints *endpoints,
		      const struct engine *engine, struct endpoint_vec *ret);

#endif
