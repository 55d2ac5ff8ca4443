/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * writer - a thread that hands messages to the kernel and collects its answers.
 *
 * Where many ops are written, or others hold the kernel's lock of all routing,
 * a call into the kernel takes its time; who has other things to do lets this
 * wait for it. The thread knows its own socket and the bytes of one job, and
 * shares nothing else with anybody: a job is either the owner's or the
 * thread's.
 */
#ifndef WRITER_H
#define WRITER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/vec.h"

#define WRITER_WHY 96

struct writer;

/* One message that the kernel did not carry out. */
struct writer_answer {
	uint32_t sequence; /* of the message */
	int error;	   /* negative errno */
	char why[WRITER_WHY];
};

VEC(writer_answer_vec, struct writer_answer);

/* Messages that go out with one call; the last one, and only it, asks for an
 * ack. */
struct writer_batch {
	size_t end;	/* of its bytes; they begin where the last one's end */
	size_t n;	/* messages, at least one */
	uint32_t first; /* sequence number; they count up */
};

VEC(writer_batch_vec, struct writer_batch);
VEC(writer_bytes, uint8_t);

/* In: what is to be written, in this order. Out: what came of it. */
struct writer_job {
	struct writer_bytes bytes; /* batches[0] begins at 0 */
	struct writer_batch_vec batches;
	unsigned int max_ms; /* no further batch begins after so long */

	size_t written; /* batches that the kernel has answered */
	/* 0, or -errno of the socket: of batch @written nothing is known. */
	int error;
	struct writer_answer_vec answers; /* as they came */
};

/**
 * writer_new() - the thread and its socket
 * @ended: called in the thread when a job has ended, and is the owner's again
 *
 * Return: 0 or -errno.
 */
int writer_new(void (*ended)(void *data), void *data, struct writer **ret);

/** writer_free() - it has no job; NULL is legal */
void writer_free(struct writer *writer);

/** writer_port() - of its socket: nlmsg_pid of what others hear of its work */
uint32_t writer_port(const struct writer *writer);

/** writer_start() - @job is the thread's till @ended was called; one at a time
 */
void writer_start(struct writer *writer, struct writer_job *job);

void writer_job_done(struct writer_job *job);

#endif
