/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is copied is what is read back: on the live kernel, a route of every
 * kind is read from a foreign table, its copy put into one of ours and read
 * again. The copy's attributes must be those that were put, id for id. Only so
 * does a second start of the daemon find that there is nothing to write.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "core/route.h"
#include "kernel/kernel.h"
#include "tests/kernel_c/netns.h"

#define FOREIGN 1000 /* a table for each case from here on */
#define OURS	7100
#define OWNER	109

static const struct kernel_config config = {
	.table_first = OURS,
	.table_last = OURS + 9,
	.protocol = OWNER,
};

static const char objects[] = "nexthop add id 1 via 192.0.2.1 dev d1\n"
			      "nexthop add id 2 via 198.51.100.1 dev d2\n"
			      "nexthop add id 3 group 1,3/2,7\n"
			      "nexthop add id 4 blackhole\n"
			      "nexthop add id 5 via 2001:db8:1::1 dev d1\n"
			      "nexthop add id 6 via 2001:db8:2::1 dev d2\n"
			      "nexthop add id 7 group 5/6\n"
			      "nexthop add id 8 via fe80::1 dev d1\n";

#define P4 "203.0.113.0/24"
#define P6 "2001:db8:9::/48"

struct copy_case {
	const char *prefix;
	const char *rest; /* what `ip route add` is told besides */
	const char *why;
};

static const struct copy_case cases[] = {
	{P4, "via 192.0.2.1", "gateway"},
	{"0.0.0.0/0", "via 192.0.2.1", "default"},
	{P4, "via 192.0.2.1 metric 77", "metric is not part of the copy"},
	{P4, "via 192.0.2.1 proto dhcp", "nor is the protocol"},
	{P4, "dev d1 scope link", "on the link"},
	{P4, "dev d1 scope host", "other scope"},
	{P4, "dev d1 scope global", "link route with universal scope"},
	{P4, "via 192.0.2.1 src 192.0.2.2", "prefsrc is dropped"},
	{P4, "via 192.0.2.1 mtu lock 1400 advmss 1300", "locked metrics"},
	{P4, "via 192.0.2.1 initcwnd 20 initrwnd 30 quickack 1", "metrics"},
	{P4, "via 192.0.2.1 rto_min 50ms rtt 30ms hoplimit 9", "metrics"},
	{P4, "via 192.0.2.1 congctl reno", "metric that is a text"},
	{P4, "via 192.0.2.1 features ecn", "metric that is a set of bits"},
	{P4, "via 10.9.9.9 dev d1 onlink", "gateway outside every subnet"},
	{P4, "via inet6 fe80::1 dev d1", "IPv4 through IPv6"},
	{P4, "via inet6 fe80::1 dev d1 onlink", "IPv4 through IPv6, onlink"},
	{P4, "via 192.0.2.1 realm 4/7", "realms"},
	{P4, "via 192.0.2.1 realm 7", "realm"},
	{P4, "tos 0x10 via 192.0.2.1", "TOS"},
	{P4, "unreachable", "reject"},
	{P4, "prohibit", "reject"},
	{P4, "blackhole", "reject"},
	{P4, "throw", "reject"},
	{P4, "unreachable mtu 1400", "reject with a metric"},
	{"192.0.2.77/32", "local dev d1", "type local"},
	{P4, "nexthop via 192.0.2.1 weight 3 nexthop via 198.51.100.1 weight 9",
	 "weights"},
	{P4,
	 "nexthop via 198.51.100.1 dev d2 weight 256 nexthop dev d1 weight 2",
	 "greatest weight, hop without gateway"},
	{P4,
	 "nexthop via 10.9.9.9 dev d1 onlink nexthop via inet6 fe80::1 dev d2",
	 "onlink and other family in hops"},
	{P4, "nexthop via 192.0.2.1 realm 3 nexthop via 198.51.100.1 realm 4/5",
	 "realms in hops"},
	{P4,
	 "nexthop encap ip id 7 dst 10.0.0.9 via 192.0.2.1 dev d1 "
	 "nexthop via 198.51.100.1 dev d2",
	 "encap in one hop"},
	{P4, "encap ip id 7 dst 10.0.0.9 ttl 9 via 192.0.2.1 dev d1", "encap"},
	{P4, "encap seg6 mode encap segs 2001:db8:1::1,2001:db8:2::1 dev d1",
	 "encap seg6"},
	{P4, "nhid 1", "nexthop object"},
	{P4, "nhid 3", "group of nexthop objects"},
	{P4, "nhid 4", "nexthop object that is a blackhole"},
	{P4, "nhid 8", "nexthop object of the other family"},
	{P4, "nhid 1 mtu 1400", "nexthop object with a metric"},
	{P6, "via 2001:db8:1::1", "gateway"},
	{"::/0", "via fe80::1 dev d1", "default through a link-local gateway"},
	{P6, "via fe80::1 dev d1 metric 5", "metric is not part of the copy"},
	{P6, "dev d1", "on the link"},
	{P6, "via fe80::1 dev d1 pref high", "preference"},
	{P6, "via fe80::1 dev d1 pref low", "preference"},
	{P6, "via fe80::1 dev d1 src 2001:db8:1::2", "prefsrc is dropped"},
	{P6, "via fe80::1 dev d1 mtu lock 1400 hoplimit 64", "metrics"},
	{P6, "via fe80::1 dev d1 expires 600", "expiry is not part of it"},
	{P6, "from 2001:db8:1::/64 via fe80::1 dev d1", "source is dropped"},
	{P6, "via 2001:db8:77::1 dev d1 onlink", "onlink"},
	{P6, "unreachable", "reject"},
	{P6, "prohibit", "reject"},
	{P6, "blackhole", "reject"},
	{P6, "throw", "reject"},
	{P6, "nexthop via fe80::1 dev d1 weight 3 nexthop via fe80::1 dev d2",
	 "hops"},
	{P6,
	 "nexthop via fe80::2 dev d2 nexthop via fe80::1 dev d2 "
	 "nexthop via fe80::3 dev d1 weight 7",
	 "order of hops"},
	{P6, "encap seg6 mode encap segs 2001:db8:2::1 via fe80::1 dev d1",
	 "encap seg6"},
	{P6,
	 "nexthop encap seg6 mode encap segs 2001:db8:2::1 via fe80::1 dev d1 "
	 "nexthop via fe80::1 dev d2",
	 "encap in one hop"},
	{P6, "nhid 5", "nexthop object"},
	{P6, "nhid 7", "group of nexthop objects"},
	{P6, "nhid 9", "nexthop object that is a blackhole"},
};

/* Of these only the first leg is copied. */
static const struct copy_case first_legs[] = {
	{P4, "nexthop via 192.0.2.1 weight 3 nexthop via 198.51.100.1",
	 "weight means nothing any more"},
	{P4,
	 "nexthop encap ip id 7 dst 10.0.0.9 via 192.0.2.1 dev d1 "
	 "nexthop via 198.51.100.1 dev d2",
	 "encap of the leg"},
	{P4,
	 "nexthop via 10.9.9.9 dev d2 onlink realm 4/5 weight 9 "
	 "nexthop via 192.0.2.1 realm 3",
	 "realm and onlink of the leg"},
	{P4, "nhid 3", "leg of a group"},
	{P6, "nhid 7", "leg of a group"},
	{P6,
	 "nexthop encap seg6 mode encap segs 2001:db8:2::1 via fe80::1 dev d1 "
	 "nexthop via fe80::1 dev d2",
	 "encap of the leg"},
};

static const char *const reject_words[] = {"unreachable ", "prohibit ",
					   "blackhole ", "throw ", "local "};

struct seen {
	struct attrset_store *store;
	struct ip_prefix prefix;
	struct route route; /* attrs: in @store */
	size_t n;
};

static void see(const struct kernel_event *event, void *data)
{
	struct seen *seen = data;

	assert_int_equal(event->kind, KERNEL_ROUTE);
	assert_int_equal(event->put, MODEL_APPEND);
	if (!ip_prefix_equal(&event->route.prefix, &seen->prefix))
		return;
	seen->n++;
	seen->route = event->route.route;
	seen->route.attrs = attrset_intern(seen->store, &event->route.set);
}

/* The one route to @seen->prefix in @table. */
static void read_one(struct kernel *kernel, uint32_t table, struct seen *seen)
{
	struct kernel_read what = {
		.what = KERNEL_ROUTE,
		.family = seen->prefix.addr.family,
		.table = table,
	};

	seen->n = 0;
	assert_int_equal(kernel_read(kernel, &what, see, seen), 0);
	assert_int_equal(seen->n, 1);
}

static void apply_one(struct kernel *kernel, const struct op *op,
		      const struct attrset_store *store)
{
	struct kernel_failure_vec failures = {0};

	assert_int_equal(kernel_apply(kernel, op, 1, store, &failures), 0);
	if (failures.n)
		fail_msg("op refused: %d %s", failures.items[0].error,
			 failures.items[0].why);
}

static void add_by_ip(const struct copy_case *which, uint32_t table)
{
	const char *rest = which->rest;
	const char *word = "";
	size_t i;

	for (i = 0; i < sizeof(reject_words) / sizeof(reject_words[0]); i++) {
		if (strncmp(rest, reject_words[i],
			    strlen(reject_words[i]) - 1) == 0) {
			word = reject_words[i];
			rest += strlen(word) - 1;
			break;
		}
	}
	netns_ip("route add %s%s table %u%s%s", word, which->prefix, table,
		 rest[0] == ' ' ? "" : " ", rest);
}

static void copy_one(struct kernel *kernel, const struct copy_case *which,
		     const bool *keep, uint32_t table)
{
	struct attrset_store store;
	struct seen seen = {.store = &store};
	struct attrset copy;
	struct op op = {.kind = OP_ROUTE_PUT};
	uint32_t put;

	add_by_ip(which, table);
	attrset_store_init(&store);
	assert_int_equal(ip_prefix_parse(which->prefix, &seen.prefix), 0);
	read_one(kernel, table, &seen);
	attrset_copy_for_table(attrset_get(&store, seen.route.attrs), keep,
			       &copy);
	put = attrset_intern(&store, &copy);
	op.route.prefix = seen.prefix;
	op.route.route = (struct route){
		.table = OURS,
		.tos = seen.route.tos,
		.metric = 10,
		.protocol = OWNER,
		.attrs = put,
	};
	apply_one(kernel, &op, &store);
	read_one(kernel, OURS, &seen);
	if (seen.route.attrs != put)
		fail_msg("the copy differs");
	assert_int_equal(seen.route.metric, 10);
	assert_int_equal(seen.route.protocol, OWNER);
	assert_int_equal(seen.route.tos, op.route.route.tos);
	assert_int_equal(seen.route.table, OURS);
	assert_int_equal(seen.route.expires_s, ROUTE_EXPIRES_NEVER);

	/* To put it again changes nothing, to delete it leaves nothing. */
	apply_one(kernel, &op, &store);
	read_one(kernel, OURS, &seen);
	assert_int_equal(seen.route.attrs, put);
	op.kind = OP_ROUTE_DELETE;
	apply_one(kernel, &op, &store);
	seen.n = 0;
	assert_int_equal(kernel_read(kernel,
				     &(struct kernel_read){
					     .what = KERNEL_ROUTE,
					     .family = seen.prefix.addr.family,
					     .table = OURS,
				     },
				     see, &seen),
			 0);
	assert_int_equal(seen.n, 0);
	apply_one(kernel, &op, &store);
	attrset_done(&copy);
	attrset_store_done(&store);
}

static void copies_are_read_back_as_put(void **state)
{
	static const bool all[] = {true, true, true};
	static const bool first[] = {true, false, false};
	const size_t n = sizeof(cases) / sizeof(cases[0]);
	struct kernel *kernel;
	size_t i;

	(void)state;
	assert_int_equal(kernel_open(&config, &kernel), 0);
	for (i = 0; i < n; i++) {
		print_message("%s %s (%s)\n", cases[i].prefix, cases[i].rest,
			      cases[i].why);
		copy_one(kernel, &cases[i], all, FOREIGN + (uint32_t)i);
	}
	for (i = 0; i < sizeof(first_legs) / sizeof(first_legs[0]); i++) {
		print_message("first leg of %s %s (%s)\n", first_legs[i].prefix,
			      first_legs[i].rest, first_legs[i].why);
		copy_one(kernel, &first_legs[i], first,
			 FOREIGN + (uint32_t)(n + i));
	}
	kernel_free(kernel);
}

static int make_network(void **state)
{
	(void)state;
	netns_links();
	netns_ip("%s", objects);
	netns_ip6("nexthop add id 9 blackhole");
	return 0;
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(copies_are_read_back_as_put),
	};

	if (!netns_enter())
		return NETNS_SKIP;
	return cmocka_run_group_tests(tests, make_network, NULL);
}
