/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * daemon - the running service: the engine, its event loop and its surfaces.
 *
 * One struct that owns them all; daemon_run() starts it, methods.c answers the
 * control socket from it.
 */
#ifndef DAEMON_H
#define DAEMON_H

#include <ev.h>

#include "adverts.h"
#include "config/config.h"
#include "engine/engine.h"
#include "flows.h"
#include "linkdown.h"
#include "mptcp/endpoints.h"
#include "mptcp/userspace.h"
#include "round/round.h"
#include "server/server.h"
#include "trial.h"

/* A client that waits for the daemon to be steady. */
struct waiter {
	struct server_call *call;
	uint64_t until_ms; /* 0: for as long as it takes */
};

/* A client that listens to every round of work. */
struct monitor {
	struct server_call *call;
};

VEC(waiter_vec, struct waiter);
VEC(monitor_vec, struct monitor);

/* How the service ends. */
enum daemon_end {
	DAEMON_RUNS,
	DAEMON_LEAVE,  /* SIGUSR1: everything stays in place */
	DAEMON_REMOVE, /* SIGTERM, SIGINT: what we own is removed */
	DAEMON_FAILED,
};

struct daemon {
	struct ev_loop *loop;
	ev_io kernel_io;
	ev_io written_io; /* threads that write have ended */
	ev_io adverts_io;
	ev_io flows_io;
	ev_io userspace_io;
	ev_io claim_io;
	ev_timer claim_resume;
	ev_prepare prepare;
	ev_check check;
	ev_timer timer;
	ev_timer watchdog;
	ev_signal signals[4];

	const char *config_path; /* NULL: the default one */
	const char *socket;	 /* of the command line; NULL: the config's */
	struct config config;
	struct trial trial; /* of the config */
	struct kernel *kernel;
	struct engine engine;
	struct round round;
	struct linkdown linkdown;
	struct adverts adverts;
	struct flows flows;
	struct endpoints endpoints;
	struct userspace userspace;
	struct server *server;
	struct waiter_vec waiters;
	struct monitor_vec monitors;
	uint64_t started_ms;
	int claim_fd;	  /* on this network namespace; -1: none */
	bool is_informed; /* the kernel was read, and what was learned before */
	uint64_t learn_ms; /* if it is not: when that is tried again */
	uint64_t turn_ms;  /* when the engine's turn began */
	bool is_told;	   /* what the last round was: it is over */
	bool gives_way;	   /* it was long: who asked meanwhile comes first */
	bool has_more;	   /* the kernel has, when it was last listened to */
	unsigned int hearings; /* since the engine's turn */
	bool ready;	       /* READY=1 was sent */
	enum daemon_end end;
};

/**
 * daemon_run() - the service, till a signal ends it
 * @config_path: where @config came from, for a reload; NULL: the default
 * @socket:      stands above the config's, now and at a reload; may be NULL
 * @config:      taken over; freed here
 *
 * Return: the process's exit status.
 */
int daemon_run(const char *config_path, const char *socket,
	       struct config *config);

/**
 * daemon_adopt() - another configuration, from now on
 * @config: taken over; what was there is the caller's to free before. Socket
 *	and protocol are the same
 */
void daemon_adopt(struct daemon *daemon, const struct config *config);

/**
 * daemon_learn() - the first reading of the kernel, and then what an earlier
 * life had learned, which is about links
 *
 * Nothing is planned before. Sets @daemon->is_informed; if it fails, learn_ms.
 */
void daemon_learn(struct daemon *daemon, uint64_t now_ms);

/** daemon_now() - CLOCK_MONOTONIC in ms, the engine's clock */
uint64_t daemon_now(void);

/** daemon_now_us() - the same in microseconds */
uint64_t daemon_now_us(void);

/**
 * daemon_answer_waiters() - those whose wait is over; called by the loop
 * @has_heard: all that the kernel had queued since they asked was taken in
 */
void daemon_answer_waiters(struct daemon *daemon, uint64_t now_ms,
			   bool has_heard);

/** daemon_next_waiter() - when the first wait runs out; 0: none does */
uint64_t daemon_next_waiter(const struct daemon *daemon);

extern const struct server_method daemon_methods[]; /* ends with a NULL name */

#endif
