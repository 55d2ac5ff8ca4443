/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Questions with one answer: one packet's route, one neighbour, and one whose
 * answer is that there is one.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>

#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

#include "kernel/encode.h"
#include "kernel/sockets.h"

/* Reads the one message that answers. Return: 0, or -errno. */
typedef int take_fn(const struct nlmsghdr *hdr, void *ret);

/* Return: 1 when @hdr was the answer, 0 when it was not, or -errno. */
static int take_reply(const struct kernel *kernel, const struct nlmsghdr *hdr,
		      take_fn *take, void *ret)
{
	int r;

	if (hdr->nlmsg_seq != kernel->asker.sequence)
		return 0;
	r = take(hdr, ret);
	return r ? r : 1;
}

/* Sends kernel->msg; @take gets the answer, be it an NLMSG_ERROR. */
static int ask(struct kernel *kernel, take_fn *take, void *ret)
{
	struct nlmsghdr *hdr;
	int len;
	int r = asker_ask(&kernel->asker, kernel->msg);

	while (!r) {
		len = asker_receive(&kernel->asker);
		if (len < 0)
			return len;
		for (hdr = kernel->buffer; nlmsg_ok(hdr, len) && !r;
		     hdr = nlmsg_next(hdr, &len))
			r = take_reply(kernel, hdr, take, ret);
	}
	if (r < 0)
		return r;
	kernel->asker.unfinished = false;
	return 0;
}

/* --- one packet --- */

static int encode_ports(struct nl_msg *msg,
			const struct kernel_question *question)
{
	if (!question->dport)
		return 0;
	if (nla_put_u8(msg, RTA_IP_PROTO, IPPROTO_TCP) ||
	    nla_put_u16(msg, RTA_SPORT, htons(question->sport)) ||
	    nla_put_u16(msg, RTA_DPORT, htons(question->dport)))
		return -EMSGSIZE;
	return 0;
}

static int encode_question(struct kernel *kernel,
			   const struct kernel_question *question)
{
	const struct ip_addr *src = &question->src;
	const struct ip_addr *dst = &question->dst;
	struct rtmsg info = {
		.rtm_family = dst->family,
		.rtm_dst_len = ip_bits(dst->family),
		.rtm_src_len = ip_addr_is_set(src) ? ip_bits(src->family) : 0,
		.rtm_tos = question->tos,
	};
	int r;

	/* IPv6 names the table in any case, and does not know the flag. */
	if (dst->family == AF_INET)
		info.rtm_flags = RTM_F_LOOKUP_TABLE;
	r = encode_begin(kernel->msg, RTM_GETROUTE, 0, &info, sizeof(info));
	if (!r)
		r = encode_addr(kernel->msg, RTA_DST, dst);
	if (!r && ip_addr_is_set(src))
		r = encode_addr(kernel->msg, RTA_SRC, src);
	if (!r && question->oif &&
	    nla_put_u32(kernel->msg, RTA_OIF, question->oif))
		r = -EMSGSIZE;
	return r ? r : encode_ports(kernel->msg, question);
}

static int take_answer(const struct nlmsghdr *hdr, void *ret)
{
	struct kernel_answer *answer = ret;

	if (hdr->nlmsg_type == RTM_NEWROUTE)
		return decode_answer(hdr, answer);
	if (hdr->nlmsg_type != NLMSG_ERROR)
		return -EBADMSG;
	*answer = (struct kernel_answer){.error = asker_error(hdr, NULL, 0)};
	return 0;
}

int kernel_ask(struct kernel *kernel, const struct kernel_question *question,
	       struct kernel_answer *ret)
{
	int r;

	if (ip_addr_is_set(&question->src) &&
	    question->src.family != question->dst.family)
		return -EINVAL;
	r = encode_question(kernel, question);
	return r ? r : ask(kernel, take_answer, ret);
}

/* --- one neighbour --- */

static int take_mac(const struct nlmsghdr *hdr, void *ret)
{
	struct kernel_mac *mac = ret;
	const struct nlattr *attr;
	struct message message;

	if (hdr->nlmsg_type == NLMSG_ERROR)
		return asker_error(hdr, NULL, 0);
	if (hdr->nlmsg_type != RTM_NEWNEIGH ||
	    message_parse(hdr, sizeof(struct ndmsg), &message))
		return -EBADMSG;
	attr = message.attr[NDA_LLADDR];
	if (!attr)
		return -ENOENT;
	if (nla_len(attr) < 1 || nla_len(attr) > KERNEL_MAC_MAX)
		return -EBADMSG;
	*mac = (struct kernel_mac){.len = (uint8_t)nla_len(attr)};
	memcpy(mac->bytes, nla_data(attr), mac->len);
	return 0;
}

int kernel_ask_neighbour(struct kernel *kernel, uint32_t ifindex,
			 const struct ip_addr *addr, struct kernel_mac *ret)
{
	struct ndmsg info = {
		.ndm_family = addr->family,
		.ndm_ifindex = (int)ifindex,
	};
	int r;

	r = encode_begin(kernel->msg, RTM_GETNEIGH, 0, &info, sizeof(info));
	if (!r)
		r = encode_addr(kernel->msg, NDA_DST, addr);
	return r ? r : ask(kernel, take_mac, ret);
}

/* --- nothing, but in its turn --- */

static int take_any(const struct nlmsghdr *hdr, void *ret)
{
	(void)hdr;
	(void)ret;
	return 0;
}

/*
 * A change of routes or rules is made and told under one lock, which dumps and
 * lookups do without (6.18), but a question for a link takes. Which one, and
 * whether it is there, does not matter.
 */
int kernel_settle(struct kernel *kernel)
{
	struct ifinfomsg info = {.ifi_family = AF_UNSPEC, .ifi_index = 1};
	int r = encode_begin(kernel->msg, RTM_GETLINK, 0, &info, sizeof(info));

	return r ? r : ask(kernel, take_any, NULL);
}
