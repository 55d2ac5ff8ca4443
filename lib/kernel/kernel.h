/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kernel - the one door to the kernel's routing: read, listen, write.
 *
 * Two rtnetlink sockets: one listens, one asks. The asking one is used
 * synchronously: rtnetlink answers within the call, so nothing blocks for
 * longer than the kernel itself needs. That can be long where many ops are
 * written: kernel_apply_begin() leaves it to threads. The listening one is
 * non-blocking and for the caller's event loop. Nothing is cached here.
 *
 * Our own writes are not heard back (a filter on the listening socket drops
 * messages that carry the port id of one of ours that writes); whoever writes
 * enters the result into the model from the report of kernel_apply() or
 * kernel_apply_end(), before it listens again.
 *
 * What the kernel does and does not say is in docs/kernel-notes.md.
 *
 * A second implementation for tests may be linked in this one's place.
 */
#ifndef KERNEL_H
#define KERNEL_H

#include "core/op.h"
#include "ra/ra.h"

struct kernel;

enum kernel_event_kind {
	KERNEL_LINK,
	KERNEL_ADDRESS,
	KERNEL_ROUTE,
	KERNEL_RULE, /* only that rules changed, and which one it was */
	KERNEL_NEIGHBOUR,
	KERNEL_NEXTHOP, /* a nexthop object went or changed */
	KERNEL_ADVERT,	/* a router advertised a prefix */
	KERNEL_LOST,	/* messages were lost: read everything again */
	KERNEL_BAD,	/* a message that makes no sense; it was skipped */
};

#define KERNEL_EVENTS (KERNEL_BAD + 1)

/*
 * One prefix information option of a router advertisement. Heard only where the
 * kernel itself processes them (accept_ra, and forwarding off or accept_ra 2),
 * since 6.5 and the stable kernels of August 2023; elsewhere: ra_socket.h.
 */
struct kernel_advert {
	uint32_t ifindex;
	struct ip_addr router; /* link-local */
	struct ra_prefix prefix;
};

struct kernel_event {
	enum kernel_event_kind kind;
	bool deleted;
	uint32_t port; /* nlmsg_pid: who asked for the change; 0: the kernel */
	enum model_put put; /* KERNEL_ROUTE: how it was entered */
	union {
		struct link link;
		struct address address;
		/* During the callback only; expires_s on CLOCK_MONOTONIC. */
		struct model_route route;
		struct rule rule;
		struct neighbour neighbour;
		uint32_t nexthop_id;
		struct kernel_advert advert;
		const char *bad; /* what was wrong with it */
	};
};

/* May not call anything of this file: the event lies in its buffers. */
typedef void kernel_event_fn(const struct kernel_event *event, void *data);

/* Which tables' route events are passed on (foreign ones: default only). */
struct kernel_config {
	uint32_t table_first;
	uint32_t table_last;
	uint8_t protocol; /* on neighbour entries we make */
};

/**
 * kernel_open() - both sockets, subscribed before anything is read
 *
 * Return: 0, or -errno; -EPERM: no CAP_NET_ADMIN is needed to open, so this is
 * about something else.
 */
int kernel_open(const struct kernel_config *config, struct kernel **ret);
void kernel_free(struct kernel *kernel);

/** kernel_configure() - a new config (reload) */
void kernel_configure(struct kernel *kernel,
		      const struct kernel_config *config);

/** kernel_fd() - of the listening socket, to wait for input */
int kernel_fd(const struct kernel *kernel);

/**
 * kernel_listen() - take in what is queued, at most @max messages
 *
 * Own echoes are left out. Overrun is the event KERNEL_LOST, not an error.
 * Return: messages taken (0: nothing queued), or -errno.
 */
int kernel_listen(struct kernel *kernel, size_t max, kernel_event_fn *fn,
		  void *data);

/**
 * kernel_watch_recovery() - whether events of neighbours that become valid
 * are wanted (while some router has failed); otherwise the socket filter drops
 * them, so that an idle host causes no wake-ups
 *
 * Once they are wanted, neighbours must be read: what became valid, or was
 * deleted, between its failure and this call was not heard.
 */
int kernel_watch_recovery(struct kernel *kernel, bool wanted);

/**
 * kernel_drop_adverts() - no more KERNEL_ADVERT
 *
 * For who hears whole advertisements elsewhere: a flood of them would fill the
 * queue that routes come by.
 */
void kernel_drop_adverts(struct kernel *kernel);

/* What to read. Zero means "any" except where said. */
struct kernel_read {
	enum kernel_event_kind what; /* LINK, ADDRESS, ROUTE, RULE, NEIGHBOUR */
	uint8_t family;		     /* AF_INET, AF_INET6; LINK: 0 */
	uint32_t table;		     /* ROUTE; 0: all tables */
	uint32_t ifindex; /* LINK: only this; ROUTE: only with a hop over it */
	uint8_t protocol; /* ROUTE: only of this protocol */
};

/**
 * kernel_read() - dump, calling @fn for each object
 *
 * Strict checking, so the kernel filters. A dump that others interrupted is
 * repeated; only routes are passed on at once, so these may come twice.
 *
 * Return: 0 (also for a table or link that does not exist, and for rules of
 * IPv6 where the kernel has no IPv6), -EINTR when there was no end of
 * interruptions, or another -errno; some routes may have been passed on
 * already.
 */
int kernel_read(struct kernel *kernel, const struct kernel_read *what,
		kernel_event_fn *fn, void *data);

/* One op that failed. */
struct kernel_failure {
	size_t op;    /* index into the ops given */
	int error;    /* negative errno */
	char why[96]; /* the kernel's own text (extack), may be empty */
};

VEC(kernel_failure_vec, struct kernel_failure);

enum kernel_error_class {
	KERNEL_ERROR_DONE,    /* no error: it is as wanted */
	KERNEL_ERROR_RESYNC,  /* our picture is old: read again */
	KERNEL_ERROR_LATER,   /* try again later */
	KERNEL_ERROR_REFUSED, /* it will not have it: our bug, or rights */
};

/** kernel_error_class() - what a failed op of @kind with @error means */
enum kernel_error_class kernel_error_class(enum op_kind kind, int error);

/**
 * kernel_apply() - carry out @ops in order, in batches
 * @failures: appended, one per op that did not end as wanted (class DONE is
 *	      no failure), sorted by op
 *
 * Ops after a failed one are still carried out. Return: 0, or -errno if the
 * socket itself failed; then the ops from @failures' last on are unknown and
 * everything must be read again.
 */
int kernel_apply(struct kernel *kernel, const struct op *ops, size_t n,
		 const struct attrset_store *attrs,
		 struct kernel_failure_vec *failures);

/**
 * kernel_apply_begin() - the same, while the caller does something else
 * @ops:    borrowed till kernel_apply_end()
 * @max_ms: after so long, what was not begun stays undone
 *
 * Threads write, each by a socket of its own, whose echoes are left out as
 * well; they are there from the first call on. Of ops on different tables no
 * order is kept, of those on the same table it is. All else of this file may be
 * called meanwhile, but for this. Worth it for hundreds of ops.
 * Return: 0, or -errno: there is no thread, nothing was begun.
 */
int kernel_apply_begin(struct kernel *kernel, const struct op *ops, size_t n,
		       const struct attrset_store *attrs, uint32_t max_ms);

/** kernel_apply_is_over() - kernel_apply_end() would not wait */
bool kernel_apply_is_over(const struct kernel *kernel);

/** kernel_apply_fd() - readable when it is over; -1: none was begun so far */
int kernel_apply_fd(const struct kernel *kernel);

/**
 * kernel_apply_end() - wait for the end, and what came of it
 * @begun:    for each of the ops, whether it was given to the kernel
 * @failures: as of kernel_apply(), of those that were
 *
 * Return: 0, or -errno as kernel_apply().
 */
int kernel_apply_end(struct kernel *kernel, bool *begun,
		     struct kernel_failure_vec *failures);

/* One packet of this host. */
struct kernel_question {
	struct ip_addr src; /* not set: an unbound socket's */
	struct ip_addr dst;
	uint8_t tos;
	uint32_t oif; /* of a socket bound to a link; 0: it is not */
	/* Of TCP; 0: not told. Legs of a multipath route may depend on them. */
	uint16_t sport;
	uint16_t dport;
};

/* What the kernel answers for it (RTM_GETROUTE). */
struct kernel_answer {
	int error; /* 0, or the errno a sender sees (-EHOSTUNREACH, ...) */
	uint32_t table;
	uint8_t type; /* RTN_: 1 unicast, 2 local, 3 broadcast, 4 anycast ... */
	struct next_hop hop;
	struct ip_addr src; /* that an unbound socket gets; may be unset */
};

/**
 * kernel_ask() - where a packet would go
 *
 * Of IPv4 the source must be an address of this host, or the answer is
 * -ENETUNREACH (6.18).
 * Return: 0 (also when the answer is an error), -EINVAL when the families
 * differ, or -errno: the kernel could not be asked.
 */
int kernel_ask(struct kernel *kernel, const struct kernel_question *question,
	       struct kernel_answer *ret);

/**
 * kernel_settle() - what was read or asked so far has been told, too
 *
 * IPv4 routes and rules can be seen a moment before the message that says so is
 * queued. Afterwards it is: kernel_listen() passes it on. Waits for whoever is
 * changing something just now.
 *
 * Return: 0 or -errno.
 */
int kernel_settle(struct kernel *kernel);

#define KERNEL_MAC_MAX 32 /* MAX_ADDR_LEN */

/* A link-layer address. */
struct kernel_mac {
	uint8_t bytes[KERNEL_MAC_MAX];
	uint8_t len; /* 0: not known */
};

/**
 * kernel_ask_neighbour() - the link-layer address the kernel knows for @addr
 *
 * Asks nobody on the link.
 * Return: 0; -ENOENT: there is no entry, or it is not resolved; or -errno.
 */
int kernel_ask_neighbour(struct kernel *kernel, uint32_t ifindex,
			 const struct ip_addr *addr, struct kernel_mac *ret);

#endif
