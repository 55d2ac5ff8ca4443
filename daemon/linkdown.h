/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * linkdown - the config's `ignore_linkdown`: while it is on, managed links have
 * ignore_routes_with_linkdown=1, so that sockets without a source leave a link
 * that lost its carrier at once.
 *
 * What was changed is put back on exit. It is also written to a file, so that a
 * daemon that was killed leaves nothing that its successor does not know.
 */
#ifndef LINKDOWN_H
#define LINKDOWN_H

#include "core/subnet.h"

struct linkdown_entry {
	uint32_t ifindex;
	char name[LINK_NAME_MAX]; /* the one it was last seen with */
	uint8_t family;
};

VEC(linkdown_entry_vec, struct linkdown_entry);

struct linkdown {
	struct linkdown_entry_vec changed; /* were 0 before; unique */
	struct linkdown_entry_vec refused; /* could not be set, as was said */
	char path[128];			   /* of the file; empty: none */
	bool is_from_file; /* it was read, and not looked at yet */
	uint64_t save_ms;  /* when it is to be written; 0: it is */
};

/** linkdown_init() - @path: where the record is kept; read if it exists */
void linkdown_init(struct linkdown *linkdown, const char *path);
void linkdown_done(struct linkdown *linkdown);

/** linkdown_update() - set it on managed links, put it back on others */
void linkdown_update(struct linkdown *linkdown, const struct view *view,
		     uint64_t now_ms);

/** linkdown_save() - the record, if it is time to try once more */
void linkdown_save(struct linkdown *linkdown, uint64_t now_ms);

/** linkdown_next() - when linkdown_save() has work by the clock; 0: never */
uint64_t linkdown_next(const struct linkdown *linkdown);

/** linkdown_restore() - put everything back and forget the record */
void linkdown_restore(struct linkdown *linkdown, uint64_t now_ms);

#endif
