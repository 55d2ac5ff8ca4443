/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * state_file - what is kept beside the control socket over a restart.
 */
#ifndef STATE_FILE_H
#define STATE_FILE_H

#include <stdbool.h>
#include <stdio.h>

/**
 * state_file_read() - open one for reading
 *
 * Whatever else stands under its name, a pipe for instance, is not waited for.
 * Return: NULL with errno set; EINVAL: it is no regular file.
 */
FILE *state_file_read(const char *path);

#define STATE_FILE_BOOT_ID_MAX 40

/* Between two tries to write one; a disk may be full for a while. */
#define STATE_FILE_RETRY_MS 5000

/**
 * state_file_boot_id() - names this boot: links and times are good for it only
 * @ret: STATE_FILE_BOOT_ID_MAX bytes
 */
void state_file_boot_id(char *ret);

/** state_file_is_of_this_boot() - whether the first line of @file says so */
bool state_file_is_of_this_boot(FILE *file);

/**
 * state_file_write() - replace a file as a whole
 * @write: prints the lines behind the first, which names the boot
 *
 * Written aside and renamed: a half-written file helps nobody.
 * Return: 0 or -errno; what was there stays then.
 */
int state_file_write(const char *path, void (*write)(FILE *file, const void *),
		     const void *data);

#endif
