/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * device - what kind of device a link is.
 *
 * Asked with ioctls, so that the answer is of the network namespace that we are
 * in: /sys may show another one's.
 */
#ifndef DEVICE_H
#define DEVICE_H

#include <stdbool.h>

/**
 * device_is_local() - whether nobody is behind @link who could be a router
 *
 * A bridge of this host (containers, virtual machines), a tap, a tunnel: a
 * subnet there is no way out by itself.
 * Return: 0, -ENODEV, or another -errno.
 */
int device_is_local(const char *link, bool *ret);

#endif
