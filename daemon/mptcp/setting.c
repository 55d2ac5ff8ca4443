/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mptcp/setting.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kernel/sysctl.h"
#include "log.h"
#include "state_file.h"

/* One value, two names: pm_type is the older one. */
static const struct {
	const char *key;
	const char *userspace;
} names[] = {
	{"mptcp/path_manager", "userspace"},
	{"mptcp/pm_type", "1"},
};

#define NAMES (sizeof(names) / sizeof(names[0]))

/* Return: the first name that this kernel has, and what it says; or NAMES. */
static size_t find(char *ret, size_t size)
{
	size_t i = 0;

	while (i < NAMES && sysctl_read_word(names[i].key, ret, size))
		i++;
	return i;
}

static void write_lines(FILE *file, const void *data)
{
	const struct setting *setting = data;

	(void)fprintf(file, "path_manager %s\n", setting->before);
}

void setting_init(struct setting *setting, const char *path)
{
	FILE *file = state_file_read(path);

	memset(setting, 0, sizeof(*setting));
	(void)snprintf(setting->path, sizeof(setting->path), "%s", path);
	if (!file)
		return;
	setting->is_set =
		state_file_is_of_this_boot(file) &&
		fscanf(file, "path_manager %31s", setting->before) == 1;
	(void)fclose(file);
}

int setting_set(struct setting *setting)
{
	char now[sizeof(setting->before)];
	size_t i = find(now, sizeof(now));
	int error;

	if (i == NAMES)
		return -ENOENT;
	if (strcmp(now, names[i].userspace) == 0)
		return 0;
	memcpy(setting->before, now, sizeof(now));
	/* First the file: it must not be set with nobody to know. */
	error = state_file_write(setting->path, write_lines, setting);
	if (error)
		log_warn("%s: %s; what net.mptcp.path_manager was is not known "
			 "after a crash",
			 setting->path, strerror(-error));
	error = sysctl_write_word(names[i].key, names[i].userspace);
	setting->is_set = !error;
	if (error)
		(void)unlink(setting->path);
	return error;
}

int setting_put_back(struct setting *setting)
{
	char now[sizeof(setting->before)];
	size_t i = find(now, sizeof(now));
	int error = 0;

	if (!setting->is_set)
		return 0;
	setting->is_set = false;
	/* Unless somebody has changed it since. */
	if (i < NAMES && strcmp(now, names[i].userspace) == 0)
		error = sysctl_write_word(names[i].key, setting->before);
	if (error)
		log_warn("net.%s could not be put back to %s: %s", names[i].key,
			 setting->before, strerror(-error));
	else
		(void)unlink(setting->path);
	return error;
}
