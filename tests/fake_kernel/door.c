/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kernel/kernel.h, all of it, on the fake's machine.
 */
#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "tests/fake_kernel/machine.h"

/* --- open and close --- */

int kernel_open(const struct kernel_config *config, struct kernel **ret)
{
	struct fake *fake = machine_running();
	struct machine_door door;
	struct kernel *kernel;
	int error;

	assert(fake);
	error = machine_call(fake, FAKE_OPEN, NULL);
	if (error)
		return error;
	kernel = xalloc(sizeof(*kernel));
	kernel->fake = fake;
	kernel->config = *config;
	kernel->port = fake->last_port++;
	kernel->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	door.kernel = kernel;
	vec_push(&fake->doors, door);
	*ret = kernel;
	return 0;
}

void kernel_free(struct kernel *kernel)
{
	struct fake *fake = kernel ? kernel->fake : NULL;

	if (!kernel)
		return;
	for (size_t i = fake->doors.n; i-- > 0;)
		if (fake->doors.items[i].kernel == kernel)
			vec_remove(&fake->doors, i);
	machine_drop_news(fake, &kernel->queue);
	machine_drop_news(fake, &kernel->delayed);
	vec_done(&kernel->queue);
	vec_done(&kernel->delayed);
	vec_done(&kernel->failures);
	(void)close(kernel->fd);
	free(kernel);
}

void kernel_configure(struct kernel *kernel, const struct kernel_config *config)
{
	kernel->config = *config;
}

int kernel_fd(const struct kernel *kernel)
{
	return kernel->fd;
}

void kernel_drop_adverts(struct kernel *kernel)
{
	(void)kernel; /* it has none */
}

int kernel_watch_recovery(struct kernel *kernel, bool wanted)
{
	int error = machine_call(kernel->fake, FAKE_WATCH, NULL);

	if (error)
		return error;
	kernel->recovery = wanted;
	return 0;
}

/* --- listening --- */

/* What of the routes is passed on, as the decoder has it. */
static bool is_wanted(const struct kernel *kernel,
		      const struct kernel_read *what,
		      const struct ip_prefix *prefix, const struct route *route)
{
	const struct kernel_config *config = &kernel->config;

	if (what->table)
		return route->table == what->table;
	if (what->protocol)
		return route->protocol == what->protocol;
	if (route->table == ROUTE_TABLE_MAIN || prefix->len == 0)
		return true;
	return route->table >= config->table_first &&
	       route->table <= config->table_last;
}

static void call(struct kernel *kernel, struct kernel_event *event,
		 uint32_t attrs, kernel_event_fn *fn, void *data)
{
	if (attrs != MACHINE_NO_ATTRS)
		event->route.set =
			*attrset_get(&kernel->fake->model.rib.attrs, attrs);
	kernel->busy = true;
	fn(event, data);
	kernel->busy = false;
}

static void pass_on(struct kernel *kernel, struct machine_news *news,
		    kernel_event_fn *fn, void *data)
{
	static const struct kernel_read any = {.what = KERNEL_ROUTE};

	if (news->event.kind == KERNEL_ROUTE) {
		news->event.route.route.flags = 0;
		if (!is_wanted(kernel, &any, &news->event.route.prefix,
			       &news->event.route.route))
			return;
	}
	call(kernel, &news->event, news->attrs, fn, data);
}

static void drop_first(struct kernel *kernel, size_t n)
{
	struct machine_news_vec *queue = &kernel->queue;

	for (size_t i = 0; i < n; i++)
		if (queue->items[i].attrs != MACHINE_NO_ATTRS)
			attrset_unref(&kernel->fake->model.rib.attrs,
				      queue->items[i].attrs);
	if (n)
		memmove(queue->items, queue->items + n,
			(queue->n - n) * sizeof(*queue->items));
	queue->n -= n;
}

int kernel_listen(struct kernel *kernel, size_t max, kernel_event_fn *fn,
		  void *data)
{
	struct kernel_event lost = {.kind = KERNEL_LOST};
	eventfd_t ignored;
	size_t told = 0;
	size_t n = 0;
	int error;

	assert(!kernel->busy && !kernel->ops);
	error = machine_call(kernel->fake, FAKE_LISTEN, NULL);
	if (error)
		return error;
	/* The loss is told first; what is queued stays readable. */
	if (kernel->overrun && max > 0) {
		kernel->overrun = false;
		call(kernel, &lost, MACHINE_NO_ATTRS, fn, data);
		told = 1;
	}
	for (; n + told < max && n < kernel->queue.n; n++)
		pass_on(kernel, &kernel->queue.items[n], fn, data);
	drop_first(kernel, n);
	if (kernel->queue.n == 0)
		(void)eventfd_read(kernel->fd, &ignored);
	return (int)(n + told);
}

/* --- reading --- */

/* A dump under way. */
struct dump {
	struct kernel *kernel;
	const struct kernel_read *what;
	kernel_event_fn *fn;
	void *data;
	bool fails;
	size_t left; /* objects until it fails */
};

/* Return: whether it goes on. */
static bool emit(struct dump *dump, struct kernel_event *event, uint32_t attrs)
{
	if (dump->fails && dump->left-- == 0)
		return false;
	call(dump->kernel, event, attrs, dump->fn, dump->data);
	return true;
}

static bool is_over(const struct attrset *set, uint32_t ifindex)
{
	const struct next_hop *hop;

	vec_foreach(&set->hops, hop)
		if (hop->ifindex == ifindex)
			return true;
	return ifindex == 0;
}

static bool dump_entry(struct dump *dump, const struct ip_prefix *prefix,
		       const struct route *route)
{
	const struct attrset_store *attrs =
		&dump->kernel->fake->model.rib.attrs;
	struct kernel_event event = {
		.kind = KERNEL_ROUTE,
		.route = {.prefix = *prefix, .route = *route},
	};

	if (!is_wanted(dump->kernel, dump->what, prefix, route) ||
	    !is_over(attrset_get(attrs, route->attrs), dump->what->ifindex))
		return true;
	return emit(dump, &event, route->attrs);
}

/* The kernel has the higher TOS first, the row the lower. */
static bool dump_row(struct dump *dump, const struct ip_prefix *prefix,
		     const struct row *row)
{
	size_t end = row->n;

	while (end > 0) {
		size_t begin = end - 1;

		while (begin > 0 &&
		       row->routes[begin - 1].tos == row->routes[begin].tos)
			begin--;
		for (size_t i = begin; i < end; i++)
			if (!dump_entry(dump, prefix, &row->routes[i]))
				return false;
		end = begin;
	}
	return true;
}

static void dump_routes(struct dump *dump)
{
	struct ip_prefix all = ip_prefix_default(dump->what->family);
	const struct rib *rib = &dump->kernel->fake->model.rib;
	struct ip_prefix prefix;
	struct trie_walk walk;
	uint32_t at;

	trie_walk_start(&walk, rib_trie(rib, dump->what->family), &all);
	while (trie_walk_next(&walk, &prefix, &at))
		if (!dump_row(dump, &prefix, rib_row_at(rib, at)))
			return;
}

static void dump_links(struct dump *dump)
{
	const struct link *it;

	vec_foreach(&dump->kernel->fake->model.links, it) {
		struct kernel_event event = {.kind = KERNEL_LINK, .link = *it};

		if (dump->what->ifindex && dump->what->ifindex != it->ifindex)
			continue;
		if (!emit(dump, &event, MACHINE_NO_ATTRS))
			return;
	}
}

static void dump_addresses(struct dump *dump)
{
	const struct address *it;

	vec_foreach(&dump->kernel->fake->model.addresses, it) {
		struct kernel_event event = {.kind = KERNEL_ADDRESS,
					     .address = *it};

		if (it->local.family == dump->what->family &&
		    !emit(dump, &event, MACHINE_NO_ATTRS))
			return;
	}
}

static void dump_rules(struct dump *dump)
{
	const struct rule *it;

	vec_foreach(&dump->kernel->fake->rules, it) {
		struct kernel_event event = {.kind = KERNEL_RULE, .rule = *it};

		if (it->family == dump->what->family &&
		    !emit(dump, &event, MACHINE_NO_ATTRS))
			return;
	}
}

static void dump_neighbours(struct dump *dump)
{
	const struct machine_neighbour *it;

	vec_foreach(&dump->kernel->fake->neighbours, it) {
		struct kernel_event event = {.kind = KERNEL_NEIGHBOUR,
					     .neighbour = it->entry};

		if (it->entry.addr.family == dump->what->family &&
		    !emit(dump, &event, MACHINE_NO_ATTRS))
			return;
	}
}

static const struct {
	enum kernel_event_kind what;
	void (*dump)(struct dump *dump);
} dumps[] = {
	{KERNEL_LINK, dump_links},	     {KERNEL_ADDRESS, dump_addresses},
	{KERNEL_ROUTE, dump_routes},	     {KERNEL_RULE, dump_rules},
	{KERNEL_NEIGHBOUR, dump_neighbours},
};

int kernel_read(struct kernel *kernel, const struct kernel_read *what,
		kernel_event_fn *fn, void *data)
{
	struct dump dump = {kernel, what, fn, data, false, 0};
	int error;

	assert(!kernel->busy && !kernel->ops);
	error = machine_call(kernel->fake, FAKE_READ, &dump.left);
	dump.fails = error != 0;
	for (size_t i = 0; i < sizeof(dumps) / sizeof(dumps[0]); i++) {
		if (dumps[i].what != what->what)
			continue;
		dumps[i].dump(&dump);
		return error;
	}
	return -EINVAL;
}

/* --- writing --- */

static int put_neighbour(struct kernel *kernel, const struct op *op)
{
	struct fake *fake = kernel->fake;
	struct machine_neighbour put = {.entry = op->neighbour};
	const struct machine_neighbour *old = machine_neighbour(
		fake, op->neighbour.ifindex, &op->neighbour.addr);

	if (!model_link(&fake->model, op->neighbour.ifindex))
		return -ENODEV;
	if (machine_is_up(fake, op->neighbour.ifindex) &&
	    !machine_carries(fake, op->neighbour.ifindex,
			     op->neighbour.addr.family))
		return -EINVAL;
	put.entry.failed = false;
	/* Over a permanent one the address is forgotten. */
	put.entry.unresolved = !old || old->entry.permanent ||
			       old->entry.failed || old->entry.unresolved;
	if (fake->answers)
		put.entry.unresolved = false;
	if (old && !put.entry.unresolved)
		put.mac = old->mac;
	put.entry.permanent = false;
	put.entry.managed = true;
	put.entry.protocol = kernel->config.protocol;
	/* An answer is the kernel's own news. */
	machine_put_neighbour(
		fake,
		old && old->entry.failed && fake->answers ? 0 : kernel->port,
		&put);
	return 0;
}

static int apply_op(struct kernel *kernel, const struct op *op,
		    const struct attrset_store *attrs, const char **ret_why)
{
	struct fake *fake = kernel->fake;
	struct machine_route change = {
		.how = MACHINE_REPLACE,
		.port = kernel->port,
		.any_attrs = true,
	};

	switch (op->kind) {
	case OP_ROUTE_PUT:
	case OP_ROUTE_DELETE:
		change.prefix = op->route.prefix;
		change.route = op->route.route;
		change.route.flags = 0;
		if (op->kind == OP_ROUTE_DELETE)
			return machine_delete_route(fake, &change);
		change.set = attrset_get(attrs, op->route.route.attrs);
		return machine_put_route(fake, &change, ret_why);
	case OP_RULE_ADD:
		return machine_add_rule(fake, kernel->port, &op->rule, true);
	case OP_RULE_DELETE:
		return machine_remove_rule(fake, kernel->port, &op->rule);
	case OP_NEIGHBOUR_PUT:
		return put_neighbour(kernel, op);
	case OP_NEIGHBOUR_DELETE:
		return machine_remove_neighbour(fake, kernel->port,
						op->neighbour.ifindex,
						&op->neighbour.addr);
	}
	return -EOPNOTSUPP;
}

static void apply_at(struct kernel *kernel, const struct op *ops, size_t at,
		     const struct attrset_store *attrs,
		     struct kernel_failure_vec *failures)
{
	struct fake *fake = kernel->fake;
	struct kernel_failure failure = {.op = at};
	int fault = machine_op(fake, ops[at].kind);
	const char *why = "made to fail";
	bool done;

	failure.error = fault;
	done = kernel_error_class(ops[at].kind, fault) == KERNEL_ERROR_DONE;
	/* "There already", "gone already": then somebody else was quicker. */
	if (done) {
		why = NULL;
		failure.error = apply_op(kernel, &ops[at], attrs, &why);
		fake->ops[ops[at].kind] += failure.error == 0;
		done = kernel_error_class(ops[at].kind, failure.error) ==
		       KERNEL_ERROR_DONE;
	}
	if (done)
		return;
	if (why)
		(void)snprintf(failure.why, sizeof(failure.why), "%s", why);
	vec_push(failures, failure);
}

int kernel_apply(struct kernel *kernel, const struct op *ops, size_t n,
		 const struct attrset_store *attrs,
		 struct kernel_failure_vec *failures)
{
	size_t done = 0;
	int error;

	assert(!kernel->busy && !kernel->ops);
	error = machine_call(kernel->fake, FAKE_APPLY, &done);
	for (size_t i = 0; i < n && (!error || i < done); i++)
		apply_at(kernel, ops, i, attrs, failures);
	return error;
}

/* --- applying aside --- */

static bool is_begun(const struct kernel *kernel, size_t i)
{
	const struct op *op = &kernel->ops[i];

	if (kernel->error)
		return i < kernel->done;
	if (i < kernel->aside.at_most)
		return true;
	return (op->kind == OP_ROUTE_PUT || op->kind == OP_ROUTE_DELETE) &&
	       op->route.prefix.addr.family == AF_INET6 &&
	       op->route.route.table % 2;
}

static void apply_from(struct kernel *kernel, size_t begin, size_t end)
{
	for (size_t i = begin; i < end && i < kernel->n_ops; i++)
		if (is_begun(kernel, i))
			apply_at(kernel, kernel->ops, i, kernel->attrs,
				 &kernel->failures);
}

int kernel_apply_begin(struct kernel *kernel, const struct op *ops, size_t n,
		       const struct attrset_store *attrs, uint32_t max_ms)
{
	int error;

	(void)max_ms;
	assert(!kernel->busy && !kernel->ops && n);
	error = machine_call(kernel->fake, FAKE_BEGIN, NULL);
	if (error)
		return error;
	kernel->aside = kernel->fake->aside;
	kernel->ops = ops;
	kernel->n_ops = n;
	kernel->attrs = attrs;
	kernel->done = 0;
	kernel->error = machine_call(kernel->fake, FAKE_APPLY, &kernel->done);
	apply_from(kernel, 0, kernel->aside.at_once);
	return 0;
}

int kernel_apply_fd(const struct kernel *kernel)
{
	(void)kernel;
	return -1;
}

bool kernel_apply_is_over(const struct kernel *kernel)
{
	return !kernel->ops || kernel->n_ops <= kernel->aside.at_once;
}

int kernel_apply_end(struct kernel *kernel, bool *begun,
		     struct kernel_failure_vec *failures)
{
	const struct kernel_failure *it;
	size_t at_once = kernel->aside.at_once;

	assert(kernel->ops);
	apply_from(kernel, at_once, kernel->n_ops);
	for (size_t i = 0; i < kernel->n_ops; i++)
		begun[i] = is_begun(kernel, i);
	vec_foreach(&kernel->failures, it)
		vec_push(failures, *it);
	vec_done(&kernel->failures);
	kernel->ops = NULL;
	return kernel->error;
}

/* --- asking --- */

int kernel_ask(struct kernel *kernel, const struct kernel_question *question,
	       struct kernel_answer *ret)
{
	int error;

	assert(!kernel->busy);
	error = machine_call(kernel->fake, FAKE_ASK, NULL);
	if (error)
		return error;
	if (ip_addr_is_set(&question->src) &&
	    question->src.family != question->dst.family)
		return -EINVAL;
	*ret = machine_ask(kernel->fake, question);
	return 0;
}

int kernel_ask_neighbour(struct kernel *kernel, uint32_t ifindex,
			 const struct ip_addr *addr, struct kernel_mac *ret)
{
	const struct machine_neighbour *it;
	int error;

	assert(!kernel->busy);
	error = machine_call(kernel->fake, FAKE_ASK_NEIGHBOUR, NULL);
	if (error)
		return error;
	it = machine_neighbour(kernel->fake, ifindex, addr);
	if (!it || it->mac.len == 0)
		return -ENOENT;
	*ret = it->mac;
	return 0;
}

int kernel_settle(struct kernel *kernel)
{
	int error;

	assert(!kernel->busy);
	error = machine_call(kernel->fake, FAKE_SETTLE, NULL);
	if (error)
		return error;
	fake_release(kernel->fake);
	return 0;
}
