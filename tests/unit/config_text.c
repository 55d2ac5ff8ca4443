/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/config_text.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

static void write_all(int fd, const char *bytes, size_t len)
{
	if (fd < 0 || write(fd, bytes, len) != (ssize_t)len)
		fail_msg("cannot write a file for the test");
}

int config_text_load(const char *text, struct config *ret,
		     struct config_error_vec *errors)
{
	int fd = memfd_create("config", MFD_CLOEXEC);
	char path[32];
	int r;

	write_all(fd, text, strlen(text));
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	r = config_load(path, ret, errors);
	(void)close(fd);
	return r;
}

static void file_path(const char *dir, const char *name, char path[256])
{
	if (snprintf(path, 256, "%s/%s", dir, name) >= 256)
		fail_msg("too long: %s/%s", dir, name);
}

void config_dir_make(char dir[CONFIG_DIR_MAX])
{
	(void)snprintf(dir, CONFIG_DIR_MAX, "/tmp/test_config.XXXXXX");
	if (!mkdtemp(dir))
		fail_msg("cannot make %s", dir);
}

void config_dir_write_bytes(const char *dir, const char *name,
			    const char *bytes, size_t len)
{
	char path[256];
	int fd;

	file_path(dir, name, path);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	write_all(fd, bytes, len);
	(void)close(fd);
}

void config_dir_write(const char *dir, const char *name, const char *text)
{
	config_dir_write_bytes(dir, name, text, strlen(text));
}

int config_dir_load(const char *dir, const char *name, struct config *ret,
		    struct config_error_vec *errors)
{
	char path[256];

	file_path(dir, name, path);
	return config_load(path, ret, errors);
}

void config_dir_remove(const char *dir)
{
	DIR *files = opendir(dir);
	const struct dirent *file;
	char path[256];

	if (!files)
		return;
	while ((file = readdir(files))) {
		file_path(dir, file->d_name, path);
		(void)unlink(path);
	}
	(void)closedir(files);
	(void)rmdir(dir);
}

void config_bad_check(const struct config_bad *cases, size_t n)
{
	struct config_error_vec errors = {0};
	struct config config;
	size_t i;

	for (i = 0; i < n; i++) {
		const struct config_error *error;

		vec_clear(&errors);
		if (config_text_load(cases[i].text, &config, &errors) == 0)
			fail_msg("accepted: %s (%s)", cases[i].text,
				 cases[i].why);
		error = &errors.items[0];
		if (errors.n != 1 || error->line != cases[i].line ||
		    !strstr(error->message, cases[i].part))
			fail_msg("%s (%s): %zu errors, line %u: %s",
				 cases[i].text, cases[i].why, errors.n,
				 error->line, error->message);
	}
	vec_done(&errors);
}
