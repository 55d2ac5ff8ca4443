/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "state_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

FILE *state_file_read(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat status;
	FILE *file;

	if (fd < 0)
		return NULL;
	file = fstat(fd, &status) == 0 && S_ISREG(status.st_mode)
		       ? fdopen(fd, "r")
		       : NULL;
	if (!file) {
		(void)close(fd);
		errno = EINVAL;
	}
	return file;
}

void state_file_boot_id(char *ret)
{
	FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");

	(void)snprintf(ret, STATE_FILE_BOOT_ID_MAX, "unknown");
	if (!file)
		return;
	if (fscanf(file, "%39s", ret) != 1)
		(void)snprintf(ret, STATE_FILE_BOOT_ID_MAX, "unknown");
	(void)fclose(file);
}

bool state_file_is_of_this_boot(FILE *file)
{
	char boot_id[STATE_FILE_BOOT_ID_MAX];
	char line[256] = "";

	state_file_boot_id(boot_id);
	if (fgets(line, sizeof(line), file))
		line[strcspn(line, "\n")] = '\0';
	return strcmp(line, boot_id) == 0;
}

static int write_aside(const char *path,
		       void (*write)(FILE *file, const void *),
		       const void *data)
{
	char boot_id[STATE_FILE_BOOT_ID_MAX];
	FILE *file = fopen(path, "we");
	int error;

	if (!file)
		return -errno;
	state_file_boot_id(boot_id);
	(void)fprintf(file, "%s\n", boot_id);
	write(file, data);
	error = ferror(file);
	if (fclose(file) || error)
		return errno ? -errno : -EIO;
	return 0;
}

int state_file_write(const char *path, void (*write)(FILE *file, const void *),
		     const void *data)
{
	char aside[256];
	int error;

	if (snprintf(aside, sizeof(aside), "%s.new", path) >=
	    (int)sizeof(aside))
		return -ENAMETOOLONG;
	error = write_aside(aside, write, data);
	if (!error && rename(aside, path))
		error = -errno;
	return error;
}
