/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sockets - what the kernel_*.c files share.
 */
#ifndef SOCKETS_H
#define SOCKETS_H

#include <netlink/msg.h>

#include "kernel/asker.h"
#include "kernel/decode.h"
#include "kernel/job.h"
#include "kernel/kernel.h"
#include "kernel/nl_sock.h"
#include "kernel/pattern.h"

struct kernel {
	struct kernel_config config;
	struct nl_sock *listener;
	struct asker asker;
	bool recovery;	    /* see kernel_watch_recovery() */
	struct nl_msg *msg; /* the message being written */
	void *buffer;	    /* NL_SOCK_BUFFER bytes for what is received */
	struct patterns *patterns;
	struct job job; /* what kernel_apply() works with */
	struct aside *aside;
};

/** aside_new() - what kernel_apply_begin() works with; no thread runs yet */
struct aside *aside_new(struct kernel *kernel);
void aside_free(struct aside *aside);

/** aside_port() - of socket number @i that it writes by; 0: there is none */
uint32_t aside_port(const struct aside *aside, size_t i);

/** sockets_attach() - the listener's filter, as things are now; 0 or -errno */
int sockets_attach(struct kernel *kernel);

/** sockets_context() - for decoding now; @table: of a dump, or 0 */
struct decode_context sockets_context(const struct kernel *kernel,
				      uint32_t table);

#endif
