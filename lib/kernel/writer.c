/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/writer.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <time.h>

#include <netlink/socket.h>

#include "kernel/sockets.h"

#define STACK_BYTES (256 * 1024) /* address space; little of it is touched */

struct writer {
	struct nl_sock *sock;
	void (*ended)(void *data);
	void *data;
	pthread_t thread;
	sem_t begins;
	struct writer_job *job; /* NULL: the thread ends */
	/* An answer was not read to its end. */
	bool unfinished;
	void *buffer; /* NL_SOCK_BUFFER bytes */
};

/* --- the thread --- */

static uint64_t clock_ms(void)
{
	struct timespec now = {0};

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Return: whether this was the answer that ends the batch. */
static bool take_answer(struct writer_job *job,
			const struct writer_batch *batch,
			const struct nlmsghdr *hdr)
{
	struct writer_answer answer = {.sequence = hdr->nlmsg_seq};
	uint32_t i = hdr->nlmsg_seq - batch->first;

	/* What answers an earlier question that timed out is not ours. */
	if (hdr->nlmsg_type != NLMSG_ERROR || i >= batch->n)
		return false;
	answer.error = sockets_error(hdr, answer.why, sizeof(answer.why));
	if (answer.error)
		vec_push(&job->answers, answer);
	return i == batch->n - 1;
}

static int read_answers(struct writer *writer, const struct writer_batch *batch)
{
	bool ended = false;
	struct nlmsghdr *hdr;
	int len;

	while (!ended) {
		len = nl_sock_receive(writer->sock, writer->buffer, true);
		if (len <= 0)
			return len ? len : -ETIMEDOUT;
		for (hdr = writer->buffer; nlmsg_ok(hdr, len);
		     hdr = nlmsg_next(hdr, &len))
			ended = take_answer(writer->job, batch, hdr) || ended;
	}
	writer->unfinished = false;
	return 0;
}

static int write_batch(struct writer *writer, size_t begin,
		       const struct writer_batch *batch)
{
	int r;

	if (writer->unfinished)
		nl_sock_drain(writer->sock, writer->buffer);
	writer->unfinished = true;
	r = nl_sock_send(writer->sock, writer->job->bytes.items + begin,
			 batch->end - begin);
	return r ? r : read_answers(writer, batch);
}

static void do_job(struct writer *writer)
{
	struct writer_job *job = writer->job;
	uint64_t until_ms = clock_ms() + job->max_ms;
	size_t begin = 0;

	while (job->written < job->batches.n) {
		const struct writer_batch *batch =
			&job->batches.items[job->written];

		if (job->written && clock_ms() >= until_ms)
			return;
		job->error = write_batch(writer, begin, batch);
		if (job->error)
			return;
		begin = batch->end;
		job->written++;
	}
}

static void *run(void *data)
{
	struct writer *writer = data;

	for (;;) {
		while (sem_wait(&writer->begins))
			; /* -EINTR */
		if (!writer->job)
			return NULL;
		do_job(writer);
		writer->ended(writer->data);
	}
}

/* --- its owner --- */

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

int writer_new(void (*ended)(void *data), void *data, struct writer **ret)
{
	struct writer *writer = xalloc(sizeof(*writer));
	int r;

	writer->ended = ended;
	writer->data = data;
	writer->buffer = xalloc(NL_SOCK_BUFFER);
	(void)sem_init(&writer->begins, 0, 0);
	r = nl_sock_open_asker(&writer->sock);
	if (!r)
		r = start_thread(writer);
	if (!r) {
		*ret = writer;
		return 0;
	}
	nl_sock_free(writer->sock);
	(void)sem_destroy(&writer->begins);
	free(writer->buffer);
	free(writer);
	return r;
}

void writer_free(struct writer *writer)
{
	if (!writer)
		return;
	writer->job = NULL;
	(void)sem_post(&writer->begins);
	(void)pthread_join(writer->thread, NULL);
	(void)sem_destroy(&writer->begins);
	nl_sock_free(writer->sock);
	free(writer->buffer);
	free(writer);
}

uint32_t writer_port(const struct writer *writer)
{
	return nl_socket_get_local_port(writer->sock);
}

void writer_start(struct writer *writer, struct writer_job *job)
{
	job->written = 0;
	job->error = 0;
	vec_clear(&job->answers);
	writer->job = job;
	(void)sem_post(&writer->begins);
}

void writer_job_done(struct writer_job *job)
{
	vec_done(&job->bytes);
	vec_done(&job->batches);
	vec_done(&job->answers);
}
