/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/message.h"

#include <errno.h>
#include <string.h>

#include <netlink/attr.h>
#include <netlink/msg.h>

int message_index(const struct nlattr *head, int len,
		  const struct nlattr **table)
{
	const struct nlattr *attr;
	size_t i;
	int left;

	for (i = 0; i < MESSAGE_ATTRS; i++)
		table[i] = NULL;
	nla_for_each_attr(attr, head, len, left) {
		if (nla_type(attr) < MESSAGE_ATTRS)
			table[nla_type(attr)] = attr;
	}
	/* Below zero: only the padding of the last one is missing. */
	return left > 0 ? -EBADMSG : 0;
}

int message_parse(const struct nlmsghdr *hdr, size_t body_len,
		  struct message *ret)
{
	if (!nlmsg_valid_hdr(hdr, (int)body_len))
		return -EBADMSG;

	ret->hdr = hdr;
	ret->body = nlmsg_data(hdr);
	ret->head = nlmsg_attrdata(hdr, (int)body_len);
	ret->len = nlmsg_attrlen(hdr, (int)body_len);
	return message_index(ret->head, ret->len, ret->attr);
}

int message_end(const struct nlmsghdr *hdr)
{
	int error = 0;

	if (nlmsg_valid_hdr(hdr, sizeof(error)))
		memcpy(&error, nlmsg_data(hdr), sizeof(error));
	return error < 0 ? error : 0;
}

static int attr_copy(const struct nlattr *attr, void *ret, size_t len)
{
	if (!attr)
		return 0;
	if ((size_t)nla_len(attr) != len)
		return -EBADMSG;

	memcpy(ret, nla_data(attr), len);
	return 0;
}

int attr_u8(const struct nlattr *attr, uint8_t *ret)
{
	return attr_copy(attr, ret, sizeof(*ret));
}

int attr_u32(const struct nlattr *attr, uint32_t *ret)
{
	return attr_copy(attr, ret, sizeof(*ret));
}

int attr_addr(const struct nlattr *attr, uint8_t family, struct ip_addr *ret)
{
	if (!attr)
		return 0;
	if (nla_len(attr) != ip_bits(family) / 8)
		return -EBADMSG;

	*ret = ip_addr_make(family, nla_data(attr));
	return 0;
}

int attr_prefix(const struct nlattr *attr, uint8_t family, uint8_t len,
		struct ip_prefix *ret)
{
	struct ip_addr addr = {0};

	if (len > ip_bits(family) || attr_addr(attr, family, &addr))
		return -EBADMSG;
	if (len > 0 && !ip_addr_is_set(&addr))
		return -EBADMSG;

	*ret = len > 0 ? ip_prefix_make(&addr, len) : ip_prefix_default(family);
	return 0;
}

int attr_text(const struct nlattr *attr, char *ret, size_t size)
{
	const char *text;
	size_t len;

	if (!attr)
		return 0;
	text = nla_data(attr);
	len = strnlen(text, (size_t)nla_len(attr));
	if (len >= size)
		return -EBADMSG;

	memcpy(ret, text, len);
	ret[len] = '\0';
	return 0;
}
