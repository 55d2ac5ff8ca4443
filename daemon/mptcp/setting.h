/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * setting - net.mptcp.path_manager, which says who manages connections that
 * begin from now on.
 *
 * Set to "userspace" while the config asks for it, and put back afterwards;
 * what it was is also in a file beside the control socket, for a successor.
 */
#ifndef SETTING_H
#define SETTING_H

#include <stdbool.h>

struct setting {
	bool is_set;	 /* by us; else the rest means nothing */
	char before[32]; /* a word */
	char path[128];	 /* of the file */
};

/** setting_init() - @path: of the file; read if it is there */
void setting_init(struct setting *setting, const char *path);

/**
 * setting_set() - to user space
 *
 * Return: 0 (also where it is so already); -ENOENT: this kernel has neither
 * path_manager (6.15) nor pm_type (5.19); or -errno.
 */
int setting_set(struct setting *setting);

/**
 * setting_put_back() - if it is still as we left it
 *
 * Return: 0 or -errno, which was logged; its file stays then, for somebody with
 * the right.
 */
int setting_put_back(struct setting *setting);

#endif
