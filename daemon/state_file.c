/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "state_file.h"

#include <errno.h>
#include <fcntl.h>
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
