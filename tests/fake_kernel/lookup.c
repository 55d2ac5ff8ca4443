/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The decision about one packet that this host sends: rules by priority, then
 * the longest prefix in the table, then source prefix, TOS and metric.
 */
#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>

#include "core/path.h"
#include "tests/fake_kernel/machine.h"

/* A packet, and the rows of routes whose prefix covers where it goes. */
struct packet {
	const struct kernel_question *question;
	uint32_t rows[TRIE_DEPTH_MAX]; /* the shortest prefix first */
	size_t n;
};

struct found {
	const struct route *route;  /* NULL: none */
	const struct next_hop *hop; /* NULL: a reject route */
	uint32_t row;
};

/* --- table local --- */

static bool is_broadcast(const struct fake *fake, const struct ip_addr *dst,
			 uint32_t *ret_ifindex)
{
	const struct address *it;

	vec_foreach(&fake->model.addresses, it) {
		struct ip_prefix prefix =
			ip_prefix_make(&it->peer, it->prefix_len);
		struct ip_addr last = ip_prefix_last(&prefix);

		if (it->local.family != AF_INET || it->prefix_len > 30 ||
		    !machine_is_up(fake, it->ifindex) ||
		    !ip_addr_equal(&last, dst))
			continue;
		*ret_ifindex = it->ifindex;
		return true;
	}
	return false;
}

/* Return: whether table local has the answer. */
static bool ask_local(const struct fake *fake,
		      const struct kernel_question *question,
		      struct kernel_answer *ret)
{
	uint32_t ifindex = MACHINE_LO;
	uint8_t type = RTN_LOCAL;

	if (!machine_is_local(fake, &question->dst)) {
		if (question->dst.family == AF_INET6 ||
		    !is_broadcast(fake, &question->dst, &ifindex))
			return false;
		type = RTN_BROADCAST;
	}
	*ret = (struct kernel_answer){
		.table = ROUTE_TABLE_LOCAL,
		.type = type,
		.hop.ifindex = ifindex,
		.src = question->src,
	};
	return true;
}

/* --- one table --- */

static bool is_alive(const struct fake *fake, const struct next_hop *hop,
		     const struct kernel_question *question)
{
	return machine_carries(fake, hop->ifindex, question->dst.family) &&
	       (!question->oif || question->oif == hop->ifindex);
}

/* Which hop of several is taken is the flow's luck; here the ports tell. */
static const struct next_hop *pick_hop(const struct fake *fake,
				       const struct kernel_question *question,
				       const struct attrset *set)
{
	const struct next_hop *alive[PATH_HOPS_MAX];
	const struct next_hop *hop;
	size_t n = 0;

	vec_foreach(&set->hops, hop)
		if (n < PATH_HOPS_MAX && is_alive(fake, hop, question))
			alive[n++] = hop;
	return n ? alive[(question->sport + question->dport) % n] : NULL;
}

static bool take_route(const struct fake *fake, const struct packet *packet,
		       const struct route *route, struct found *ret)
{
	const struct attrset *set =
		attrset_get(&fake->model.rib.attrs, route->attrs);

	if (set->src.addr.family &&
	    !ip_prefix_has(&set->src, &packet->question->src))
		return false;
	if (route->tos && route->tos != packet->question->tos)
		return false;
	ret->hop = pick_hop(fake, packet->question, set);
	if (!ret->hop && !attrset_is_reject(set))
		return false;
	ret->route = route;
	return true;
}

static uint8_t source_len(const struct fake *fake, const struct route *route)
{
	const struct attrset *set =
		attrset_get(&fake->model.rib.attrs, route->attrs);

	return set->src.addr.family ? set->src.len : 0;
}

/* In the row they stand by TOS and metric, the lower first. */
static bool is_better(const struct fake *fake, const struct route *a,
		      const struct route *b)
{
	uint8_t a_len = source_len(fake, a);
	uint8_t b_len = source_len(fake, b);

	if (a_len != b_len)
		return a_len > b_len;
	if (a->tos != b->tos)
		return a->tos > b->tos;
	return a->metric < b->metric;
}

static struct found look_in_row(const struct fake *fake,
				const struct packet *packet, size_t at,
				uint32_t table)
{
	const struct row *row = rib_row_at(&fake->model.rib, packet->rows[at]);
	struct found best = {.row = packet->rows[at]};

	for (size_t i = 0; i < row->n; i++) {
		const struct route *route = &row->routes[i];
		struct found found = best;

		if (route->table != table ||
		    (best.route && !is_better(fake, route, best.route)))
			continue;
		if (take_route(fake, packet, route, &found))
			best = found;
	}
	return best;
}

static struct found look_in_table(const struct fake *fake,
				  const struct packet *packet, uint32_t table)
{
	struct found found = {0};

	for (size_t i = packet->n; i-- > 0 && !found.route;)
		found = look_in_row(fake, packet, i, table);
	return found;
}

/* --- rules --- */

/* An unmarked packet, of no user in particular. */
static bool is_caught(const struct rule *rule,
		      const struct kernel_question *question)
{
	const struct ip_addr none = {
		.family = question->dst.family,
	};
	const struct ip_addr *src =
		ip_addr_is_set(&question->src) ? &question->src : &none;
	bool caught = !rule->other_iif && !rule->oif && !rule->selective &&
		      (rule->fwmark & rule->fwmask) == 0 &&
		      ip_prefix_has(&rule->src, src) &&
		      ip_prefix_has(&rule->dst, &question->dst);

	return caught != rule->invert;
}

static int error_of(const struct attrset *set)
{
	switch (set->type) {
	case ATTRSET_UNREACHABLE:
		return -EHOSTUNREACH;
	case ATTRSET_PROHIBIT:
		return -EACCES;
	case ATTRSET_BLACKHOLE:
		return -EINVAL;
	default:
		return 0;
	}
}

/* Of a rule that looks nothing up; 0: it lets the packet pass. */
static int error_of_rule(const struct rule *rule)
{
	switch (rule->action) {
	case FR_ACT_UNREACHABLE:
		return -ENETUNREACH;
	case FR_ACT_PROHIBIT:
		return -EACCES;
	case FR_ACT_BLACKHOLE:
		return -EINVAL;
	default:
		return 0;
	}
}

/* The address a socket without one would get. */
static struct ip_addr pick_source(const struct fake *fake,
				  const struct ip_addr *towards,
				  uint32_t ifindex)
{
	struct ip_addr any = {0};
	struct ip_addr best = {0};
	const struct address *it;

	vec_foreach(&fake->model.addresses, it) {
		struct ip_prefix prefix =
			ip_prefix_make(&it->peer, it->prefix_len);

		if (it->local.family != towards->family || it->temporary ||
		    it->scope == MACHINE_LINK)
			continue;
		if (it->ifindex == ifindex && !ip_addr_is_set(&best))
			best = it->local;
		if (it->ifindex == ifindex && ip_prefix_has(&prefix, towards))
			return it->local;
		if (!ip_addr_is_set(&any))
			any = it->local;
	}
	return ip_addr_is_set(&best) ? best : any;
}

static void answer_with(const struct fake *fake,
			const struct kernel_question *question,
			const struct found *found, struct kernel_answer *ret)
{
	const struct attrset *set =
		attrset_get(&fake->model.rib.attrs, found->route->attrs);
	const struct ip_addr *towards = &question->dst;

	*ret = (struct kernel_answer){.table = found->route->table};
	ret->error = error_of(set);
	/* IPv4 says no more of a reject route than its error. */
	if (!found->hop) {
		if (question->dst.family == AF_INET)
			ret->table = 0;
		else
			ret->type = set->type;
		return;
	}
	ret->type = set->type;
	ret->hop.ifindex = found->hop->ifindex;
	ret->hop.gateway = found->hop->gateway;
	if (ip_addr_is_set(&found->hop->gateway) &&
	    found->hop->gateway.family == towards->family)
		towards = &found->hop->gateway;
	if (ip_addr_is_set(&question->src))
		ret->src = question->src;
	else if (ip_addr_is_set(&set->prefsrc))
		ret->src = set->prefsrc;
	else
		ret->src = pick_source(fake, towards, found->hop->ifindex);
}

/* suppress_prefixlength: too short a prefix is none. */
static bool is_suppressed(const struct fake *fake,
			  const struct kernel_question *question,
			  const struct rule *rule, const struct found *found)
{
	const struct trie *trie =
		rib_trie(&fake->model.rib, question->dst.family);

	for (int len = 0;
	     len <= rule->suppress_len && len <= ip_bits(question->dst.family);
	     len++) {
		struct ip_prefix prefix =
			ip_prefix_make(&question->dst, (uint8_t)len);

		if (trie_find(trie, &prefix) == found->row)
			return true;
	}
	return false;
}

/* Return: whether @rule decides. */
static bool try_rule(const struct fake *fake, const struct packet *packet,
		     const struct rule *rule, struct kernel_answer *ret)
{
	const struct kernel_question *question = packet->question;
	struct found found;

	if (rule->family != question->dst.family || !is_caught(rule, question))
		return false;
	if (rule->action != RULE_ACTION_LOOKUP) {
		*ret = (struct kernel_answer){.error = error_of_rule(rule)};
		return ret->error != 0;
	}
	if (rule->table == ROUTE_TABLE_LOCAL)
		return ask_local(fake, question, ret);
	found = look_in_table(fake, packet, rule->table);
	if (!found.route || is_suppressed(fake, question, rule, &found))
		return false;
	if (attrset_get(&fake->model.rib.attrs, found.route->attrs)->type ==
	    ATTRSET_THROW)
		return false;
	answer_with(fake, question, &found, ret);
	return true;
}

struct kernel_answer machine_ask(const struct fake *fake,
				 const struct kernel_question *question)
{
	struct kernel_answer answer = {.error = -ENETUNREACH};
	struct packet packet = {.question = question};
	struct ip_prefix host = ip_prefix_host(&question->dst);
	const struct rule *rule;

	/* IPv4 looks at the source before anything else. */
	if (question->src.family == AF_INET &&
	    !machine_is_local(fake, &question->src))
		return answer;
	packet.n = trie_cover(rib_trie(&fake->model.rib, host.addr.family),
			      &host, packet.rows);
	vec_foreach(&fake->rules, rule)
		if (try_rule(fake, &packet, rule, &answer))
			return answer;
	return (struct kernel_answer){.error = -ENETUNREACH};
}
