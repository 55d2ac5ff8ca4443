/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pattern - ops as messages, many of them much alike.
 *
 * Of many routes, most differ in nothing but their prefix: a message that was
 * encoded is kept, and moved to the next prefix.
 */
#ifndef PATTERN_H
#define PATTERN_H

#include <netlink/msg.h>

#include "core/op.h"

struct patterns;

/** patterns_new() - none is kept yet; patterns_free() it */
struct patterns *patterns_new(void);
void patterns_free(struct patterns *patterns);

/**
 * patterns_begin() - the ops that come now are of this store
 * @protocol: on neighbour entries we make
 *
 * What its numbers mean may have changed since the last time.
 */
void patterns_begin(struct patterns *patterns,
		    const struct attrset_store *attrs, uint8_t protocol);

/**
 * patterns_encode() - @op as a message
 * @msg: room for one, which may be used
 * @ret: the message, till the next call; its sequence number and flags may be
 *	 changed
 *
 * Return: 0, or -errno of encode_op().
 */
int patterns_encode(struct patterns *patterns, const struct op *op,
		    struct nl_msg *msg, struct nlmsghdr **ret);

#endif
