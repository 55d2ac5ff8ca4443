/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "engine/engine_advert.h"
#include "tests/engine/walk.h"

enum {
	TOKENS = 4,
};

static void say(struct walk *walk, const char *line)
{
	uint32_t port = strncmp(line, "neigh", 5) == 0 ? 0 : FAKE_SOMEBODY;
	int error = fake_do(world_fake(), port, line);

	if (walk->talk)
		print_error("%s: %s\n", line, error ? strerror(-error) : "ok");
}

static const char *const routes[] = {
	"0.0.0.0/0 via 192.0.2.1 dev d1 metric 100",
	"0.0.0.0/0 via 198.51.100.1 dev d2 metric 200",
	"0.0.0.0/0 via 192.0.2.9 dev d1 metric 300",
	"0.0.0.0/0 via 203.0.113.1 dev d2 onlink metric 50",
	"0.0.0.0/0 via 172.16.0.1 dev d3 metric 250",
	"unreachable 0.0.0.0/0 metric 400",
	"0.0.0.0/0 dev d3 metric 20",
	"10.1.0.0/16 via 192.0.2.1 dev d1",
	"10.1.0.0/16 via 198.51.100.1 dev d2 metric 10",
	"10.1.2.0/24 via 198.51.100.7 dev d2",
	"10.1.2.0/24 via 172.16.0.1 dev d3 metric 5",
	"throw 10.1.0.0/16",
	"10.3.0.0/16 dev d3",
	"203.0.113.0/24 via 172.16.0.1 dev d3",
	"203.0.113.9/32 via 192.0.2.9 dev d1",
	"203.0.113.9/32 dev d2",
	"unreachable 203.0.113.9/32 metric 7",
	"10.1.0.0/16 nexthop via 192.0.2.1 dev d1 "
	"nexthop via 198.51.100.1 dev d2",
	"0.0.0.0/0 metric 30 nexthop via 192.0.2.1 dev d1 "
	"nexthop via 198.51.100.1 dev d2",
	"0.0.0.0/0 dev d3 table 51820",
	"0.0.0.0/0 nhid 5 table 51820",
	"unreachable 0.0.0.0/0 table 51821",
	"throw 0.0.0.0/0 metric 9 table 51820",
	"10.9.0.0/16 dev d3 table 51820",
	"0.0.0.0/0 nhid 5 metric 150",
	"10.4.0.0/16 nhid 5",
	"10.0.0.0/8 via 192.0.2.1 dev d1 table 7102",
	"10.0.0.0/8 via 192.0.2.1 dev d1 table 7101",
	"0.0.0.0/0 via 192.0.2.1 dev d1 table 7101",
	"::/0 via fe80::1 dev d1 metric 100",
	"::/0 via fe80::2 dev d2 metric 200",
	"::/0 via fe80::3 dev d1 metric 300",
	"::/0 via 2001:db8:2::1 dev d2 metric 120",
	"2001:db8:f::/48 via fe80::3 dev d3",
	"2001:db8:f::/48 via fe80::2 dev d2",
	"2001:db8:f::9/128 via fe80::1 dev d1 metric 9",
	"unreachable 2001:db8:f::/48 metric 3000",
	"::/0 dev d3 table 51820",
	"10.5.0.0/16 via inet6 fe80::1 dev d1",
	"2001:db8:e::/48 nexthop via 2001:db8:1::1 dev d1 "
	"nexthop via 2001:db8:2::1 dev d2",
	"2001:db8:e::/48 nexthop via fe80::1 dev d1 nexthop via fe80::3 dev d3",
	"10.1.0.0/16 via 192.0.2.1 dev d1 tos 16",
	"0.0.0.0/0 via 192.0.2.1 dev d1 src 192.0.2.2 metric 90",
	"10.6.0.0/16 via 203.0.113.1 dev d2 onlink src 198.51.100.2",
	"10.6.0.0/16 via 203.0.113.77 dev d1 onlink src 192.0.2.3",
	"10.7.0.0/16 via 192.0.2.3 dev d1",
	"10.7.0.0/16 via 198.51.100.4 dev d2",
};

static void change_route(struct walk *walk)
{
	static const char *const verbs[] = {
		"add", "append", "prepend", "replace", "del", "del", "del"};
	char line[256];

	(void)snprintf(
		line, sizeof(line), "route %s %s",
		verbs[walk_roll(walk, sizeof(verbs) / sizeof(verbs[0]))],
		routes[walk_roll(walk, sizeof(routes) / sizeof(routes[0]))]);
	say(walk, line);
}

/* More than one slice. */
static void change_many(struct walk *walk)
{
	static const char *const verbs[] = {"add", "del", "replace"};
	static const char *const hops[] = {
		"via 192.0.2.1 dev d1", "via 198.51.100.1 dev d2", "dev d3",
		"via fe80::1 dev d1",	"via fe80::2 dev d2",	   "dev d3"};
	const char *verb = verbs[walk_roll(walk, 3)];
	bool is_v6 = walk_roll(walk, 2);
	const char *hop = hops[walk_roll(walk, 3) + (is_v6 ? 3 : 0)];
	char line[128];

	for (unsigned int i = 0; i < 400; i++) {
		(void)snprintf(line, sizeof(line),
			       is_v6 ? "route %s 2001:db8:%x:%x::/%u %s"
				     : "route %s 10.200.%u.%u/%u %s",
			       verb, is_v6 ? 0x200 + (i >> 4) : i >> 4,
			       (i & 15) << 4, (is_v6 ? 60 : 28) + !(i % 3),
			       hop);
		(void)fake_do(world_fake(), FAKE_SOMEBODY, line);
	}
	if (walk->talk)
		print_error("many: %s %s\n", verb, hop);
}

/* Some of what is due, so that more happens amid a round. */
static void run_some(struct walk *walk)
{
	struct world *world = walk->world;
	uint32_t n = walk_roll(walk, 4);

	fake_set_aside(world_fake(),
		       &(struct fake_aside){100 * walk_roll(walk, 10),
					    50 + 100 * walk_roll(walk, 10)});
	(void)engine_listen(&world->engine, world->now_ms);
	while (n-- > 0 && engine_is_pending(&world->engine, world->now_ms))
		world->error = engine_run(&world->engine, world->now_ms);
}

static const char *const changes[] = {
	"link set d1 down",
	"link set d1 up",
	"link set d2 down",
	"link set d2 up",
	"link set p2 down",
	"link set p2 up",
	"link set p1 down",
	"link set p1 up",
	"link set d3 down",
	"link set d3 up",
	"link set d3 up",
	"link set d1 ipv6 off",
	"link set d1 ipv6 on",
	"link set d1 ipv6 on",
	"link set d2 ipv6 off",
	"link set d2 ipv6 on",
	"address add 172.16.0.2/24 dev d3",
	"address del 172.16.0.2/24 dev d3",
	"address add 192.0.2.2/24 dev d1",
	"address del 192.0.2.2/24 dev d1",
	"address add 192.0.2.3/24 dev d1",
	"address add 192.0.2.130/25 dev d1",
	"address del 192.0.2.130/25 dev d1",
	"address add 192.0.2.4/24 dev d2",
	"address del 192.0.2.4/24 dev d2",
	"address add 192.0.2.99 dev lo",
	"address add 198.51.100.2/24 dev d2",
	"address add 192.0.2.3/32 dev d2",
	"address del 192.0.2.3/32 dev d2",
	"address add 203.0.113.2/24 dev d2",
	"address del 203.0.113.2/24 dev d2",
	"address add 2001:db8:1::2/64 dev d1",
	"address add 2001:db8:2::2/64 dev d2",
	"address add 2001:db8:3::2/128 dev d1",
	"address del 2001:db8:2::2/64 dev d2",
	"rule add priority 100 not from 0.0.0.0/0 fwmark 0x1/0xff "
	"lookup 51820",
	"rule del priority 100 not from 0.0.0.0/0 fwmark 0x1/0xff "
	"lookup 51820",
	"rule add priority 101 from 0.0.0.0/0 lookup 51821",
	"rule del priority 101 from 0.0.0.0/0 lookup 51821",
	"-6 rule add priority 102 from ::/0 lookup 51820",
	"-6 rule del priority 102 from ::/0 lookup 51820",
	"rule add priority 5000 from 192.0.2.77/32 lookup 7101",
	"rule del priority 5000 from 192.0.2.77/32 lookup 7101",
	"rule del priority 7109 from 192.0.2.0/24 iif lo lookup 7100",
	"rule del priority 7109 from 198.51.100.0/24 iif lo lookup "
	"7101",
	"rule del priority 7109 from 192.0.2.0/24 iif lo lookup 7100 "
	"proto 109",
	"rule del priority 7109 from 198.51.100.0/24 iif lo lookup "
	"7101 proto 109",
	"route del 0.0.0.0/0 via 192.0.2.1 dev d1 table 7100 "
	"metric 1024 proto 109",
	"neigh replace 192.0.2.1 dev d1 nud failed",
	"neigh replace 192.0.2.1 dev d1 lladdr 02:00:00:00:00:01 "
	"nud reachable",
	"neigh replace 198.51.100.1 dev d2 nud failed",
	"neigh replace 198.51.100.1 dev d2 lladdr 02:00:00:00:00:02 "
	"nud reachable",
	"neigh replace 172.16.0.1 dev d3 nud failed",
	"neigh del 172.16.0.1 dev d3",
	"neigh replace 192.0.2.9 dev d1 nud failed",
	"neigh replace 203.0.113.1 dev d2 nud failed",
	"neigh replace 203.0.113.1 dev d2 lladdr 02:00:00:00:00:09 "
	"nud reachable",
	"neigh replace fe80::1 dev d1 nud failed",
	"neigh replace fe80::1 dev d1 lladdr 02:00:00:00:00:03 "
	"nud reachable",
	"nexthop add id 5 via 192.0.2.1 dev d1",
	"nexthop add id 5 via 198.51.100.1 dev d2",
	"nexthop del id 5",
};

static void change_other(struct walk *walk)
{
	say(walk,
	    changes[walk_roll(walk, sizeof(changes) / sizeof(changes[0]))]);
}

static void advertise(struct walk *walk)
{
	static const char *const routers[] = {"fe80::1", "fe80::2", "fe80::3"};
	static const char *const prefixes[] = {
		"2001:db8:1::/64", "2001:db8:2::/64", "2001:db8:3::/64"};
	static const uint32_t lives[] = {0, 1, 2, 3600};
	static const char *const links[] = {"d1", "d2", "d3"};
	struct world *world = walk->world;
	const struct link *link = model_link_by_name(&world->engine.model,
						     links[walk_roll(walk, 3)]);
	struct kernel_advert advert = {0};

	if (!link)
		return;
	advert.ifindex = link->ifindex;
	(void)ip_addr_parse(routers[walk_roll(walk, 3)], &advert.router);
	(void)ip_prefix_parse(prefixes[walk_roll(walk, 3)],
			      &advert.prefix.prefix);
	advert.prefix.valid_s = lives[walk_roll(walk, 4)];
	engine_take_prefix(&world->engine, &advert, world->now_ms);
}

struct kernel_config walk_config(const struct policy *policy)
{
	return (struct kernel_config){
		.table_first = policy->table_first,
		.table_last = policy->table_last,
		.protocol = policy->protocol,
	};
}

static void adopt(struct walk *walk)
{
	const struct policy *policy = &walk->world->policy;
	const struct kernel_config config = walk_config(policy);

	kernel_configure(walk->world->kernel, &config);
	engine_set_policy(&walk->world->engine, policy);
}

static void reload(struct walk *walk)
{
	struct policy *policy = &walk->world->policy;

	switch (walk_roll(walk, 8)) {
	case 0:
		policy->vpn = walk_roll(walk, 2) ? VPN_YIELD : VPN_OVERRIDE;
		break;
	case 1:
		policy->model = walk_roll(walk, 2) ? HOST_MODEL_WEAK
						   : HOST_MODEL_STRONG;
		break;
	case 2:
		policy->settle_ms = walk_roll(walk, 2) ? 200 : 0;
		break;
	case 3:
		vec_clear(&policy->routes);
		if (walk_roll(walk, 2)) {
			struct policy_route route = {.dev = "d3"};

			(void)ip_prefix_parse(walk_roll(walk, 2)
						      ? "0.0.0.0/0"
						      : "10.1.2.0/24",
					      &route.to);
			(void)ip_addr_parse("172.16.0.1", &route.via);
			route.metric = walk_roll(walk, 300);
			vec_push(&policy->routes, route);
		}
		break;
	case 4:
		vec_clear(&policy->bindings);
		if (walk_roll(walk, 2)) {
			struct policy_binding binding = {.dev = "d3"};

			(void)ip_prefix_parse("192.0.2.0/24", &binding.prefix);
			vec_push(&policy->bindings, binding);
		}
		break;
	case 5:
	case 6:
		vec_clear(&policy->interfaces);
		if (walk_roll(walk, 2)) {
			struct policy_interface entry = {
				.match = "d2",
				.manage = (enum manage)walk_roll(walk, 3),
				.metric_add = walk_roll(walk, 2) * 500,
			};

			vec_push(&policy->interfaces, entry);
		}
		break;
	default:
		policy->table_last =
			policy->table_first +
			(walk_roll(walk, 2) ? 899 : 1 + walk_roll(walk, 4));
		break;
	}
	adopt(walk);
}

static void fail_something(struct walk *walk)
{
	static const int errors[] = {-ENOBUFS, -EBUSY, -ENOMEM};
	static const enum fake_call calls[] = {
		FAKE_OP,    FAKE_OP,	FAKE_OP,   FAKE_READ,
		FAKE_APPLY, FAKE_BEGIN, FAKE_WATCH};
	struct fake_fault fault = {
		.call = calls[walk_roll(walk, 7)],
		.nth = 1 + walk_roll(walk, 6),
		.error = errors[walk_roll(walk, 3)],
		.times = 1 + walk_roll(walk, 3),
		.done = walk_roll(walk, 3),
	};

	if (fault.call != FAKE_OP)
		fault.error = -ENOBUFS;
	if (fault.call == FAKE_OP && walk_roll(walk, 2))
		fault.kinds = 1U << walk_roll(walk, OP_KINDS);
	if (walk->talk)
		print_error("fault call %d nth %u error %d kinds %x\n",
			    fault.call, (unsigned)fault.nth, fault.error,
			    fault.kinds);
	fake_fail(world_fake(), &fault);
}

static void connect_one(struct walk *walk)
{
	static const char *const sources[] = {"192.0.2.2", "198.51.100.2",
					      "2001:db8:1::2", "172.16.0.2"};
	static const char *const peers[] = {"203.0.113.9", "10.1.2.3",
					    "2001:db8:f::9", "10.4.0.7"};
	struct mptcp_event event = {
		.kind = MPTCP_READY,
		.token = 1 + walk_roll(walk, TOKENS),
		.passive = !walk_roll(walk, 4),
	};
	uint32_t peer = walk_roll(walk, 4);
	uint32_t source = peer == 2 ? 2 : walk_roll(walk, 2);

	if (manager_find(&walk->manager, event.token)) {
		event.kind =
			walk_roll(walk, 2) ? MPTCP_PEER_ANNOUNCED : MPTCP_ENDED;
		event.id_remote = (uint8_t)(1 + peer);
	}
	(void)ip_addr_parse(sources[source], &event.ends.src);
	(void)ip_addr_parse(peers[peer], &event.ends.dst);
	event.ends.sport = 1000;
	event.ends.dport = 80;
	manager_hear(&walk->manager, &event, walk->world->now_ms);
}

static void change_flow(struct walk *walk)
{
	static const char *const sources[] = {"192.0.2.2", "198.51.100.2",
					      "172.16.0.2"};
	static const char *const peers[] = {"203.0.113.9", "10.1.2.3",
					    "10.4.0.7", "10.200.1.17"};
	struct world *world = walk->world;

	if (world->flows.n < 4 && walk_roll(walk, 3))
		(void)world_begin(world, sources[walk_roll(walk, 3)],
				  peers[walk_roll(walk, 4)]);
	else if (world->flows.n)
		world_end(world,
			  world->flows
				  .items[walk_roll(walk,
						   (uint32_t)world->flows.n)]
				  .cookie);
}

void walk_step(struct walk *walk)
{
	static const uint64_t pauses[] = {0, 0, 1, 5, 60, 250, 1500, 6000};

	uint32_t what = walk_roll(walk, 16);

	if (walk->talk && what < 5)
		print_error("step %u\n", what);
	switch (what) {
	case 0:
		advertise(walk);
		break;
	case 1:
		if (!walk_roll(walk, 2))
			reload(walk);
		break;
	case 2:
		if (walk_roll(walk, 2))
			fake_lose(world_fake());
		break;
	case 3:
		fail_something(walk);
		break;
	case 4:
		connect_one(walk);
		break;
	case 5:
	case 6:
	case 7:
	case 8:
		change_other(walk);
		break;
	default:
		change_route(walk);
		break;
	}
	if (walk->pins && !walk_roll(walk, 3))
		change_flow(walk);
	if (walk->many && !walk_roll(walk, 6))
		change_many(walk);
	if (walk->many && walk_roll(walk, 2))
		run_some(walk);
	else if (walk_roll(walk, 3))
		walk_pass(walk, pauses[walk_roll(walk, 8)]);
}
