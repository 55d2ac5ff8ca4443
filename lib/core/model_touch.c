/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which rows are to be planned anew, by what their routes say.
 *
 * There are few attribute sets, and many rows: these are looked at only where a
 * set of their family fits.
 */
#include <netinet/in.h>

#include "core/model.h"

static const uint8_t families[] = {AF_INET, AF_INET6};
#define N_FAMILIES (sizeof(families) / sizeof(families[0]))

/* Sets of a family with such a next hop. */
struct filter {
	uint8_t family;			/* of the destinations */
	uint32_t ifindex;		/* 0: over any link */
	const struct ip_addr *gateway;	/* NULL: whatever it is, or none */
	const struct ip_prefix *around; /* the gateway; NULL: as above */
	/* NULL: whatever it is; then hops do not count. */
	const struct ip_addr *prefsrc;
};

static bool has_hop(const struct filter *filter, const struct next_hop *hop)
{
	if (filter->ifindex && hop->ifindex != filter->ifindex)
		return false;
	if (filter->gateway)
		return ip_addr_equal(&hop->gateway, filter->gateway);
	return !filter->around || ip_prefix_has(filter->around, &hop->gateway);
}

static bool fits(const struct filter *filter, const struct attrset *set)
{
	const struct next_hop *hop;

	if (set->family != filter->family)
		return false;
	if (filter->prefsrc)
		return ip_addr_equal(&set->prefsrc, filter->prefsrc);
	vec_foreach(&set->hops, hop)
		if (has_hop(filter, hop))
			return true;
	return false;
}

static bool any_fits(const struct model *model, const struct filter *filter)
{
	const struct attrset_store *attrs = &model->rib.attrs;

	for (uint32_t id = 0; id < attrs->n; id++)
		if (attrset_is_live(attrs, id) &&
		    fits(filter, attrset_get(attrs, id)))
			return true;
	return false;
}

static bool row_fits(const struct rib *rib, const struct row *row,
		     const void *data)
{
	for (size_t i = 0; i < row->n; i++)
		if (fits(data, attrset_get(&rib->attrs, row->routes[i].attrs)))
			return true;
	return false;
}

static void touch(struct model *model, const struct filter *filter)
{
	if (any_fits(model, filter))
		rib_touch_kinds(&model->rib, filter->family, row_fits, filter);
}

void model_touch_link(struct model *model, uint8_t family, uint32_t ifindex)
{
	const struct filter filter = {.family = family, .ifindex = ifindex};

	touch(model, &filter);
}

void model_touch_routers(struct model *model, uint32_t ifindex,
			 const struct ip_prefix *prefix)
{
	const struct filter filter = {
		.family = prefix->addr.family,
		.ifindex = ifindex,
		.around = prefix,
	};

	touch(model, &filter);
}

void model_touch_gateway(struct model *model, uint32_t ifindex,
			 const struct ip_addr *addr)
{
	if (!model_uses_gateway(model, ifindex, addr))
		return;
	model->changes.neighbours = true;
	/* An IPv4 route may have an IPv6 gateway: both families. */
	for (size_t f = 0; f < N_FAMILIES; f++) {
		const struct filter filter = {
			.family = families[f],
			.ifindex = ifindex,
			.gateway = addr,
		};

		touch(model, &filter);
	}
}

void model_touch_own(struct model *model, const struct ip_addr *addr)
{
	const struct filter gateway = {
		.family = addr->family,
		.gateway = addr,
	};
	const struct filter prefsrc = {
		.family = addr->family,
		.prefsrc = addr,
	};

	touch(model, &gateway);
	touch(model, &prefsrc);
}

bool model_uses_link(const struct model *model, uint8_t family,
		     uint32_t ifindex)
{
	const struct filter filter = {.family = family, .ifindex = ifindex};

	return any_fits(model, &filter);
}

bool model_uses_gateway(const struct model *model, uint32_t ifindex,
			const struct ip_addr *addr)
{
	for (size_t f = 0; f < N_FAMILIES; f++) {
		const struct filter filter = {
			.family = families[f],
			.ifindex = ifindex,
			.gateway = addr,
		};

		if (any_fits(model, &filter))
			return true;
	}
	return false;
}

bool model_uses_nexthop(const struct model *model, uint32_t nh_id)
{
	for (uint32_t id = 0; id < model->rib.attrs.n; id++)
		if (attrset_is_live(&model->rib.attrs, id) &&
		    attrset_get(&model->rib.attrs, id)->nh_id == nh_id)
			return true;
	return false;
}
