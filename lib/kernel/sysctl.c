/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/sysctl.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PATH_SIZE  128
#define VALUE_SIZE 16 /* an int as text, with newline and NUL */
#define TEXT_SIZE  128

/* Names come from the kernel and from us, but are path components here. */
static bool is_component(const char *name)
{
	return !strchr(name, '/') && name[0] && strcmp(name, ".") != 0 &&
	       strcmp(name, "..") != 0;
}

static int make_path(uint8_t family, const char *link, const char *name,
		     char *path)
{
	const char *ip = family == AF_INET ? "ipv4" : "ipv6";
	int len;

	if (!is_component(link) || strchr(name, '/'))
		return -EINVAL;
	len = snprintf(path, PATH_SIZE, "/proc/sys/net/%s/conf/%s/%s", ip, link,
		       name);
	return len < 0 || len >= PATH_SIZE ? -ENAMETOOLONG : 0;
}

static int parse_value(char *text, int *ret)
{
	char *end;
	long value;

	errno = 0;
	value = strtol(text, &end, 10);
	if (end == text || (*end != '\n' && *end != '\0'))
		return -EBADMSG;
	if (errno || value < INT_MIN || value > INT_MAX)
		return -ERANGE;

	*ret = (int)value;
	return 0;
}

static int read_text(const char *path, char *ret, size_t size)
{
	ssize_t n;
	int fd;
	int r;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = read(fd, ret, size - 1);
	r = n < 0 ? -errno : 0;
	(void)close(fd);
	if (!r)
		ret[n] = '\0';
	return r;
}

static int write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int r;

	if (fd < 0)
		return -errno;
	r = write(fd, text, strlen(text)) < 0 ? -errno : 0;
	(void)close(fd);
	return r;
}

static int read_value(const char *path, int *ret)
{
	char text[VALUE_SIZE];
	int r = read_text(path, text, sizeof(text));

	return r ? r : parse_value(text, ret);
}

static int key_path(const char *key, char *path)
{
	int len = snprintf(path, PATH_SIZE, "/proc/sys/net/%s", key);

	return len < 0 || len >= PATH_SIZE ? -ENAMETOOLONG : 0;
}

int sysctl_read(const char *key, int *ret)
{
	char path[PATH_SIZE];
	int r = key_path(key, path);

	return r ? r : read_value(path, ret);
}

int sysctl_read_word(const char *key, char *ret, size_t size)
{
	char path[PATH_SIZE];
	char text[TEXT_SIZE];
	size_t len;
	int r = key_path(key, path);

	if (!r)
		r = read_text(path, text, sizeof(text));
	if (r)
		return r;
	len = strcspn(text, " \t\n");
	if (len >= size || len == sizeof(text) - 1)
		return -ERANGE;
	text[len] = '\0';
	memcpy(ret, text, len + 1);
	return 0;
}

int sysctl_write_word(const char *key, const char *word)
{
	char path[PATH_SIZE];
	int r = key_path(key, path);

	return r ? r : write_text(path, word);
}

int sysctl_read_link(uint8_t family, const char *link, const char *name,
		     int *ret)
{
	char path[PATH_SIZE];
	int r;

	r = make_path(family, link, name, path);
	return r ? r : read_value(path, ret);
}

int sysctl_write_link(uint8_t family, const char *link, const char *name,
		      int value)
{
	char path[PATH_SIZE];
	char text[VALUE_SIZE];
	int r;

	r = make_path(family, link, name, path);
	if (r)
		return r;
	(void)snprintf(text, sizeof(text), "%d\n", value);
	return write_text(path, text);
}
