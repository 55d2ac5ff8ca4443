/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "round/outlook.h"

#include <netinet/in.h>
#include <stdio.h>

static const char *const fates[] = {
	[CELL_FATE_NONE] = "without a default route",
	[CELL_FATE_CONGRUENT] = "congruent",
	[CELL_FATE_WEAK] = "weak",
	[CELL_FATE_STRONG_DROP] = "dropped (strong)",
	[CELL_FATE_REJECT] = "dropped (as a route of main says)",
};

void outlook_done(struct outlook *outlook)
{
	vec_done(&outlook->entries);
}

/* --- looking --- */

static void look_at_default(const struct engine *engine,
			    const struct subnet *subnet,
			    struct outlook_entry *ret)
{
	struct ip_prefix all = ip_prefix_default(subnet->prefix.addr.family);
	const struct view view = engine_view(engine);
	const struct attrset *set = NULL;
	struct cell cell = {0};

	cell_pick(&view, subnet, rib_row(&engine->model.rib, &all), 0, &cell);
	ret->fate = cell_fate(&view, &cell);
	if (cell.route)
		set = attrset_get(&engine->model.rib.attrs, cell.route->attrs);
	for (size_t i = 0; set && i < cell.keep.n; i++) {
		if (!cell.keep.items[i])
			continue;
		if (ret->n_hops++ == 0)
			ret->hop = set->hops.items[i];
	}
	cell_done(&cell);
}

static void look(const struct engine *engine, struct outlook_entry_vec *ret)
{
	const struct subnet *it;

	vec_foreach(&engine->subnets.subnets, it) {
		const struct link *link =
			model_link(&engine->model, it->ifindex);
		struct outlook_entry entry = {
			.prefix = it->prefix,
			.ifindex = it->ifindex,
			.table = it->table,
			.strong = it->strong,
		};

		if (!it->managed)
			continue;
		(void)snprintf(entry.link, sizeof(entry.link), "%s",
			       link ? link->name : "?");
		look_at_default(engine, it, &entry);
		vec_push(ret, entry);
	}
}

static bool yields(const struct engine *engine, uint8_t family)
{
	const struct view view = engine_view(engine);

	return plan_yields(&view, family);
}

/* --- telling --- */

static struct outlook_note note_about(const struct outlook_entry *entry)
{
	struct outlook_note note = {0};
	char prefix[IP_TEXT_MAX];

	(void)snprintf(note.subject, sizeof(note.subject), "%s on %s",
		       ip_prefix_format(&entry->prefix, prefix), entry->link);
	return note;
}

static void tell_new(const struct outlook_entry *entry, outlook_fn *fn,
		     void *data)
{
	struct outlook_note note = note_about(entry);

	if (entry->table)
		(void)snprintf(note.is, sizeof(note.is),
			       "managed now, table %u, %s", entry->table,
			       fates[entry->fate]);
	else
		(void)snprintf(note.is, sizeof(note.is),
			       "without a table: no number is free");
	fn(&note, data);
}

static void tell_gone(const struct outlook_entry *entry, outlook_fn *fn,
		      void *data)
{
	struct outlook_note note = note_about(entry);

	(void)snprintf(note.is, sizeof(note.is), "no longer managed");
	fn(&note, data);
}

static void format_hop(const struct engine *engine,
		       const struct outlook_entry *entry, char *text,
		       size_t size)
{
	const struct link *link =
		model_link(&engine->model, entry->hop.ifindex);
	char addr[IP_TEXT_MAX];
	int len = 0;

	if (ip_addr_is_set(&entry->hop.gateway))
		len = snprintf(text, size, "via %s ",
			       ip_addr_format(&entry->hop.gateway, addr));
	if (entry->n_hops == 0)
		(void)snprintf(text, size, "by no next hop");
	else
		(void)snprintf(text + len, size - (size_t)len, "dev %s%s",
			       link ? link->name : "(gone)",
			       entry->n_hops > 1 ? " and others" : "");
}

static bool is_same_way(const struct outlook_entry *a,
			const struct outlook_entry *b)
{
	return a->n_hops == b->n_hops && a->hop.ifindex == b->hop.ifindex &&
	       ip_addr_equal(&a->hop.gateway, &b->hop.gateway);
}

static void tell_way(const struct engine *engine,
		     const struct outlook_entry *old,
		     const struct outlook_entry *new, outlook_fn *fn,
		     void *data)
{
	struct outlook_note note = note_about(new);
	char is[80];

	if (old->fate != new->fate) {
		(void)snprintf(note.is, sizeof(note.is), "%s now",
			       fates[new->fate]);
		(void)snprintf(note.was, sizeof(note.was), "%s",
			       fates[old->fate]);
	} else if (!is_same_way(old, new)) {
		format_hop(engine, new, is, sizeof(is));
		(void)snprintf(note.is, sizeof(note.is), "leaving %s now", is);
		format_hop(engine, old, note.was, sizeof(note.was));
	} else {
		return;
	}
	fn(&note, data);
}

static void tell_table(const struct outlook_entry *old,
		       const struct outlook_entry *new, outlook_fn *fn,
		       void *data)
{
	struct outlook_note note = note_about(new);

	if (old->table == new->table)
		return;
	if (new->table)
		(void)snprintf(note.is, sizeof(note.is), "in table %u now",
			       new->table);
	else
		(void)snprintf(note.is, sizeof(note.is),
			       "without a table: no number is free");
	if (old->table)
		(void)snprintf(note.was, sizeof(note.was), "in table %u",
			       old->table);
	fn(&note, data);
}

static void tell_model(const struct outlook_entry *old,
		       const struct outlook_entry *new, outlook_fn *fn,
		       void *data)
{
	struct outlook_note note = note_about(new);

	if (old->strong == new->strong)
		return;
	(void)snprintf(note.is, sizeof(note.is), "in the %s model now",
		       new->strong ? "strong" : "weak");
	fn(&note, data);
}

static void tell_tunnel(const char *family, bool now, outlook_fn *fn,
			void *data)
{
	struct outlook_note note = {0};

	(void)snprintf(note.subject, sizeof(note.subject), "%s", family);
	(void)snprintf(note.is, sizeof(note.is), "%s",
		       now ? "yielding to a full tunnel now"
			   : "no longer yielding to a tunnel");
	fn(&note, data);
}

static int cmp_entries(const struct outlook_entry *a,
		       const struct outlook_entry *b)
{
	const struct subnet x = {.prefix = a->prefix, .ifindex = a->ifindex};
	const struct subnet y = {.prefix = b->prefix, .ifindex = b->ifindex};

	return subnet_cmp(&x, &y);
}

/* The next of a sorted list; NULL: there is none. */
static const struct outlook_entry *entry_at(const struct outlook_entry_vec *vec,
					    size_t at)
{
	return at < vec->n ? &vec->items[at] : NULL;
}

/* Both are sorted: one walk over the two. */
static void compare(const struct engine *engine,
		    const struct outlook_entry_vec *before,
		    const struct outlook_entry_vec *now, outlook_fn *fn,
		    void *data)
{
	size_t b = 0;
	size_t n = 0;

	while (b < before->n || n < now->n) {
		const struct outlook_entry *old = entry_at(before, b);
		const struct outlook_entry *new = entry_at(now, n);
		int order = old ? -1 : 1;

		if (old && new)
			order = cmp_entries(old, new);
		if (order < 0) {
			tell_gone(old, fn, data);
		} else if (order > 0) {
			tell_new(new, fn, data);
		} else {
			tell_model(old, new, fn, data);
			tell_table(old, new, fn, data);
			tell_way(engine, old, new, fn, data);
		}
		b += order <= 0;
		n += order >= 0;
	}
}

void outlook_update(struct outlook *outlook, const struct engine *engine,
		    outlook_fn *fn, void *data)
{
	struct outlook_entry_vec before = outlook->entries;
	bool yields4 = yields(engine, AF_INET);
	bool yields6 = yields(engine, AF_INET6);

	memset(&outlook->entries, 0, sizeof(outlook->entries));
	look(engine, &outlook->entries);
	compare(engine, &before, &outlook->entries, fn, data);
	if (outlook->yields4 != yields4)
		tell_tunnel("IPv4", yields4, fn, data);
	if (outlook->yields6 != yields6)
		tell_tunnel("IPv6", yields6, fn, data);
	outlook->yields4 = yields4;
	outlook->yields6 = yields6;
	vec_done(&before);
}
