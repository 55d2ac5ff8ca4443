/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where an IPv6 socket leaves that is bound to a source and to a link, which
 * the kernel cannot be asked.
 */
#include "answers/explain_story.h"

static const struct next_hop *hop_over(const struct attrset *set,
				       uint32_t ifindex)
{
	const struct next_hop *hop;

	vec_foreach(&set->hops, hop)
		if (hop->ifindex == ifindex)
			return hop;
	return NULL;
}

/* The first route of @table: rows are sorted by metric. */
static const struct next_hop *row_hop(const struct story *story,
				      const struct ip_prefix *prefix,
				      uint32_t table)
{
	const struct rib *rib = &story->view->model->rib;
	const struct row *row = rib_row(rib, prefix);
	const struct next_hop *hop = NULL;

	for (uint16_t i = 0; row && i < row->n && !hop; i++)
		if (row->routes[i].table == table)
			hop = hop_over(
				attrset_get(&rib->attrs, row->routes[i].attrs),
				story->question->dev);
	return hop;
}

static const struct next_hop *table_hop(const struct story *story,
					uint32_t table)
{
	const struct ip_addr *dst = &story->question->destination;
	const struct next_hop *hop = NULL;

	/* What has no hop over the link is passed over, reject routes too. */
	for (int len = ip_bits(dst->family); len >= 0 && !hop; len--) {
		struct ip_prefix prefix = ip_prefix_make(dst, (uint8_t)len);

		hop = row_hop(story, &prefix, table);
	}
	return hop;
}

const struct next_hop *story_bound_hop(const struct story *story)
{
	const struct next_hop *hop = NULL;

	if (story->subnet->table)
		hop = table_hop(story, story->subnet->table);
	return hop ? hop : table_hop(story, ROUTE_TABLE_MAIN);
}
