/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>

#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>

#include "kernel/encode.h"
#include "kernel/message.h"
#include "kernel/repeat.h"
#include "kernel/sockets.h"

/* Of a dump during which others make changes again and again. */
#define TRIES 20

/* --- questions --- */

/* IFLA_STATS and the like make most of a link message, and we skip them. */
static int ask_links(struct kernel *kernel, const struct kernel_read *what)
{
	struct ifinfomsg info = {
		.ifi_family = AF_UNSPEC,
		.ifi_index = (int)what->ifindex,
	};
	int r;

	/* What asks for one link is no dump: an ack is its end. */
	r = encode_begin(kernel->msg, RTM_GETLINK,
			 what->ifindex ? NLM_F_ACK : NLM_F_DUMP, &info,
			 sizeof(info));
	if (r)
		return r;
	if (nla_put_u32(kernel->msg, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS))
		return -EMSGSIZE;
	return 0;
}

static int ask_addresses(struct kernel *kernel, const struct kernel_read *what)
{
	struct ifaddrmsg info = {.ifa_family = what->family};

	return encode_begin(kernel->msg, RTM_GETADDR, NLM_F_DUMP, &info,
			    sizeof(info));
}

static int ask_routes(struct kernel *kernel, const struct kernel_read *what)
{
	struct rtmsg info = {
		.rtm_family = what->family,
		.rtm_protocol = what->protocol,
	};
	int r;

	r = encode_begin(kernel->msg, RTM_GETROUTE, NLM_F_DUMP, &info,
			 sizeof(info));
	if (r)
		return r;
	if (what->table && nla_put_u32(kernel->msg, RTA_TABLE, what->table))
		return -EMSGSIZE;
	if (what->ifindex && nla_put_u32(kernel->msg, RTA_OIF, what->ifindex))
		return -EMSGSIZE;
	return 0;
}

static int ask_rules(struct kernel *kernel, const struct kernel_read *what)
{
	struct fib_rule_hdr info = {.family = what->family};

	return encode_begin(kernel->msg, RTM_GETRULE, NLM_F_DUMP, &info,
			    sizeof(info));
}

static int ask_neighbours(struct kernel *kernel, const struct kernel_read *what)
{
	struct ndmsg info = {.ndm_family = what->family};

	return encode_begin(kernel->msg, RTM_GETNEIGH, NLM_F_DUMP, &info,
			    sizeof(info));
}

static const struct {
	enum kernel_event_kind what;
	int (*ask)(struct kernel *kernel, const struct kernel_read *what);
} questions[] = {
	{KERNEL_LINK, ask_links},	    {KERNEL_ADDRESS, ask_addresses},
	{KERNEL_ROUTE, ask_routes},	    {KERNEL_RULE, ask_rules},
	{KERNEL_NEIGHBOUR, ask_neighbours},
};

static int encode_question(struct kernel *kernel,
			   const struct kernel_read *what)
{
	size_t i;

	for (i = 0; i < sizeof(questions) / sizeof(questions[0]); i++) {
		if (questions[i].what == what->what)
			return questions[i].ask(kernel, what);
	}
	return -EINVAL;
}

/* Sends kernel->msg as the next question. */
/* --- dumps --- */

struct dump {
	struct kernel *kernel;
	struct decode_context context;
	struct repeat repeat;
	kernel_event_fn *fn;
	void *data;
	/* Messages not passed on yet. Not of routes: there can be a million. */
	bool hold;
	struct byte_vec held;
	size_t parts; /* how many datagrams they came in */
	bool interrupted;
	bool ended;
	int error;
};

static void pass_on(struct dump *dump, const struct nlmsghdr *hdr)
{
	const struct kernel_event *event =
		repeat_decode(&dump->repeat, hdr, &dump->context);

	if (event)
		dump->fn(event, dump->data);
}

static void hold(struct byte_vec *held, const struct nlmsghdr *hdr)
{
	size_t len = NLMSG_ALIGN(hdr->nlmsg_len);

	if (held->n + len > held->cap)
		vec_reserve(held, 2 * (held->n + len));
	memset(held->items + held->n, 0, len);
	memcpy(held->items + held->n, hdr, hdr->nlmsg_len);
	held->n += len;
}

static void pass_on_held(struct dump *dump)
{
	const struct nlmsghdr *hdr;
	size_t at;

	for (at = 0; at < dump->held.n; at += NLMSG_ALIGN(hdr->nlmsg_len)) {
		hdr = (const struct nlmsghdr *)(dump->held.items + at);
		pass_on(dump, hdr);
	}
}

static void take_message(struct dump *dump, struct nlmsghdr *hdr)
{
	/* What answers an earlier question that timed out is not ours. */
	if (hdr->nlmsg_seq != dump->kernel->asker.sequence || dump->ended)
		return;
	if (hdr->nlmsg_flags & NLM_F_DUMP_INTR)
		dump->interrupted = true;
	if (hdr->nlmsg_type == NLMSG_ERROR || hdr->nlmsg_type == NLMSG_DONE) {
		dump->ended = true;
		dump->error = hdr->nlmsg_type == NLMSG_DONE
				      ? message_end(hdr)
				      : asker_error(hdr, NULL, 0);
	} else if (dump->hold) {
		hdr->nlmsg_seq = 0; /* to compare one dump with the next */
		hold(&dump->held, hdr);
	} else {
		pass_on(dump, hdr);
	}
}

static int read_dump(struct dump *dump)
{
	struct kernel *kernel = dump->kernel;
	struct nlmsghdr *hdr;
	size_t n;
	int len;

	while (!dump->ended) {
		n = dump->held.n;
		len = asker_receive(&kernel->asker);
		if (len < 0)
			return len;
		for (hdr = kernel->buffer; nlmsg_ok(hdr, len);
		     hdr = nlmsg_next(hdr, &len))
			take_message(dump, hdr);
		if (dump->held.n > n)
			dump->parts++;
	}
	kernel->asker.unfinished = false;
	return dump->error;
}

/* Return: -EINTR when the dump was interrupted and must be repeated. */
static int read_once(struct dump *dump, const struct kernel_read *what)
{
	int r;

	dump->parts = 0;
	dump->interrupted = false;
	dump->ended = false;
	dump->error = 0;
	r = encode_question(dump->kernel, what);
	if (!r)
		r = asker_ask(&dump->kernel->asker, dump->kernel->msg);
	if (!r)
		r = read_dump(dump);
	if (!r && dump->interrupted)
		r = -EINTR;
	return r;
}

/*
 * Between the parts of a dump of addresses or rules the kernel keeps its place
 * by counting entries. When somebody removes one, another that stays is left
 * out, and mostly we are not told (6.18: no NLM_F_DUMP_INTR for rules, and for
 * addresses too late). So such a dump counts once the next says the same.
 */
static bool is_sure(const struct dump *dump, const struct kernel_read *what,
		    const struct byte_vec *before)
{
	if (what->what != KERNEL_ADDRESS && what->what != KERNEL_RULE)
		return true;
	if (dump->parts <= 1)
		return true;
	return before->items && dump->held.items && before->n == dump->held.n &&
	       memcmp(before->items, dump->held.items, before->n) == 0;
}

static int read_until_sure(struct dump *dump, const struct kernel_read *what)
{
	struct byte_vec before = {0};
	int tries;
	int r = -EINTR;

	for (tries = 0; tries < TRIES && (r == -EINTR || r == -EBUSY);
	     tries++) {
		vec_done(&before);
		before = dump->held;
		dump->held = (struct byte_vec){0};
		r = read_once(dump, what);
		if (!r && !is_sure(dump, what, &before))
			r = -EINTR;
	}
	vec_done(&before);
	return r;
}

/* Whether an error says that there is nothing of what was asked for. */
static bool is_nothing(const struct kernel_read *what, int error)
{
	/* No such table or link. */
	if (what->what == KERNEL_ROUTE || what->what == KERNEL_LINK)
		return error == -ENOENT || error == -ENODEV;
	/*
	 * Booted with ipv6.disable=1, the kernel has no rules of IPv6, and
	 * there is IPv4 to be routed. Without rules of IPv4 there is nothing.
	 */
	return what->what == KERNEL_RULE && what->family == AF_INET6 &&
	       error == -EAFNOSUPPORT;
}

int kernel_read(struct kernel *kernel, const struct kernel_read *what,
		kernel_event_fn *fn, void *data)
{
	struct dump dump = {
		.kernel = kernel,
		.context = sockets_context(kernel, what->table),
		.fn = fn,
		.data = data,
		.hold = what->what != KERNEL_ROUTE,
	};
	int r;

	dump.context.protocol = what->protocol;
	r = read_until_sure(&dump, what);
	if (!r)
		pass_on_held(&dump);
	vec_done(&dump.held);
	repeat_done(&dump.repeat);
	return is_nothing(what, r) ? 0 : r;
}
