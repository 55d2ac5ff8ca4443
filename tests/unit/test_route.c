/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/route.h"

#include <setjmp.h>
#include <stdarg.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "core/link.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

#define ATTR_METRICS 8
#define ATTR_FLOW    11
#define ATTR_ENCAP   22
#define ATTR_NESTED  0x8000 /* flag in the type */

#define METRIC_LOCK	  1
#define METRIC_MTU	  2
#define METRIC_ADVMSS	  8
#define METRIC_CONGESTION 16

static struct link link_items[] = {
	{.ifindex = 2, .name = "eth0"},
	{.ifindex = 3, .name = "eth1"},
};
static const struct link_vec links = {link_items, 2, 2};

static struct ip_addr addr(const char *text)
{
	struct ip_addr value = {0};

	if (text && ip_addr_parse(text, &value))
		fail_msg("not an address: %s", text);
	return value;
}

static struct ip_prefix prefix(const char *text)
{
	struct ip_prefix value;

	if (ip_prefix_parse(text, &value))
		fail_msg("not a prefix: %s", text);
	return value;
}

static void put_attr(struct byte_vec *bytes, unsigned int type,
		     const void *value, size_t len)
{
	const uint16_t head[2] = {(uint16_t)(len + 4), (uint16_t)type};
	uint8_t flat[256] = {0};
	size_t padded = (len + 7) & ~(size_t)3;
	size_t i;

	assert_true(padded <= sizeof(flat));
	memcpy(flat, head, sizeof(head));
	memcpy(flat + sizeof(head), value, len);
	for (i = 0; i < padded; i++)
		vec_push(bytes, flat[i]);
}

static void put_u32(struct byte_vec *bytes, unsigned int type, uint32_t value)
{
	put_attr(bytes, type, &value, sizeof(value));
}

static void add_attr(struct attrset *set, unsigned int type, const void *value,
		     size_t len)
{
	struct byte_vec bytes = {0};

	put_attr(&bytes, type, value, len);
	attrset_add_route_extra(set, bytes.items, bytes.n);
	vec_done(&bytes);
}

/* Adds @metrics as the kernel nests them, and empties it. */
static void add_metrics(struct attrset *set, struct byte_vec *metrics)
{
	add_attr(set, ATTR_METRICS | ATTR_NESTED, metrics->items, metrics->n);
	vec_done(metrics);
}

static void add_hop(struct attrset *set, const char *gateway, uint32_t ifindex,
		    uint8_t weight)
{
	const struct next_hop hop = {
		.ifindex = ifindex,
		.gateway = addr(gateway),
		.weight = weight,
	};

	attrset_add_hop(set, &hop, NULL, 0);
}

static void expect(const char *destination, const struct route *route,
		   const struct attrset *set, const char *text)
{
	const struct ip_prefix p = prefix(destination);
	char line[ROUTE_TEXT_MAX];

	assert_string_equal(route_format(&p, route, set, &links, line), text);
}

static void keys_sort_by_table_tos_metric(void **state)
{
	/* Ascending. */
	static const struct route sorted[] = {
		{.table = 0, .tos = 255, .metric = UINT32_MAX},
		{.table = 254, .tos = 0, .metric = 0},
		{.table = 254, .tos = 0, .metric = 100},
		{.table = 254, .tos = 0, .metric = UINT32_MAX},
		{.table = 254, .tos = 16, .metric = 0},
		{.table = 7100, .tos = 0, .metric = 0},
		{.table = UINT32_MAX, .tos = 0, .metric = 0},
	};
	size_t i;
	size_t j;

	(void)state;
	for (i = 0; i < COUNT(sorted); i++) {
		for (j = 0; j < COUNT(sorted); j++) {
			int order = route_key_cmp(&sorted[i], &sorted[j]);

			assert_int_equal(order < 0, i < j);
			assert_int_equal(order > 0, i > j);
		}
	}
}

static void value_is_no_part_of_the_key(void **state)
{
	const struct route a = {.table = 254};
	const struct route b = {
		.table = 254,
		.protocol = 4,
		.flags = ROUTE_STALE,
		.attrs = 7,
		.expires_s = 9,
	};

	(void)state;
	assert_int_equal(route_key_cmp(&a, &b), 0);
}

static void single_hops_read_as_ip_takes_them(void **state)
{
	static const struct {
		const char *destination;
		const char *gateway;
		uint32_t ifindex;
		uint8_t flags;
		uint8_t scope;
		const char *text;
		const char *why;
	} cases[] = {
		{"203.0.113.0/24", "192.0.2.1", 2, 0, 0,
		 "203.0.113.0/24 via 192.0.2.1 dev eth0 table 7100", "gateway"},
		{"0.0.0.0/0", "192.0.2.1", 2, NEXT_HOP_ONLINK, 0,
		 "0.0.0.0/0 via 192.0.2.1 dev eth0 onlink table 7100",
		 "default, onlink"},
		{"0.0.0.0/0", "fe80::1", 3, 0, 0,
		 "0.0.0.0/0 via inet6 fe80::1 dev eth1 table 7100",
		 "gateway of IPv6"},
		{"192.0.2.0/24", NULL, 2, 0, 253,
		 "192.0.2.0/24 dev eth0 table 7100",
		 "scope link goes without saying"},
		{"192.0.2.0/24", NULL, 2, 0, 0,
		 "192.0.2.0/24 dev eth0 table 7100 scope global",
		 "but not global"},
		{"192.0.2.0/24", "192.0.2.1", 2, 0, 253,
		 "192.0.2.0/24 via 192.0.2.1 dev eth0 table 7100 scope link",
		 "nor link through a gateway"},
		{"192.0.2.0/24", "192.0.2.1", 2, 0, 254,
		 "192.0.2.0/24 via 192.0.2.1 dev eth0 table 7100 scope host",
		 "host"},
		{"192.0.2.0/24", "192.0.2.1", 2, 0, 200,
		 "192.0.2.0/24 via 192.0.2.1 dev eth0 table 7100 scope 200",
		 "site"},
		{"192.0.2.0/24", NULL, 7, 0, 253,
		 "192.0.2.0/24 dev if7 table 7100", "a link without a name"},
		{"::/0", "fe80::1", 2, 0, 0,
		 "::/0 via fe80::1 dev eth0 table 7100", "IPv6"},
		{"2001:db8::/64", NULL, 2, 0, 0,
		 "2001:db8::/64 dev eth0 table 7100", "IPv6 has no scopes"},
	};
	const struct route route = {.table = 7100};
	char line[ROUTE_TEXT_MAX];
	struct attrset set;
	struct ip_prefix p;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		p = prefix(cases[i].destination);
		attrset_init(&set, p.addr.family, ATTRSET_UNICAST);
		set.scope = cases[i].scope;
		add_hop(&set, cases[i].gateway, cases[i].ifindex, 0);
		set.hops.items[0].flags = cases[i].flags;
		route_format(&p, &route, &set, &links, line);
		attrset_done(&set);
		if (strcmp(line, cases[i].text) != 0)
			fail_msg("'%s' is not '%s' (%s)", line, cases[i].text,
				 cases[i].why);
	}
}

static void key_and_owner_are_said(void **state)
{
	struct route route = {
		.table = 7100,
		.tos = 0x10,
		.metric = 100,
		.protocol = 109,
	};
	struct attrset set;

	(void)state;
	attrset_init(&set, AF_INET, ATTRSET_UNICAST);
	add_hop(&set, "192.0.2.1", 2, 0);
	expect("203.0.113.0/24", &route, &set,
	       "203.0.113.0/24 tos 0x10 via 192.0.2.1 dev eth0 proto 109 "
	       "metric 100 table 7100");
	route = (struct route){.table = ROUTE_TABLE_MAIN};
	expect("203.0.113.0/24", &route, &set,
	       "203.0.113.0/24 via 192.0.2.1 dev eth0 table main");
	route.table = ROUTE_TABLE_LOCAL;
	expect("203.0.113.0/24", &route, &set,
	       "203.0.113.0/24 via 192.0.2.1 dev eth0 table local");
	route.table = ROUTE_TABLE_CONFIG;
	expect("203.0.113.0/24", &route, &set,
	       "203.0.113.0/24 via 192.0.2.1 dev eth0 table config");
	attrset_done(&set);
}

static void types_lead(void **state)
{
	static const struct {
		uint8_t type;
		const char *text;
	} cases[] = {
		{ATTRSET_BLACKHOLE, "blackhole ::/0 table 7100"},
		{ATTRSET_UNREACHABLE, "unreachable ::/0 table 7100"},
		{ATTRSET_PROHIBIT, "prohibit ::/0 table 7100"},
		{ATTRSET_THROW, "throw ::/0 table 7100"},
		{ATTRSET_LOCAL, "local ::/0 table 7100"},
		{3, "broadcast ::/0 table 7100"},
		{4, "anycast ::/0 table 7100"},
		{5, "multicast ::/0 table 7100"},
		{0, "[type 0] ::/0 table 7100"},
		{10, "[type 10] ::/0 table 7100"},
		{255, "[type 255] ::/0 table 7100"},
	};
	const struct route route = {.table = 7100};
	struct attrset set;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		attrset_init(&set, AF_INET6, cases[i].type);
		expect("::/0", &route, &set, cases[i].text);
		attrset_done(&set);
	}
}

static void local_routes_have_their_own_usual_scope(void **state)
{
	const struct route route = {.table = 255};
	struct attrset set;

	(void)state;
	attrset_init(&set, AF_INET, ATTRSET_LOCAL);
	set.scope = 254;
	add_hop(&set, NULL, 2, 0);
	expect("192.0.2.7/32", &route, &set,
	       "local 192.0.2.7/32 dev eth0 table local");
	set.scope = 253;
	expect("192.0.2.7/32", &route, &set,
	       "local 192.0.2.7/32 dev eth0 table local scope link");
	attrset_done(&set);
}

static void several_hops_come_last(void **state)
{
	const struct route route = {.table = 7100, .metric = 5};
	struct attrset set;

	(void)state;
	attrset_init(&set, AF_INET, ATTRSET_UNICAST);
	set.prefsrc = addr("192.0.2.7");
	add_hop(&set, "192.0.2.1", 2, 0);
	add_hop(&set, "fe80::1", 3, 255);
	set.hops.items[1].flags = NEXT_HOP_ONLINK;
	expect("0.0.0.0/0", &route, &set,
	       "0.0.0.0/0 metric 5 table 7100 src 192.0.2.7 "
	       "nexthop via 192.0.2.1 dev eth0 weight 1 "
	       "nexthop via inet6 fe80::1 dev eth1 onlink weight 256");
	attrset_done(&set);
}

static void nexthop_object_stands_for_its_hops(void **state)
{
	const struct route route = {.table = 7100};
	struct attrset set;

	(void)state;
	attrset_init(&set, AF_INET, ATTRSET_UNICAST);
	set.nh_id = 12;
	add_hop(&set, "192.0.2.1", 2, 0);
	expect("0.0.0.0/0", &route, &set, "0.0.0.0/0 nhid 12 table 7100");
	add_hop(&set, "192.0.2.2", 2, 0);
	expect("0.0.0.0/0", &route, &set, "0.0.0.0/0 nhid 12 table 7100");
	attrset_done(&set);

	/* ip(8) does not look what is in it, and so assumes no scope. */
	attrset_init(&set, AF_INET, ATTRSET_UNICAST);
	set.nh_id = 12;
	set.scope = 253;
	add_hop(&set, NULL, 2, 0);
	expect("0.0.0.0/0", &route, &set,
	       "0.0.0.0/0 nhid 12 table 7100 scope link");
	attrset_done(&set);
}

static void sources_and_preference_are_said(void **state)
{
	const struct route route = {.table = 254, .metric = 1024};
	struct attrset set;

	(void)state;
	attrset_init(&set, AF_INET6, ATTRSET_UNICAST);
	set.src = prefix("2001:db8:1::/48");
	set.prefsrc = addr("2001:db8:1::7");
	set.pref = 1;
	add_hop(&set, "fe80::1", 2, 0);
	expect("::/0", &route, &set,
	       "::/0 from 2001:db8:1::/48 via fe80::1 dev eth0 metric 1024 "
	       "table main src 2001:db8:1::7 pref high");
	set.src = ip_prefix_default(AF_INET6);
	set.prefsrc = addr(NULL);
	set.pref = 3;
	expect("::/0", &route, &set,
	       "::/0 from ::/0 via fe80::1 dev eth0 metric 1024 table main "
	       "pref low");
	attrset_done(&set);
}

static void metrics_have_the_words_of_ip(void **state)
{
	static const struct {
		unsigned int type;
		uint32_t value;
		const char *text;
		const char *why;
	} cases[] = {
		{2, 1400, "mtu 1400", "number"},
		{3, 65535, "window 65535", "number"},
		{4, 2400, "rtt 300ms", "the kernel counts eighths"},
		{4, 2401, "rtt 2401", "no whole ms: as the kernel counts"},
		{5, 400, "rttvar 100ms", "the kernel counts quarters"},
		{6, 10, "ssthresh 10", "number"},
		{7, 10, "cwnd 10", "number"},
		{8, 1360, "advmss 1360", "number"},
		{9, 3, "reordering 3", "number"},
		{10, 64, "hoplimit 64", "number"},
		{11, 20, "initcwnd 20", "number"},
		{12, 1, "features ecn", "the one feature with a word"},
		{12, 3, "attr 8/12 (4 bytes)", "another feature"},
		{13, 40, "rto_min 40ms", "ms"},
		{14, 20, "initrwnd 20", "number"},
		{15, 1, "quickack 1", "number"},
		{17, 1, "fastopen_no_cookie 1", "number"},
		{18, 1, "attr 8/18 (4 bytes)", "not known"},
	};
	const struct route route = {.table = 7100};
	struct byte_vec metrics = {0};
	char line[ROUTE_TEXT_MAX];
	struct ip_prefix p = prefix("::/0");
	struct attrset set;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		attrset_init(&set, AF_INET6, ATTRSET_UNICAST);
		put_u32(&metrics, cases[i].type, cases[i].value);
		add_metrics(&set, &metrics);
		route_format(&p, &route, &set, &links, line);
		attrset_done(&set);
		if (strcmp(line + strlen("::/0 table 7100 "), cases[i].text) !=
		    0)
			fail_msg("'%s' lacks '%s' (%s)", line, cases[i].text,
				 cases[i].why);
	}
}

static void locked_metrics_say_so(void **state)
{
	const struct route route = {.table = 7100};
	struct byte_vec metrics = {0};
	struct attrset set;

	(void)state;
	attrset_init(&set, AF_INET, ATTRSET_UNICAST);
	put_u32(&metrics, METRIC_MTU, 1400);
	put_u32(&metrics, METRIC_ADVMSS, 1360);
	put_attr(&metrics, METRIC_CONGESTION, "reno", sizeof("reno"));
	put_u32(&metrics, METRIC_LOCK,
		1u << METRIC_MTU | 1u << METRIC_CONGESTION);
	add_metrics(&set, &metrics);
	add_hop(&set, "192.0.2.1", 2, 0);
	expect("0.0.0.0/0", &route, &set,
	       "0.0.0.0/0 via 192.0.2.1 dev eth0 table 7100 "
	       "mtu lock 1400 advmss 1360 congctl lock reno");
	attrset_done(&set);
}

static void attributes_of_a_hop_stay_with_it(void **state)
{
	const struct route route = {.table = 7100};
	struct next_hop hop = {.ifindex = 2};
	struct byte_vec bytes = {0};
	struct attrset set;

	(void)state;
	attrset_init(&set, AF_INET, ATTRSET_UNICAST);
	put_u32(&bytes, ATTR_FLOW, 0x10002);
	attrset_add_hop(&set, &hop, bytes.items, bytes.n);
	vec_clear(&bytes);
	put_u32(&bytes, ATTR_FLOW, 3);
	put_attr(&bytes, ATTR_ENCAP | ATTR_NESTED, "encapsulated", 12);
	hop.ifindex = 3;
	attrset_add_hop(&set, &hop, bytes.items, bytes.n);
	vec_done(&bytes);
	expect("0.0.0.0/0", &route, &set,
	       "0.0.0.0/0 table 7100 "
	       "nexthop dev eth0 realms 1/2 weight 1 "
	       "nexthop dev eth1 realms 3 attr 22 (12 bytes) weight 1");
	attrset_done(&set);
}

static void odd_bytes_are_counted_not_believed(void **state)
{
	/* An attribute: length, type, value, padding. */
	static const struct {
		uint16_t words[6];
		size_t len;
		const char *text;
		const char *why;
	} cases[] = {
		{{4}, 2, "(2 more bytes)", "shorter than a header"},
		{{8, 11, 1}, 6, "(6 more bytes)", "cut off"},
		{{3, 11}, 4, "(4 more bytes)", "length below the header's"},
		{{0, 0, 0, 0}, 8, "(8 more bytes)", "no length: no loop"},
		{{65535, 11}, 4, "(4 more bytes)", "length of far too much"},
		{{4, 22}, 4, "attr 22 (0 bytes)", "no value"},
		{{4, 22, 4, 23},
		 8,
		 "attr 22 (0 bytes) attr 23 (0 bytes)",
		 "two without value"},
		{{5, 22, 0}, 5, "attr 22 (1 bytes)", "padding left out"},
		{{6, 11, 1, 0}, 8, "attr 11 (2 bytes)", "realms too short"},
		{{10, 8, 8, 2, 1, 0},
		 12,
		 "attr 8 (6 more bytes)",
		 "a metric cut off"},
		{{10, 8, 6, 2, 1, 0},
		 12,
		 "attr 8/2 (2 bytes)",
		 "a metric too short"},
	};
	const struct route route = {.table = 7100};
	const struct ip_prefix p = prefix("::/0");
	char line[ROUTE_TEXT_MAX];
	struct attrset set;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		attrset_init(&set, AF_INET6, ATTRSET_UNICAST);
		attrset_add_route_extra(&set, cases[i].words, cases[i].len);
		route_format(&p, &route, &set, &links, line);
		attrset_done(&set);
		if (strcmp(line + strlen("::/0 table 7100 "), cases[i].text) !=
		    0)
			fail_msg("'%s' lacks '%s' (%s)", line, cases[i].text,
				 cases[i].why);
	}
}

static void names_are_one_printable_word(void **state)
{
	static const struct {
		const char *name;
		size_t len;
		const char *text;
		const char *why;
	} cases[] = {
		{"reno", 5, "congctl reno", "with its NUL"},
		{"reno", 4, "congctl reno", "without"},
		{"bbr\0bbr", 7, "congctl bbr", "NUL ends it"},
		{"", 1, "attr 8/16 (1 bytes)", "nothing"},
		{"", 0, "attr 8/16 (0 bytes)", "not even a NUL"},
		{"a b", 4, "attr 8/16 (4 bytes)", "two words"},
		{"a\nb", 4, "attr 8/16 (4 bytes)", "two lines"},
		{"a\x1b[2J", 6, "attr 8/16 (6 bytes)", "terminal commands"},
		{"\xc3\xa9", 3, "attr 8/16 (3 bytes)", "not ASCII"},
	};
	const struct route route = {.table = 7100};
	const struct ip_prefix p = prefix("::/0");
	struct byte_vec metrics = {0};
	char line[ROUTE_TEXT_MAX];
	struct attrset set;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		attrset_init(&set, AF_INET6, ATTRSET_UNICAST);
		put_attr(&metrics, METRIC_CONGESTION, cases[i].name,
			 cases[i].len);
		add_metrics(&set, &metrics);
		route_format(&p, &route, &set, &links, line);
		attrset_done(&set);
		if (strcmp(line + strlen("::/0 table 7100 "), cases[i].text) !=
		    0)
			fail_msg("'%s' lacks '%s' (%s)", line, cases[i].text,
				 cases[i].why);
	}
}

static void overlong_text_ends_in_dots(void **state)
{
	const struct route route = {.table = 7100};
	const struct ip_prefix p = prefix("::/0");
	struct {
		char line[ROUTE_TEXT_MAX];
		char behind;
	} text = {.behind = 'x'};
	struct attrset set;
	uint32_t i;

	(void)state;
	attrset_init(&set, AF_INET6, ATTRSET_UNICAST);
	for (i = 0; i < 100; i++) {
		add_hop(&set, "2001:db8::1", i, 0);
		route_format(&p, &route, &set, &links, text.line);
		assert_true(memchr(text.line, 0, sizeof(text.line)) != NULL);
		assert_int_equal(text.behind, 'x');
	}
	assert_int_equal(strlen(text.line), ROUTE_TEXT_MAX - 1);
	assert_string_equal(text.line + ROUTE_TEXT_MAX - 4, "...");
	attrset_done(&set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_sort_by_table_tos_metric),
		cmocka_unit_test(value_is_no_part_of_the_key),
		cmocka_unit_test(single_hops_read_as_ip_takes_them),
		cmocka_unit_test(key_and_owner_are_said),
		cmocka_unit_test(types_lead),
		cmocka_unit_test(local_routes_have_their_own_usual_scope),
		cmocka_unit_test(several_hops_come_last),
		cmocka_unit_test(nexthop_object_stands_for_its_hops),
		cmocka_unit_test(sources_and_preference_are_said),
		cmocka_unit_test(metrics_have_the_words_of_ip),
		cmocka_unit_test(locked_metrics_say_so),
		cmocka_unit_test(attributes_of_a_hop_stay_with_it),
		cmocka_unit_test(odd_bytes_are_counted_not_believed),
		cmocka_unit_test(names_are_one_printable_word),
		cmocka_unit_test(overlong_text_ends_in_dots),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
