/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ours - one endpoint of ours in the kernel: found, added, removed.
 *
 * What is to become of it, endpoints.c decides. The list of ours always has
 * what is there, or may be; who changes it writes the file.
 */
#ifndef OURS_H
#define OURS_H

#include "mptcp/endpoints.h"

/** ours_find() - the one of ours that @it is; NULL: it is not */
const struct own_endpoint *ours_find(const struct endpoints *endpoints,
				     const struct endpoint *it);

/**
 * ours_refresh() - ask the kernel
 * @ret: appended: all endpoints; after an error perhaps not all
 *
 * What of ours somebody else removed, or was never added, is none of ours.
 * Return: 0 or -errno; ours are as they were then.
 */
int ours_refresh(struct endpoints *endpoints, struct endpoint_vec *ret);

/** ours_number() - the ids of those that were about to be added, if there are
 *
 * Before any goes: by an id of 0 nothing is told from the first subflows.
 */
void ours_number(struct endpoints *endpoints);

/**
 * ours_add() - and ask for the id, which the kernel chooses
 *
 * Logs what came of it. Return: 0, or -errno: if that is no ours_is_refusal(),
 * it may be there, and a later list tells.
 */
int ours_add(struct endpoints *endpoints, const struct engine *engine,
	     struct endpoint *wanted, uint64_t now_ms);

/** ours_is_refusal() - the kernel has said no; else it may have done it */
bool ours_is_refusal(int error);

/**
 * ours_remove() - number @i
 *
 * Return: 0: it is gone; -EAGAIN: whether it is there is not known; or -errno:
 * it is still ours, which was logged.
 */
int ours_remove(struct endpoints *endpoints, size_t i, const char *why,
		uint64_t now_ms);

/** ours_dismiss() - remove it unless a connection depends on it
 *
 * Return: whether it is gone.
 */
bool ours_dismiss(struct endpoints *endpoints, size_t i, const char *why,
		  uint64_t now_ms);

#endif
