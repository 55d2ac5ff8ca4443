/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/binding.h"

static int key_cmp(const struct binding *a, const struct binding *b)
{
	int order;

	if (a->ifindex != b->ifindex)
		return a->ifindex < b->ifindex ? -1 : 1;
	order = ip_addr_cmp(&a->router, &b->router);
	return order ? order : ip_prefix_cmp(&a->prefix, &b->prefix);
}

/* The place of @key: where it is, or would be. */
static size_t place_of(const struct binding_vec *bindings,
		       const struct binding *key)
{
	size_t low = 0;
	size_t high = bindings->n;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (key_cmp(&bindings->items[mid], key) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static bool is_at(const struct binding_vec *bindings, size_t at,
		  const struct binding *key)
{
	return at < bindings->n && key_cmp(&bindings->items[at], key) == 0;
}

uint64_t binding_until(const struct binding *binding)
{
	return binding->prefix_until_ms < binding->router_until_ms
		       ? binding->prefix_until_ms
		       : binding->router_until_ms;
}

/* The link has all it may: what was heard longest ago goes. */
static bool make_place(struct binding_vec *bindings, uint32_t ifindex)
{
	size_t oldest = SIZE_MAX;
	size_t n = 0;

	for (size_t i = 0; i < bindings->n; i++) {
		const struct binding *it = &bindings->items[i];

		if (it->ifindex != ifindex)
			continue;
		n++;
		if (oldest == SIZE_MAX ||
		    it->heard_ms < bindings->items[oldest].heard_ms)
			oldest = i;
	}
	if (n < BINDING_MAX)
		return false;
	vec_remove(bindings, oldest);
	return true;
}

/* Return: whether it went; otherwise it has new times. */
static bool update_at(struct binding_vec *bindings, size_t at,
		      const struct binding *binding, uint64_t now_ms)
{
	if (binding_until(binding) > now_ms) {
		bindings->items[at] = *binding;
		return false;
	}
	vec_remove(bindings, at);
	return true;
}

bool binding_put(struct binding_vec *bindings, const struct binding *binding,
		 uint64_t now_ms, bool *ret_full)
{
	size_t at = place_of(bindings, binding);

	*ret_full = false;
	if (is_at(bindings, at, binding))
		return update_at(bindings, at, binding, now_ms);
	if (binding_until(binding) <= now_ms)
		return false;
	*ret_full = make_place(bindings, binding->ifindex);
	vec_insert(bindings, place_of(bindings, binding), *binding);
	return true;
}

static bool is_of_router(const struct binding *it, uint32_t ifindex,
			 const struct ip_addr *router)
{
	return it->ifindex == ifindex && ip_addr_equal(&it->router, router);
}

bool binding_set_router(struct binding_vec *bindings, uint32_t ifindex,
			const struct ip_addr *router, uint64_t until_ms,
			uint64_t now_ms)
{
	bool changed = false;

	for (size_t i = bindings->n; i-- > 0;) {
		if (!is_of_router(&bindings->items[i], ifindex, router))
			continue;
		bindings->items[i].router_until_ms = until_ms;
		if (until_ms > now_ms)
			continue;
		vec_remove(bindings, i);
		changed = true;
	}
	return changed;
}

bool binding_forget_link(struct binding_vec *bindings, uint32_t ifindex)
{
	bool changed = false;

	for (size_t i = bindings->n; i-- > 0;) {
		if (bindings->items[i].ifindex != ifindex)
			continue;
		vec_remove(bindings, i);
		changed = true;
	}
	return changed;
}

uint64_t binding_next(const struct binding_vec *bindings)
{
	uint64_t next = BINDING_FOREVER;
	const struct binding *it;

	vec_foreach(bindings, it)
		if (binding_until(it) < next)
			next = binding_until(it);
	return next == BINDING_FOREVER ? 0 : next;
}

bool binding_prefix_of(const struct binding_vec *bindings, uint32_t ifindex,
		       const struct ip_addr *addr, struct ip_prefix *ret)
{
	const struct binding *best = NULL;
	const struct binding *it;

	vec_foreach(bindings, it)
		if (it->ifindex == ifindex &&
		    ip_prefix_has(&it->prefix, addr) &&
		    (!best || it->prefix.len > best->prefix.len))
			best = it;
	if (!best)
		return false;
	*ret = best->prefix;
	return true;
}
