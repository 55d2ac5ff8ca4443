/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * machine - the fake kernel's inner half: its state, and how it changes.
 *
 * Each change of the host is one function here. It carries out what the kernel
 * would do besides, and tells the listeners as much of it as the kernel would.
 */
#ifndef MACHINE_H
#define MACHINE_H

#include "tests/fake_kernel/fake_kernel.h"

#define MACHINE_LO	 1   /* its ifindex */
#define MACHINE_KERNEL	 2   /* RTPROT_KERNEL */
#define MACHINE_METRIC6	 256 /* of IPv6 connected routes */
#define MACHINE_NO_ATTRS UINT32_MAX
#define MACHINE_LINK	 253 /* RT_SCOPE_LINK */

/* An event, and the attributes of its route: in the machine's rib. */
struct machine_news {
	struct kernel_event event;
	uint32_t attrs; /* holds a ref; MACHINE_NO_ATTRS: none */
};

VEC(machine_news_vec, struct machine_news);

/* What kernel_open() gives: one process's sockets. */
struct kernel {
	struct fake *fake;
	struct kernel_config config;
	uint32_t port;
	int fd; /* readable while something is queued */
	bool recovery;
	bool overrun;
	bool busy; /* in a callback, which may call nothing */
	/*
	 * Between kernel_apply_begin() and kernel_apply_end(). Who listened or
	 * read then would enter its own ops after what is newer.
	 */
	const struct op *ops; /* NULL: it is not */
	struct fake_aside aside;
	size_t n_ops;
	const struct attrset_store *attrs;
	struct kernel_failure_vec failures;
	int error; /* of the call as a whole */
	size_t done;
	struct machine_news_vec queue;
	struct machine_news_vec delayed;
};

struct machine_door {
	struct kernel *kernel;
};

struct machine_neighbour {
	struct neighbour entry;
	struct kernel_mac mac;
};

/* A virtual cable. */
struct machine_pair {
	uint32_t a;
	uint32_t b;
};

struct machine_nexthop {
	uint32_t id;
	struct next_hop hop;
};

struct fake {
	/* Links, addresses and routes; the rest of it is not used. */
	struct model model;
	struct rule_vec rules; /* by priority, equal ones by age */
	VEC(, struct machine_neighbour) neighbours;
	VEC(, struct machine_pair) pairs;
	VEC(, struct machine_nexthop) nexthops;
	uint32_t last_ifindex;

	VEC(, struct machine_door) doors; /* what kernel_open() gave */
	uint32_t last_port;
	enum fake_news news;
	size_t queue_max; /* 0: no limit */
	bool answers;
	bool link_locals;
	bool lags;
	struct fake_aside aside;
	VEC(, struct ip_addr) lagging; /* machine_fall_silent() */

	VEC(, struct fake_fault) faults; /* nth counts down */
	uint64_t faults_hit;
	uint64_t calls[FAKE_CALLS];
	uint64_t ops[OP_KINDS];
};

/** machine_running() - the one that fake_new() made last; or NULL */
struct fake *machine_running(void);

/**
 * machine_call() - one @call begins
 * @ret_done: fake_fault.done, if it is to fail; may be NULL
 *
 * Return: 0, or the error that it is to fail with.
 */
int machine_call(struct fake *fake, enum fake_call call, size_t *ret_done);

/** machine_op() - the same for FAKE_OP and one op */
int machine_op(struct fake *fake, enum op_kind kind);

/**
 * machine_fall_silent() - routes that go, or change, without a word
 * @source: those that name it; NULL: those that have no link that is up
 *
 * Now, or where the kernel lags, with fake_release().
 */
void machine_fall_silent(struct fake *fake, const struct ip_addr *source);

/** machine_tell() - queue @event for all who listen; @attrs: of its route */
void machine_tell(struct fake *fake, const struct kernel_event *event,
		  uint32_t attrs);

/** machine_drop_news() - empties a queue */
void machine_drop_news(struct fake *fake, struct machine_news_vec *news);

/* --- links and addresses --- */

int machine_add_link(struct fake *fake, const char *name, const char *peer);
int machine_remove_link(struct fake *fake, uint32_t ifindex);
int machine_set_link(struct fake *fake, uint32_t ifindex, bool up);
bool machine_is_up(const struct fake *fake, uint32_t ifindex);

/** machine_carries() - up, and @family is not switched off there */
bool machine_carries(const struct fake *fake, uint32_t ifindex, uint8_t family);

/** machine_set_ipv6() - what goes with it does not come back by itself */
int machine_set_ipv6(struct fake *fake, uint32_t ifindex, bool on);
int machine_add_address(struct fake *fake, uint32_t port,
			const struct address *address);
int machine_remove_address(struct fake *fake, uint32_t port,
			   const struct address *address);

/** machine_is_local() - an address of this host's */
bool machine_is_local(const struct fake *fake, const struct ip_addr *addr);

/* --- routes --- */

/* The flags of a new route, by ip(8)'s words. */
enum machine_how {
	MACHINE_ADD,
	MACHINE_APPEND,
	MACHINE_PREPEND,
	MACHINE_REPLACE,
};

/* One change of a route, and whose it is. */
struct machine_route {
	enum machine_how how;
	uint32_t port;
	struct ip_prefix prefix;
	struct route route; /* attrs is not used */
	const struct attrset *set;
	bool any_protocol; /* a deletion that does not name one */
	bool any_attrs;	   /* a deletion that names the key only */
};

/** machine_check_route() - whether the kernel would take it */
int machine_check_route(const struct fake *fake, const struct machine_route *in,
			const char **ret_why);

/** machine_put_route() - @ret_why: the kernel's words, or NULL */
int machine_put_route(struct fake *fake, const struct machine_route *in,
		      const char **ret_why);
int machine_delete_route(struct fake *fake, const struct machine_route *in);

/** machine_drop_dead() - routes that have no link that is up any more */
void machine_drop_dead(struct fake *fake);

/** machine_drop_legs6() - legs over @ifindex, each told as a route */
void machine_drop_legs6(struct fake *fake, uint32_t ifindex);

/** machine_drop_link4() - every IPv4 route over @ifindex, without a word */
void machine_drop_link4(struct fake *fake, uint32_t ifindex);

/** machine_drop_source() - @addr is gone: what becomes of routes that name it
 */
void machine_drop_source(struct fake *fake, const struct ip_addr *addr);

/** machine_drop_nexthop() - routes through nexthop object @id */
void machine_drop_nexthop(struct fake *fake, uint32_t id);

/* --- rules and neighbours --- */

/** machine_add_rule() - @exclusive: not if the very same is there */
int machine_add_rule(struct fake *fake, uint32_t port, const struct rule *rule,
		     bool exclusive);

/** machine_remove_rule() - the first that fits; protocol 0: any */
int machine_remove_rule(struct fake *fake, uint32_t port,
			const struct rule *rule);

/** machine_put_neighbour() - as it is from now on; @port: who did it */
void machine_put_neighbour(struct fake *fake, uint32_t port,
			   const struct machine_neighbour *neighbour);
int machine_remove_neighbour(struct fake *fake, uint32_t port, uint32_t ifindex,
			     const struct ip_addr *addr);

/** machine_drop_neighbours() - those of a link; family 0: of both */
void machine_drop_neighbours(struct fake *fake, uint32_t ifindex,
			     uint8_t family);
struct machine_neighbour *machine_neighbour(struct fake *fake, uint32_t ifindex,
					    const struct ip_addr *addr);

/* --- packets --- */

/** machine_ask() - where a packet goes; families are the same */
struct kernel_answer machine_ask(const struct fake *fake,
				 const struct kernel_question *question);

#endif
