/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * decode - one rtnetlink message into one kernel event.
 *
 * Pure: no system call, no clock, no state. Nothing in a message is believed
 * before its length is checked; what makes no sense becomes a KERNEL_BAD event
 * and harms nothing else.
 *
 * What of a route message goes where: the key and the bookkeeping into struct
 * route, next hops and the attributes we know into the attrset, everything else
 * as the kernel's own bytes into attrset.extra. Flags that tell of the moment
 * (DEAD, LINKDOWN, OFFLOAD ...) are left out: a route whose next hop is dead is
 * there all the same, and a copy with these flags would be refused.
 */
#ifndef DECODE_H
#define DECODE_H

#include "kernel/kernel.h"
#include "kernel/message.h"

struct decode_context {
	uint32_t table_first; /* our tables; of others only defaults pass */
	uint32_t table_last;
	uint32_t table;	  /* not 0: a dump of this one, which passes in full */
	uint8_t protocol; /* not 0: a dump of its routes, which pass all */
	uint64_t now_ms;  /* CLOCK_MONOTONIC, as is expires_s */
};

/**
 * decode_message() - what @hdr says
 * @hdr: the caller has made sure that nlmsg_len bytes are there
 * @ret: the caller calls decode_done() when this returns true
 *
 * Return: false when it says nothing that concerns us.
 */
bool decode_message(const struct nlmsghdr *hdr,
		    const struct decode_context *context,
		    struct kernel_event *ret);

/** decode_done() - free what the event holds */
void decode_done(struct kernel_event *event);

/**
 * decode_answer() - the reply to an RTM_GETROUTE for one packet
 *
 * Return: 0, or -EBADMSG.
 */
int decode_answer(const struct nlmsghdr *hdr, struct kernel_answer *ret);

/* The parts of decode_message(), by message family. As there: false says
 * nothing, true fills @ret; ret->deleted and ret->port are filled already. */
bool decode_bad(struct kernel_event *ret, const char *why);
bool decode_route(const struct message *message,
		  const struct decode_context *context,
		  struct kernel_event *ret);
bool decode_nduseropt(const struct message *message,
		      const struct decode_context *context,
		      struct kernel_event *ret);
bool decode_rule(const struct message *message,
		 const struct decode_context *context,
		 struct kernel_event *ret);

#endif
