/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * encode - one op into one rtnetlink message.
 *
 * Pure, and the inverse of decode: a route that is put and then read back has
 * an equal attrset. Only what one of our entries may have can be written; what
 * cannot be said exactly is refused, never said by half.
 */
#ifndef ENCODE_H
#define ENCODE_H

#include <netlink/msg.h>

#include "core/op.h"

/**
 * encode_op() - @op as a message; flags set but for NLM_F_ACK
 * @attrs:    holds the attributes of a route
 * @protocol: our mark, for neighbour entries; routes and rules carry theirs
 * @msg:      overwritten from its start; sequence and port are the caller's
 *
 * Return: 0, -EMSGSIZE when it does not fit into @msg, or -EOPNOTSUPP when an
 * entry of ours cannot have what @op asks for.
 */
int encode_op(const struct op *op, const struct attrset_store *attrs,
	      uint8_t protocol, struct nl_msg *msg);

/**
 * encode_move() - the message of a route op becomes that for @prefix
 * @hdr: of an op whose prefix is of the same family; like @prefix no default
 *
 * Nothing else differs between the messages for two prefixes.
 */
void encode_move(struct nlmsghdr *hdr, const struct ip_prefix *prefix);

/**
 * encode_begin() - start a message with @body as its family's header
 *
 * Return: 0 or -EMSGSIZE.
 */
int encode_begin(struct nl_msg *msg, int type, int flags, void *body,
		 size_t body_len);

/** encode_addr() - append an address as attribute @type; 0 or -EMSGSIZE */
int encode_addr(struct nl_msg *msg, int type, const struct ip_addr *addr);

#endif
