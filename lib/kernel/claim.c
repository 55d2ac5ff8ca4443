/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/claim.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "kernel/privilege.h"

#define NAME	"multihomed"
#define WAITING 16 /* for an answer */
#define BUSY_S	2  /* the holder may be, longer than that nothing keeps it */
#define TRIES	10 /* between its bind() and its listen(), or its end */
#define TRY_MS	20

static socklen_t make_address(struct sockaddr_un *ret)
{
	*ret = (struct sockaddr_un){.sun_family = AF_UNIX};
	/* After a zero: abstract. */
	memcpy(ret->sun_path + 1, NAME, sizeof(NAME) - 1);
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
			   sizeof(NAME));
}

static int open_socket(int flags)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);

	return fd < 0 ? -errno : fd;
}

/* It waits while as many as may do so wait for an answer. */
static int open_patient_socket(void)
{
	const struct timeval limit = {.tv_sec = BUSY_S};
	int fd = open_socket(0);

	if (fd >= 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit,
				 sizeof(limit));
	return fd;
}

static bool could_route(const struct ucred *who)
{
	return who->uid == 0 || who->uid == geteuid() ||
	       (who->pid > 0 && privilege_was_given(who->pid));
}

static int ask(int fd, const struct sockaddr_un *address, socklen_t len)
{
	int r;

	do {
		r = connect(fd, (const struct sockaddr *)address, len);
	} while (r < 0 && errno == EINTR);
	return r;
}

/*
 * The kernel tells whom one is connected to: who listened there. Return: -EBUSY
 * or -EPERM; -ECONNREFUSED: nobody listens; or another -errno.
 */
static int find_holder(pid_t *holder)
{
	struct sockaddr_un address;
	socklen_t len = make_address(&address);
	struct ucred who = {0};
	socklen_t size = sizeof(who);
	int fd = open_patient_socket();
	int error = 0;

	if (fd < 0)
		return fd;
	if (ask(fd, &address, len) < 0 ||
	    getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) < 0)
		error = -errno;
	(void)close(fd);
	/* It never answers: not one of ours. */
	if (error)
		return error == -EAGAIN ? -EPERM : error;
	*holder = who.pid;
	return could_route(&who) ? -EBUSY : -EPERM;
}

static int take(pid_t *holder)
{
	struct sockaddr_un address;
	socklen_t len = make_address(&address);
	int fd = open_socket(SOCK_NONBLOCK);
	int error;

	if (fd < 0)
		return fd;
	if (bind(fd, (struct sockaddr *)&address, len) == 0 &&
	    listen(fd, WAITING) == 0)
		return fd;
	error = -errno;
	(void)close(fd);
	return error == -EADDRINUSE ? find_holder(holder) : error;
}

/*
 * Bound, and nobody listens: somebody is about to, or has just ended. Who never
 * does is not one of ours.
 */
int claim_take(pid_t *holder)
{
	const struct timespec wait = {.tv_nsec = TRY_MS * 1000000L};
	int r = take(holder);

	for (int i = 0; i < TRIES && r == -ECONNREFUSED; i++) {
		(void)nanosleep(&wait, NULL);
		r = take(holder);
	}
	return r == -ECONNREFUSED ? -EPERM : r;
}

int claim_answer(int fd)
{
	int asking = accept4(fd, NULL, NULL, SOCK_CLOEXEC);

	if (asking >= 0)
		(void)close(asking);
	else if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
		return -errno;
	return 0;
}
