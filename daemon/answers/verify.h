/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * verify - does the kernel do what the draft's rules say?
 *
 * For every managed subnet and every prefix the kernel is asked (RTM_GETROUTE)
 * where a packet would go, and the answer is compared with forward_pick(), the
 * draft's procedure word for word: not with our plan, so that a mistake there
 * shows as well. A slice at a time; the model may change in between. What
 * disagrees is asked again at the end, when the kernel's messages are taken in,
 * so that a change that was under way is no finding. Last, since all of this is
 * judged by what the daemon knows of table main, main is read once more: it has
 * to bring no news.
 *
 *	asking    verify_step() goes through prefixes and subnets
 *	doubting  what disagreed is asked again
 *	reading   table main is read: what differs from the model was unheard
 *	done      verify_step() returns 0, from then on
 */
#ifndef VERIFY_H
#define VERIFY_H

#include "engine/engine.h"

struct json_object;
struct server_call;
struct verify;

/* How far it is. */
struct verify_count {
	uint64_t asked;
	uint64_t total; /* an estimate until it is done */
	uint64_t local; /* answered from table local: left out */
	size_t found;	/* disagreements and unheard; 0 until it is done */
};

/** verify_new() - @engine: borrowed until verify_free() */
struct verify *verify_new(struct engine *engine, uint64_t now_ms);
void verify_free(struct verify *verify);

/**
 * verify_step() - ask about @questions more
 *
 * From doubting on it takes in the kernel's messages (engine_listen()), and
 * expects that engine_run() is called between two steps if it is pending.
 *
 * Return: 1 there is more to do; 0 it is done; or -errno: the kernel cannot be
 * asked.
 */
int verify_step(struct verify *verify, unsigned int questions, uint64_t now_ms);

struct verify_count verify_count(const struct verify *verify);

/** verify_json() - the parameters of a reply to Verify; a new object */
struct json_object *verify_json(const struct verify *verify, uint64_t now_ms);

/* The method. */
void verify_handle(struct server_call *call, struct json_object *parameters,
		   void *data);

#endif
