/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a changed binding touches: the rows with a next hop over its link.
 */
#include "core/model.h"

#include <netinet/in.h>

static void touch(struct model *model, uint32_t ifindex)
{
	model->changes.bindings = true;
	model->bindings_version++;
	model_touch_link(model, AF_INET6, ifindex);
}

bool model_put_binding(struct model *model, const struct binding *binding,
		       uint64_t now_ms, bool *ret_full)
{
	bool changed;

	*ret_full = false;
	if (!model_link(model, binding->ifindex))
		return false;
	changed = binding_put(&model->bindings, binding, now_ms, ret_full);
	if (changed || *ret_full)
		touch(model, binding->ifindex);
	return changed;
}

bool model_set_router(struct model *model, uint32_t ifindex,
		      const struct ip_addr *router, uint64_t until_ms,
		      uint64_t now_ms)
{
	if (!binding_set_router(&model->bindings, ifindex, router, until_ms,
				now_ms))
		return false;
	touch(model, ifindex);
	return true;
}

void model_expire_bindings(struct model *model, uint64_t now_ms)
{
	for (size_t i = model->bindings.n; i-- > 0;) {
		const struct binding *it = &model->bindings.items[i];
		uint32_t ifindex = it->ifindex;

		if (binding_until(it) > now_ms)
			continue;
		vec_remove(&model->bindings, i);
		touch(model, ifindex);
	}
}

void model_drop_orphans(struct model *model)
{
	for (size_t i = model->bindings.n; i-- > 0;) {
		uint32_t ifindex = model->bindings.items[i].ifindex;

		if (model_link(model, ifindex))
			continue;
		vec_remove(&model->bindings, i);
		touch(model, ifindex);
	}
}
