/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * adverts - hears routers, asks them at the start, remembers what they said.
 *
 * Feeds the engine (engine_advert.h) from a raw socket, where we may have one;
 * else only the kernel's own messages tell of routers. On each link that comes
 * up routers are solicited till one answers, three times at most (RFC 4861,
 * 6.3.7), because nobody else may do it for us and the next advertisement can
 * be half an hour away. What was learned is kept in a file beside the control
 * socket, so that a restart changes no cell.
 */
#ifndef ADVERTS_H
#define ADVERTS_H

#include "engine/engine.h"

struct ra_socket;

/* A link on which routers are asked. */
struct advert_link {
	uint32_t ifindex;
	unsigned int asked; /* times */
	uint64_t asked_ms;  /* the first time */
	uint64_t next_ms;   /* when to ask again; 0: no more */
	bool seen;	    /* in the round of adverts_update() under way */
};

VEC(advert_link_vec, struct advert_link);

struct adverts {
	struct ra_socket *socket;     /* NULL: not allowed to have one */
	struct advert_link_vec links; /* those that are asked */
	uint64_t wide;	/* rounds of the engine, when these were looked for */
	char path[128]; /* of the file */
	uint64_t saved_version; /* of the set that is in the file */
	uint64_t saved_ms;
	uint64_t save_ms; /* when news are to be saved; 0: there are none */
};

/** adverts_init() - @path: of the file */
void adverts_init(struct adverts *adverts, const char *path);
void adverts_done(struct adverts *adverts);

/** adverts_fd() - to wait for input; -1: there is no socket */
int adverts_fd(const struct adverts *adverts);

/** adverts_load() - from the file; links must be known */
void adverts_load(struct adverts *adverts, struct engine *engine,
		  uint64_t now_ms);

/** adverts_receive() - take in what is queued, a bounded number of messages */
void adverts_receive(struct adverts *adverts, struct engine *engine,
		     uint64_t now_ms);

/** adverts_update() - ask where it is time to, save what is new */
void adverts_update(struct adverts *adverts, const struct engine *engine,
		    uint64_t now_ms);

/** adverts_next() - when adverts_update() has work by the clock; 0: never */
uint64_t adverts_next(const struct adverts *adverts);

/** adverts_save() - at the end, with the times as they are now */
void adverts_save(struct adverts *adverts, const struct engine *engine,
		  uint64_t now_ms);

/** adverts_forget() - remove the file: nothing of ours is to stay */
void adverts_forget(struct adverts *adverts);

#endif
