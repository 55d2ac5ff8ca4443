/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mptcp/ours.h"

#include <errno.h>

#include "log.h"
#include "mptcp/subflows.h"

static const char *link_of(const struct engine *engine,
			   const struct endpoint *endpoint)
{
	const struct subnet *subnet =
		subnet_of_source(&engine->subnets, &endpoint->addr);
	const struct link *link =
		subnet ? model_link(&engine->model, subnet->ifindex) : NULL;

	return link ? link->name : "?";
}

/* One that the kernel made after ours was deleted may have the same id. */
static bool is_same(const struct endpoint *ours, const struct endpoint *it)
{
	return ours->id == it->id && !(it->flags & ENDPOINT_IMPLICIT) &&
	       ip_addr_equal(&ours->addr, &it->addr);
}

/* One that was about to be added, when the daemon was killed. */
static bool is_as_meant(const struct endpoint *meant, const struct endpoint *it)
{
	return meant->id == 0 && it->ifindex == 0 &&
	       it->flags == meant->flags &&
	       ip_addr_equal(&meant->addr, &it->addr);
}

const struct own_endpoint *ours_find(const struct endpoints *endpoints,
				     const struct endpoint *it)
{
	const struct own_endpoint *own;

	vec_foreach(&endpoints->ours, own)
		if (is_same(&own->endpoint, it))
			return own;
	return NULL;
}

/* Whether one of ours is in the kernel; its id is known then. */
static bool find(struct endpoint *ours, const struct endpoint_vec *all)
{
	const struct endpoint *it;

	vec_foreach(all, it) {
		if (!is_same(ours, it) && !is_as_meant(ours, it))
			continue;
		ours->id = it->id;
		return true;
	}
	return false;
}

int ours_refresh(struct endpoints *endpoints, struct endpoint_vec *ret)
{
	int error = mptcp_list(endpoints->mptcp, ret);

	for (size_t i = endpoints->ours.n; i-- > 0 && !error;)
		if (!find(&endpoints->ours.items[i].endpoint, ret))
			vec_remove(&endpoints->ours, i);
	return error;
}

static bool is_any_meant(const struct endpoints *endpoints)
{
	const struct own_endpoint *it;

	vec_foreach(&endpoints->ours, it)
		if (it->endpoint.id == 0)
			return true;
	return false;
}

void ours_number(struct endpoints *endpoints)
{
	struct endpoint_vec all = {0};

	if (is_any_meant(endpoints))
		(void)ours_refresh(endpoints, &all);
	vec_done(&all);
}

/* Something that came to nothing. */
struct failure {
	const char *what;
	const struct endpoint *endpoint;
	int error;
};

static void fail(struct endpoints *endpoints, const struct failure *failure,
		 uint64_t now_ms)
{
	char text[IP_TEXT_MAX];

	endpoints->errors++;
	log_limited(LOG_KIND_ENDPOINT, now_ms, LOG_WARNING,
		    "mptcp: %s endpoint %s: %s", failure->what,
		    ip_addr_format(&failure->endpoint->addr, text),
		    strerror(-failure->error));
}

int ours_remove(struct endpoints *endpoints, size_t i, const char *why,
		uint64_t now_ms)
{
	const struct endpoint endpoint = endpoints->ours.items[i].endpoint;
	char text[IP_TEXT_MAX];
	int error;

	if (endpoint.id == 0)
		return -EAGAIN;
	error = mptcp_delete(endpoints->mptcp, &endpoint);
	/* -EINVAL: somebody else has removed it. */
	if (error && error != -EINVAL) {
		fail(endpoints, &(struct failure){"removing", &endpoint, error},
		     now_ms);
		return error;
	}
	log_notice("mptcp: endpoint %s id=%u removed: %s",
		   ip_addr_format(&endpoint.addr, text), endpoint.id, why);
	endpoints->removed++;
	vec_remove(&endpoints->ours, i);
	return 0;
}

/*
 * Deleting an endpoint closes all subflows from its address (6.18), the first
 * one of a connection too: one that has no others dies of it.
 *
 * Return: NULL: none does; or why it is kept. Who cannot look does no harm.
 */
static const char *why_kept(const struct endpoint *endpoint)
{
	struct flow_vec subflows = {0};
	int error = subflows_list(&subflows);
	const char *why = NULL;

	if (error)
		why = "connections cannot be listed";
	else if (connection_depends_on(&subflows, &endpoint->addr))
		why = "a connection has no other subflow";
	vec_done(&subflows);
	return why;
}

bool ours_dismiss(struct endpoints *endpoints, size_t i, const char *why,
		  uint64_t now_ms)
{
	struct own_endpoint *own = &endpoints->ours.items[i];
	const char *kept = why_kept(&own->endpoint);
	bool was_kept = own->kept;
	char text[IP_TEXT_MAX];

	own->kept = kept != NULL;
	if (!kept)
		return ours_remove(endpoints, i, why, now_ms) == 0;
	if (!was_kept)
		log_notice("mptcp: endpoint %s id=%u kept, though %s: %s",
			   ip_addr_format(&own->endpoint.addr, text),
			   own->endpoint.id, why, kept);
	return false;
}

bool ours_is_refusal(int error)
{
	return error == -EEXIST || error == -EINVAL || error == -EPERM ||
	       error == -ENOSPC || error == -ERANGE || error == -EOPNOTSUPP;
}

int ours_add(struct endpoints *endpoints, const struct engine *engine,
	     struct endpoint *wanted, uint64_t now_ms)
{
	int error = mptcp_add(endpoints->mptcp, wanted);
	struct endpoint_vec all = {0};
	const struct endpoint *found;
	char text[IP_TEXT_MAX];

	if (!error)
		error = mptcp_list(endpoints->mptcp, &all);
	found = error ? NULL : endpoint_find_added(&all, &wanted->addr);
	if (!error && !found)
		error = -ENOSPC; /* somebody has removed it already */
	if (found) {
		*wanted = *found;
		endpoints->added++;
		log_notice("mptcp: endpoint %s id=%u link=%s added",
			   ip_addr_format(&found->addr, text), found->id,
			   link_of(engine, found));
	} else if (error == -EEXIST) {
		/* Between our list and this; the next list has it. */
		log_notice("mptcp: endpoint %s was made by another program",
			   ip_addr_format(&wanted->addr, text));
	} else {
		fail(endpoints, &(struct failure){"adding", wanted, error},
		     now_ms);
	}
	vec_done(&all);
	return error;
}
