/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/kernel.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>

#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/socket.h>

#include "kernel/filter.h"
#include "kernel/sockets.h"

/* Room for any one message we write; a batch has a limit of its own. */
#define MESSAGE_MAX 16384

static const int groups[] = {
	RTNLGRP_LINK,
	RTNLGRP_NEIGH,
	RTNLGRP_NEXTHOP,
	RTNLGRP_IPV4_IFADDR,
	RTNLGRP_IPV4_ROUTE,
	RTNLGRP_IPV4_RULE,
	RTNLGRP_IPV6_IFADDR,
	RTNLGRP_IPV6_ROUTE,
	RTNLGRP_IPV6_RULE,
	RTNLGRP_ND_USEROPT,
	0,
};

int sockets_attach(struct kernel *kernel)
{
	struct filter filter = {
		.protocol = kernel->config.protocol,
		.recovery = kernel->recovery,
		.table_first = kernel->config.table_first,
		.table_last = kernel->config.table_last,
	};

	filter.own_ports[0] = asker_port(&kernel->asker);
	for (size_t i = 1; i < FILTER_PORTS; i++)
		filter.own_ports[i] = aside_port(kernel->aside, i - 1);
	return filter_attach(kernel->listener, &filter);
}

static int open_sockets(struct kernel *kernel)
{
	int r;

	r = asker_open(&kernel->asker, kernel->buffer);
	if (r)
		return r;
	r = nl_sock_open(NETLINK_ROUTE, &kernel->listener);
	if (r)
		return r;
	/* The filter first, or something unwanted is queued before it. */
	r = sockets_attach(kernel);
	if (r)
		return r;
	return nl_sock_listen(kernel->listener, groups);
}

int kernel_open(const struct kernel_config *config, struct kernel **ret)
{
	struct kernel *kernel = xalloc(sizeof(*kernel));
	int r;

	kernel->config = *config;
	kernel->buffer = xalloc(NL_SOCK_BUFFER);
	kernel->patterns = patterns_new();
	kernel->aside = aside_new(kernel);
	kernel->msg = nlmsg_alloc_size(MESSAGE_MAX);
	r = kernel->msg ? open_sockets(kernel) : -ENOMEM;
	if (r) {
		kernel_free(kernel);
		return r;
	}
	*ret = kernel;
	return 0;
}

void kernel_free(struct kernel *kernel)
{
	if (!kernel)
		return;
	aside_free(kernel->aside);
	nl_sock_free(kernel->listener);
	asker_close(&kernel->asker);
	if (kernel->msg)
		nlmsg_free(kernel->msg);
	free(kernel->buffer);
	patterns_free(kernel->patterns);
	job_done(&kernel->job);
	free(kernel);
}

void kernel_configure(struct kernel *kernel, const struct kernel_config *config)
{
	kernel->config = *config;
	/* If this fails the old filter stays: at most it passes too much. */
	(void)sockets_attach(kernel);
}

int kernel_fd(const struct kernel *kernel)
{
	return nl_socket_get_fd(kernel->listener);
}

int kernel_watch_recovery(struct kernel *kernel, bool wanted)
{
	int r;

	if (kernel->recovery == wanted)
		return 0;
	kernel->recovery = wanted;
	r = sockets_attach(kernel);
	if (r)
		kernel->recovery = !wanted;
	return r;
}

void kernel_drop_adverts(struct kernel *kernel)
{
	(void)nl_socket_drop_membership(kernel->listener, RTNLGRP_ND_USEROPT);
}

static void pass_on(struct kernel *kernel, int len, kernel_event_fn *fn,
		    void *data)
{
	const struct decode_context context = sockets_context(kernel, 0);
	struct nlmsghdr *hdr = kernel->buffer;
	struct kernel_event event;

	for (; nlmsg_ok(hdr, len); hdr = nlmsg_next(hdr, &len)) {
		if (!decode_message(hdr, &context, &event))
			continue;
		fn(&event, data);
		decode_done(&event);
	}
}

int kernel_listen(struct kernel *kernel, size_t max, kernel_event_fn *fn,
		  void *data)
{
	const struct kernel_event lost = {.kind = KERNEL_LOST};
	size_t n;
	int len;

	for (n = 0; n < max; n++) {
		len = nl_sock_receive(kernel->listener, kernel->buffer, false);
		if (len == 0)
			break;
		if (len == -ENOBUFS)
			fn(&lost, data);
		else if (len < 0)
			return len;
		else
			pass_on(kernel, len, fn, data);
	}
	return (int)n;
}

/* --- shared with kernel_read.c --- */

struct decode_context sockets_context(const struct kernel *kernel,
				      uint32_t table)
{
	struct timespec now = {0};

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (struct decode_context){
		.table_first = kernel->config.table_first,
		.table_last = kernel->config.table_last,
		.table = table,
		.now_ms = (uint64_t)now.tv_sec * 1000 +
			  (uint64_t)now.tv_nsec / 1000000,
	};
}
