/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ops that threads write while the caller does something else.
 *
 * Since 6.16 the kernel locks IPv6 routes table by table, so two threads, each
 * with tables of its own, are faster than one. All else waits for one lock
 * anyway, and goes to the first.
 */
#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "kernel/filter.h"
#include "kernel/sockets.h"
#include "kernel/writer.h"

#define LANES (FILTER_PORTS - 1)

/* One thread, and what it is given. */
struct lane {
	struct writer *writer; /* NULL: not needed so far */
	struct job job;
};

struct aside {
	struct kernel *kernel;
	struct lane lanes[LANES];
	int fd;		 /* -1: nothing was written so far */
	atomic_int left; /* lanes that are at work */
	bool active;	 /* between kernel_apply_begin() and _end() */
	const struct op *ops;
	size_t n;
	struct kernel_failure_vec failures; /* to encode them */
	/* Tables in the order in which they were met. */
	VEC(, uint32_t) tables;
};

struct aside *aside_new(struct kernel *kernel)
{
	struct aside *aside = xalloc(sizeof(*aside));

	aside->kernel = kernel;
	aside->fd = -1;
	return aside;
}

/* Return: when all lanes have ended. */
static void await(struct aside *aside)
{
	eventfd_t n;

	while (eventfd_read(aside->fd, &n) && errno == EINTR)
		;
	assert(atomic_load(&aside->left) == 0);
}

void aside_free(struct aside *aside)
{
	if (!aside)
		return;
	if (aside->active)
		await(aside);
	for (size_t i = 0; i < LANES; i++) {
		writer_free(aside->lanes[i].writer);
		job_done(&aside->lanes[i].job);
	}
	if (aside->fd >= 0)
		(void)close(aside->fd);
	vec_done(&aside->failures);
	vec_done(&aside->tables);
	free(aside);
}

uint32_t aside_port(const struct aside *aside, size_t i)
{
	struct writer *writer;

	assert(i < LANES);
	writer = aside->lanes[i].writer;
	return writer ? asker_port(writer_asker(writer)) : 0;
}

/* --- lanes --- */

/* In a lane's thread. */
static void on_ended(void *data)
{
	struct aside *aside = data;

	if (atomic_fetch_sub(&aside->left, 1) == 1)
		(void)eventfd_write(aside->fd, 1);
}

/* Its echoes are dropped before there are any. */
static int open_lane(struct aside *aside, struct lane *lane)
{
	int r;

	if (lane->writer)
		return 0;
	if (aside->fd < 0)
		aside->fd = eventfd(0, EFD_CLOEXEC);
	if (aside->fd < 0)
		return -errno;
	r = writer_new(on_ended, aside, &lane->writer);
	if (r)
		return r;
	r = sockets_attach(aside->kernel);
	if (r) {
		writer_free(lane->writer);
		lane->writer = NULL;
	}
	return r;
}

static bool is_ipv6_route(const struct op *op)
{
	return (op->kind == OP_ROUTE_PUT || op->kind == OP_ROUTE_DELETE) &&
	       op->route.prefix.addr.family == AF_INET6;
}

/* Which we may run on. */
static int count_processors(void)
{
	cpu_set_t set;

	return sched_getaffinity(0, sizeof(set), &set) ? 1 : CPU_COUNT(&set);
}

/* Of two IPv6 tables; with one processor it would be no use. */
static bool needs_two(const struct op *ops, size_t n)
{
	uint32_t table = 0;

	for (size_t i = 0; i < n; i++) {
		if (!is_ipv6_route(&ops[i]))
			continue;
		if (table && ops[i].route.route.table != table)
			return count_processors() > 1;
		table = ops[i].route.route.table;
	}
	return false;
}

static size_t place_of(struct aside *aside, uint32_t table)
{
	for (size_t i = aside->tables.n; i-- > 0;)
		if (aside->tables.items[i] == table)
			return i;
	vec_push(&aside->tables, table);
	return aside->tables.n - 1;
}

/* Ops on one table are in one lane, where they keep their order. */
static struct lane *lane_of(struct aside *aside, size_t n_lanes,
			    const struct op *op)
{
	if (n_lanes == 1 || !is_ipv6_route(op))
		return &aside->lanes[0];
	return &aside->lanes[place_of(aside, op->route.route.table) % n_lanes];
}

/* --- what they are given --- */

static void deal(struct aside *aside, size_t n_lanes)
{
	struct nlmsghdr *hdr;
	struct lane *lane;

	for (size_t i = 0; i < LANES; i++)
		job_clear(&aside->lanes[i].job);
	vec_clear(&aside->failures);
	vec_clear(&aside->tables);
	for (size_t i = 0; i < aside->n; i++) {
		const struct op *op = &aside->ops[i];
		struct kernel_failure failure = {.op = i};

		failure.error = patterns_encode(aside->kernel->patterns, op,
						aside->kernel->msg, &hdr);
		if (failure.error) {
			job_fail(aside->ops, &failure, &aside->failures);
			continue;
		}
		lane = lane_of(aside, n_lanes, op);
		job_add(&lane->job, writer_asker(lane->writer), i, hdr);
	}
	for (size_t i = 0; i < LANES; i++)
		job_close(&aside->lanes[i].job);
}

static bool has_work(const struct lane *lane)
{
	return lane->job.ops.n > 0;
}

static void start(struct aside *aside, uint32_t max_ms)
{
	int left = 0;

	for (size_t i = 0; i < LANES; i++)
		left += has_work(&aside->lanes[i]);
	atomic_store(&aside->left, left);
	if (left == 0)
		(void)eventfd_write(aside->fd, 1);
	for (size_t i = 0; i < LANES; i++) {
		struct lane *lane = &aside->lanes[i];

		if (has_work(lane))
			writer_start(lane->writer, &lane->job, max_ms);
	}
}

int kernel_apply_begin(struct kernel *kernel, const struct op *ops, size_t n,
		       const struct attrset_store *attrs, uint32_t max_ms)
{
	struct aside *aside = kernel->aside;
	size_t n_lanes = 1;
	int r;

	assert(!aside->active);
	r = open_lane(aside, &aside->lanes[0]);
	if (r)
		return r;
	if (needs_two(ops, n) && open_lane(aside, &aside->lanes[1]) == 0)
		n_lanes = 2;
	aside->ops = ops;
	aside->n = n;
	aside->active = true;
	patterns_begin(kernel->patterns, attrs, kernel->config.protocol);
	deal(aside, n_lanes);
	start(aside, max_ms);
	return 0;
}

/* --- what came of it --- */

int kernel_apply_fd(const struct kernel *kernel)
{
	return kernel->aside->fd;
}

bool kernel_apply_is_over(const struct kernel *kernel)
{
	return atomic_load(&kernel->aside->left) == 0;
}

/* Return: lane->job.error. */
static int take_lane(const struct aside *aside, const struct lane *lane,
		     bool *begun, struct kernel_failure_vec *failures)
{
	const struct job *job = &lane->job;

	for (size_t i = job_begun(job); i < job->ops.n; i++)
		begun[job->ops.items[i]] = false;
	job_outcome(job, aside->ops, failures);
	return job->error;
}

int kernel_apply_end(struct kernel *kernel, bool *begun,
		     struct kernel_failure_vec *failures)
{
	struct aside *aside = kernel->aside;
	const struct kernel_failure *it;
	int r = 0;

	assert(aside->active);
	await(aside);
	aside->active = false;
	for (size_t i = 0; i < aside->n; i++)
		begun[i] = true;
	vec_foreach(&aside->failures, it)
		job_fail(aside->ops, it, failures);
	for (size_t i = 0; i < LANES; i++) {
		int error = take_lane(aside, &aside->lanes[i], begun, failures);

		r = r ? r : error;
	}
	return r;
}
