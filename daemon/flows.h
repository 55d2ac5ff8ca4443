/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * flows - where the engine's pins learn of TCP connections.
 *
 * Lists them when the engine asks, and while there are pins passes on which
 * connections have ended. What the kernel cannot hold, holds and displaced
 * flows, is kept in a file beside the control socket, so that a restart moves
 * no flow.
 */
#ifndef FLOWS_H
#define FLOWS_H

#include "engine/engine.h"

struct flow_socket;

struct flows {
	struct flow_socket *socket; /* NULL: this kernel cannot list them */
	struct engine *engine;	    /* set by flows_start(); borrowed */
	char path[128];		    /* of the file */
	uint64_t saved_version;	    /* of the pins whose state is in the file */
	bool saved;		    /* the file is there */
	uint64_t save_ms; /* when it is tried again; 0: it is as it is to be */
};

/** flows_init() - @path: of the file */
void flows_init(struct flows *flows, const char *path);
void flows_done(struct flows *flows);

/** flows_start() - let @engine ask, and tell it what the file says */
void flows_start(struct flows *flows, struct engine *engine, uint64_t now_ms);

/** flows_fd() - to wait for input; -1: nothing is waited for now */
int flows_fd(const struct flows *flows);

/** flows_receive() - take in what is queued, a bounded number of messages */
void flows_receive(struct flows *flows, uint64_t now_ms);

/** flows_update() - after each round: listen or not, save what is new */
void flows_update(struct flows *flows, uint64_t now_ms);

/** flows_next() - when flows_update() has work by the clock; 0: never */
uint64_t flows_next(const struct flows *flows);

/** flows_forget() - remove the file: nothing of ours is to stay */
void flows_forget(struct flows *flows);

#endif
