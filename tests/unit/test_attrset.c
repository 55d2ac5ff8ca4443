/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/attrset.h"

#include <setjmp.h>
#include <stdarg.h>
#include <sys/socket.h>

#include <cmocka.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static struct ip_addr addr(const char *text)
{
	struct ip_addr value;

	if (ip_addr_parse(text, &value))
		fail_msg("not an address: %s", text);
	return value;
}

/* A hop whose own bytes are the letters of @extra. */
static void add_hop(struct attrset *set, const char *gateway, uint32_t ifindex,
		    const char *extra)
{
	const struct next_hop hop = {
		.ifindex = ifindex,
		.gateway = addr(gateway),
		.weight = 4,
	};

	attrset_add_hop(set, &hop, extra, strlen(extra));
}

/* Two hops and bytes everywhere, so that each field can differ. */
static struct attrset sample(void)
{
	struct attrset set;

	attrset_init(&set, AF_INET, ATTRSET_UNICAST);
	set.scope = 253;
	set.nh_id = 9;
	set.prefsrc = addr("192.0.2.7");
	set.src.addr = addr("198.51.100.0");
	set.src.len = 24;
	attrset_add_route_extra(&set, "rr", 2);
	attrset_add_route_extra(&set, "RR", 2);
	add_hop(&set, "192.0.2.1", 2, "aaaa");
	add_hop(&set, "192.0.2.2", 3, "bbbb");
	return set;
}

static void set_family(struct attrset *set)
{
	set->family = AF_INET6;
}

static void set_type(struct attrset *set)
{
	set->type = ATTRSET_LOCAL;
}

static void set_scope(struct attrset *set)
{
	set->scope = 0;
}

static void set_pref(struct attrset *set)
{
	set->pref = 3;
}

static void set_nh_id(struct attrset *set)
{
	set->nh_id = 10;
}

static void set_src(struct attrset *set)
{
	set->src.len = 25;
}

static void set_prefsrc(struct attrset *set)
{
	set->prefsrc = (struct ip_addr){0};
}

static void set_link(struct attrset *set)
{
	set->hops.items[1].ifindex = 4;
}

static void set_gateway(struct attrset *set)
{
	set->hops.items[1].gateway = addr("192.0.2.3");
}

static void set_onlink(struct attrset *set)
{
	set->hops.items[0].flags = NEXT_HOP_ONLINK;
}

static void set_weight(struct attrset *set)
{
	set->hops.items[0].weight = 5;
}

static void set_fewer_hops(struct attrset *set)
{
	set->hops.n = 1;
}

static void set_order(struct attrset *set)
{
	const struct next_hop first = set->hops.items[0];

	set->hops.items[0] = set->hops.items[1];
	set->hops.items[1] = first;
}

static void set_bytes(struct attrset *set)
{
	set->extra.items[set->extra.n - 1] = 'c';
}

static void set_owner_of_bytes(struct attrset *set)
{
	set->route_extra_len -= 2;
	set->hops.items[0].extra_at -= 2;
	set->hops.items[0].extra_len += 2;
}

static void sets_differ_in_each_field(void **state)
{
	static const struct {
		void (*change)(struct attrset *set);
		const char *why;
	} cases[] = {
		{set_family, "family"},
		{set_type, "type"},
		{set_scope, "scope"},
		{set_pref, "router preference"},
		{set_nh_id, "nexthop object"},
		{set_src, "source prefix"},
		{set_prefsrc, "preferred source"},
		{set_link, "link of a hop"},
		{set_gateway, "gateway of a hop"},
		{set_onlink, "onlink"},
		{set_weight, "weight"},
		{set_fewer_hops, "number of hops"},
		{set_order, "order of hops"},
		{set_bytes, "bytes of a hop"},
		{set_owner_of_bytes, "the same bytes, another owner"},
	};
	struct attrset_store store;
	size_t i;

	(void)state;
	attrset_store_init(&store);
	for (i = 0; i < COUNT(cases); i++) {
		struct attrset a = sample();
		struct attrset b = sample();

		assert_true(attrset_equal(&a, &b));
		cases[i].change(&b);
		if (attrset_equal(&a, &b) || attrset_equal(&b, &a))
			fail_msg("sets that differ in %s are equal",
				 cases[i].why);
		if (attrset_intern(&store, &a) == attrset_intern(&store, &b))
			fail_msg("sets that differ in %s have one id",
				 cases[i].why);
		attrset_done(&a);
		attrset_done(&b);
	}
	attrset_store_done(&store);
}

static void refused_mark_is_no_part_of_equality(void **state)
{
	struct attrset a = sample();
	struct attrset b = sample();

	(void)state;
	b.refused = true;
	assert_true(attrset_equal(&a, &b));
	attrset_done(&a);
	attrset_done(&b);
	attrset_done(&b);
}

static void reject_types_are_known(void **state)
{
	static const struct {
		uint8_t type;
		bool is_reject;
	} cases[] = {
		{ATTRSET_UNICAST, false},
		{ATTRSET_LOCAL, false},
		{3, false},
		{5, false},
		{ATTRSET_BLACKHOLE, true},
		{ATTRSET_UNREACHABLE, true},
		{ATTRSET_PROHIBIT, true},
		{ATTRSET_THROW, true},
		{10, false},
	};
	struct attrset set;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		attrset_init(&set, AF_INET6, cases[i].type);
		assert_int_equal(attrset_is_reject(&set), cases[i].is_reject);
	}
}

static void copy_of_all_hops_writes_out_the_object(void **state)
{
	const bool keep[] = {true, true};
	struct attrset set = sample();
	struct attrset copy;

	(void)state;
	attrset_copy_for_table(&set, keep, &copy);
	assert_false(ip_addr_is_set(&copy.prefsrc));
	assert_false(ip_addr_is_set(&copy.src.addr));
	assert_int_equal(copy.src.len, 0);

	/* But for these three it is the same. */
	set.nh_id = 0;
	set.prefsrc = (struct ip_addr){0};
	set.src = (struct ip_prefix){0};
	assert_true(attrset_equal(&copy, &set));
	attrset_done(&copy);
	attrset_done(&set);
}

static void copy_of_one_hop_writes_it_out(void **state)
{
	const bool keep[] = {false, true};
	struct attrset set = sample();
	const struct ip_addr second = addr("192.0.2.2");
	const struct next_hop *hop;
	struct attrset copy;

	(void)state;
	attrset_copy_for_table(&set, keep, &copy);
	assert_int_equal(copy.nh_id, 0);
	assert_int_equal(copy.hops.n, 1);
	hop = &copy.hops.items[0];
	assert_int_equal(hop->ifindex, 3);
	assert_true(ip_addr_equal(&hop->gateway, &second));
	assert_int_equal(hop->weight, 0);

	assert_int_equal(copy.extra.n, 8);
	assert_memory_equal(copy.extra.items, "rrRRbbbb", 8);
	assert_int_equal(copy.route_extra_len, 4);
	assert_int_equal(hop->extra_at, 4);
	assert_int_equal(hop->extra_len, 4);
	attrset_done(&copy);
	attrset_done(&set);
}

static void copy_of_some_hops_keeps_their_weights(void **state)
{
	const bool keep[] = {true, false, true};
	struct attrset set = sample();
	struct attrset copy;

	(void)state;
	add_hop(&set, "192.0.2.3", 4, "");
	attrset_copy_for_table(&set, keep, &copy);
	assert_int_equal(copy.nh_id, 0);
	assert_int_equal(copy.hops.n, 2);
	assert_int_equal(copy.hops.items[0].ifindex, 2);
	assert_int_equal(copy.hops.items[1].ifindex, 4);
	assert_int_equal(copy.hops.items[0].weight, 4);
	assert_int_equal(copy.hops.items[1].weight, 4);
	assert_int_equal(copy.extra.n, 8);
	assert_memory_equal(copy.extra.items, "rrRRaaaa", 8);
	attrset_done(&copy);
	attrset_done(&set);
}

/* As the kernel reports it, so that a copy equals what is read back. */
static void only_hop_has_no_weight(void **state)
{
	const bool keep[] = {true};
	struct attrset set;
	struct attrset copy;

	(void)state;
	attrset_init(&set, AF_INET, ATTRSET_UNICAST);
	add_hop(&set, "192.0.2.1", 2, "");
	attrset_copy_for_table(&set, keep, &copy);
	assert_int_equal(copy.hops.items[0].weight, 0);
	attrset_done(&copy);
	attrset_done(&set);
}

/* IPv6 takes no hop twice, which a group may have; another encap is another. */
static void hops_of_an_object_stand_once(void **state)
{
	const bool keep[] = {true, true, true, true, true};
	struct attrset set;
	struct attrset copy;

	(void)state;
	attrset_init(&set, AF_INET6, ATTRSET_UNICAST);
	set.nh_id = 9;
	add_hop(&set, "2001:db8::1", 2, "aaaa");
	add_hop(&set, "2001:db8::1", 2, "bbbb");
	add_hop(&set, "2001:db8::1", 2, "aaaa");
	add_hop(&set, "2001:db8::2", 2, "");
	add_hop(&set, "2001:db8::2", 2, "");
	set.hops.items[4].weight = 253;
	attrset_copy_for_table(&set, keep, &copy);
	assert_int_equal(copy.hops.n, 3);
	assert_int_equal(copy.hops.items[0].weight, 9);
	assert_int_equal(copy.hops.items[1].weight, 4);
	assert_int_equal(copy.hops.items[2].weight, 255);
	assert_memory_equal(copy.extra.items, "aaaabbbb", 8);
	attrset_done(&copy);
	attrset_done(&set);
}

static void copy_of_a_reject_has_no_hops(void **state)
{
	struct attrset set;
	struct attrset copy;

	(void)state;
	attrset_init(&set, AF_INET6, ATTRSET_UNREACHABLE);
	set.refused = true;
	attrset_copy_for_table(&set, NULL, &copy);
	assert_true(attrset_equal(&copy, &set));
	assert_false(copy.refused);
	attrset_done(&copy);
	attrset_done(&set);
}

static void equal_sets_have_one_id(void **state)
{
	struct attrset_store store;
	struct attrset a = sample();
	struct attrset b = sample();
	uint32_t id;

	(void)state;
	attrset_store_init(&store);
	id = attrset_intern(&store, &a);
	assert_int_equal(attrset_intern(&store, &b), id);
	assert_int_equal(attrset_intern(&store, attrset_get(&store, id)), id);
	assert_int_equal(store.used, 1);
	assert_true(attrset_equal(attrset_get(&store, id), &a));

	/* The store has its own bytes. */
	memset(a.extra.items, 'z', a.extra.n);
	assert_true(attrset_equal(attrset_get(&store, id), &b));
	attrset_done(&a);
	attrset_done(&b);
	attrset_store_done(&store);
	attrset_store_done(&store);
}

static void id_lives_as_long_as_its_refs(void **state)
{
	struct attrset_store store;
	struct attrset a = sample();
	struct attrset b = sample();
	uint32_t id;

	(void)state;
	attrset_store_init(&store);
	id = attrset_intern(&store, &a);
	attrset_ref(&store, id);
	attrset_intern(&store, &a);
	attrset_unref(&store, id);
	attrset_unref(&store, id);
	assert_true(attrset_is_live(&store, id));
	attrset_unref(&store, id);
	assert_false(attrset_is_live(&store, id));
	assert_int_equal(store.used, 0);

	b.nh_id = 10;
	assert_int_equal(attrset_intern(&store, &b), id);
	assert_int_equal(store.n, 1);
	assert_true(attrset_equal(attrset_get(&store, id), &b));
	attrset_done(&a);
	attrset_done(&b);
	attrset_store_done(&store);
}

static void refused_mark_lives_with_the_id(void **state)
{
	struct attrset_store store;
	struct attrset set = sample();
	uint32_t id;

	(void)state;
	set.refused = true;
	attrset_store_init(&store);
	id = attrset_intern(&store, &set);
	assert_false(attrset_get(&store, id)->refused);
	attrset_refuse(&store, id, true);
	assert_int_equal(attrset_intern(&store, &set), id);
	assert_true(attrset_get(&store, id)->refused);
	attrset_unref(&store, id);
	attrset_refuse(&store, id, false);
	assert_false(attrset_get(&store, id)->refused);

	attrset_refuse(&store, id, true);
	attrset_unref(&store, id);
	assert_int_equal(attrset_intern(&store, &set), id);
	assert_false(attrset_get(&store, id)->refused);
	attrset_done(&set);
	attrset_store_done(&store);
}

/* More than the first buckets hold, with holes, so that everything grows. */
static void many_sets_are_all_found_again(void **state)
{
	struct attrset_store store;
	struct attrset set = sample();
	uint32_t ids[3000];
	uint32_t i;

	(void)state;
	attrset_store_init(&store);
	for (i = 0; i < COUNT(ids); i++) {
		set.nh_id = i;
		ids[i] = attrset_intern(&store, &set);
		if (i % 3 == 0)
			attrset_unref(&store, ids[i]);
	}
	assert_int_equal(store.used, 2000);
	for (i = 0; i < COUNT(ids); i++) {
		if (i % 3 == 0)
			continue;
		set.nh_id = i;
		assert_true(attrset_is_live(&store, ids[i]));
		assert_int_equal(attrset_get(&store, ids[i])->nh_id, i);
		assert_int_equal(attrset_intern(&store, &set), ids[i]);
	}
	assert_true(store.n <= 2001);

	/* Oldest first: mostly not what a bucket names first. */
	for (i = 0; i < COUNT(ids); i++) {
		if (i % 3 == 0)
			continue;
		attrset_unref(&store, ids[i]);
		attrset_unref(&store, ids[i]);
	}
	assert_int_equal(store.used, 0);
	attrset_done(&set);
	attrset_store_done(&store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sets_differ_in_each_field),
		cmocka_unit_test(refused_mark_is_no_part_of_equality),
		cmocka_unit_test(reject_types_are_known),
		cmocka_unit_test(copy_of_all_hops_writes_out_the_object),
		cmocka_unit_test(copy_of_one_hop_writes_it_out),
		cmocka_unit_test(copy_of_some_hops_keeps_their_weights),
		cmocka_unit_test(only_hop_has_no_weight),
		cmocka_unit_test(hops_of_an_object_stand_once),
		cmocka_unit_test(copy_of_a_reject_has_no_hops),
		cmocka_unit_test(equal_sets_have_one_id),
		cmocka_unit_test(id_lives_as_long_as_its_refs),
		cmocka_unit_test(refused_mark_lives_with_the_id),
		cmocka_unit_test(many_sets_are_all_found_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
