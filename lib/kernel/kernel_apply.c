/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/sockets.h"

int kernel_apply(struct kernel *kernel, const struct op *ops, size_t n,
		 const struct attrset_store *attrs,
		 struct kernel_failure_vec *failures)
{
	struct job *job = &kernel->job;
	struct nlmsghdr *hdr;

	job_clear(job);
	patterns_begin(kernel->patterns, attrs, kernel->config.protocol);
	for (size_t i = 0; i < n; i++) {
		struct kernel_failure failure = {.op = i};

		failure.error = patterns_encode(kernel->patterns, &ops[i],
						kernel->msg, &hdr);
		if (failure.error)
			job_fail(ops, &failure, failures);
		else
			job_add(job, &kernel->asker, i, hdr);
	}
	job_close(job);
	job_write(job, &kernel->asker, JOB_NO_LIMIT);
	job_outcome(job, ops, failures);
	return job->error;
}
