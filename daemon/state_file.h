/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * state_file - what is kept beside the control socket over a restart.
 */
#ifndef STATE_FILE_H
#define STATE_FILE_H

#include <stdio.h>

/**
 * state_file_read() - open one for reading
 *
 * Whatever else stands under its name, a pipe for instance, is not waited for.
 * Return: NULL with errno set; EINVAL: it is no regular file.
 */
FILE *state_file_read(const char *path);

#endif
