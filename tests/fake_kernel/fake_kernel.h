/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fake_kernel - a small model of Linux's routing in the place of lib/kernel.
 *
 * Who links this gets a second implementation of kernel/kernel.h, which works
 * on a host that exists in memory only: links, addresses, routes of all tables,
 * rules, neighbours. It does what docs/kernel-notes.md says the kernel does,
 * also where that is inconvenient: IPv4 routes go with their link without a
 * word, a full queue drops what comes, neighbours go with the carrier.
 *
 * This header is the test's side of it. There somebody changes the host in
 * ip(8)'s own words, and the test says what is heard of it: at once, later, or
 * never. Any call of kernel.h can be made to fail, so that a test can go
 * through all of them:
 *
 *	for (n = 1;; n++) {
 *		fake = fake_new();
 *		fault.nth = n;
 *		fake_fail(fake, &fault);
 *		... the story ...
 *		if (!fake_faults_hit(fake))
 *			break;	(the story has no n-th op)
 *	}
 *
 * Not modelled: VRFs, encapsulation, path MTU, router advertisements, expiry
 * (the test takes an expired route away), IPv6 address detection and privacy
 * addresses, IPv6 lookups that pass over a failed neighbour. Of two routes that
 * differ in their protocol only, IPv4 keeps one. Of several next hops a packet
 * takes the first that is alive.
 */
#ifndef FAKE_KERNEL_H
#define FAKE_KERNEL_H

#include "kernel/kernel.h"

struct fake;

/**
 * fake_new() - a host with nothing but lo, which is up
 *
 * There is one at a time, as there is one kernel: kernel_open() opens it.
 */
struct fake *fake_new(void);

/** fake_free() - everything that kernel_open() gave must have been freed */
void fake_free(struct fake *fake);

/* --- what happens to the host --- */

#define FAKE_SOMEBODY 0x7e000000 /* a netlink port, of no process's pid */

/**
 * fake_do() - what ip(8) would do with @line
 * @port: who does it; 0: the kernel itself
 *
 *   link add NAME type dummy, link add NAME type veth peer name NAME
 *   link set NAME up|down, link del NAME
 *   link set NAME ipv6 on|off         (the sysctl disable_ipv6)
 *   address add|del ADDR[/LEN] [peer ADDR/LEN] dev NAME
 *   route add|append|prepend|replace|del ROUTE
 *   rule add|del priority N ...
 *   neigh replace ADDR dev NAME [lladdr MAC] nud NUD, neigh del ADDR dev NAME
 *   nexthop add id N via ADDR dev NAME, nexthop del id N
 *
 * Routes and rules are written as in tests/unit/scene.h, in full also to delete
 * them; "-6 " stands in front of a rule without addresses. A '#' starts a
 * comment. That a neighbour failed by itself is said with @port 0.
 *
 * Return: 0, or the -errno the kernel would say; -EINVAL also for a line that
 * cannot be read.
 */
int fake_do(struct fake *fake, uint32_t port, const char *line);

/** fake_lines() - by FAKE_SOMEBODY; the first that fails is named and aborts */
void fake_lines(struct fake *fake, const char *lines);

/* What listeners hear of a change. */
enum fake_news {
	FAKE_TELL,  /* at once */
	FAKE_HIDE,  /* never, and nobody is told that something is missing */
	FAKE_DELAY, /* with fake_release(), or kernel_settle() */
};

/** fake_set_news() - from now on; FAKE_TELL at the start */
void fake_set_news(struct fake *fake, enum fake_news news);
void fake_release(struct fake *fake);

/**
 * fake_set_lags() - routes that go without a word are there a moment longer
 *
 * As in the kernel, which says first that the link went down, or the address
 * is gone. They go with fake_release(), or kernel_settle().
 */
void fake_set_lags(struct fake *fake, bool lags);

/** fake_lose() - what is queued is lost, and listeners are told so */
void fake_lose(struct fake *fake);

/** fake_set_queue() - how many events a queue holds; 0, at first: no limit */
void fake_set_queue(struct fake *fake, size_t max);

/**
 * fake_set_answers() - whether neighbours answer when the kernel asks for them
 *
 * At the start they do not, as in a network namespace where nobody is.
 */
void fake_set_answers(struct fake *fake, bool answer);

/**
 * fake_set_link_locals() - links that come up get such an address of IPv6
 *
 * Those that are up, now. At the start they do not get one.
 */
void fake_set_link_locals(struct fake *fake);

/*
 * What becomes of ops given to kernel_apply_begin(). Those of each second IPv6
 * table are always begun.
 */
struct fake_aside {
	size_t at_once; /* so many of them before it returns, the rest at the
			 * end */
	size_t at_most; /* the others are not begun */
};

/** fake_set_aside() - from now on; at the start all are done at once */
void fake_set_aside(struct fake *fake, const struct fake_aside *aside);

/* --- faults --- */

enum fake_call {
	FAKE_OPEN,
	FAKE_LISTEN,
	FAKE_READ,
	FAKE_APPLY, /* the call as a whole, as when the socket fails */
	FAKE_BEGIN, /* kernel_apply_begin(): there is no thread */
	FAKE_OP,    /* one op in either */
	FAKE_ASK,
	FAKE_ASK_NEIGHBOUR,
	FAKE_SETTLE,
	FAKE_WATCH,
};

#define FAKE_CALLS (FAKE_WATCH + 1)

/*
 * An error that says of an op "is there already" or "is gone already" is as if
 * somebody else had been quicker: what the op asks for is done.
 */
struct fake_fault {
	enum fake_call call;
	uint64_t nth;	/* of this kind, from now on: 1 is the next */
	int error;	/* negative errno */
	uint64_t times; /* how many in a row fail; 0 is 1 */
	/*
	 * FAKE_READ, FAKE_APPLY: how many objects were passed on, or ops
	 * carried out, before it failed.
	 */
	size_t done;
	/* FAKE_OP: only ops of these count, 1U << enum op_kind; 0: all. */
	uint32_t kinds;
};

/** fake_fail() - one more fault; several may wait at a time */
void fake_fail(struct fake *fake, const struct fake_fault *fault);

/** fake_mend() - no fault waits any more */
void fake_mend(struct fake *fake);

/** fake_faults_hit() - how many calls were made to fail */
uint64_t fake_faults_hit(const struct fake *fake);

/* --- what was asked of it --- */

/** fake_calls() - since fake_new(), failed ones included */
uint64_t fake_calls(const struct fake *fake, enum fake_call call);

/** fake_ops() - carried out with success since fake_new() */
uint64_t fake_ops(const struct fake *fake, enum op_kind kind);

#endif
