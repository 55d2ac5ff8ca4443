/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * job - ops as messages, in batches of one call each, and what came of them.
 *
 * Only the last message of a batch asks for an ack: rtnetlink works a batch off
 * in order and reports every message that fails anyway, so the last answer ends
 * the batch.
 *
 * job_write() needs nothing but the job and a socket, and can be another
 * thread's affair.
 */
#ifndef JOB_H
#define JOB_H

#include "core/vec.h"
#include "kernel/asker.h"
#include "kernel/kernel.h"

#define JOB_NO_LIMIT UINT32_MAX

/* Messages that go out with one call. */
struct job_batch {
	size_t end;	/* of its bytes; they begin where the last one's end */
	size_t n;	/* messages, at least one */
	uint32_t first; /* sequence number; they count up */
};

VEC(job_batch_vec, struct job_batch);
VEC(job_bytes, uint8_t);

/* A zeroed one is empty and legal. */
struct job {
	struct job_bytes bytes;
	struct job_batch_vec batches;
	VEC(, size_t) ops; /* which op each message is */
	size_t last;	   /* where in @bytes the last message begins */

	size_t written; /* batches that the kernel has answered */
	/* 0, or -errno of the socket: of batch @written nothing is known. */
	int error;
	/* Messages that failed, as the answers came; op: index into @ops. */
	struct kernel_failure_vec answers;
};

void job_done(struct job *job);

/** job_clear() - for other ops */
void job_clear(struct job *job);

/**
 * job_add() - the message for op number @op
 * @asker: that it will be written with; numbers it
 */
void job_add(struct job *job, struct asker *asker, size_t op,
	     const struct nlmsghdr *hdr);

/** job_close() - that was all of it */
void job_close(struct job *job);

/**
 * job_write() - to the kernel
 * @max_ms: no further batch begins after so long; JOB_NO_LIMIT
 */
void job_write(struct job *job, struct asker *asker, uint32_t max_ms);

/** job_begun() - how many messages were given to the kernel, the first ones */
size_t job_begun(const struct job *job);

/**
 * job_outcome() - what failed
 * @ops:      all of them, by their numbers
 * @failures: appended, by job_fail()
 */
void job_outcome(const struct job *job, const struct op *ops,
		 struct kernel_failure_vec *failures);

/**
 * job_fail() - op number @failure->op of @ops ended with an error
 * @failures: appended unless that is as good as success; sorted by op, and
 *	      nearly always they come so
 */
void job_fail(const struct op *ops, const struct kernel_failure *failure,
	      struct kernel_failure_vec *failures);

#endif
