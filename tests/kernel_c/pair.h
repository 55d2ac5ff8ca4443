/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pair - TCP connections from this host to itself, and how they are listed.
 *
 * What goes wrong fails the test.
 */
#ifndef TESTS_KERNEL_C_PAIR_H
#define TESTS_KERNEL_C_PAIR_H

#include "kernel/flow_socket.h"

#define PAIR_FILES 10000

struct pair {
	int listener;
	int client;
	int server;
};

/**
 * pair_network() - setup of a group of tests
 *
 * Gives lo 192.0.2.7 and .99, 198.51.100.7 and .99, 2001:db8::7 and ::99, and
 * the process PAIR_FILES descriptors. Addresses of 203.0.113.0/24 are reached,
 * but are nobody's: they do not answer.
 */
int pair_network(void **state);

/** pair_bound() - a TCP socket; @protocol: 0 or IPPROTO_MPTCP */
int pair_bound(const char *text, uint16_t port, int protocol);

/** pair_reach() - connect it; 0, or -errno of one that does not block */
int pair_reach(int fd, const char *text, uint16_t port);

/**
 * pair_make() - a connection; text like "::ffff:192.0.2.7" is IPv6
 * @src: NULL: the kernel chooses
 */
struct pair pair_make(const char *src, const char *dst, uint16_t port,
		      int protocol);

/** pair_end() - close all three */
void pair_end(struct pair *pair);

/** pair_abort() - close it so that the peer is reset */
void pair_abort(int fd);

/** pair_keep() - a flow_fn; @data: the struct flow_vec to append to */
void pair_keep(const struct flow *flow, void *data);

/** pair_list() - the flows of some sources; the caller calls vec_done() */
struct flow_vec pair_list(const char *const *sources, size_t n, bool detailed);

struct flow_vec pair_list_one(const char *source);

/** pair_count() - how many flows a source has */
size_t pair_count(const char *source);

#endif
