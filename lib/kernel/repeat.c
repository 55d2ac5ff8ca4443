/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/repeat.h"

#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>

/* Of a route message, the one byte before its attributes that may differ. */
#define DST_LEN_AT (NLMSG_HDRLEN + offsetof(struct rtmsg, rtm_dst_len))

static bool is_route(const struct nlmsghdr *hdr)
{
	const struct rtmsg *info = nlmsg_data(hdr);

	return (hdr->nlmsg_type == RTM_NEWROUTE ||
		hdr->nlmsg_type == RTM_DELROUTE) &&
	       nlmsg_valid_hdr(hdr, sizeof(*info)) && info->rtm_dst_len > 0;
}

static bool is_same(const struct repeat_pattern *pattern,
		    const struct nlmsghdr *hdr, size_t begin, size_t end)
{
	return memcmp(pattern->bytes + begin, (const uint8_t *)hdr + begin,
		      end - begin) == 0;
}

/* What stands behind the destination differs most often, and comes first. */
static bool fits(const struct repeat_pattern *pattern,
		 const struct nlmsghdr *hdr)
{
	return pattern->len == hdr->nlmsg_len &&
	       is_same(pattern, hdr, pattern->dst_end, pattern->len) &&
	       is_same(pattern, hdr, 0, DST_LEN_AT) &&
	       is_same(pattern, hdr, DST_LEN_AT + 1,
		       pattern->dst_at + sizeof(struct nlattr));
}

/* Return: the event for this destination; NULL: it makes no sense. */
static const struct kernel_event *move(struct repeat_pattern *pattern,
				       const struct nlmsghdr *hdr)
{
	const struct rtmsg *info = nlmsg_data(hdr);
	const struct nlattr *dst =
		(const struct nlattr *)((const uint8_t *)hdr + pattern->dst_at);

	if (attr_prefix(dst, info->rtm_family, info->rtm_dst_len,
			&pattern->event.route.prefix))
		return NULL;
	return &pattern->event;
}

static void forget(struct repeat_pattern *pattern)
{
	if (pattern->len)
		decode_done(&pattern->event);
	pattern->len = 0;
}

/* Return: whether @event, which it takes over then, can serve for others. */
static bool keep(struct repeat *repeat, const struct nlmsghdr *hdr,
		 const struct kernel_event *event)
{
	struct repeat_pattern *pattern = &repeat->kept[repeat->next];
	const struct nlattr *dst;

	if (event->kind != KERNEL_ROUTE || !is_route(hdr) ||
	    hdr->nlmsg_len > sizeof(pattern->bytes))
		return false;
	dst = nla_find(nlmsg_attrdata(hdr, sizeof(struct rtmsg)),
		       nlmsg_attrlen(hdr, sizeof(struct rtmsg)), RTA_DST);
	if (!dst)
		return false;
	forget(pattern);
	repeat->next = (repeat->next + 1) % REPEAT_KEPT;
	memcpy(pattern->bytes, hdr, hdr->nlmsg_len);
	pattern->len = hdr->nlmsg_len;
	pattern->dst_at = (size_t)((const uint8_t *)dst - (const uint8_t *)hdr);
	pattern->dst_end = pattern->dst_at + dst->nla_len;
	pattern->event = *event;
	return true;
}

const struct kernel_event *repeat_decode(struct repeat *repeat,
					 const struct nlmsghdr *hdr,
					 const struct decode_context *context)
{
	const struct kernel_event *known = NULL;

	if (repeat->has_other)
		decode_done(&repeat->other);
	repeat->has_other = false;
	for (size_t i = 0; i < REPEAT_KEPT && !known && is_route(hdr); i++)
		if (fits(&repeat->kept[i], hdr))
			known = move(&repeat->kept[i], hdr);
	if (known)
		return known;
	repeat->has_other = decode_message(hdr, context, &repeat->other);
	if (!repeat->has_other)
		return NULL;
	repeat->has_other = !keep(repeat, hdr, &repeat->other);
	return &repeat->other;
}

void repeat_done(struct repeat *repeat)
{
	for (size_t i = 0; i < REPEAT_KEPT; i++)
		forget(&repeat->kept[i]);
	if (repeat->has_other)
		decode_done(&repeat->other);
	repeat->has_other = false;
}
