/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/job.h"

#include <errno.h>
#include <time.h>

#include <linux/rtnetlink.h>

#define BATCH_MESSAGES 100
#define BATCH_BYTES    32768

void job_done(struct job *job)
{
	vec_done(&job->bytes);
	vec_done(&job->batches);
	vec_done(&job->ops);
	vec_done(&job->answers);
}

/* --- what is to be written --- */

void job_clear(struct job *job)
{
	vec_clear(&job->bytes);
	vec_clear(&job->batches);
	vec_clear(&job->ops);
	vec_clear(&job->answers);
	job->written = 0;
	job->error = 0;
}

void job_close(struct job *job)
{
	struct nlmsghdr *last;

	if (job->batches.n == 0)
		return;
	last = (struct nlmsghdr *)(job->bytes.items + job->last);
	last->nlmsg_flags |= NLM_F_ACK;
	job->batches.items[job->batches.n - 1].end = job->bytes.n;
}

/* Where a message of @len bytes finds room. */
static struct job_batch *batch_for(struct job *job, const struct asker *asker,
				   size_t len)
{
	struct job_batch_vec *batches = &job->batches;
	struct job_batch *batch = NULL;
	size_t begin = 0;

	if (batches->n) {
		batch = &batches->items[batches->n - 1];
		begin = batches->n > 1 ? batch[-1].end : 0;
	}
	if (batch && batch->n < BATCH_MESSAGES &&
	    job->bytes.n - begin + len <= BATCH_BYTES)
		return batch;
	job_close(job);
	vec_push(batches, ((struct job_batch){.first = asker->sequence + 1}));
	return &batches->items[batches->n - 1];
}

void job_add(struct job *job, struct asker *asker, size_t op,
	     const struct nlmsghdr *hdr)
{
	struct job_bytes *bytes = &job->bytes;
	size_t len = NLMSG_ALIGN(hdr->nlmsg_len);
	struct nlmsghdr *message;

	batch_for(job, asker, len)->n++;
	if (bytes->n + len > bytes->cap)
		vec_reserve(bytes, 2 * bytes->cap + BATCH_BYTES);
	job->last = bytes->n;
	message = (struct nlmsghdr *)(bytes->items + bytes->n);
	/* What stands behind the last attribute is no part of it. */
	memcpy(message, hdr, hdr->nlmsg_len);
	memset(bytes->items + bytes->n + hdr->nlmsg_len, 0,
	       len - hdr->nlmsg_len);
	message->nlmsg_seq = ++asker->sequence;
	bytes->n += len;
	vec_push(&job->ops, op);
}

/* --- writing it --- */

static uint64_t clock_ms(void)
{
	struct timespec now = {0};

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Return: whether this was the answer that ends the batch. */
static bool take_answer(struct job *job, const struct job_batch *batch,
			const struct nlmsghdr *hdr)
{
	struct kernel_failure answer = {0};
	uint32_t i = hdr->nlmsg_seq - batch->first;

	/* What answers an earlier question that timed out is not ours. */
	if (hdr->nlmsg_type != NLMSG_ERROR || i >= batch->n)
		return false;
	answer.op = i + (batch->first - job->batches.items[0].first);
	answer.error = asker_error(hdr, answer.why, sizeof(answer.why));
	if (answer.error)
		vec_push(&job->answers, answer);
	return i == batch->n - 1;
}

static int read_answers(struct job *job, struct asker *asker,
			const struct job_batch *batch)
{
	bool ended = false;
	struct nlmsghdr *hdr;
	int len;

	while (!ended) {
		len = asker_receive(asker);
		if (len < 0)
			return len;
		for (hdr = asker->buffer; nlmsg_ok(hdr, len);
		     hdr = nlmsg_next(hdr, &len))
			ended = take_answer(job, batch, hdr) || ended;
	}
	asker->unfinished = false;
	return 0;
}

void job_write(struct job *job, struct asker *asker, uint32_t max_ms)
{
	bool is_limited = max_ms != JOB_NO_LIMIT && job->batches.n > 1;
	uint64_t until_ms = is_limited ? clock_ms() + max_ms : 0;
	size_t begin = 0;

	while (job->written < job->batches.n) {
		const struct job_batch *batch =
			&job->batches.items[job->written];

		if (is_limited && job->written && clock_ms() >= until_ms)
			return;
		job->error = asker_send(asker, job->bytes.items + begin,
					batch->end - begin);
		if (!job->error)
			job->error = read_answers(job, asker, batch);
		if (job->error)
			return;
		begin = batch->end;
		job->written++;
	}
}

/* --- what came of it --- */

size_t job_begun(const struct job *job)
{
	size_t n = 0;

	for (size_t i = 0; i < job->written; i++)
		n += job->batches.items[i].n;
	return n;
}

void job_fail(const struct op *ops, const struct kernel_failure *failure,
	      struct kernel_failure_vec *failures)
{
	size_t at = failures->n;

	if (kernel_error_class(ops[failure->op].kind, failure->error) ==
	    KERNEL_ERROR_DONE)
		return;
	while (at > 0 && failures->items[at - 1].op > failure->op)
		at--;
	vec_insert(failures, at, *failure);
}

void job_outcome(const struct job *job, const struct op *ops,
		 struct kernel_failure_vec *failures)
{
	const struct kernel_failure *it;

	vec_foreach(&job->answers, it) {
		struct kernel_failure failure = *it;

		failure.op = job->ops.items[it->op];
		job_fail(ops, &failure, failures);
	}
}
