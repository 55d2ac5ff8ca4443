/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "linkdown.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <unistd.h>

#include "kernel/sysctl.h"
#include "log.h"
#include "state_file.h"

#define SETTING "ignore_routes_with_linkdown"

static const uint8_t families[] = {AF_INET, AF_INET6};

static bool has(const struct linkdown_entry_vec *entries,
		const struct linkdown_entry *which)
{
	const struct linkdown_entry *it;

	vec_foreach(entries, it)
		if (it->family == which->family &&
		    it->ifindex == which->ifindex)
			return true;
	return false;
}

/* What the file says is checked like anything from outside. */
void linkdown_init(struct linkdown *linkdown, const char *path)
{
	struct linkdown_entry entry;
	unsigned int version;
	bool is_ours;
	FILE *file;

	memset(linkdown, 0, sizeof(*linkdown));
	(void)snprintf(linkdown->path, sizeof(linkdown->path), "%s", path);
	file = state_file_read(path);
	if (!file)
		return;
	is_ours = state_file_is_of_this_boot(file);
	while (is_ours && linkdown->changed.n < 1024 &&
	       fscanf(file, "%u %15s ipv%u", &entry.ifindex, entry.name,
		      &version) == 3) {
		entry.family = version == 6 ? AF_INET6 : AF_INET;
		if (!has(&linkdown->changed, &entry))
			vec_push(&linkdown->changed, entry);
	}
	(void)fclose(file);
	linkdown->is_from_file = true;
}

void linkdown_done(struct linkdown *linkdown)
{
	vec_done(&linkdown->changed);
	vec_done(&linkdown->refused);
}

static void write_lines(FILE *file, const void *data)
{
	const struct linkdown *linkdown = data;
	const struct linkdown_entry *it;

	vec_foreach(&linkdown->changed, it)
		(void)fprintf(file, "%u %s ipv%d\n", it->ifindex, it->name,
			      it->family == AF_INET6 ? 6 : 4);
}

static void save(struct linkdown *linkdown, uint64_t now_ms)
{
	int error = 0;

	if (linkdown->changed.n == 0)
		(void)unlink(linkdown->path);
	else
		error = state_file_write(linkdown->path, write_lines, linkdown);
	linkdown->save_ms = error ? now_ms + STATE_FILE_RETRY_MS : 0;
	if (error)
		log_limited(LOG_KIND_STATE_FILE, now_ms, LOG_WARNING,
			    "%s: %s; after a crash what ignore_linkdown has "
			    "set is not put back",
			    linkdown->path, strerror(-error));
}

void linkdown_save(struct linkdown *linkdown, uint64_t now_ms)
{
	if (linkdown->save_ms && linkdown->save_ms <= now_ms)
		save(linkdown, now_ms);
}

uint64_t linkdown_next(const struct linkdown *linkdown)
{
	return linkdown->save_ms;
}

/* It is tried in every round, and said once. */
static void refuse(struct linkdown *linkdown,
		   const struct linkdown_entry *entry, int error)
{
	if (has(&linkdown->refused, entry))
		return;
	log_warn("ignore_linkdown: %s of %s: %s", SETTING, entry->name,
		 strerror(-error));
	vec_push(&linkdown->refused, *entry);
}

/* Whether it can be set, and is not. */
static bool is_unset(struct linkdown *linkdown,
		     const struct linkdown_entry *entry)
{
	int value;
	int error =
		sysctl_read_link(entry->family, entry->name, SETTING, &value);

	if (error && error != -ENOENT) /* no such family there */
		refuse(linkdown, entry, error);
	return error == 0 && value == 0;
}

static bool set(struct linkdown *linkdown, const struct linkdown_entry *entry)
{
	int error = sysctl_write_link(entry->family, entry->name, SETTING, 1);

	if (error)
		refuse(linkdown, entry, error);
	return error == 0;
}

/* Return: whether there is nothing left to put back. */
static bool put_back(struct linkdown *linkdown,
		     const struct linkdown_entry *entry)
{
	int error = sysctl_write_link(entry->family, entry->name, SETTING, 0);

	if (!error || error == -ENOENT)
		return true;
	refuse(linkdown, entry, error);
	return false;
}

static bool is_wanted(const struct view *view,
		      const struct linkdown_entry *entry)
{
	const struct link *link = model_link(view->model, entry->ifindex);

	return view->policy->ignore_linkdown && link &&
	       !subnet_link_is_local(view->subnets, link->ifindex);
}

/* The setting goes with the link, whatever its name becomes. */
static bool follow_names(struct linkdown *linkdown, const struct model *model)
{
	struct linkdown_entry *it;
	bool changed = false;

	vec_foreach(&linkdown->changed, it) {
		const struct link *link = model_link(model, it->ifindex);

		if (!link || strcmp(link->name, it->name) == 0)
			continue;
		memcpy(it->name, link->name, sizeof(it->name));
		changed = true;
	}
	return changed;
}

/*
 * What the file says may be of another namespace or link of that name: what is
 * not set was not set by us.
 */
static bool drop_unset(struct linkdown *linkdown)
{
	bool dropped = false;
	int value;

	for (size_t i = linkdown->changed.n; i-- > 0;) {
		const struct linkdown_entry *it = &linkdown->changed.items[i];

		if (sysctl_read_link(it->family, it->name, SETTING, &value) ||
		    value != 0)
			continue;
		vec_remove(&linkdown->changed, i);
		dropped = true;
	}
	return dropped;
}

/* Links that come and go must not make it grow. */
static void forget_refused(struct linkdown *linkdown, const struct view *view)
{
	for (size_t i = linkdown->refused.n; i-- > 0;)
		if (!is_wanted(view, &linkdown->refused.items[i]) &&
		    !has(&linkdown->changed, &linkdown->refused.items[i]))
			vec_remove(&linkdown->refused, i);
}

/* Return: whether any was. */
static bool put_back_unwanted(struct linkdown *linkdown,
			      const struct view *view)
{
	bool changed = false;

	for (size_t i = linkdown->changed.n; i-- > 0;) {
		const struct linkdown_entry *it = &linkdown->changed.items[i];

		if (is_wanted(view, it))
			continue;
		/* Another one may have the name of a link that is gone. */
		if (model_link(view->model, it->ifindex) &&
		    !put_back(linkdown, it))
			continue;
		vec_remove(&linkdown->changed, i);
		changed = true;
	}
	return changed;
}

/* They are added to what is changed, and not set yet. Return: how many. */
static size_t add_unset(struct linkdown *linkdown, const struct view *view)
{
	size_t before = linkdown->changed.n;
	const struct link *link;

	if (!view->policy->ignore_linkdown)
		return 0;
	vec_foreach(&view->model->links, link) {
		struct linkdown_entry entry;

		entry.ifindex = link->ifindex;
		memcpy(entry.name, link->name, sizeof(entry.name));
		for (size_t f = 0; f < sizeof(families); f++) {
			entry.family = families[f];
			if (!is_wanted(view, &entry) ||
			    has(&linkdown->changed, &entry) ||
			    !is_unset(linkdown, &entry))
				continue;
			/* What was refused once is likely to be again: nothing
			 * is recorded for that in every round. */
			if (!has(&linkdown->refused, &entry) ||
			    set(linkdown, &entry))
				vec_push(&linkdown->changed, entry);
		}
	}
	return linkdown->changed.n - before;
}

/* The last @n of what is changed. Return: whether any was refused. */
static bool set_last(struct linkdown *linkdown, size_t n)
{
	size_t end = linkdown->changed.n;
	bool refused = false;

	for (size_t i = end; i-- > end - n;) {
		if (set(linkdown, &linkdown->changed.items[i]))
			continue;
		vec_remove(&linkdown->changed, i);
		refused = true;
	}
	return refused;
}

/*
 * The record comes first: should we be killed in between, the next life finds
 * something unset there, and forgets it.
 */
void linkdown_update(struct linkdown *linkdown, const struct view *view,
		     uint64_t now_ms)
{
	bool changed = follow_names(linkdown, view->model);
	size_t n;

	if (linkdown->is_from_file)
		changed |= drop_unset(linkdown);
	linkdown->is_from_file = false;
	forget_refused(linkdown, view);
	changed |= put_back_unwanted(linkdown, view);
	n = add_unset(linkdown, view);
	if (changed || n)
		save(linkdown, now_ms);
	if (set_last(linkdown, n))
		save(linkdown, now_ms);
}

void linkdown_restore(struct linkdown *linkdown, uint64_t now_ms)
{
	size_t before = linkdown->changed.n;

	for (size_t i = before; i-- > 0;)
		if (put_back(linkdown, &linkdown->changed.items[i]))
			vec_remove(&linkdown->changed, i);
	if (linkdown->changed.n != before)
		save(linkdown, now_ms);
}
