/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * writer - a thread that writes jobs.
 *
 * Where many ops are written, or others hold the kernel's lock of all routing,
 * a call into the kernel takes its time; who has other things to do lets this
 * wait for it. The thread shares nothing but its job and its socket with its
 * owner, and these are either the owner's or the thread's.
 */
#ifndef WRITER_H
#define WRITER_H

#include "kernel/job.h"

struct writer;

/**
 * writer_new() - the thread and its socket
 * @ended: called in the thread when its job has ended and is the owner's again
 *
 * Return: 0 or -errno.
 */
int writer_new(void (*ended)(void *data), void *data, struct writer **ret);

/** writer_free() - it has no job; NULL is legal */
void writer_free(struct writer *writer);

/** writer_asker() - for job_add(), while it has no job */
struct asker *writer_asker(struct writer *writer);

/** writer_start() - job_write(); both are the thread's till @ended is called */
void writer_start(struct writer *writer, struct job *job, uint32_t max_ms);

#endif
