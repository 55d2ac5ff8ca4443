/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * repeat - route messages of a dump that say what another one said already, for
 * another destination.
 *
 * Most routes of a large table differ in nothing else, so such a message need
 * not be taken apart. Pure: what comes out is what decode_message() makes of
 * it.
 */
#ifndef REPEAT_H
#define REPEAT_H

#include "kernel/decode.h"

#define REPEAT_KEPT  8
#define REPEAT_BYTES 256 /* a longer message is taken apart each time */

/* One message and what it meant. */
struct repeat_pattern {
	size_t len;    /* 0: none */
	size_t dst_at; /* where the destination's attribute begins */
	size_t dst_end;
	uint8_t bytes[REPEAT_BYTES];
	struct kernel_event event; /* owned */
};

/* Zeroed is empty. Of one dump: the context is the same for all of it. */
struct repeat {
	struct repeat_pattern kept[REPEAT_KEPT];
	size_t next;		   /* to be replaced */
	struct kernel_event other; /* the last one that is not kept; owned */
	bool has_other;
};

/**
 * repeat_decode() - as decode_message(), but for who frees the event
 *
 * Return: borrowed till the next call; NULL: it says nothing.
 */
const struct kernel_event *repeat_decode(struct repeat *repeat,
					 const struct nlmsghdr *hdr,
					 const struct decode_context *context);

/** repeat_done() - frees; may run twice */
void repeat_done(struct repeat *repeat);

#endif
