/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sysctl - network settings in /proc/sys/net, those of one link above all.
 *
 * A missing file (old kernel, link gone) and a read-only /proc/sys (container)
 * are ordinary errors, reported and survived.
 */
#ifndef SYSCTL_H
#define SYSCTL_H

#include <stddef.h>
#include <stdint.h>

/**
 * sysctl_read() - value of net.<key>
 * @key: with slashes: "mptcp/enabled"
 *
 * Return: 0, -ENOENT, or another -errno.
 */
int sysctl_read(const char *key, int *ret);

/**
 * sysctl_read_word() - the same where it is a word, or the first of several
 * @ret: @size bytes, terminated
 *
 * Return: 0, -ENOENT, -ERANGE: it does not fit, or another -errno.
 */
int sysctl_read_word(const char *key, char *ret, size_t size);
int sysctl_write_word(const char *key, const char *word);

/**
 * sysctl_read_link() - value of net.<ipv4|ipv6>.conf.<link>.<name>
 *
 * Return: 0, -ENOENT, or another -errno.
 */
int sysctl_read_link(uint8_t family, const char *link, const char *name,
		     int *ret);
int sysctl_write_link(uint8_t family, const char *link, const char *name,
		      int value);

#endif
