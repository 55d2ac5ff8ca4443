/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ops go out in batches of one sendmsg each. Only the last message of a batch
 * asks for an ack: rtnetlink works a batch off in order and reports every
 * message that fails anyway, so the last answer ends the batch.
 */
#include <errno.h>

#include <linux/rtnetlink.h>

#include "kernel/pattern.h"
#include "kernel/sockets.h"

struct batch {
	struct kernel *kernel;
	const struct op *ops; /* all of them */
	struct kernel_failure_vec *failures;
	size_t len;
	size_t n;
	uint32_t first;		   /* sequence number of the first message */
	size_t op[BATCH_MESSAGES]; /* which op each message is */
	struct nlmsghdr *last;
	struct patterns *patterns;
	/* What nlmsghdr needs. */
	_Alignas(NLMSG_ALIGNTO) uint8_t bytes[BATCH_BYTES];
};

void sockets_fail(const struct op *ops, size_t op, int error, const char *why,
		  struct kernel_failure_vec *failures)
{
	struct kernel_failure failure = {.op = op, .error = error};
	size_t at = failures->n;

	if (kernel_error_class(ops[op].kind, error) == KERNEL_ERROR_DONE)
		return;
	if (why)
		memcpy(failure.why, why, sizeof(failure.why));
	while (at > 0 && failures->items[at - 1].op > op)
		at--;
	vec_insert(failures, at, failure);
}

static void add_failure(struct batch *batch, size_t op, int error,
			const char *why)
{
	sockets_fail(batch->ops, op, error, why, batch->failures);
}

/* Return: whether this was the answer that ends the batch. */
static bool take_answer(struct batch *batch, const struct nlmsghdr *hdr)
{
	char why[sizeof(batch->failures->items->why)] = "";
	uint32_t i = hdr->nlmsg_seq - batch->first;
	int error;

	/* What answers an earlier question that timed out is not ours. */
	if (hdr->nlmsg_type != NLMSG_ERROR || i >= batch->n)
		return false;
	error = sockets_error(hdr, why, sizeof(why));
	if (error)
		add_failure(batch, batch->op[i], error, why);
	return i == batch->n - 1;
}

static int read_answers(struct batch *batch)
{
	struct kernel *kernel = batch->kernel;
	bool ended = false;
	struct nlmsghdr *hdr;
	int len;

	while (!ended) {
		len = sockets_receive(kernel);
		if (len < 0)
			return len;
		for (hdr = kernel->buffer; nlmsg_ok(hdr, len);
		     hdr = nlmsg_next(hdr, &len))
			ended = take_answer(batch, hdr) || ended;
	}
	kernel->unfinished = false;
	return 0;
}

static int send_batch(struct batch *batch)
{
	int r;

	if (batch->n == 0)
		return 0;
	batch->last->nlmsg_flags |= NLM_F_ACK;
	sockets_ready(batch->kernel);
	r = nl_sock_send(batch->kernel->asker, batch->bytes, batch->len);
	if (!r)
		r = read_answers(batch);
	batch->len = 0;
	batch->n = 0;
	return r;
}

/* Appends the message @hdr, which is that of op number @op. */
static int add_message(struct batch *batch, size_t op, struct nlmsghdr *hdr)
{
	struct kernel *kernel = batch->kernel;
	size_t len = NLMSG_ALIGN(hdr->nlmsg_len);
	int r;

	if (batch->n == BATCH_MESSAGES || batch->len + len > BATCH_BYTES) {
		r = send_batch(batch);
		if (r)
			return r;
	}
	hdr->nlmsg_seq = ++kernel->sequence;
	if (batch->n == 0)
		batch->first = hdr->nlmsg_seq;
	batch->last = (struct nlmsghdr *)(batch->bytes + batch->len);
	/* What stands behind the last attribute is no part of it. */
	memcpy(batch->last, hdr, hdr->nlmsg_len);
	memset(batch->bytes + batch->len + hdr->nlmsg_len, 0,
	       len - hdr->nlmsg_len);
	batch->op[batch->n++] = op;
	batch->len += len;
	return 0;
}

static int add_op(struct batch *batch, size_t i)
{
	struct nlmsghdr *hdr;
	int r = patterns_encode(batch->patterns, &batch->ops[i],
				batch->kernel->msg, &hdr);

	if (!r)
		return add_message(batch, i, hdr);
	add_failure(batch, i, r, NULL);
	return 0;
}

struct batch *batch_new(struct kernel *kernel)
{
	struct batch *batch = xalloc(sizeof(*batch));

	batch->kernel = kernel;
	batch->patterns = patterns_new();
	return batch;
}

void batch_free(struct batch *batch)
{
	if (batch)
		patterns_free(batch->patterns);
	free(batch);
}

int kernel_apply(struct kernel *kernel, const struct op *ops, size_t n,
		 const struct attrset_store *attrs,
		 struct kernel_failure_vec *failures)
{
	struct batch *batch = kernel->batch;
	int r = 0;
	size_t i;

	patterns_begin(batch->patterns, attrs, kernel->config.protocol);
	batch->ops = ops;
	batch->failures = failures;
	batch->n = 0;
	batch->len = 0;
	for (i = 0; i < n && !r; i++)
		r = add_op(batch, i);
	if (!r)
		r = send_batch(batch);
	return r;
}
