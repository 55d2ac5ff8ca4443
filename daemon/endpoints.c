/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "endpoints.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "log.h"
#include "state_file.h"

#define RETRY_MS 5000

static const char *link_of(const struct engine *engine,
			   const struct endpoint *endpoint)
{
	const struct subnet *subnet =
		subnet_of_source(&engine->subnets, &endpoint->addr);
	const struct link *link =
		subnet ? model_link(&engine->model, subnet->ifindex) : NULL;

	return link ? link->name : "?";
}

static bool is_same(const struct endpoint *a, const struct endpoint *b)
{
	return a->id == b->id && ip_addr_equal(&a->addr, &b->addr);
}

const struct own_endpoint *endpoints_own(const struct endpoints *endpoints,
					 const struct endpoint *it)
{
	const struct own_endpoint *own;

	vec_foreach(&endpoints->ours, own)
		if (is_same(&own->endpoint, it))
			return own;
	return NULL;
}

/* --- the file --- */

static void write_lines(FILE *file, const void *data)
{
	const struct endpoints *endpoints = data;
	const struct own_endpoint *own;
	char text[IP_TEXT_MAX];

	if (endpoints->raised)
		(void)fprintf(file,
			      "limits %" PRIu32 " %" PRIu32 " %" PRIu32
			      " %" PRIu32 "\n",
			      endpoints->limits_before.subflows,
			      endpoints->limits_before.accepted,
			      endpoints->limits_set.subflows,
			      endpoints->limits_set.accepted);
	vec_foreach(&endpoints->ours, own)
		(void)fprintf(file, "endpoint %s %u %u\n",
			      ip_addr_format(&own->endpoint.addr, text),
			      own->endpoint.id, own->endpoint.flags);
}

static void save(const struct endpoints *endpoints, uint64_t now_ms)
{
	int error;

	if (endpoints->ours.n == 0 && !endpoints->raised) {
		(void)unlink(endpoints->path);
		return;
	}
	error = state_file_write(endpoints->path, write_lines, endpoints);
	if (error)
		log_limited(LOG_KIND_STATE_FILE, now_ms, LOG_WARNING,
			    "%s: %s; after a restart our MPTCP endpoints are "
			    "taken for somebody else's",
			    endpoints->path, strerror(-error));
}

static bool parse_line(const char *line, struct endpoints *ret)
{
	struct own_endpoint own = {0};
	char addr[IP_TEXT_MAX];
	unsigned int id;
	unsigned int flags;

	if (sscanf(line,
		   "limits %" SCNu32 " %" SCNu32 " %" SCNu32 " %" SCNu32 "\n",
		   &ret->limits_before.subflows, &ret->limits_before.accepted,
		   &ret->limits_set.subflows, &ret->limits_set.accepted) == 4) {
		ret->raised = true;
		return true;
	}
	if (sscanf(line, "endpoint %63s %u %u\n", addr, &id, &flags) != 3 ||
	    ip_addr_parse(addr, &own.endpoint.addr) != 0 || id == 0 ||
	    id > UINT8_MAX || flags > UINT8_MAX || ret->ours.n == ENDPOINTS_MAX)
		return false;
	own.endpoint.id = (uint8_t)id;
	own.endpoint.flags = (uint8_t)flags;
	vec_push(&ret->ours, own);
	return true;
}

/* What the file says is checked like anything from outside. */
static void load(struct endpoints *endpoints)
{
	FILE *file = state_file_read(endpoints->path);
	bool good = file && state_file_is_of_this_boot(file);
	char line[256];

	if (!file)
		return;
	while (good && fgets(line, sizeof(line), file))
		good = parse_line(line, endpoints);
	if (!good)
		log_warn("%s: it makes no sense, or is not of this boot; MPTCP "
			 "endpoints of an earlier life are left alone",
			 endpoints->path);
	(void)fclose(file);
}

/* --- one endpoint --- */

/* What of ours somebody else removed is ours no more. */
static int refresh(struct endpoints *endpoints, struct endpoint_vec *ret)
{
	int error = mptcp_list(endpoints->mptcp, ret);

	for (size_t i = endpoints->ours.n; i-- > 0 && error == 0;) {
		bool there = false;
		const struct endpoint *it;

		vec_foreach(ret, it)
			there |=
				is_same(it, &endpoints->ours.items[i].endpoint);
		if (!there)
			vec_remove(&endpoints->ours, i);
	}
	return error;
}

static void fail(struct endpoints *endpoints, const char *what,
		 const struct endpoint *endpoint, int error)
{
	char text[IP_TEXT_MAX];

	endpoints->errors++;
	log_warn("mptcp: %s endpoint %s: %s", what,
		 ip_addr_format(&endpoint->addr, text), strerror(-error));
}

static void remove_at(struct endpoints *endpoints, size_t i, const char *why)
{
	const struct endpoint endpoint = endpoints->ours.items[i].endpoint;
	int error = mptcp_delete(endpoints->mptcp, &endpoint);
	char text[IP_TEXT_MAX];

	/* -EINVAL: somebody else has removed it. */
	if (error && error != -EINVAL)
		fail(endpoints, "removing", &endpoint, error);
	else
		log_notice("mptcp: endpoint %s id=%u removed: %s",
			   ip_addr_format(&endpoint.addr, text), endpoint.id,
			   why);
	endpoints->removed++;
	vec_remove(&endpoints->ours, i);
}

/* The kernel chooses the id; ask for it. */
static int add(struct endpoints *endpoints, const struct engine *engine,
	       const struct endpoint *wanted)
{
	int error = mptcp_add(endpoints->mptcp, wanted);
	struct endpoint_vec all = {0};
	const struct endpoint *found;
	struct own_endpoint own = {0};
	char text[IP_TEXT_MAX];

	if (!error)
		error = mptcp_list(endpoints->mptcp, &all);
	found = error ? NULL : endpoint_find(&all, &wanted->addr);
	if (found) {
		own.endpoint = *found;
		vec_push(&endpoints->ours, own);
		endpoints->added++;
		log_notice("mptcp: endpoint %s id=%u link=%s added",
			   ip_addr_format(&found->addr, text), found->id,
			   link_of(engine, found));
	} else {
		fail(endpoints, "adding", wanted, error ? error : -ENOENT);
	}
	vec_done(&all);
	return found ? 0 : -EAGAIN;
}

/* --- limits --- */

static void raise_limits(struct endpoints *endpoints,
			 const struct engine *engine)
{
	uint32_t want = engine->policy->mptcp.subflows;
	struct mptcp_limits have;
	struct mptcp_limits set;

	if (mptcp_get_limits(endpoints->mptcp, &have))
		return;
	set = have;
	if (set.subflows < want)
		set.subflows = want;
	if (set.accepted < want)
		set.accepted = want;
	if (set.subflows == have.subflows && set.accepted == have.accepted)
		return;
	if (mptcp_set_limits(endpoints->mptcp, &set)) {
		log_warn("mptcp: the limits cannot be raised: %u subflows and "
			 "%u announced addresses at most",
			 have.subflows, have.accepted);
		return;
	}
	if (!endpoints->raised)
		endpoints->limits_before = have;
	endpoints->limits_set = set;
	endpoints->raised = true;
}

static void lower_limits(struct endpoints *endpoints)
{
	struct mptcp_limits have;

	if (!endpoints->raised)
		return;
	endpoints->raised = false;
	/* Only what is as we left it. */
	if (mptcp_get_limits(endpoints->mptcp, &have) ||
	    have.subflows != endpoints->limits_set.subflows ||
	    have.accepted != endpoints->limits_set.accepted)
		return;
	if (mptcp_set_limits(endpoints->mptcp, &endpoints->limits_before))
		log_warn("mptcp: the limits could not be put back");
}

/* --- all of them --- */

static bool is_on(const struct endpoints *endpoints,
		  const struct engine *engine)
{
	return endpoints->mptcp &&
	       engine->policy->mptcp.path_manager == PATH_MANAGER_KERNEL;
}

static void come_by(uint64_t *when_ms, uint64_t at_ms)
{
	if (!*when_ms || at_ms < *when_ms)
		*when_ms = at_ms;
}

/* Return: NULL: it may stay; or why it goes. */
static const char *judge(struct endpoints *endpoints,
			 const struct engine *engine,
			 const struct endpoint_vec *wanted,
			 struct own_endpoint *own, uint64_t now_ms)
{
	const struct view view = engine_view(engine);
	uint64_t hold_ms = engine->policy->pinning.hold_ms;
	const struct endpoint *new = endpoint_find(wanted, &own->endpoint.addr);

	switch (endpoint_judge(&view, wanted, &own->endpoint)) {
	case ENDPOINT_STAYS:
		own->lost_ms = 0;
		return new->flags == own->endpoint.flags ? NULL
							 : "its flags change";
	case ENDPOINT_WAITS:
		if (!own->lost_ms)
			own->lost_ms = now_ms;
		if (now_ms - own->lost_ms >= hold_ms)
			return "its path is gone";
		come_by(&endpoints->next_ms, own->lost_ms + hold_ms);
		return NULL;
	case ENDPOINT_GOES:
		return "its address or its rule goes";
	}
	return NULL;
}

void endpoints_withdraw(struct endpoints *endpoints,
			const struct engine *engine, uint64_t now_ms)
{
	const struct view view = engine_view(engine);
	struct endpoint_vec wanted = {0};
	size_t before = endpoints->ours.n;

	endpoints->next_ms = 0;
	if (before == 0)
		return;
	if (is_on(endpoints, engine))
		endpoint_build(&view, &wanted);
	for (size_t i = endpoints->ours.n; i-- > 0;) {
		const char *why =
			is_on(endpoints, engine)
				? judge(endpoints, engine, &wanted,
					&endpoints->ours.items[i], now_ms)
				: "path_manager is off";

		if (why)
			remove_at(endpoints, i, why);
	}
	if (endpoints->ours.n != before)
		save(endpoints, now_ms);
	vec_done(&wanted);
}

static bool is_missing(const struct endpoints *endpoints,
		       const struct endpoint_vec *wanted)
{
	const struct endpoint *it;

	vec_foreach(wanted, it) {
		bool found = false;

		for (size_t i = 0; i < endpoints->ours.n; i++)
			found |= ip_addr_equal(
				&endpoints->ours.items[i].endpoint.addr,
				&it->addr);
		if (!found)
			return true;
	}
	return false;
}

/* Others' endpoints of the same address will do; they are left alone. */
static void add_missing(struct endpoints *endpoints,
			const struct engine *engine,
			const struct endpoint_vec *wanted, uint64_t now_ms)
{
	size_t had = endpoints->ours.n;
	bool had_raised = endpoints->raised;
	struct endpoint_vec all = {0};
	const struct endpoint *it;
	size_t room;

	if (refresh(endpoints, &all)) {
		come_by(&endpoints->next_ms, now_ms + RETRY_MS);
		return;
	}
	room = all.n < ENDPOINTS_MAX ? ENDPOINTS_MAX - all.n : 0;
	raise_limits(endpoints, engine);
	vec_foreach(wanted, it) {
		if (endpoint_find(&all, &it->addr) || room == 0)
			continue;
		if (add(endpoints, engine, it) == 0)
			room--;
		else
			come_by(&endpoints->next_ms, now_ms + RETRY_MS);
	}
	if (endpoints->ours.n != had || endpoints->raised != had_raised)
		save(endpoints, now_ms);
	vec_done(&all);
}

void endpoints_update(struct endpoints *endpoints, const struct engine *engine,
		      uint64_t now_ms)
{
	const struct view view = engine_view(engine);
	struct endpoint_vec wanted = {0};
	bool is_new = endpoints->policy != engine->policy;
	bool is_due = endpoints->next_ms && endpoints->next_ms <= now_ms;

	/* Nothing is new since the last time. */
	if (!is_new && !is_due && endpoints->rounds == engine->counters.rounds)
		return;
	endpoints_withdraw(endpoints, engine, now_ms);
	endpoints->policy = engine->policy;
	endpoints->rounds = engine->counters.rounds;
	if (!is_on(endpoints, engine))
		return;
	endpoint_build(&view, &wanted);
	if (wanted.n && (is_new || is_missing(endpoints, &wanted)))
		add_missing(endpoints, engine, &wanted, now_ms);
	vec_done(&wanted);
}

uint64_t endpoints_next(const struct endpoints *endpoints)
{
	return endpoints->next_ms;
}

void endpoints_remove(struct endpoints *endpoints)
{
	if (!endpoints->mptcp)
		return;
	while (endpoints->ours.n)
		remove_at(endpoints, endpoints->ours.n - 1, "the daemon stops");
	lower_limits(endpoints);
	(void)unlink(endpoints->path);
}

/* --- life --- */

void endpoints_init(struct endpoints *endpoints, const char *path)
{
	struct endpoint_vec all = {0};

	memset(endpoints, 0, sizeof(*endpoints));
	(void)snprintf(endpoints->path, sizeof(endpoints->path), "%s", path);
	if (mptcp_open(&endpoints->mptcp))
		return;
	load(endpoints);
	(void)refresh(endpoints, &all);
	vec_done(&all);
}

void endpoints_done(struct endpoints *endpoints)
{
	mptcp_free(endpoints->mptcp);
	endpoints->mptcp = NULL;
	vec_done(&endpoints->ours);
}
