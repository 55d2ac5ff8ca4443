/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * endpoints_file - which endpoints are ours, kept beside the control socket.
 *
 * The kernel does not say who added one. By address and id, for a restart; id 0
 * is one that is about to be added, for who is killed before it is.
 */
#ifndef ENDPOINTS_FILE_H
#define ENDPOINTS_FILE_H

#include "mptcp/endpoints.h"

/** endpoints_file_load() - fills @endpoints->ours and limits; logs failures */
void endpoints_file_load(struct endpoints *endpoints);

/** endpoints_file_save() - or removes it where there is nothing to remember */
void endpoints_file_save(struct endpoints *endpoints, uint64_t now_ms);

#endif
