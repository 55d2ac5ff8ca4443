/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/pin_build.h"

#include <assert.h>

void pin_tally_done(struct pin_tally *tally)
{
	vec_done(&tally->touched);
}

static bool has_table(const struct table_vec *tables, uint32_t table)
{
	for (size_t i = 0; i < tables->n; i++)
		if (tables->items[i] == table)
			return true;
	return false;
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

/* --- flows --- */

static int spot_cmp(const struct pin_flow *a, const struct pin_flow *b)
{
	int order = ip_addr_cmp(&a->dst, &b->dst);

	if (order != 0)
		return order;
	return (a->table > b->table) - (a->table < b->table);
}

static int flow_order(const void *a, const void *b)
{
	const struct pin_flow *x = a;
	const struct pin_flow *y = b;
	int order = spot_cmp(x, y);

	if (order != 0)
		return order;
	return (x->cookie > y->cookie) - (x->cookie < y->cookie);
}

void pin_flows_sort(struct pin_flow_vec *flows)
{
	if (flows->n)
		qsort(flows->items, flows->n, sizeof(*flows->items),
		      flow_order);
}

/* Flows from one subnet to one destination: a run of the sorted flows. */
struct spot {
	const struct pin_flow *flows; /* NULL: none */
	size_t n;
};

static size_t first_flow(const struct pin_flow_vec *flows,
			 const struct pin_flow *key)
{
	size_t low = 0;
	size_t high = flows->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (spot_cmp(&flows->items[mid], key) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static struct spot find_spot(const struct pin_flow_vec *flows,
			     const struct ip_addr *dst, uint32_t table)
{
	const struct pin_flow key = {.dst = *dst, .table = table};
	size_t at = first_flow(flows, &key);
	struct spot spot = {0};

	if (at < flows->n)
		spot.flows = &flows->items[at];
	while (at + spot.n < flows->n &&
	       spot_cmp(&flows->items[at + spot.n], &key) == 0)
		spot.n++;
	return spot;
}

/* --- which rows and tables are concerned --- */

static bool is_host(const struct ip_prefix *prefix)
{
	return prefix->len == ip_bits(prefix->addr.family);
}

void pin_touch(struct model *model, const struct pin_set *set)
{
	size_t n = set->pins.n ? model->rib.dirty.n : 0;

	for (size_t i = 0; i < n; i++) {
		/* Touching makes the list grow: what was there counts. */
		const struct ip_prefix prefix = model->rib.dirty.items[i];
		size_t at = pin_first_in(set, &prefix);

		for (; at < set->pins.n; at++) {
			struct ip_prefix host =
				ip_prefix_host(&set->pins.items[at].dst);

			if (!ip_prefix_covers(&prefix, &host))
				break;
			rib_touch(&model->rib, &host);
		}
	}
}

/* Whether the table is about to answer otherwise for a row of the plan. */
static bool is_moving(const struct view *view, const struct planned *planned,
		      const struct planned_row *row, uint32_t table)
{
	struct path old = path_in_use(view->model, table, &row->prefix);
	struct path new =
		path_planned(view->model, planned, table, &row->prefix);

	return old.found && !path_is_same(&view->model->rib.attrs, &old, &new);
}

static bool is_as_planned(const struct view *view,
			  const struct planned *planned,
			  const struct planned_row *row, uint32_t table)
{
	const struct row *have = rib_row(&view->model->rib, &row->prefix);
	const struct route *entry = have ? path_entry(have, table) : NULL;
	const struct want *want = path_want(planned, row, table);

	return entry && want && entry->attrs == want->attrs;
}

/* A pin whose path has gone, or displaced flows whose path has come. */
static bool is_turning(const struct view *view, const struct pin *pin)
{
	bool keep[PATH_HOPS_MAX];
	bool available = path_available(view, pin->attrs, &pin->dst, keep) > 0;

	return (pin->kind == PIN_PATH && !available) ||
	       (pin->kind == PIN_AWAY && available);
}

/* Whether a rule leads to the table: else no flow is on its paths. */
static bool is_led(const struct view *view, uint32_t table)
{
	const struct rule *it;

	vec_foreach(&view->model->rules, it)
		if (it->table == table &&
		    it->protocol == view->policy->protocol)
			return true;
	return false;
}

static void affected_by_row(const struct view *view,
			    const struct planned *planned,
			    const struct planned_row *row,
			    struct table_vec *ret)
{
	const struct subnet *it;

	vec_foreach(&view->subnets->subnets, it) {
		const struct pin *pin = NULL;

		if (!it->managed || !it->table ||
		    it->prefix.addr.family != row->prefix.addr.family ||
		    has_table(ret, it->table) || !is_led(view, it->table))
			continue;
		if (is_host(&row->prefix))
			pin = pin_find(view->pins, &row->prefix.addr,
				       it->table);
		if (pin ? is_turning(view, pin)
			: !is_as_planned(view, planned, row, it->table) &&
				    is_moving(view, planned, row, it->table))
			vec_push(ret, it->table);
	}
}

void pin_affected(const struct view *view, const struct planned *planned,
		  const struct table_vec *first, struct table_vec *ret)
{
	const struct planned_row *row;

	for (size_t i = 0; i < first->n; i++)
		vec_push(ret, first->items[i]);
	vec_foreach(&planned->rows, row)
		affected_by_row(view, planned, row, ret);
}

/* --- one decision --- */

/* What shall be, before it is entered. */
struct change {
	struct pin pin; /* PIN_NONE: none; holds a ref to attrs, if it has it */
	struct spot spot;
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
	struct spot spot;
	struct path planned;
	struct path old;
	struct end home;
	struct end now;
};

/* Only the legs that are there, if some are not. */
static uint32_t shorten(struct attrset_store *attrs, uint32_t id,
			const bool *keep, size_t n)
{
	const struct attrset *set = attrset_get(attrs, id);
	struct attrset copy;
	uint32_t ret;

	if (n == 0 || n == set->hops.n) {
		attrset_ref(attrs, id);
		return id;
	}
	attrset_copy_for_table(set, keep, &copy);
	ret = attrset_intern(attrs, &copy);
	attrset_done(&copy);
	return ret;
}

static struct end look_at(const struct context *context, uint32_t id)
{
	const struct pin_input *input = context->input;
	bool keep[PATH_HOPS_MAX] = {0};
	size_t n = path_available(input->view, id, context->dst, keep);
	struct end end = {.found = true, .available = n > 0};
	struct path path;

	end.attrs = shorten(input->attrs, id, keep, n);
	path = (struct path){true, end.attrs, 0};
	end.is_plan = path_is_same(input->attrs, &path, &context->planned);
	end.congruent =
		path_is_congruent(input->view, context->subnet, end.attrs);
	return end;
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
	uint32_t asked;

	context->planned =
		path_planned(model, input->planned, context->table, &host);
	if (context->pin) {
		context->home = look_at(context, context->pin->attrs);
		renew(context);
	}
	if (context->pin && context->pin->kind != PIN_AWAY)
		return;
	if (!has_table(input->first, context->table)) {
		context->old = path_in_use(model, context->table, &host);
		if (context->old.found)
			context->now = look_at(context, context->old.attrs);
	} else if (context->spot.n && input->ask &&
		   input->ask(input->data, context->spot.flows, &asked)) {
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

	if (context->pin && !has_table(input->listed, context->table)) {
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
		.first = has_table(input->first, context->table),
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

static uint64_t oldest(const struct spot *spot)
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
			    const struct ip_addr *dst, uint32_t table)
{
	struct context context = {
		.input = input,
		.subnet = subnet_of_table(input->view, table),
		.pin = pin_find(input->view->pins, dst, table),
		.dst = dst,
		.table = table,
		.spot = find_spot(input->flows, dst, table),
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

static bool is_laid(enum pin_kind kind)
{
	return kind == PIN_PATH || kind == PIN_HOLD;
}

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

	return is_laid(change->pin.kind) && !(old && is_laid(old->kind));
}

/* Over the cap the youngest go without. */
static void cap(const struct pin_input *input, struct change_vec *changes)
{
	const struct pin_set *set = input->view->pins;
	size_t max = input->view->policy->pinning.max;
	size_t laid = set->laid;
	struct change *it;

	vec_foreach(changes, it)
		laid += is_laid_anew(it, set);
	if (laid <= max)
		return;
	qsort(changes->items, changes->n, sizeof(*changes->items), age_order);
	laid = set->laid;
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
	ret->added += after == PIN_PATH;
	ret->held += after == PIN_HOLD;
	ret->dropped += is_laid(before) && !is_laid(after);
	if (after == PIN_PATH)
		ret->saved += change->flows;
}

/* Flows that wait, or wait no more but are away, are known again by these. */
static void add_members(const struct change *change, const struct pin *old,
			struct pin_member_vec *ret)
{
	bool is_new = !old || old->kind == PIN_PATH;

	if (change->pin.kind != PIN_HOLD && change->pin.kind != PIN_AWAY)
		return;
	for (size_t i = 0; i < change->spot.n && is_new; i++) {
		struct pin_member member = {
			.cookie = change->spot.flows[i].cookie,
			.dst = change->pin.dst,
			.table = change->pin.table,
		};

		vec_push(ret, member);
	}
}

/* Those before, as far as their pins still need them and they still live. */
static void keep_members(const struct pin_input *input,
			 const struct pin_set *set, struct pin_member_vec *ret)
{
	const struct pin_member *it;

	vec_foreach(&set->members, it) {
		const struct pin *pin = pin_find(set, &it->dst, it->table);
		struct spot spot;
		bool lives = !has_table(input->listed, it->table);

		if (!pin || pin->kind == PIN_PATH)
			continue;
		spot = find_spot(input->flows, &it->dst, it->table);
		for (size_t i = 0; i < spot.n && !lives; i++)
			lives = spot.flows[i].cookie == it->cookie;
		if (lives)
			vec_push(ret, *it);
	}
}

static void enter(const struct pin_input *input, struct pin_set *set,
		  const struct change_vec *changes, struct pin_tally *ret)
{
	struct pin_member_vec members = {0};
	const struct change *it;

	vec_foreach(changes, it) {
		const struct pin *old =
			pin_find(set, &it->pin.dst, it->pin.table);
		struct ip_prefix host = ip_prefix_host(&it->pin.dst);

		tally(it, old, ret);
		if (!old && it->pin.kind == PIN_NONE)
			continue; /* flows that move, and had no pin */
		add_members(it, old, &members);
		if (it->pin.kind != PIN_NONE) {
			pin_put(set, input->attrs, &it->pin);
			attrset_unref(input->attrs, it->pin.attrs);
		} else {
			pin_remove(set, input->attrs, &it->pin.dst,
				   it->pin.table);
		}
		vec_push(&ret->touched, host);
	}
	keep_members(input, set, &members);
	pin_set_members(set, &members);
}

static bool is_news(const struct change *change, const struct pin *old)
{
	return old || change->pin.kind != PIN_NONE || change->moved;
}

static void add_change(const struct pin_input *input, const struct ip_addr *dst,
		       uint32_t table, struct change_vec *ret)
{
	const struct pin *pin = pin_find(input->view->pins, dst, table);
	const struct ip_prefix host = ip_prefix_host(dst);
	struct change change;

	/* Without its row's plan, a pin's own entry would look like that. */
	if (pin && is_laid(pin->kind) && !planned_find(input->planned, &host))
		return;
	change = decide(input, dst, table);
	if (is_news(&change, pin))
		vec_push(ret, change);
}

void pin_update(const struct pin_input *input, struct pin_set *set,
		struct pin_tally *ret)
{
	const struct pin_flow_vec *flows = input->flows;
	struct change_vec changes = {0};
	const struct planned_row *row;

	assert(input->view->pins == set);
	/* Flows first: those to destinations that have a pin come here too. */
	for (size_t i = 0; i < flows->n; i++)
		if (i == 0 ||
		    spot_cmp(&flows->items[i - 1], &flows->items[i]) != 0)
			add_change(input, &flows->items[i].dst,
				   flows->items[i].table, &changes);
	vec_foreach(&input->planned->rows, row) {
		size_t at = pin_first_in(set, &row->prefix);

		for (; is_host(&row->prefix) && at < set->pins.n; at++) {
			const struct pin *pin = &set->pins.items[at];
			struct spot spot =
				find_spot(flows, &pin->dst, pin->table);

			if (!ip_addr_equal(&pin->dst, &row->prefix.addr))
				break;
			if (spot.n == 0)
				add_change(input, &pin->dst, pin->table,
					   &changes);
		}
	}
	cap(input, &changes);
	enter(input, set, &changes, ret);
	vec_done(&changes);
}

void pin_count(const struct pin_flow_vec *flows, const struct table_vec *listed,
	       struct pin_set *set, struct model *model)
{
	struct pin *pin;

	vec_foreach(&set->pins, pin) {
		struct ip_prefix host = ip_prefix_host(&pin->dst);
		struct spot spot;

		if (!has_table(listed, pin->table))
			continue;
		spot = find_spot(flows, &pin->dst, pin->table);
		pin->flows = 0;
		pin->stalled = 0;
		for (size_t i = 0; i < spot.n; i++) {
			const struct pin_flow *flow = &spot.flows[i];

			if (pin->kind == PIN_AWAY &&
			    !pin_is_member(set, flow->cookie))
				continue;
			pin->flows++;
			pin->stalled += flow->stalled;
		}
		if (pin->flows == pin->stalled && pin->kind != PIN_HOLD)
			rib_touch(&model->rib, &host);
		if (pin->flows == 0)
			rib_touch(&model->rib, &host);
	}
}

/* --- over the rows --- */

static void lay_one(const struct pin *pin, struct attrset_store *attrs,
		    struct planned *planned, struct want_vec *row)
{
	struct want want = {
		.table = pin->table,
		.metric = PLAN_METRIC,
		.attrs = pin->attrs,
	};
	size_t at = 0;

	if (pin->kind == PIN_HOLD)
		want.attrs = plan_intern_reject(attrs, pin->dst.family,
						ATTRSET_UNREACHABLE);
	else
		want.attrs = plan_intern_as_taken(attrs, pin->attrs);
	if (attrset_get(attrs, want.attrs)->refused) {
		attrset_unref(attrs, want.attrs);
		return; /* the kernel will not have it: the flows move */
	}
	/* The ref is the plan's to keep; the row only borrows. */
	vec_push(&planned->wants, want);
	while (at < row->n && plan_want_cmp(&row->items[at], &want) < 0)
		at++;
	if (at < row->n && plan_want_cmp(&row->items[at], &want) == 0)
		row->items[at] = want;
	else
		vec_insert(row, at, want);
}

void pin_lay(const struct pin_set *set, const struct ip_prefix *prefix,
	     struct attrset_store *attrs, struct planned *planned,
	     struct want_vec *row)
{
	if (!is_host(prefix))
		return;
	for (size_t at = pin_first_in(set, prefix); at < set->pins.n; at++) {
		const struct pin *pin = &set->pins.items[at];

		if (!ip_addr_equal(&pin->dst, &prefix->addr))
			break;
		if (is_laid(pin->kind))
			lay_one(pin, attrs, planned, row);
	}
}
