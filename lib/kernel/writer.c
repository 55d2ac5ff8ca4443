/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/writer.h"

#include <pthread.h>
#include <semaphore.h>
#include <signal.h>

#include "kernel/nl_sock.h"

#define STACK_BYTES (256 * 1024) /* address space; little of it is touched */

struct writer {
	struct asker asker;
	void *buffer;
	void (*ended)(void *data);
	void *data;
	pthread_t thread;
	sem_t begins;
	struct job *job; /* NULL: the thread ends */
	uint32_t max_ms;
};

static void *run(void *data)
{
	struct writer *writer = data;

	for (;;) {
		while (sem_wait(&writer->begins))
			; /* EINTR */
		if (!writer->job)
			return NULL;
		job_write(writer->job, &writer->asker, writer->max_ms);
		writer->ended(writer->data);
	}
}

/* Signals are for the owner's loop. */
static int start_thread(struct writer *writer)
{
	pthread_attr_t attr;
	sigset_t all;
	sigset_t before;
	int r;

	r = pthread_attr_init(&attr);
	if (r)
		return -r;
	r = pthread_attr_setstacksize(&attr, STACK_BYTES);
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	if (!r)
		r = pthread_create(&writer->thread, &attr, run, writer);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	(void)pthread_attr_destroy(&attr);
	return -r;
}

static void release(struct writer *writer)
{
	(void)sem_destroy(&writer->begins);
	asker_close(&writer->asker);
	free(writer->buffer);
	free(writer);
}

int writer_new(void (*ended)(void *data), void *data, struct writer **ret)
{
	struct writer *writer = xalloc(sizeof(*writer));
	int r;

	writer->ended = ended;
	writer->data = data;
	writer->buffer = xalloc(NL_SOCK_BUFFER);
	(void)sem_init(&writer->begins, 0, 0);
	r = asker_open(&writer->asker, writer->buffer);
	if (!r)
		r = start_thread(writer);
	if (r)
		release(writer);
	else
		*ret = writer;
	return r;
}

void writer_free(struct writer *writer)
{
	if (!writer)
		return;
	writer->job = NULL;
	(void)sem_post(&writer->begins);
	(void)pthread_join(writer->thread, NULL);
	release(writer);
}

struct asker *writer_asker(struct writer *writer)
{
	return &writer->asker;
}

void writer_start(struct writer *writer, struct job *job, uint32_t max_ms)
{
	writer->job = job;
	writer->max_ms = max_ms;
	(void)sem_post(&writer->begins);
}
