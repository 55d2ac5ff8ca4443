/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <systemd/sd-daemon.h>
#include <time.h>
#include <unistd.h>

#include "kernel/claim.h"
#include "kernel/privilege.h"
#include "log.h"
#include "loop.h"

#define LEARN_RETRY_MS 500
#define TURN_MS	       10 /* of writing, before others are served */

uint64_t daemon_now_us(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

uint64_t daemon_now(void)
{
	return daemon_now_us() / 1000;
}

/* --- configuration --- */

void daemon_adopt(struct daemon *daemon, const struct config *config)
{
	const struct kernel_config kernel_config = {
		.table_first = config->policy.table_first,
		.table_last = config->policy.table_last,
		.protocol = config->policy.protocol,
	};

	daemon->config = *config;
	log_set_level(config->log_level);
	kernel_configure(daemon->kernel, &kernel_config);
	engine_set_policy(&daemon->engine, &daemon->config.policy);
	daemon->endpoints.policy = NULL; /* it is looked at anew */
	daemon->userspace.policy = NULL;
}

/* --- start and end --- */

static void log_text(int level, const char *text)
{
	log_line(level, "%s", text);
}

/* A daemon with another socket would undo what we do. */
static int take_claim(struct daemon *daemon)
{
	pid_t holder = 0;
	int fd = claim_take(&holder);

	if (fd == -EBUSY) {
		log_err("another daemon routes this network namespace: pid %ld",
			(long)holder);
		return fd;
	}
	if (fd < 0)
		log_warn("cannot tell whether another daemon routes this "
			 "network namespace: %s",
			 fd == -EPERM ? "somebody who may not took its name"
				      : strerror(-fd));
	daemon->claim_fd = fd;
	return 0;
}

/* A passing want must not cost what is in the files. */
void daemon_learn(struct daemon *daemon, uint64_t now_ms)
{
	struct engine *engine = &daemon->engine;
	int error = engine_read(engine, now_ms);

	daemon->is_informed = error == 0;
	daemon->learn_ms = error ? now_ms + LEARN_RETRY_MS : 0;
	if (error)
		return;
	adverts_load(&daemon->adverts, engine, now_ms);
	flows_start(&daemon->flows, engine, now_ms);
}

/* Rules that go are still there: what needs them goes first. */
static void before_write(const struct engine *engine, void *data)
{
	struct daemon *daemon = data;

	if (engine->batch.is_wide)
		endpoints_withdraw(&daemon->endpoints, engine, daemon_now());
	userspace_mark(&daemon->userspace, engine);
}

static bool is_turn_over(void *data)
{
	const struct daemon *daemon = data;

	return daemon_now() >= daemon->turn_ms + TURN_MS;
}

static int start(struct daemon *daemon)
{
	const struct config *config = &daemon->config;
	const struct kernel_config kernel_config = {
		.table_first = config->policy.table_first,
		.table_last = config->policy.table_last,
		.protocol = config->policy.protocol,
	};
	const struct server_config server_config = {
		.path = config->socket,
		.group = config->group[0] ? config->group : NULL,
		.group_is_default = !config->group_is_set,
		.version = MULTIHOMED_VERSION,
		.log = log_text,
	};
	char path[sizeof(config->socket) + 16];
	int error;

	if (!privilege_has_net_admin()) {
		log_err("CAP_NET_ADMIN is missing: without it the kernel lets "
			"us change nothing");
		return -EPERM;
	}
	/* The lock first: a second daemon must not touch anything. */
	error = server_new(daemon->loop, &server_config, daemon_methods, daemon,
			   &daemon->server);
	if (error == 0)
		error = take_claim(daemon);
	if (error)
		return error;
	(void)snprintf(path, sizeof(path), "%s.linkdown", config->socket);
	linkdown_init(&daemon->linkdown, path);
	error = kernel_open(&kernel_config, &daemon->kernel);
	if (error) {
		log_err("opening rtnetlink sockets: %s", strerror(-error));
		return error;
	}
	engine_init(&daemon->engine, daemon->kernel, &config->policy);
	round_init(&daemon->round, &daemon->engine, daemon->started_ms * 1000);
	(void)snprintf(path, sizeof(path), "%s.bindings", config->socket);
	adverts_init(&daemon->adverts, path);
	(void)snprintf(path, sizeof(path), "%s.flows", config->socket);
	flows_init(&daemon->flows, path);
	(void)snprintf(path, sizeof(path), "%s.endpoints", config->socket);
	(void)endpoints_init(&daemon->endpoints, path, daemon_now());
	(void)snprintf(path, sizeof(path), "%s.path_manager", config->socket);
	userspace_init(&daemon->userspace, path);
	daemon->engine.before_write =
		(struct engine_hook){before_write, daemon};
	daemon->engine.turn =
		(struct engine_turn){is_turn_over, daemon, TURN_MS};
	daemon_learn(daemon, daemon_now());
	return 0;
}

static int finish(struct daemon *daemon)
{
	int error = 0;

	(void)sd_notify(0, "STOPPING=1");
	if (daemon->end == DAEMON_REMOVE) {
		log_notice("stopping; removing rules, routes and neighbours of "
			   "ours");
		endpoints_remove(&daemon->endpoints, daemon_now());
		userspace_stop(&daemon->userspace);
		error = engine_flush(&daemon->engine, daemon_now());
		if (error)
			log_err("not all of it could be removed: %s",
				strerror(-error));
		linkdown_restore(&daemon->linkdown, daemon_now());
		/* Who comes next needs them, as long as ours is there. */
		if (!error) {
			adverts_forget(&daemon->adverts);
			flows_forget(&daemon->flows);
		}
	} else if (daemon->end == DAEMON_LEAVE) {
		if (daemon->is_informed)
			adverts_save(&daemon->adverts, &daemon->engine,
				     daemon_now());
		log_notice("stopping; everything stays in place");
	}
	return error || daemon->end == DAEMON_FAILED;
}

int daemon_run(const char *config_path, const char *socket,
	       struct config *config)
{
	struct daemon daemon = {
		.config_path = config_path,
		.socket = socket,
		.config = *config,
		.started_ms = daemon_now(),
		.claim_fd = -1,
	};
	int status = 1;

	memset(config, 0, sizeof(*config));
	log_set_level(daemon.config.log_level);
	(void)signal(SIGPIPE, SIG_IGN);
	daemon.loop = ev_default_loop(EVFLAG_AUTO);
	if (!daemon.loop) {
		log_err("no event loop: %s", strerror(errno));
		config_done(&daemon.config);
		return 1;
	}
	/* First: those that come while it reads have their turn in the loop. */
	loop_start_signals(&daemon);
	if (start(&daemon) == 0) {
		loop_start_watchers(&daemon);
		ev_run(daemon.loop, 0);
		status = finish(&daemon);
	}
	server_free(daemon.server); /* cancels who still waits */
	if (daemon.engine.kernel)
		engine_done(&daemon.engine);
	kernel_free(daemon.kernel);
	linkdown_done(&daemon.linkdown);
	adverts_done(&daemon.adverts);
	flows_done(&daemon.flows);
	endpoints_done(&daemon.endpoints);
	userspace_done(&daemon.userspace);
	round_done(&daemon.round);
	vec_done(&daemon.waiters);
	vec_done(&daemon.monitors);
	trial_done(&daemon.trial);
	config_done(&daemon.config);
	if (daemon.claim_fd >= 0)
		(void)close(daemon.claim_fd);
	ev_loop_destroy(daemon.loop);
	return status;
}
