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

#include <linux/rtnetlink.h>

#include "kernel/filter.h"
#include "kernel/pattern.h"
#include "kernel/sockets.h"
#include "kernel/writer.h"

#define LANES (FILTER_PORTS - 1)

/* One thread, and what it is given. */
struct lane {
	struct writer *writer; /* NULL: not needed so far */
	struct writer_job job;
	size_t last;	   /* where in job.bytes the last message begins */
	uint32_t sequence; /* its number */
	VEC(, size_t) ops; /* which op each message is */
};

_Static_assert(WRITER_WHY == sizeof(((struct kernel_failure *)NULL)->why),
	       "words are copied as they are");

struct aside {
	struct kernel *kernel;
	struct lane lanes[LANES];
	struct patterns *patterns;
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
	aside->patterns = patterns_new();
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
		writer_job_done(&aside->lanes[i].job);
		vec_done(&aside->lanes[i].ops);
	}
	if (aside->fd >= 0)
		(void)close(aside->fd);
	patterns_free(aside->patterns);
	vec_done(&aside->failures);
	vec_done(&aside->tables);
	free(aside);
}

uint32_t aside_port(const struct aside *aside, size_t i)
{
	assert(i < LANES);
	return aside->lanes[i].writer ? writer_port(aside->lanes[i].writer) : 0;
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

static void clear_lane(struct lane *lane)
{
	vec_clear(&lane->job.bytes);
	vec_clear(&lane->job.batches);
	vec_clear(&lane->ops);
}

/* Only the last message of a batch asks for an ack. */
static void end_batch(struct lane *lane)
{
	struct writer_job *job = &lane->job;
	struct nlmsghdr *last;

	if (job->batches.n == 0)
		return;
	last = (struct nlmsghdr *)(job->bytes.items + lane->last);
	last->nlmsg_flags |= NLM_F_ACK;
	job->batches.items[job->batches.n - 1].end = job->bytes.n;
}

/* Where a message of @len bytes finds room. */
static struct writer_batch *batch_for(struct lane *lane, size_t len)
{
	struct writer_batch_vec *batches = &lane->job.batches;
	struct writer_batch *batch = NULL;
	size_t begin = 0;

	if (batches->n) {
		batch = &batches->items[batches->n - 1];
		begin = batches->n > 1 ? batch[-1].end : 0;
	}
	if (batch && batch->n < BATCH_MESSAGES &&
	    lane->job.bytes.n - begin + len <= BATCH_BYTES)
		return batch;
	end_batch(lane);
	vec_push(batches, ((struct writer_batch){.first = lane->sequence + 1}));
	return &batches->items[batches->n - 1];
}

static void add_message(struct lane *lane, size_t op,
			const struct nlmsghdr *hdr)
{
	struct writer_bytes *bytes = &lane->job.bytes;
	size_t len = NLMSG_ALIGN(hdr->nlmsg_len);
	struct nlmsghdr *message;

	batch_for(lane, len)->n++;
	if (bytes->n + len > bytes->cap)
		vec_reserve(bytes, 2 * bytes->cap + BATCH_BYTES);
	lane->last = bytes->n;
	message = (struct nlmsghdr *)(bytes->items + bytes->n);
	/* What stands behind the last attribute is no part of it. */
	memcpy(message, hdr, hdr->nlmsg_len);
	memset(bytes->items + bytes->n + hdr->nlmsg_len, 0,
	       len - hdr->nlmsg_len);
	message->nlmsg_seq = ++lane->sequence;
	bytes->n += len;
	vec_push(&lane->ops, op);
}

static void deal(struct aside *aside, size_t n_lanes)
{
	struct nlmsghdr *hdr;

	for (size_t i = 0; i < LANES; i++)
		clear_lane(&aside->lanes[i]);
	vec_clear(&aside->failures);
	vec_clear(&aside->tables);
	for (size_t i = 0; i < aside->n; i++) {
		const struct op *op = &aside->ops[i];
		int r = patterns_encode(aside->patterns, op, aside->kernel->msg,
					&hdr);

		if (r)
			sockets_fail(aside->ops, i, r, NULL, &aside->failures);
		else
			add_message(lane_of(aside, n_lanes, op), i, hdr);
	}
	for (size_t i = 0; i < LANES; i++)
		end_batch(&aside->lanes[i]);
}

static void start(struct aside *aside, unsigned int max_ms)
{
	int left = 0;

	for (size_t i = 0; i < LANES; i++)
		left += aside->lanes[i].ops.n > 0;
	atomic_store(&aside->left, left);
	if (left == 0)
		(void)eventfd_write(aside->fd, 1);
	for (size_t i = 0; i < LANES; i++) {
		struct lane *lane = &aside->lanes[i];

		lane->job.max_ms = max_ms;
		if (lane->ops.n)
			writer_start(lane->writer, &lane->job);
	}
}

int kernel_apply_begin(struct kernel *kernel, const struct op *ops, size_t n,
		       const struct attrset_store *attrs, unsigned int max_ms)
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
	patterns_begin(aside->patterns, attrs, kernel->config.protocol);
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

static size_t count_written(const struct writer_job *job)
{
	size_t n = 0;

	for (size_t i = 0; i < job->written; i++)
		n += job->batches.items[i].n;
	return n;
}

static void take_answers(const struct aside *aside, const struct lane *lane,
			 struct kernel_failure_vec *failures)
{
	/* That of the first message; they count up, batch after batch. */
	uint32_t first = lane->sequence - (uint32_t)lane->ops.n + 1;
	const struct writer_answer *it;

	vec_foreach(&lane->job.answers, it)
		sockets_fail(aside->ops, lane->ops.items[it->sequence - first],
			     it->error, it->why, failures);
}

/* Return: lane->job.error. */
static int take_lane(const struct aside *aside, const struct lane *lane,
		     bool *begun, struct kernel_failure_vec *failures)
{
	size_t written = count_written(&lane->job);

	for (size_t i = written; i < lane->ops.n; i++)
		begun[lane->ops.items[i]] = false;
	take_answers(aside, lane, failures);
	return lane->job.error;
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
		sockets_fail(aside->ops, it->op, it->error, NULL, failures);
	for (size_t i = 0; i < LANES; i++) {
		const struct lane *lane = &aside->lanes[i];
		int error = 0;

		if (lane->ops.n)
			error = take_lane(aside, lane, begun, failures);
		r = r ? r : error;
	}
	return r;
}
