/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "loop.h"

#include <errno.h>
#include <signal.h>
#include <systemd/sd-daemon.h>

#include "answers/monitor.h"
#include "kernel/claim.h"
#include "log.h"

#define CLAIM_PAUSE_S 1.0 /* before who asks is looked at again */
#define LONG_TURN_MS  5	  /* of the engine */
#define HEARINGS_MAX  8	  /* one after the other, of some 500 messages */

/* --- the work between two waits --- */

static void tell_ready(struct daemon *daemon)
{
	if (daemon->ready)
		return;
	daemon->ready = true;
	(void)sd_notify(0, "READY=1");
	log_notice("ready");
}

static void stop(struct daemon *daemon, enum daemon_end end)
{
	daemon->end = end;
	ev_break(daemon->loop, EVBREAK_ALL);
}

/* The first of all that waits for its time; 0: nothing does. */
static uint64_t next_work(const struct daemon *daemon)
{
	const bool waits = engine_waits(&daemon->engine);
	/* What is decided by the model waits till that can be read again. */
	const bool knows = !daemon->engine.read_failed && !waits;
	const uint64_t times[] = {
		waits ? 0 : engine_next(&daemon->engine),
		daemon_next_waiter(daemon),
		trial_next(&daemon->trial),
		adverts_next(&daemon->adverts),
		flows_next(&daemon->flows),
		linkdown_next(&daemon->linkdown),
		knows ? endpoints_next(&daemon->endpoints) : 0,
		knows ? userspace_next(&daemon->userspace) : 0,
	};
	uint64_t next = daemon->learn_ms;

	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++)
		if (times[i] && (!next || times[i] < next))
			next = times[i];
	return next;
}

/* Threads that write are waited for by their descriptor. */
static bool is_due(const struct engine *engine, uint64_t now_ms)
{
	return engine_is_pending(engine, now_ms) && !engine_waits(engine);
}

static void set_timer(struct daemon *daemon, uint64_t now_ms)
{
	uint64_t next = next_work(daemon);
	double after;

	ev_timer_stop(daemon->loop, &daemon->timer);
	if (is_due(&daemon->engine, now_ms))
		next = now_ms;
	if (!next)
		return;
	after = next > now_ms ? (double)(next - now_ms) / 1000 : 0;
	ev_now_update(daemon->loop);
	ev_timer_set(&daemon->timer, after, 0);
	ev_timer_start(daemon->loop, &daemon->timer);
}

static void on_check(struct ev_loop *loop, ev_check *watcher, int events)
{
	struct daemon *daemon = watcher->data;

	(void)loop;
	(void)events;
	/* Unless what was heard before is still to be told. */
	if (daemon->is_told)
		round_begin(&daemon->round, daemon_now_us());
	daemon->is_told = false;
}

/* One turn of it: often that is all there is to do. */
static int take_turn(struct daemon *daemon, uint64_t now_ms)
{
	int error;

	daemon->turn_ms = now_ms;
	error = engine_run(&daemon->engine, now_ms);
	daemon->gives_way = daemon_now() >= now_ms + LONG_TURN_MS;
	return error;
}

/*
 * Long turns may follow one another, and a call needs two rounds of the loop,
 * to be read and to be answered. After each of them one is not the engine's.
 */
static bool give_way(struct daemon *daemon)
{
	bool gives_way = daemon->gives_way && server_is_asked(daemon->server);

	daemon->gives_way = false;
	return gives_way;
}

/*
 * Amid a round all that came meanwhile is heard before its next turn, or we
 * would lag behind; but some at a time, with others served in between. While
 * threads wrote we did not listen at all.
 */
static bool hears_on(struct daemon *daemon, uint64_t now_ms)
{
	struct engine *engine = &daemon->engine;
	bool has_more;

	if (engine_has_sent(engine))
		daemon->has_more = engine_listen(engine, now_ms);
	has_more = daemon->has_more && engine_is_busy(engine);
	daemon->has_more = false;
	if (has_more && ++daemon->hearings < HEARINGS_MAX)
		return true;
	daemon->hearings = 0;
	return false;
}

/* What is due of the engine's work. */
static int run_engine(struct daemon *daemon, uint64_t now_ms)
{
	struct engine *engine = &daemon->engine;
	bool has_turn = is_due(engine, now_ms);
	int error = 0;

	if (has_turn && (hears_on(daemon, now_ms) || give_way(daemon)))
		return 0;
	if (has_turn)
		error = take_turn(daemon, now_ms);
	if (engine_is_busy(engine))
		return error; /* the round goes on */
	daemon->is_told = true;
	if (round_end(&daemon->round, engine, daemon_now_us()))
		monitor_tell(daemon);
	if (has_turn && !engine->read_failed) {
		const struct view view = engine_view(engine);

		linkdown_update(&daemon->linkdown, &view, now_ms);
	}
	return error;
}

static void on_userspace(struct ev_loop *loop, ev_io *watcher, int events)
{
	struct daemon *daemon = watcher->data;

	(void)loop;
	(void)events;
	userspace_receive(&daemon->userspace, daemon_now());
}

static void on_flows(struct ev_loop *loop, ev_io *watcher, int events)
{
	struct daemon *daemon = watcher->data;

	(void)loop;
	(void)events;
	flows_receive(&daemon->flows, daemon_now());
}

/* Of a socket that comes and goes. */
static void wait_for(struct daemon *daemon, ev_io *io, int fd)
{
	if (ev_is_active(io) && fd == io->fd)
		return;
	ev_io_stop(daemon->loop, io);
	if (fd < 0)
		return;
	ev_io_set(io, fd, EV_READ);
	ev_io_start(daemon->loop, io);
}

/* The socket is there only while there are pins. */
static void update_flows(struct daemon *daemon, uint64_t now_ms)
{
	/* Before what is waited for may be closed. */
	if (daemon->engine.pins.sources.n == 0)
		ev_io_stop(daemon->loop, &daemon->flows_io);
	flows_update(&daemon->flows, now_ms);
	wait_for(daemon, &daemon->flows_io, flows_fd(&daemon->flows));
}

/* So is this one, and what the manager does needs routing in place. */
static void update_mptcp(struct daemon *daemon, uint64_t now_ms)
{
	if (daemon->config.policy.mptcp.path_manager != PATH_MANAGER_USERSPACE)
		ev_io_stop(daemon->loop, &daemon->userspace_io);
	endpoints_update(&daemon->endpoints, &daemon->engine, now_ms);
	userspace_update(&daemon->userspace, &daemon->engine, now_ms);
	wait_for(daemon, &daemon->userspace_io,
		 userspace_fd(&daemon->userspace));
}

/* What the engine does not take in now would only wake us again and again. */
static void update_inputs(struct daemon *daemon)
{
	bool waits = engine_waits(&daemon->engine);

	wait_for(daemon, &daemon->kernel_io,
		 waits ? -1 : kernel_fd(daemon->kernel));
	wait_for(daemon, &daemon->adverts_io,
		 waits ? -1 : adverts_fd(&daemon->adverts));
	wait_for(daemon, &daemon->written_io, kernel_apply_fd(daemon->kernel));
}

/* Before the loop sleeps: everything that is due, in one place. */
static void on_prepare(struct ev_loop *loop, ev_prepare *watcher, int events)
{
	struct daemon *daemon = watcher->data;
	struct engine *engine = &daemon->engine;
	uint64_t now_ms = daemon_now();
	bool has_more = false;
	int error;

	(void)loop;
	(void)events;
	trial_expire(daemon, now_ms);
	if (!daemon->is_informed && daemon->learn_ms <= now_ms)
		daemon_learn(daemon, now_ms);
	if (!daemon->is_informed) {
		daemon_answer_waiters(daemon, now_ms, false);
		set_timer(daemon, daemon_now());
		return;
	}
	/* Who waits wants to know that what is queued by now was taken in. */
	if (engine_waits(engine))
		has_more = true;
	else if (daemon->waiters.n)
		has_more = engine_listen(engine, now_ms);
	error = run_engine(daemon, now_ms);
	if (error == -EPERM && !daemon->ready) {
		log_err("the kernel lets us change nothing: CAP_NET_ADMIN is "
			"missing");
		stop(daemon, DAEMON_FAILED);
		return;
	}
	adverts_update(&daemon->adverts, engine, now_ms);
	linkdown_save(&daemon->linkdown, now_ms);
	update_flows(daemon, now_ms);
	if (!engine_is_pending(engine, now_ms) && !engine->read_failed)
		update_mptcp(daemon, now_ms);
	if (!engine_is_pending(engine, now_ms) && !engine->read_failed)
		tell_ready(daemon);
	daemon_answer_waiters(daemon, now_ms, !has_more);
	update_inputs(daemon);
	set_timer(daemon, daemon_now());
}

static void on_kernel(struct ev_loop *loop, ev_io *watcher, int events)
{
	struct daemon *daemon = watcher->data;

	(void)loop;
	(void)events;
	daemon->has_more = engine_listen(&daemon->engine, daemon_now());
}

static void on_adverts(struct ev_loop *loop, ev_io *watcher, int events)
{
	struct daemon *daemon = watcher->data;

	(void)loop;
	(void)events;
	adverts_receive(&daemon->adverts, &daemon->engine, daemon_now());
}

/* Only wakes the loop; on_prepare() does the rest. */
static void on_written(struct ev_loop *loop, ev_io *watcher, int events)
{
	(void)loop;
	(void)watcher;
	(void)events;
}

static void on_timer(struct ev_loop *loop, ev_timer *watcher, int events)
{
	(void)loop;
	(void)watcher;
	(void)events;
}

/* No descriptor is left: without a pause the loop would spin. */
static void on_claim(struct ev_loop *loop, ev_io *watcher, int events)
{
	struct daemon *daemon = watcher->data;

	(void)events;
	if (claim_answer(watcher->fd) == 0)
		return;
	ev_io_stop(loop, watcher);
	ev_timer_set(&daemon->claim_resume, CLAIM_PAUSE_S, 0);
	ev_timer_start(loop, &daemon->claim_resume);
}

static void on_claim_resume(struct ev_loop *loop, ev_timer *watcher, int events)
{
	struct daemon *daemon = watcher->data;

	(void)events;
	ev_io_start(loop, &daemon->claim_io);
}

static void on_watchdog(struct ev_loop *loop, ev_timer *watcher, int events)
{
	(void)loop;
	(void)watcher;
	(void)events;
	(void)sd_notify(0, "WATCHDOG=1");
}

/* --- reload --- */

static void on_hangup(struct daemon *daemon)
{
	struct config_error_vec errors = {0};
	const struct config_error *it;

	/* Amid the start it is not ready before, nor because of this. */
	if (daemon->ready)
		(void)sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%llu",
				 (unsigned long long)daemon_now() * 1000);
	(void)trial_reload(daemon, 0, &errors);
	vec_foreach(&errors, it)
		if (it->line)
			log_err("%s:%u: %s", it->file, it->line, it->message);
		else
			log_err("%s: %s", it->file, it->message);
	if (errors.n)
		log_err("the configuration stays as it was");
	vec_done(&errors);
	if (daemon->ready)
		(void)sd_notify(0, "READY=1");
}

/* --- signals --- */

static void on_signal(struct ev_loop *loop, ev_signal *watcher, int events)
{
	struct daemon *daemon = watcher->data;

	(void)loop;
	(void)events;
	if (watcher->signum == SIGHUP)
		on_hangup(daemon);
	else if (watcher->signum == SIGUSR1)
		stop(daemon, DAEMON_LEAVE);
	else
		stop(daemon, DAEMON_REMOVE);
}

static void start_signal(struct daemon *daemon, ev_signal *watcher, int signum)
{
	ev_signal_init(watcher, on_signal, signum);
	watcher->data = daemon;
	ev_signal_start(daemon->loop, watcher);
}

void loop_start_signals(struct daemon *daemon)
{
	static const int signums[] = {SIGHUP, SIGUSR1, SIGTERM, SIGINT};

	for (size_t i = 0; i < sizeof(signums) / sizeof(signums[0]); i++)
		start_signal(daemon, &daemon->signals[i], signums[i]);
}

static void start_watchdog(struct daemon *daemon)
{
	uint64_t watchdog_us;
	double every;

	if (sd_watchdog_enabled(0, &watchdog_us) <= 0)
		return;
	every = (double)watchdog_us / 2000000;
	ev_timer_init(&daemon->watchdog, on_watchdog, every, every);
	ev_timer_start(daemon->loop, &daemon->watchdog);
}

static void start_input(struct daemon *daemon, ev_io *watcher,
			void (*on_input)(struct ev_loop *, ev_io *, int),
			int fd)
{
	ev_io_init(watcher, on_input, fd, EV_READ);
	watcher->data = daemon;
	ev_io_start(daemon->loop, watcher);
}

void loop_start_watchers(struct daemon *daemon)
{
	ev_timer_init(&daemon->claim_resume, on_claim_resume, 0, 0);
	daemon->claim_resume.data = daemon;
	if (daemon->claim_fd >= 0)
		start_input(daemon, &daemon->claim_io, on_claim,
			    daemon->claim_fd);
	start_input(daemon, &daemon->kernel_io, on_kernel,
		    kernel_fd(daemon->kernel));
	if (adverts_fd(&daemon->adverts) >= 0) {
		kernel_drop_adverts(daemon->kernel);
		start_input(daemon, &daemon->adverts_io, on_adverts,
			    adverts_fd(&daemon->adverts));
	}
	ev_io_init(&daemon->written_io, on_written, -1, EV_READ);
	ev_prepare_init(&daemon->prepare, on_prepare);
	daemon->prepare.data = daemon;
	ev_prepare_start(daemon->loop, &daemon->prepare);
	ev_check_init(&daemon->check, on_check);
	daemon->check.data = daemon;
	ev_set_priority(&daemon->check, EV_MAXPRI); /* before all others */
	ev_check_start(daemon->loop, &daemon->check);
	ev_timer_init(&daemon->timer, on_timer, 0, 0);
	ev_io_init(&daemon->flows_io, on_flows, -1, EV_READ);
	daemon->flows_io.data = daemon;
	ev_io_init(&daemon->userspace_io, on_userspace, -1, EV_READ);
	daemon->userspace_io.data = daemon;
	start_watchdog(daemon);
}
