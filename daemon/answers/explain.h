/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * explain - why a packet goes where it goes.
 *
 * Tells the story of forward_pick(), the draft's procedure word for word, and
 * puts the kernel's own answer beside it.
 */
#ifndef EXPLAIN_H
#define EXPLAIN_H

#include "core/subnet.h"
#include "kernel/kernel.h"

struct json_object;
struct server_call;

/* What is asked. */
struct explain_question {
	struct ip_addr source; /* not set: of an unbound socket */
	struct ip_addr destination;
	uint8_t tos;
	uint32_t dev;	  /* ifindex a socket is bound to; 0: none */
	uint32_t without; /* ifindex to be thought of as down; 0: none */
	bool mptcp;	  /* what another subflow would be, too */
	uint64_t now_ms;  /* when; for spans in the reply */
};

/* What the kernel says to it; NULL: it was not or could not be asked. */
struct explain_kernel {
	/* For the source as asked, or the one chosen for an unbound socket. */
	const struct kernel_answer *answer;
	/*
	 * For an unbound source: the first lookup, which chooses the source.
	 * IPv6 keeps it, so there @answer is the same one.
	 */
	const struct kernel_answer *unbound;
};

/**
 * explain_source() - the source address an unbound socket would likely get
 * @view: as if the change were made
 *
 * For questions the kernel cannot answer. The preferred source of the route
 * that table main has, or the best address on its link.
 * Return: false when there is none, or several that may be.
 */
bool explain_source(const struct view *view, const struct ip_addr *dst,
		    struct ip_addr *ret);

/**
 * explain_json() - the parameters of a reply to Explain
 * @view:     where @question->without is set: as if that link were down
 * @question: with the source that is explained, if there is any
 * @unbound:  the source was not given, but chosen
 *
 * Pure. Return: a new object.
 */
struct json_object *explain_json(const struct view *view,
				 const struct explain_question *question,
				 const struct explain_kernel *kernel,
				 bool unbound);

/* The method. */
void explain_handle(struct server_call *call, struct json_object *parameters,
		    void *data);

#endif
