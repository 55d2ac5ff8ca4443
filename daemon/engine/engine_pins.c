/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/engine_pins.h"

#include <netinet/in.h>
#include <stdio.h>

#include "engine/engine.h"
#include "engine/engine_pin_flows.h"
#include "kernel/sysctl.h"
#include "log.h"

enum {
	AUDIT_MS = 15000,   /* while there are pins */
	SOON_MS = 250,	    /* after the last known flow of a pin has ended */
	MANAGED_MAX = 1024, /* the oldest is forgotten then */
	HASH_BY_FIELDS = 3, /* fib_multipath_hash_policy */
};

void engine_pins_done(struct engine *engine)
{
	const struct pin *pin;

	vec_foreach(&engine->pins.restored, pin)
		attrset_unref(&engine->model.rib.attrs, pin->attrs);
	vec_done(&engine->pins.restored);
	engine_strays_done(engine);
	pin_set_done(&engine->pins.set, &engine->model.rib.attrs);
	vec_done(&engine->pins.first);
	vec_done(&engine->pins.managed);
	vec_done(&engine->pins.sources);
	vec_done(&engine->pins.homes);
	flow_memory_done(&engine->pins.memory);
}

void engine_pins_managed(struct engine *engine, const struct subnet *subnet)
{
	struct engine_pins *pins = &engine->pins;
	const struct subnet *it;

	engine_strays_return(engine, subnet);
	vec_foreach(&pins->managed, it)
		if (subnet_cmp(it, subnet) == 0)
			return;
	if (pins->managed.n == MANAGED_MAX)
		vec_remove(&pins->managed, 0);
	vec_push(&pins->managed, *subnet);
	vec_push(&pins->first, subnet->table);
}

static bool is_on(const struct engine *engine)
{
	return engine->policy->pinning.scope != PIN_SCOPE_OFF &&
	       engine->pins.flows.list;
}

/* --- where there are pins --- */

/* @ret: appended */
static void pinned_tables(const struct engine *engine, struct table_vec *ret)
{
	const struct pin *pin;

	vec_foreach(&engine->pins.set.pins, pin)
		if (!table_vec_has(ret, pin->table))
			vec_push(ret, pin->table);
}

static void update_sources(struct engine *engine)
{
	struct prefix_vec *sources = &engine->pins.sources;
	struct table_vec tables = {0};
	const struct subnet *it;

	vec_clear(sources);
	vec_clear(&engine->pins.homes);
	pinned_tables(engine, &tables);
	vec_foreach(&engine->subnets.subnets, it)
		if (it->table && table_vec_has(&tables, it->table)) {
			vec_push(sources, it->prefix);
			vec_push(&engine->pins.homes, *it);
		}
	vec_done(&tables);
}

/* --- by the clock --- */

static void come_by(uint64_t *when_ms, uint64_t at_ms)
{
	if (!*when_ms || at_ms < *when_ms)
		*when_ms = at_ms;
}

uint64_t engine_pins_next(const struct engine *engine)
{
	uint64_t next = engine->pins.next_ms;

	if (engine->pins.asked)
		return 1;
	if (engine->pins.audit_ms)
		come_by(&next, engine->pins.audit_ms);
	if (engine->pins.strays.n)
		come_by(&next, engine_strays_next(engine));
	return next;
}

static void audit(struct engine *engine, uint64_t now_ms)
{
	struct pin_flow_vec flows = {0};
	struct table_vec tables = {0};

	pinned_tables(engine, &tables);
	if (engine_pin_flows_pinned(engine, now_ms, &tables, &flows))
		pin_count(&flows, &tables, &engine->pins.set, &engine->model);
	vec_done(&tables);
	vec_done(&flows);
}

void engine_pins_due(struct engine *engine, uint64_t now_ms)
{
	struct engine_pins *pins = &engine->pins;
	const struct pin *pin;

	/* Where there is no subnet there are no flows to be counted. */
	engine_strays_collect(engine, now_ms);
	/* A socket outlives its address, but no packet of it leaves. */
	if (pins->set.pins.n && engine->model.changes.addresses)
		come_by(&pins->audit_ms, now_ms);
	if (pins->audit_ms && pins->audit_ms <= now_ms) {
		pins->audit_ms = pins->set.pins.n ? now_ms + AUDIT_MS : 0;
		audit(engine, now_ms);
	}
	if (!pins->asked && (!pins->next_ms || pins->next_ms > now_ms))
		return;
	pins->asked = false;
	vec_foreach(&pins->set.pins, pin) {
		struct ip_prefix host = ip_prefix_host(&pin->dst);

		if (pin->asked ||
		    (pin->kind == PIN_HOLD && pin->until_ms <= now_ms))
			rib_touch(&engine->model.rib, &host);
	}
}

/* --- deciding --- */

static bool is_led(const struct engine *engine, uint32_t table)
{
	const struct rule *rule;

	vec_foreach(&engine->model.rules, rule)
		if (rule->table == table &&
		    rule->protocol == engine->policy->protocol)
			return true;
	return false;
}

/* Once a rule leads to a table, what the table says is what flows do. */
static void forget_first(struct engine *engine)
{
	struct table_vec *first = &engine->pins.first;

	for (size_t i = first->n; i-- > 0;)
		if (is_led(engine, first->items[i]))
			vec_remove(first, i);
}

/*
 * By the fields that the administrator chose, IPv4 picks one leg for a question
 * and another one for the packets (6.18).
 */
static bool tells_legs(struct engine_pins *pins, uint8_t family)
{
	int policy;

	if (family != AF_INET)
		return true;
	if (pins->legs == ENGINE_LEGS_UNASKED)
		pins->legs = sysctl_read("ipv4/fib_multipath_hash_policy",
					 &policy) == 0 &&
					     policy == HASH_BY_FIELDS
				     ? ENGINE_LEGS_HIDDEN
				     : ENGINE_LEGS_TOLD;
	return pins->legs == ENGINE_LEGS_TOLD;
}

static bool ask(void *data, const struct pin_flow *flow, struct pin_way *ret)
{
	struct engine *engine = data;
	const struct kernel_question question = {
		.src = flow->src,
		.dst = flow->dst,
		.sport = flow->sport,
		.dport = flow->dport,
	};
	struct kernel_answer answer;

	if (kernel_ask(engine->kernel, &question, &answer) != 0 ||
	    answer.error != 0 || answer.table == ROUTE_TABLE_LOCAL)
		return false;
	*ret = (struct pin_way){
		.table = answer.table,
		.hop = answer.hop,
		.exact = tells_legs(&engine->pins, flow->dst.family),
	};
	return true;
}

static void add_text(char *text, size_t size, const char *word, uint64_t n)
{
	size_t len = strlen(text);

	if (n)
		(void)snprintf(text + len, size - len, " %s=%llu", word,
			       (unsigned long long)n);
}

static const char *const moved_words[PIN_MOVEDS] = {
	[PIN_MOVED_STALLED] = "moved_stalled",
	[PIN_MOVED_LOST] = "moved_lost",
	[PIN_MOVED_WEAK] = "moved_weak",
	[PIN_MOVED_HOLD_OVER] = "moved_hold_over",
	[PIN_MOVED_CAP] = "moved_over_cap",
	[PIN_MOVED_ASKED] = "moved_unpinned",
};

/* One line for all of it. */
static void log_tally(struct engine *engine, const struct pin_tally *tally,
		      uint64_t now_ms)
{
	char text[256] = "";

	add_text(text, sizeof(text), "pinned", tally->added);
	add_text(text, sizeof(text), "flows", tally->saved);
	add_text(text, sizeof(text), "held", tally->held);
	add_text(text, sizeof(text), "ended", tally->dropped);
	for (size_t i = PIN_MOVED_NOT + 1; i < PIN_MOVEDS; i++)
		add_text(text, sizeof(text), moved_words[i], tally->moved[i]);
	if (text[0])
		log_limited(LOG_KIND_PINS, now_ms, LOG_INFO, "pins:%s", text);
	if (tally->moved[PIN_MOVED_CAP] && !engine->pins.full)
		log_warn("there are as many pins as there may be (%u, "
			 "pinning.max): the youngest flows move with their "
			 "route",
			 engine->policy->pinning.max);
	engine->pins.full = tally->moved[PIN_MOVED_CAP] > 0;
}

static void count(struct engine_pins_counters *counters,
		  const struct pin_tally *tally)
{
	counters->added += tally->added;
	counters->held += tally->held;
	counters->dropped += tally->dropped;
	counters->saved += tally->saved;
	for (size_t i = 0; i < PIN_MOVEDS; i++)
		counters->moved[i] += tally->moved[i];
}

/* Pins of rows that were not to be planned so far. */
static void touch(struct engine *engine, const struct pin_tally *tally)
{
	const struct ip_prefix *it;

	vec_foreach(&tally->touched, it)
		rib_touch(&engine->model.rib, it);
}

static void decide(struct engine *engine, uint64_t now_ms,
		   const struct table_vec *tables, struct planned *planned)
{
	const struct view view = engine_view(engine);
	struct engine_pins *pins = &engine->pins;
	struct pin_flow_vec flows = {0};
	const struct table_vec none = {0};
	bool listed = engine_pin_flows_moving(engine, now_ms, tables, &flows);
	struct pin_tally tally = {0};
	const struct pin_input input = {
		.view = &view,
		.attrs = &engine->model.rib.attrs,
		.planned = planned,
		.listed = listed ? tables : &none,
		.flows = &flows,
		.first = &pins->first,
		.ask = ask,
		.data = engine,
		.now_ms = now_ms,
	};

	pins->legs = ENGINE_LEGS_UNASKED;
	pin_update(&input, &pins->set, &tally);
	touch(engine, &tally);
	pins->next_ms = pin_next_ms(&pins->set);
	if (pins->set.pins.n)
		come_by(&pins->audit_ms, now_ms + AUDIT_MS);
	else
		pins->audit_ms = 0;
	count(&pins->counters, &tally);
	log_tally(engine, &tally, now_ms);
	pins->version += tally.changed;
	pin_tally_done(&tally);
	vec_done(&flows);
}

/* All of them go: flows follow the plan. */
static void give_up(struct engine *engine)
{
	struct pin_tally all = {0};
	const struct pin *pin;

	engine_strays_done(engine);
	vec_foreach(&engine->pins.set.pins, pin) {
		struct ip_prefix host = ip_prefix_host(&pin->dst);

		vec_push(&all.touched, host);
	}
	pin_set_done(&engine->pins.set, &engine->model.rib.attrs);
	engine->pins.next_ms = 0;
	engine->pins.audit_ms = 0;
	engine->pins.version++;
	touch(engine, &all);
	pin_tally_done(&all);
}

/* Whose flows this plan may move: no rule of ours comes before a tunnel goes.
 * @ret: appended */
static void first_tables(const struct engine *engine, struct table_vec *ret)
{
	const struct table_vec *first = &engine->pins.first;
	const struct view view = engine_view(engine);
	const struct subnet *it;

	if (first->n == 0)
		return;
	vec_foreach(&engine->subnets.subnets, it)
		if (it->table && table_vec_has(first, it->table) &&
		    !plan_yields(&view, it->prefix.addr.family))
			vec_push(ret, it->table);
}

/*
 * Whether it matters what this plan moves. First of all, as to find out what
 * that is takes longer than to hear that there is no flow.
 */
static bool is_any(const struct engine *engine)
{
	if (engine->pins.set.pins.n)
		return true;
	if (engine->model.rib.dirty.n == 0 && engine->pins.first.n == 0)
		return false;
	return engine_pin_flows_any(engine);
}

static void keep_flows(struct engine *engine, uint64_t now_ms,
		       struct planned *planned)
{
	const struct view view = engine_view(engine);
	struct table_vec tables = {0};
	struct table_vec first = {0};

	first_tables(engine, &first);
	pin_affected(&view, planned, &first, &tables);
	if (tables.n || engine->pins.set.pins.n)
		decide(engine, now_ms, &tables, planned);
	vec_done(&first);
	vec_done(&tables);
}

void engine_pins_decide(struct engine *engine, uint64_t now_ms,
			struct planned *planned)
{
	engine->model.keep_lost = is_on(engine);
	model_sort_lost(&engine->model);
	if (is_on(engine)) {
		forget_first(engine);
		if (is_any(engine))
			keep_flows(engine, now_ms, planned);
	} else if (engine->pins.set.pins.n || engine->pins.strays.n) {
		give_up(engine);
	}
	update_sources(engine);
	model_forget_lost(&engine->model);
}

/* --- from outside --- */

/* Of all its pins one is enough: the flows of all are counted. */
static bool is_pinned(const struct engine *engine, const struct ip_addr *dst)
{
	const struct subnet *it;

	vec_foreach(&engine->subnets.subnets, it)
		if (pin_find(&engine->pins.set, dst, it->table))
			return true;
	return false;
}

void engine_pins_flow_ended(struct engine *engine, const struct ip_addr *src,
			    const struct ip_addr *dst, uint64_t now_ms)
{
	const struct subnet *subnet = subnet_of_source(&engine->subnets, src);
	struct pin *pin =
		subnet ? pin_find(&engine->pins.set, dst, subnet->table) : NULL;

	if (ip_addr_is_any(src) && is_pinned(engine, dst))
		come_by(&engine->pins.audit_ms, now_ms + SOON_MS);
	if (!pin)
		return;
	/* It may be one that stalled: that the rest has stalled is not said. */
	pin->stalled -= pin->stalled > 0 && pin->flows > 1;
	/*
	 * Others may have begun since, or this was not one of those that were
	 * counted: that there is none left only a count can tell.
	 */
	if (pin->flows > 1)
		pin->flows--;
	else
		come_by(&engine->pins.audit_ms, now_ms + SOON_MS);
}

void engine_pins_flows_lost(struct engine *engine, uint64_t now_ms)
{
	if (engine->pins.set.pins.n)
		come_by(&engine->pins.audit_ms, now_ms + SOON_MS);
}

size_t engine_pins_unpin(struct engine *engine, const struct ip_addr *dst)
{
	struct pin *pin;
	size_t n = 0;

	vec_foreach(&engine->pins.set.pins, pin) {
		if (ip_addr_is_set(dst) && !ip_addr_equal(dst, &pin->dst))
			continue;
		pin->asked = true;
		n++;
	}
	engine->pins.asked |= n > 0;
	return n;
}

void engine_pins_restore(struct engine *engine, const struct pin *pin,
			 const struct next_hop *hop,
			 const struct pin_member *member)
{
	struct attrset_store *attrs = &engine->model.rib.attrs;
	struct engine_pins *pins = &engine->pins;
	struct pin restored = *pin;
	struct attrset set;

	attrset_init(&set, pin->dst.family, ATTRSET_UNICAST);
	if (!ip_addr_is_set(&hop->gateway) && pin->dst.family == AF_INET)
		set.scope = ROUTE_SCOPE_LINK;
	attrset_add_hop(&set, hop, NULL, 0);
	restored.attrs = attrset_intern(attrs, &set);
	attrset_done(&set);
	vec_push(&pins->restored, restored);
	/* In the file they are in order, as they are here. */
	pin_add_member(&pins->set, member);
}

static int pin_order(const void *a, const void *b)
{
	return pin_cmp(a, b);
}

void engine_pins_restored(struct engine *engine)
{
	struct attrset_store *attrs = &engine->model.rib.attrs;
	struct engine_pins *pins = &engine->pins;
	struct pin_vec *news = &pins->restored;
	size_t n = 0;

	if (news->n == 0)
		return;
	vec_sort(news, pin_order);
	for (size_t i = 0; i < news->n; i++) {
		if (n && pin_cmp(&news->items[n - 1], &news->items[i]) == 0)
			attrset_unref(attrs, news->items[i].attrs);
		else
			news->items[n++] = news->items[i];
	}
	news->n = n;
	pin_merge(&pins->set, attrs, news);
	vec_done(news);
	pins->next_ms = pin_next_ms(&pins->set);
	come_by(&pins->audit_ms, 1);
}
