/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "follow.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

enum {
	AT_SIGNAL,
	AT_KEY,
	AT_OUTPUT,
	AT_CLIENT,
	WATCHED,
};

static int64_t now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int follow_signals(const int *signals)
{
	sigset_t set;
	int fd;

	(void)sigemptyset(&set);
	for (; *signals; signals++)
		(void)sigaddset(&set, *signals);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		return -errno;
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	return fd;
}

void follow_done(struct follow *follow)
{
	if (follow->signal_fd >= 0)
		(void)close(follow->signal_fd);
	follow->signal_fd = -1;
}

static int read_signal(int fd)
{
	struct signalfd_siginfo info = {0};

	if (read(fd, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return 0;
	return (int)info.ssi_signo;
}

static int read_key(int fd)
{
	unsigned char key;

	return read(fd, &key, 1) == 1 ? key : FOLLOW_HANGUP;
}

/* Anything but a reply. */
static bool take_event(const struct pollfd *fds, struct follow_event *ret)
{
	*ret = (struct follow_event){0};
	if (fds[AT_SIGNAL].revents) {
		ret->kind = FOLLOW_SIGNAL;
		ret->value = read_signal(fds[AT_SIGNAL].fd);
		return ret->value != 0;
	}
	if (fds[AT_KEY].revents) {
		ret->kind = FOLLOW_KEY;
		ret->value = read_key(fds[AT_KEY].fd);
		return true;
	}
	if (fds[AT_OUTPUT].revents) {
		ret->kind = FOLLOW_UNREAD;
		return true;
	}
	return false;
}

static int receive(const struct follow *follow, struct follow_event *ret)
{
	*ret = (struct follow_event){.kind = FOLLOW_REPLY};
	return client_receive(follow->client, 0, &ret->answer.reply,
			      &ret->answer.message);
}

/* Return: how many are ready; 0 also when a handler ran. */
static int watch(struct pollfd *fds, int timeout_ms)
{
	int ready = poll(fds, WATCHED, timeout_ms);

	if (ready < 0 && errno != EINTR)
		return -errno;
	if (ready < 0)
		ready = 0;
	if (ready == 0)
		for (int i = 0; i < WATCHED; i++)
			fds[i].revents = 0;
	return ready;
}

int follow_next(const struct follow *follow, int timeout_ms,
		struct follow_event *ret)
{
	struct pollfd fds[WATCHED] = {
		[AT_SIGNAL] = {.fd = follow->signal_fd, .events = POLLIN},
		[AT_KEY] = {.fd = follow->key_fd, .events = POLLIN},
		[AT_OUTPUT] = {.fd = follow->watches_output ? STDOUT_FILENO
							    : -1},
		[AT_CLIENT] = {.fd = client_fd(follow->client),
			       .events = POLLIN},
	};
	int64_t until_ms = now_ms() + timeout_ms;
	int64_t left_ms = 0; /* look first: a reply may be here already */
	int err;

	for (;;) {
		err = watch(fds, (int)left_ms);
		if (err < 0)
			return err;
		if (take_event(fds, ret))
			return 0;
		err = receive(follow, ret);
		if (err != -ETIMEDOUT)
			return err;
		if (timeout_ms == FOLLOW_FOR_EVER) {
			left_ms = FOLLOW_FOR_EVER;
			continue;
		}
		left_ms = until_ms - now_ms();
		if (left_ms <= 0) {
			ret->kind = FOLLOW_TIME;
			return 0;
		}
	}
}
