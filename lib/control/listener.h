/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * listener - the control socket in the file system, and its lock.
 *
 * The lock file says who is alive: it is held with flock(), which the kernel
 * drops with the process, so a file that a dead daemon left behind never
 * refuses. Whoever holds it may replace the socket. The socket is finished
 * under another name and then renamed, so that no client ever meets one with
 * the wrong owner, or one that nobody listens to.
 */
#ifndef LISTENER_H
#define LISTENER_H

#include <stdbool.h>
#include <sys/types.h>
#include <sys/un.h>

enum {
	LISTENER_WHY_MAX = 256
};

struct listener {
	int fd;	     /* non-blocking, listening */
	int lock_fd; /* holds the lock */
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	/* Identity, so that close never removes somebody else's socket. */
	dev_t dev;
	ino_t ino;
};

struct listener_result {
	/* Why the group has no access although the socket is up; else "". */
	char warning[LISTENER_WHY_MAX];
	/* What failed, with the name of the file and the system's reason. */
	char error[LISTENER_WHY_MAX];
};

/**
 * listener_open() - take the lock and listen
 * @path:             of the socket; the lock is this name with ".lock"
 * @group:            who may connect beside the owner; NULL or "": nobody
 * @group_is_default: the group is not worth failing for: warn, owner only; nor
 *                    worth asking name services: it is in /etc/group, or not
 * @result:           always written
 * @ret:              written on success; end with listener_close()
 *
 * Return: 0; -EBUSY when another process holds the lock; -ESRCH when the group
 * does not exist; -ENOTSOCK when @path is something else than a socket;
 * -ENAMETOOLONG; or what the kernel said.
 */
int listener_open(const char *path, const char *group, bool group_is_default,
		  struct listener_result *result, struct listener *ret);

/* Remove the socket, then let go of the lock; the lock file stays. */
void listener_close(struct listener *listener);

#endif
