/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ear - hears what the kernel says and writes it down as words.
 *
 * "+d1" a link, "-192.0.2.7" an address that went, "+10.1.0.0/16" a route,
 * "!192.0.2.1" a neighbour that failed, "+rule99", "+nhid7", "lost",
 * "ra:2001:db8::/64" a prefix that was advertised; each with a space behind it.
 * Whatever makes no sense fails the test.
 */
#ifndef TESTS_KERNEL_C_EAR_H
#define TESTS_KERNEL_C_EAR_H

#include "kernel/kernel.h"

#define EAR_TABLE    7100 /* the first of ten that are ours */
#define EAR_PROTOCOL 109

extern const struct kernel_config ear_config;

struct ear {
	struct kernel *kernel;
	struct attrset_store store;
	char said[1024];
	size_t n[KERNEL_BAD + 1]; /* how many events, by kind */
};

/** ear_open() / ear_close() - set-up and teardown of a test; @state: the ear */
int ear_open(void **state);
int ear_close(void **state);

/** ear_forget() - nothing was said */
void ear_forget(struct ear *ear);

/** ear_hear() - writes down one event; @data: the ear */
void ear_hear(const struct kernel_event *event, void *data);

/**
 * ear_listen() - forget, then hear all that is queued
 *
 * The kernel queues before it answers whoever asked for a change.
 */
void ear_listen(struct ear *ear);

/** ear_must_hear() - all that is queued must be @want */
void ear_must_hear(struct ear *ear, const char *want);

/** ear_must_read() - what a dump holds must be @want */
void ear_must_read(struct ear *ear, const struct kernel_read *what,
		   const char *want);

/** ear_apply() - by @kernel; nothing may be refused */
void ear_apply(struct ear *ear, struct kernel *kernel, const struct op *ops,
	       size_t n);

/** ear_route() - put number @i of many routes over d1: 10.x.y.z/32 */
struct op ear_route(struct ear *ear, uint32_t i);

#endif
