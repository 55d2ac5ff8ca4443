/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mptcp/userspace.h"

#include <errno.h>
#include <string.h>

#include "log.h"
#include "mptcp/subflows.h"

#define RECEIVE_MAX 4096 /* messages at one go */
#define DRAIN_MAX   64	 /* goes: more than the socket's buffer can hold */
#define LOOK_MS	    2000 /* after a look at all sockets that failed */

/* --- on and off --- */

static bool is_wanted(const struct engine *engine)
{
	return engine->policy->mptcp.path_manager == PATH_MANAGER_USERSPACE;
}

static void close_sockets(struct userspace *userspace)
{
	mptcp_free(userspace->mptcp);
	mptcp_listener_free(userspace->listener);
	userspace->mptcp = NULL;
	userspace->listener = NULL;
	manager_done_all(&userspace->manager);
}

/* It listens first: a connection that nobody hears of stays with one path. */
static int open_sockets(struct userspace *userspace)
{
	int error = mptcp_open(&userspace->mptcp);

	if (!error)
		error = mptcp_listener_open(&userspace->listener);
	if (!error)
		error = setting_set(&userspace->setting);
	if (error)
		close_sockets(userspace);
	return error;
}

static void start(struct userspace *userspace, uint64_t now_ms)
{
	int error = open_sockets(userspace);

	if (!attempt_note(&userspace->start, error, now_ms) && error)
		return;
	if (error == -ENOENT)
		log_warn("mptcp: this kernel has no path manager in user "
			 "space: connections have one path");
	else if (error)
		log_warn("mptcp: path manager in user space: %s; connections "
			 "have one path till it succeeds",
			 strerror(-error));
	else
		log_notice("mptcp: we are the path manager of connections that "
			   "begin from now on");
	userspace->lost = true; /* those of an earlier life */
	userspace->look_ms = 0;
}

void userspace_stop(struct userspace *userspace)
{
	close_sockets(userspace);
	(void)setting_put_back(&userspace->setting);
	userspace->start = (struct attempt){0};
}

/* --- what comes in --- */

struct intake {
	struct userspace *userspace;
	uint64_t now_ms;
};

static void hear(const struct mptcp_event *event, void *data)
{
	const struct intake *intake = data;

	manager_hear(&intake->userspace->manager, event, intake->now_ms);
}

int userspace_fd(const struct userspace *userspace)
{
	return userspace->listener ? mptcp_listener_fd(userspace->listener)
				   : -1;
}

void userspace_receive(struct userspace *userspace, uint64_t now_ms)
{
	struct intake intake = {userspace, now_ms};

	int n = mptcp_listener_receive(userspace->listener, RECEIVE_MAX, hear,
				       &intake);

	if (n >= 0)
		return;
	userspace->lost = true;
	userspace->counts.lost++;
	/* What is queued is older than the list that is read next. */
	for (int i = 0; i < DRAIN_MAX && n != 0; i++)
		n = mptcp_listener_receive(userspace->listener, RECEIVE_MAX,
					   hear, &intake);
}

/* Ids of addresses that no subflow shows, as the kernel remembers them. */
static void recover_ids(struct userspace *userspace)
{
	struct managed_connection *it;

	vec_foreach(&userspace->manager.connections, it) {
		struct endpoint_vec known = {0};

		if (mptcp_list_local(userspace->mptcp, it->token, &known) == 0)
			manager_number(it, &known);
		vec_done(&known);
	}
}

/* Till it succeeds; that it does not is said once. */
static void recover(struct userspace *userspace, uint64_t now_ms)
{
	struct flow_vec subflows = {0};
	int error;

	if (userspace->look_ms > now_ms)
		return;
	error = subflows_list(&subflows);
	if (error && !userspace->look_ms)
		log_warn("mptcp: connections cannot be listed: %s",
			 strerror(-error));
	if (!error) {
		manager_recover(&userspace->manager, &subflows);
		recover_ids(userspace);
	}
	vec_done(&subflows);
	userspace->lost = error != 0;
	userspace->look_ms = error ? now_ms + LOOK_MS : 0;
}

/* --- what goes out --- */

static int carry_out(struct userspace *userspace,
		     const struct manager_action *action)
{
	const struct mptcp_subflow subflow = {
		.token = action->token,
		.ends = action->ends,
		.id_local = action->id_local,
		.backup = action->backup,
	};

	switch (action->what) {
	case MANAGER_OPEN:
		return mptcp_subflow_create(userspace->mptcp, &subflow);
	case MANAGER_CLOSE:
		return mptcp_subflow_destroy(userspace->mptcp, action->token,
					     &action->ends);
	case MANAGER_MARK:
		return mptcp_subflow_mark(userspace->mptcp, action->token,
					  &action->ends, action->backup);
	case MANAGER_ANNOUNCE:
		return mptcp_announce(userspace->mptcp, action->token,
				      &action->ends.src, action->id_local);
	case MANAGER_WITHDRAW:
		return mptcp_withdraw(userspace->mptcp, action->token,
				      action->id_local);
	}
	return -EINVAL;
}

static void count(struct userspace *userspace,
		  const struct manager_action *action, int error)
{
	if (error)
		userspace->counts.errors++;
	else if (action->what == MANAGER_OPEN)
		userspace->counts.opened++;
	else if (action->what == MANAGER_CLOSE && action->rejects)
		userspace->counts.rejected++;
	else if (action->what == MANAGER_CLOSE)
		userspace->counts.closed++;
}

/* Connections are many and short: for who wants to know. */
static void tell(const struct manager_action *action, int error)
{
	static const char *const words[] = {
		[MANAGER_OPEN] = "open",
		[MANAGER_CLOSE] = "close",
		[MANAGER_MARK] = "mark as a backup",
		[MANAGER_ANNOUNCE] = "announce",
		[MANAGER_WITHDRAW] = "withdraw",
	};
	char src[IP_TEXT_MAX];
	char dst[IP_TEXT_MAX] = "the peer";

	if (!log_is_on(LOG_DEBUG))
		return;
	if (ip_addr_is_set(&action->ends.dst))
		ip_addr_format(&action->ends.dst, dst);
	log_debug("mptcp: %08x: %s %s id=%u to %s: %s%s%s", action->token,
		  words[action->what], ip_addr_format(&action->ends.src, src),
		  action->id_local, dst, action->why, error ? ": " : "",
		  error ? strerror(-error) : "");
}

static void act(struct userspace *userspace, const struct engine *engine,
		uint64_t now_ms)
{
	const struct view view = engine_view(engine);
	struct manager_action_vec actions = {0};
	const struct manager_action *it;

	manager_plan(&userspace->manager, &view, now_ms, &actions);
	vec_foreach(&actions, it) {
		int error = carry_out(userspace, it);

		tell(it, error);
		count(userspace, it, error);
		manager_done(&userspace->manager, it, error, now_ms);
	}
	vec_done(&actions);
}

/* --- all of it --- */

void userspace_mark(struct userspace *userspace, const struct engine *engine)
{
	if (engine->batch.is_wide)
		manager_touch(&userspace->manager);
	else
		manager_touch_rows(&userspace->manager, &engine->batch.rows);
}

void userspace_update(struct userspace *userspace, const struct engine *engine,
		      uint64_t now_ms)
{
	bool is_new = userspace->policy != engine->policy;

	if (!is_wanted(engine)) {
		if (userspace->listener || userspace->setting.is_set ||
		    userspace->start.error)
			userspace_stop(userspace);
		return;
	}
	if (is_new)
		userspace->start = (struct attempt){0};
	if (!userspace->listener && attempt_is_due(&userspace->start, now_ms))
		start(userspace, now_ms);
	if (!userspace->listener) {
		userspace->policy = engine->policy;
		return;
	}
	if (userspace->lost)
		recover(userspace, now_ms);
	if (is_new)
		manager_touch(&userspace->manager);
	userspace->policy = engine->policy;
	act(userspace, engine, now_ms);
}

uint64_t userspace_next(const struct userspace *userspace)
{
	uint64_t next;

	if (!userspace->listener)
		return userspace->start.next_ms;
	next = manager_next(&userspace->manager);
	if (userspace->look_ms && (!next || userspace->look_ms < next))
		next = userspace->look_ms;
	return next;
}

/* --- life --- */

void userspace_init(struct userspace *userspace, const char *path)
{
	memset(userspace, 0, sizeof(*userspace));
	setting_init(&userspace->setting, path);
}

void userspace_done(struct userspace *userspace)
{
	close_sockets(userspace);
}
