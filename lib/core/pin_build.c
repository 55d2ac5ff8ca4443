/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/pin_build.h"
#include "core/pin_spot.h"

#include <assert.h>

void pin_tally_done(struct pin_tally *tally)
{
	vec_done(&tally->touched);
}

static const struct subnet *subnet_of_table(const struct view *view,
					    uint32_t table)
{
	const struct subnet *it;

	vec_foreach(&view->subnets->subnets, it)
		if (it->managed && it->table == table)
			return it;
	return NULL;
}

/* --- one decision --- */

/* What shall be, before it is entered. */
struct change {
	struct pin pin; /* PIN_NONE: none; holds a ref to attrs, if it has it */
	struct pin_spot spot;
	enum pin_moved moved;
	uint64_t flows; /* that move, or are kept */
	uint64_t age;	/* of the oldest */
	bool has_attrs;
};

VEC(change_vec, struct change);

/* One path of the facts: what of it is there. */
struct end {
	bool found;
	uint32_t attrs; /* with a ref, if found */
	bool available;
	bool is_plan;
	bool congruent;
};

struct context {
	const struct pin_input *input;
	const struct subnet *subnet;
	const struct pin *pin; /* NULL: none */
	const struct ip_addr *dst;
	uint32_t table;
	struct pin_spot spot;
	struct path planned;
	struct path old;
	struct end home;
	struct end now;
};

/* Only the legs that are there, if some are not and all were looked at. */
static uint32_t shorten(struct attrset_store *attrs, uint32_t id,
			const bool *keep, size_t n)
{
	const struct attrset *set = attrset_get(attrs, id);
	struct attrset copy;
	uint32_t ret;

	if (n == 0 || n == set->hops.n || set->hops.n > PATH_HOPS_MAX) {
		attrset_ref(attrs, id);
		return id;
	}
	attrset_copy_for_table(set, keep, &copy);
	ret = attrset_intern(attrs, &copy);
	attrset_done(&copy);
	return ret;
}

/* @attrs: its ref is taken over */
static struct end make_end(const struct context *context, uint32_t attrs,
			   bool available)
{
	const struct pin_input *input = context->input;
	const struct path path = {true, attrs, 0};

	return (struct end){
		.found = true,
		.attrs = attrs,
		.available = available,
		.is_plan = path_is_same(input->attrs, &path, &context->planned),
		.congruent =
			path_is_congruent(input->view, context->subnet, attrs),
	};
}

static struct end look_at(const struct context *context, uint32_t id)
{
	const struct pin_input *input = context->input;
	bool keep[PATH_HOPS_MAX] = {0};
	size_t n = path_available(input->view, id, context->dst, keep);

	return make_end(context, shorten(input->attrs, id, keep, n), n > 0);
}

/*
 * One that flows are on. As soon as a leg of it is gone, only those count that
 * they are on, if the kernel knows.
 */
static struct end look_at_used(const struct context *context, uint32_t id)
{
	const struct pin_input *input = context->input;
	bool used[PATH_HOPS_MAX] = {0};
	struct end end;
	uint32_t attrs;
	size_t n = 0;

	if (!path_is_whole(input->view, id, context->dst))
		n = pin_legs_used(input, &context->spot, id, used);
	attrs = shorten(input->attrs, id, used, n);
	end = look_at(context, attrs);
	attrset_unref(input->attrs, attrs);
	return end;
}

/* One that flows wait for: on which of its legs they were nobody knows. */
static struct end look_at_awaited(const struct context *context, uint32_t id)
{
	const struct pin_input *input = context->input;

	attrset_ref(input->attrs, id);
	return make_end(context, id,
			path_is_whole(input->view, id, context->dst));
}

/* A path that was kept in mind only may have other metrics now. */
static void renew(struct context *context)
{
	const struct pin_input *input = context->input;
	const struct attrset *set =
		attrset_get(input->attrs, context->home.attrs);
	struct next_hop hop;
	uint32_t attrs;

	if (set->hops.n != 1 || !context->home.available ||
	    context->pin->kind == PIN_PATH)
		return;
	hop = set->hops.items[0];
	if (!path_through(input->view, input->attrs, context->dst, &hop,
			  &attrs))
		return;
	attrset_unref(input->attrs, context->home.attrs);
	context->home.attrs = attrs;
}

static void find_paths(struct context *context)
{
	const struct pin_input *input = context->input;
	const struct ip_prefix host = ip_prefix_host(context->dst);
	const struct model *model = input->view->model;
	struct pin_way way;
	uint32_t asked;

	context->planned = path_planned(input->planned, context->table, &host);
	if (context->pin) {
		context->home =
			context->pin->kind == PIN_PATH
				? look_at_used(context, context->pin->attrs)
				: look_at_awaited(context, context->pin->attrs);
		renew(context);
	}
	if (context->pin && context->pin->kind != PIN_AWAY)
		return;
	if (!table_vec_has(input->first, context->table)) {
		context->old = path_in_use(model, context->table, &host);
		if (context->old.found)
			context->now =
				look_at_used(context, context->old.attrs);
	} else if (context->spot.n && input->ask &&
		   input->ask(input->data, context->spot.flows, &way) &&
		   path_through(input->view, input->attrs, context->dst,
				&way.hop, &asked)) {
		context->old = (struct path){true, asked, 0};
		context->now = look_at(context, asked);
		attrset_unref(input->attrs, asked);
	}
}

static bool plan_rejects(const struct context *context)
{
	const struct attrset *set;

	if (!context->planned.found)
		return context->subnet->strong;
	set = attrset_get(context->input->attrs, context->planned.attrs);
	return attrset_is_reject(set) && set->type != ATTRSET_THROW;
}

static void count_flows(const struct context *context, struct pin_facts *facts)
{
	const struct pin_input *input = context->input;
	bool splits = context->pin && context->pin->kind == PIN_AWAY;

	if (context->pin && !table_vec_has(input->listed, context->table)) {
		facts->flows = context->pin->flows;
		facts->stalled = context->pin->stalled;
		return;
	}
	for (size_t i = 0; i < context->spot.n; i++) {
		const struct pin_flow *flow = &context->spot.flows[i];
		bool later = splits &&
			     !pin_is_member(input->view->pins, flow->cookie);

		facts->flows += !later;
		facts->stalled += !later && flow->stalled;
		facts->later += later;
		facts->later_stalled += later && flow->stalled;
	}
}

static struct pin_facts gather(const struct context *context)
{
	const struct pin_input *input = context->input;
	const struct policy *policy = input->view->policy;
	const struct pin *pin = context->pin;
	struct pin_facts facts = {
		.kind = pin ? pin->kind : PIN_NONE,
		.asked = pin && pin->asked,
		.hold_over = pin && pin->kind == PIN_HOLD &&
			     pin->until_ms <= input->now_ms,
		.may_hold = policy->pinning.hold_ms > 0,
		.first = table_vec_has(input->first, context->table),
		.longer = context->planned.len > context->old.len,
		.home_available = context->home.available,
		.home_is_plan = context->home.is_plan,
		.home_congruent = context->home.congruent,
		.old_available = context->now.available,
		/* Where nothing led them there is nothing to keep. */
		.old_is_plan = !context->now.found || context->now.is_plan,
		.old_congruent = context->now.congruent,
		.plan_rejects = plan_rejects(context),
	};

	count_flows(context, &facts);
	return facts;
}

static uint64_t oldest(const struct pin_spot *spot)
{
	uint64_t age = UINT64_MAX;

	for (size_t i = 0; i < spot->n; i++)
		if (spot->flows[i].age < age)
			age = spot->flows[i].age;
	return age;
}

static struct change make_change(const struct context *context,
				 const struct pin_facts *facts,
				 const struct pin_answer *answer)
{
	const struct pin_input *input = context->input;
	const struct pin *pin = context->pin;
	bool is_home = answer->path == PIN_PATH_HOME;
	struct change change = {
		.spot = context->spot,
		.moved = answer->moved,
		.flows = facts->flows + facts->later,
		.age = oldest(&context->spot),
		.has_attrs = answer->kind != PIN_NONE,
	};

	change.pin = (struct pin){
		.dst = *context->dst,
		.table = context->table,
		.kind = answer->kind,
		.why = answer->why,
		.flows = facts->flows,
		.stalled = facts->stalled,
		.since_ms = input->now_ms,
	};
	if (!change.has_attrs)
		return change;
	change.pin.attrs = is_home ? context->home.attrs : context->now.attrs;
	attrset_ref(input->attrs, change.pin.attrs);
	if (answer->kind != PIN_AWAY) {
		change.pin.flows += facts->later;
		change.pin.stalled += facts->later_stalled;
	}
	if (answer->kind == PIN_HOLD)
		change.pin.until_ms =
			input->now_ms + input->view->policy->pinning.hold_ms;
	if (pin && pin->kind == answer->kind && is_home) {
		change.pin.why = pin->why;
		change.pin.since_ms = pin->since_ms;
		change.pin.until_ms = pin->until_ms;
	}
	return change;
}

static struct change decide(const struct pin_input *input,
			    const struct ip_addr *dst, uint32_t table,
			    const struct pin_spot *spot)
{
	struct context context = {
		.input = input,
		.subnet = subnet_of_table(input->view, table),
		.pin = pin_find(input->view->pins, dst, table),
		.dst = dst,
		.table = table,
		.spot = *spot,
	};
	struct change change = {.pin = {.dst = *dst, .table = table}};
	struct pin_answer answer;
	struct pin_facts facts;

	/* Its address is gone, and its flows with it. */
	if (!context.subnet)
		return change;
	find_paths(&context);
	facts = gather(&context);
	answer = pin_decide(&facts);
	change = make_change(&context, &facts, &answer);
	if (context.home.found)
		attrset_unref(input->attrs, context.home.attrs);
	if (context.now.found)
		attrset_unref(input->attrs, context.now.attrs);
	return change;
}

/* --- all of them --- */

static int age_order(const void *a, const void *b)
{
	const struct change *x = a;
	const struct change *y = b;

	return (x->age > y->age) - (x->age < y->age);
}

static bool is_laid_anew(const struct change *change, const struct pin_set *set)
{
	const struct pin *old =
		pin_find(set, &change->pin.dst, change->pin.table);

	return pin_is_laid(change->pin.kind) &&
	       !(old && pin_is_laid(old->kind));
}

/* Over the cap the youngest go without. */
static void cap(const struct pin_input *input, struct change_vec *changes)
{
	const struct pin_set *set = input->view->pins;
	size_t max = input->view->policy->pinning.max;
	size_t laid = pin_laid(set);
	struct change *it;

	vec_foreach(changes, it)
		laid += is_laid_anew(it, set);
	if (laid <= max)
		return;
	vec_sort(changes, age_order);
	laid = pin_laid(set);
	vec_foreach(changes, it) {
		if (!is_laid_anew(it, set) || ++laid <= max)
			continue;
		attrset_unref(input->attrs, it->pin.attrs);
		it->pin.kind = PIN_NONE;
		it->has_attrs = false;
		it->moved = PIN_MOVED_CAP;
	}
}

static void tally(const struct change *change, const struct pin *old,
		  struct pin_tally *ret)
{
	enum pin_kind before = old ? old->kind : PIN_NONE;
	enum pin_kind after = change->pin.kind;

	if (change->moved)
		ret->moved[change->moved] += change->flows;
	if (before == after)
		return;
	ret->changed++;
	ret->added += after == PIN_PATH;
	ret->held += after == PIN_HOLD;
	ret->dropped += pin_is_laid(before) && !pin_is_laid(after);
	if (after == PIN_PATH)
		ret->saved += change->flows;
}

/* Flows that wait, or wait no more but are away, are known again by these. */
static void add_members(const struct change *change, const struct pin *old,
			const struct pin_set *set, struct pin_member_vec *ret)
{
	/* A hold after AWAY is for those that began meanwhile. */
	bool is_new = !old || old->kind == PIN_PATH ||
		      (old->kind == PIN_AWAY && change->pin.kind == PIN_HOLD);

	if (change->pin.kind != PIN_HOLD && change->pin.kind != PIN_AWAY)
		return;
	for (size_t i = 0; i < change->spot.n && is_new; i++) {
		struct pin_member member = {
			.cookie = change->spot.flows[i].cookie,
			.dst = change->pin.dst,
			.table = change->pin.table,
		};

		if (!old || old->kind != PIN_AWAY ||
		    !pin_is_member(set, member.cookie))
			vec_push(ret, member);
	}
}

/* Whether all flows to there from the table's subnet were listed. */
static bool is_listed(const struct pin_input *input, const struct ip_addr *dst,
		      uint32_t table)
{
	const struct ip_prefix host = ip_prefix_host(dst);

	return table_vec_has(input->listed, table) &&
	       rib_is_dirty(&input->view->model->rib, &host);
}

/* Those before, as far as their pins still need them and they still live. */
static void keep_members(const struct pin_input *input,
			 const struct pin_set *set, struct pin_member_vec *ret)
{
	const struct pin_member *it;

	vec_foreach(&set->members, it) {
		const struct pin *pin = pin_find(set, &it->dst, it->table);

		if (!pin || pin->kind == PIN_PATH)
			continue;
		if (!is_listed(input, &it->dst, it->table) ||
		    pin_is_listed(input->flows, it))
			vec_push(ret, *it);
	}
}

static int change_order(const void *a, const void *b)
{
	const struct change *x = a;
	const struct change *y = b;

	return pin_cmp(&x->pin, &y->pin);
}

static void enter(const struct pin_input *input, struct pin_set *set,
		  struct change_vec *changes, struct pin_tally *ret)
{
	struct pin_member_vec members = {0};
	struct pin_vec news = {0};
	const struct change *it;

	vec_sort(changes, change_order);
	vec_foreach(changes, it) {
		const struct pin *old =
			pin_find(set, &it->pin.dst, it->pin.table);

		tally(it, old, ret);
		if (!old && it->pin.kind == PIN_NONE)
			continue; /* flows that move, and had no pin */
		add_members(it, old, set, &members);
		vec_push(&news, it->pin);
		vec_push(&ret->touched, ip_prefix_host(&it->pin.dst));
	}
	pin_merge(set, input->attrs, &news);
	keep_members(input, set, &members);
	pin_set_members(set, &members);
	vec_done(&news);
}

static bool is_news(const struct change *change, const struct pin *old)
{
	return old || change->pin.kind != PIN_NONE || change->moved;
}

static void add_change(const struct pin_input *input, const struct ip_addr *dst,
		       uint32_t table, const struct pin_spot *spot,
		       struct change_vec *ret)
{
	const struct pin *pin = pin_find(input->view->pins, dst, table);
	const struct ip_prefix host = ip_prefix_host(dst);
	struct change change;

	/* Without its row's plan, a pin's own entry would look like that. */
	if (pin && pin_is_laid(pin->kind) &&
	    !rib_is_dirty(&input->view->model->rib, &host))
		return;
	change = decide(input, dst, table, spot);
	if (is_news(&change, pin))
		vec_push(ret, change);
}

/* Pins of a row that no listed flow has led to yet. */
static void add_pins(const struct pin_input *input,
		     const struct ip_prefix *prefix, struct change_vec *ret)
{
	const struct pin_set *set = input->view->pins;
	size_t at = pin_first_in(set, prefix);

	for (; at < set->pins.n; at++) {
		const struct pin *pin = &set->pins.items[at];
		struct pin_spot spot =
			pin_spot_find(input->flows, &pin->dst, pin->table);

		if (!ip_addr_equal(&pin->dst, &prefix->addr))
			break;
		if (spot.n == 0)
			add_change(input, &pin->dst, pin->table, &spot, ret);
	}
}

void pin_update(const struct pin_input *input, struct pin_set *set,
		struct pin_tally *ret)
{
	const struct pin_flow_vec *flows = input->flows;
	struct change_vec changes = {0};
	const struct ip_prefix *row;
	size_t next;

	assert(input->view->pins == set);
	/* Flows first: those to destinations that have a pin come here too. */
	for (size_t i = 0; i < flows->n; i = next) {
		const struct pin_flow *first = &flows->items[i];
		struct pin_spot spot = {first, 0};

		for (next = i; next < flows->n &&
			       pin_spot_cmp(first, &flows->items[next]) == 0;
		     next++)
			spot.n++;
		add_change(input, &first->dst, first->table, &spot, &changes);
	}
	if (set->pins.n)
		vec_foreach(&input->view->model->rib.dirty, row)
			if (pin_is_host(row))
				add_pins(input, row, &changes);
	cap(input, &changes);
	enter(input, set, &changes, ret);
	vec_done(&changes);
}
