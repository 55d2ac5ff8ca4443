/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Options of router advertisements that the kernel hands on, one to a message:
 * prefixes, and what is for resolvers, which does not concern us.
 */
#include "kernel/decode.h"

#include <netinet/in.h>

#include <linux/rtnetlink.h>

#define TYPE_ADVERT 134 /* of ICMPv6; RFC 4861, 4.2 */

bool decode_nduseropt(const struct message *message,
		      const struct decode_context *context,
		      struct kernel_event *ret)
{
	const struct nduseroptmsg *info = message->body;
	const uint8_t *option = (const uint8_t *)(info + 1);
	struct kernel_advert advert = {
		.ifindex = (uint32_t)info->nduseropt_ifindex,
	};

	(void)context;
	/* Nobody but the kernel has these to tell. */
	if (ret->port != 0 || info->nduseropt_family != AF_INET6 ||
	    info->nduseropt_icmp_type != TYPE_ADVERT ||
	    info->nduseropt_icmp_code != 0)
		return false;
	if (attr_addr(message->attr[NDUSEROPT_SRCADDR], AF_INET6,
		      &advert.router))
		return decode_bad(ret, "router address of wrong length");
	if (info->nduseropt_ifindex <= 0)
		return decode_bad(ret, "router advertisement without a link");
	/* A senseless option is the network's doing, not the kernel's. */
	if (!ip_addr_is_link_local(&advert.router) ||
	    ra_parse_prefix(option, info->nduseropt_opts_len, &advert.prefix))
		return false;

	ret->kind = KERNEL_ADVERT;
	ret->advert = advert;
	return true;
}
