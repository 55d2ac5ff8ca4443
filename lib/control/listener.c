/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "control/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* The socket's name until it is complete, and the lock's. */
#define DRAFT_SUFFIX ".new"
#define LOCK_SUFFIX  ".lock"

#define LOCAL_GROUPS "/etc/group"

static int fail(struct listener_result *result, int err, const char *what,
		const char *path)
{
	(void)snprintf(result->error, sizeof(result->error), "%s %s: %s", what,
		       path, strerror(-err));
	return err;
}

/* Only the last part is made: a wrong path must not grow a tree. */
static int make_directory(const char *path, struct listener_result *result)
{
	char dir[sizeof(((struct listener *)0)->path)];
	char *slash;

	(void)snprintf(dir, sizeof(dir), "%s", path);
	slash = strrchr(dir, '/');
	if (!slash || slash == dir)
		return 0;
	*slash = '\0';

	if (mkdir(dir, 0755) < 0) {
		if (errno == EEXIST)
			return 0;
		return fail(result, -errno, "cannot make directory", dir);
	}
	/* Whatever the umask is, clients must get through. */
	if (chmod(dir, 0755) < 0)
		return fail(result, -errno, "cannot open directory", dir);
	return 0;
}

static int take_lock(struct listener *listener, struct listener_result *result)
{
	char path[sizeof(listener->path) + sizeof(LOCK_SUFFIX)];

	(void)snprintf(path, sizeof(path), "%s%s", listener->path, LOCK_SUFFIX);
	listener->lock_fd =
		open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (listener->lock_fd < 0)
		return fail(result, -errno, "cannot open", path);

	if (flock(listener->lock_fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK)
			return fail(result, -errno, "cannot lock", path);
		(void)snprintf(result->error, sizeof(result->error),
			       "another daemon is running: it holds %s", path);
		return -EBUSY;
	}
	return 0;
}

/* Only a socket may stand where ours will be. */
static int check_place(const char *path, struct listener_result *result)
{
	struct stat st;

	if (lstat(path, &st) < 0) {
		if (errno == ENOENT)
			return 0;
		return fail(result, -errno, "cannot look at", path);
	}
	if (!S_ISSOCK(st.st_mode))
		return fail(result, -ENOTSOCK, "will not replace", path);
	return 0;
}

/* Return: 0, -ESRCH, or another -errno. */
static int find_local_group(const char *name, gid_t *ret)
{
	FILE *file = fopen(LOCAL_GROUPS, "re");
	const struct group *entry;
	int err = -ESRCH;

	if (!file)
		return -errno;
	while (err && (entry = fgetgrent(file)) != NULL) {
		if (strcmp(entry->gr_name, name) != 0)
			continue;
		*ret = entry->gr_gid;
		err = 0;
	}
	(void)fclose(file);
	return err;
}

static int ask_for_group(const char *name, gid_t *ret)
{
	struct group entry;
	struct group *found = NULL;
	char buffer[16384];
	int err;

	err = getgrnam_r(name, &entry, buffer, sizeof(buffer), &found);
	if (found) {
		*ret = entry.gr_gid;
		return 0;
	}
	/* Some of the name services say "not found" in these words. */
	if (err == 0 || err == ENOENT || err == EBADF || err == EPERM)
		return -ESRCH;
	return -err;
}

/*
 * Name services may wait for the network, which waits for us: they are asked
 * only for a group that somebody chose and that is not in the file.
 */
static int find_group(const char *name, bool is_default, gid_t *ret)
{
	int err = find_local_group(name, ret);

	return err && !is_default ? ask_for_group(name, ret) : err;
}

/*
 * Who may not change groups (the unit's system call filter) is in the right one
 * from the start: do not ask for what is so already.
 */
static bool has_group(const char *path, gid_t gid)
{
	struct stat st;

	return lstat(path, &st) == 0 && st.st_gid == gid;
}

/* Open the socket, mode 0600 so far, to the group. */
static int admit_group(const char *draft, const char *group, bool is_default,
		       struct listener_result *result)
{
	gid_t gid = (gid_t)-1;
	int err;

	err = find_group(group, is_default, &gid);
	if (err == -ESRCH) {
		(void)snprintf(result->error, sizeof(result->error),
			       "there is no group %s%s", group,
			       is_default ? " in " LOCAL_GROUPS : "");
		return err;
	}
	if (err)
		return fail(result, err, "cannot look up group", group);

	if ((!has_group(draft, gid) && lchown(draft, (uid_t)-1, gid) < 0) ||
	    chmod(draft, 0660) < 0)
		return fail(result, -errno, "cannot give the socket to group",
			    group);
	return 0;
}

static int bind_draft(struct listener *listener, const char *draft,
		      struct listener_result *result)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", draft);
	if (unlink(draft) < 0 && errno != ENOENT)
		return fail(result, -errno, "cannot remove", draft);

	listener->fd =
		socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (listener->fd < 0)
		return fail(result, -errno, "cannot make socket", draft);
	/*
	 * Linux takes the mode of the new file from the unbound socket, less
	 * the umask: there is no moment in which others get in.
	 */
	if (fchmod(listener->fd, 0600) < 0 ||
	    bind(listener->fd, (struct sockaddr *)&address, sizeof(address)) <
		    0 ||
	    chmod(draft, 0600) < 0)
		return fail(result, -errno, "cannot bind", draft);
	return 0;
}

static int publish(struct listener *listener, const char *draft,
		   struct listener_result *result)
{
	struct stat st;

	if (listen(listener->fd, SOMAXCONN) < 0)
		return fail(result, -errno, "cannot listen on", draft);
	if (lstat(draft, &st) < 0 || rename(draft, listener->path) < 0)
		return fail(result, -errno, "cannot create", listener->path);

	listener->dev = st.st_dev;
	listener->ino = st.st_ino;
	return 0;
}

static int create_socket(struct listener *listener, const char *draft,
			 const char *group, bool group_is_default,
			 struct listener_result *result)
{
	int err;

	err = bind_draft(listener, draft, result);
	if (err) {
		(void)unlink(draft);
		return err;
	}
	if (group && *group)
		err = admit_group(draft, group, group_is_default, result);
	if (err && group_is_default) {
		memcpy(result->warning, result->error, sizeof(result->warning));
		result->error[0] = '\0';
		err = 0;
	}
	if (!err)
		err = publish(listener, draft, result);
	if (err)
		(void)unlink(draft);
	return err;
}

int listener_open(const char *path, const char *group, bool group_is_default,
		  struct listener_result *result, struct listener *ret)
{
	struct listener listener = {.fd = -1, .lock_fd = -1};
	char draft[sizeof(listener.path)];
	int len;
	int err;

	*result = (struct listener_result){0};
	len = snprintf(draft, sizeof(draft), "%s%s", path, DRAFT_SUFFIX);
	if (len < 0 || (size_t)len >= sizeof(draft))
		return fail(result, -ENAMETOOLONG, "cannot listen on", path);
	(void)snprintf(listener.path, sizeof(listener.path), "%s", path);

	err = make_directory(path, result);
	if (!err)
		err = check_place(path, result);
	if (!err)
		err = take_lock(&listener, result);
	if (!err)
		err = create_socket(&listener, draft, group, group_is_default,
				    result);
	if (err) {
		listener.path[0] = '\0';
		listener_close(&listener);
		return err;
	}
	*ret = listener;
	return 0;
}

void listener_close(struct listener *listener)
{
	struct stat st;

	if (listener->path[0] != '\0' && lstat(listener->path, &st) == 0 &&
	    st.st_dev == listener->dev && st.st_ino == listener->ino)
		(void)unlink(listener->path);
	if (listener->fd >= 0)
		(void)close(listener->fd);
	if (listener->lock_fd >= 0)
		(void)close(listener->lock_fd);
	*listener = (struct listener){.fd = -1, .lock_fd = -1};
}
