/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * message - a checked view of one netlink message.
 *
 * message_parse() finds the family's header and the attributes, and refuses a
 * message whose lengths do not fit; the attr_ functions check the length of one
 * attribute. After that nothing can be read that is not there. Pure: the view
 * borrows the message's bytes.
 */
#ifndef MESSAGE_H
#define MESSAGE_H

#include <netlink/netlink.h>

#include "core/ip.h"

#define MESSAGE_ATTRS 64 /* types from here on are only in the list */

struct message {
	const struct nlmsghdr *hdr;
	const void *body;	   /* the family's own header */
	const struct nlattr *head; /* all attributes, as they came */
	int len;		   /* of them, in bytes */
	const struct nlattr *attr[MESSAGE_ATTRS]; /* by type; the last wins */
};

/**
 * message_parse() - the parts of @hdr
 * @hdr:      the caller has made sure that nlmsg_len bytes are there
 * @body_len: bytes of the family's own header
 *
 * Return: 0, or -EBADMSG (@ret is undefined then).
 */
int message_parse(const struct nlmsghdr *hdr, size_t body_len,
		  struct message *ret);

/**
 * message_end() - what an NLMSG_DONE says of the dump that it ends
 *
 * A dump that fails, at once or half way, ends with the error in there.
 * Return: 0: that was all; or -errno.
 */
int message_end(const struct nlmsghdr *hdr);

/**
 * message_index() - attributes of a list by type
 * @head:  the list, @len bytes long
 * @table: MESSAGE_ATTRS pointers; NULL for a type that is not in the list
 *
 * Return: 0, or -EBADMSG.
 */
int message_index(const struct nlattr *head, int len,
		  const struct nlattr **table);

/**
 * attr_u8() and so on - the value of an attribute
 * @attr: NULL: not there; @ret stays as it is
 *
 * Return: 0, or -EBADMSG when its length is wrong.
 */
int attr_u8(const struct nlattr *attr, uint8_t *ret);
int attr_u32(const struct nlattr *attr, uint32_t *ret);
int attr_addr(const struct nlattr *attr, uint8_t family, struct ip_addr *ret);

/**
 * attr_prefix() - the first @len bits of the address in @attr
 * @attr: may be missing only if @len is 0
 * @ret:  always set on success: without bits it is the default prefix
 *
 * Return: 0, or -EBADMSG.
 */
int attr_prefix(const struct nlattr *attr, uint8_t family, uint8_t len,
		struct ip_prefix *ret);

/** attr_text() - as above; @ret: @size bytes, always terminated */
int attr_text(const struct nlattr *attr, char *ret, size_t size);

#endif
