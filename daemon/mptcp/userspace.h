/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * userspace - the path manager in this daemon, between kernel and manager.h.
 *
 * Only while the config asks for it: it sets net.mptcp.path_manager, listens to
 * the kernel's events, and carries out what manager_plan() says once routing is
 * in place. Connections that began under another path manager are left to it.
 */
#ifndef USERSPACE_H
#define USERSPACE_H

#include "core/manager.h"
#include "engine/engine.h"
#include "kernel/mptcp_listener.h"
#include "kernel/mptcp_subflow.h"
#include "mptcp/attempt.h"
#include "mptcp/setting.h"

struct userspace {
	struct manager manager;
	struct mptcp *mptcp;		 /* NULL: not on */
	struct mptcp_listener *listener; /* so is this */
	struct setting setting;
	const struct policy *policy; /* that was acted on last */
	bool lost;		     /* events were: look at all sockets */
	uint64_t look_ms;	     /* not before; 0: it did not fail */
	struct attempt start;
	struct {
		uint64_t opened; /* since the start */
		uint64_t closed;
		uint64_t rejected;
		uint64_t errors;
		uint64_t lost; /* times that events were */
	} counts;
};

/** userspace_init() - @path: of the file that remembers the sysctl */
void userspace_init(struct userspace *userspace, const char *path);
void userspace_done(struct userspace *userspace);

/** userspace_fd() - to wait for input; -1: it is not on */
int userspace_fd(const struct userspace *userspace);

/** userspace_receive() - take in what is queued */
void userspace_receive(struct userspace *userspace, uint64_t now_ms);

/** userspace_mark() - a round is about to be written: whom it concerns */
void userspace_mark(struct userspace *userspace, const struct engine *engine);

/** userspace_update() - when the kernel is as planned: do what is due */
void userspace_update(struct userspace *userspace, const struct engine *engine,
		      uint64_t now_ms);

/** userspace_next() - when there is work by the clock; 0: never */
uint64_t userspace_next(const struct userspace *userspace);

/** userspace_stop() - listen no more, and put the sysctl back */
void userspace_stop(struct userspace *userspace);

#endif
