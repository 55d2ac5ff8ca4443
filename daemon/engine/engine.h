/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * engine - the one way from what the kernel says to what it is told.
 *
 *	events -> model -> dirty rows -> plan -> diff -> ordered ops -> kernel
 *
 * Events only enter the model and mark what is dirty; engine_run() alone plans
 * and writes. The engine knows no event loop and no clock: whoever owns it says
 * when input is there and what time it is, and asks when to come again.
 *
 * Milliseconds are of CLOCK_MONOTONIC throughout.
 */
#ifndef ENGINE_H
#define ENGINE_H

#include "core/planned.h"
#include "engine/engine_pins.h"
#include "engine/repair.h"
#include "kernel/kernel.h"

struct engine;

/* A table to be read again. */
struct reread {
	uint8_t family;
	uint32_t table;
	uint32_t ifindex; /* 0: over any link */
};

/* A router that advertises: what of it may change routes unheard. */
struct seen_router {
	uint32_t ifindex;
	struct ip_addr addr;
	uint64_t routes_digest; /* of its last message */
	uint64_t heard_ms;
	uint64_t ended_ms; /* the kernel deleted its default; 0: never */
};

#define SEEN_ROUTERS_MAX 64

VEC(seen_router_vec, struct seen_router);
VEC(reread_vec, struct reread);

struct engine_counters {
	uint64_t rounds;		/* calls of engine_run() */
	uint64_t wide;			/* of them, batch.is_wide */
	uint64_t runs;			/* those that wrote something */
	uint64_t events[KERNEL_EVENTS]; /* taken in, by kind; not of dumps */
	uint64_t ops[OP_KINDS];		/* written with success */
	uint64_t rows;			/* planned */
	uint64_t repairs; /* rounds of putting back what others changed */
	uint64_t resyncs; /* full reads after loss */
	uint64_t reads;	  /* full reads, for whatever reason */
	uint64_t errors;  /* ops that failed */
};

/*
 * Who watches the engine at work; a callback that is NULL is not called. What
 * they are given is borrowed for the call, and they may not call the engine.
 */
struct engine_observer {
	/* Before it enters the model. */
	void (*heard)(const struct engine *engine,
		      const struct kernel_event *event, void *data);
	/* It took effect; before it enters the model. */
	void (*wrote)(const struct engine *engine, const struct op *op,
		      void *data);
	void (*failed)(const struct engine *engine, const struct op *op,
		       const struct kernel_failure *failure, void *data);
	/* The subnets were computed anew, from @before. */
	void (*subnets)(const struct engine *engine,
			const struct subnet_set *before, void *data);
	void *data;
};

/* What came of ops. */
struct engine_result {
	uint64_t now_ms;	 /* in: for the log */
	bool go_on;		 /* in: a failure does not end it */
	size_t end[DIFF_PHASES]; /* in: of diff_order() */
	size_t written;		 /* ops that are in effect */
	size_t begun;		 /* ops that were given to the kernel */
	bool failed;		 /* some op was not carried out */
	int error;		 /* -EPERM: the kernel lets us write nothing */
	struct kernel_failure_vec failures; /* op: index into all ops */
};

/* What a round has come to. */
enum engine_pass {
	ENGINE_YIELD, /* rules, of a family that is to have none */
	ENGINE_ALL,   /* all of it at once; what follows is of many rows */
	ENGINE_PUTS,
	ENGINE_LATE, /* new defaults */
	ENGINE_RULES,
	ENGINE_GONE,
	ENGINE_NEIGHBOURS,
	ENGINE_DONE,
};

/* How far the ops of a slice are. */
enum engine_slice {
	SLICE_NONE,    /* the next one is still to be planned */
	SLICE_OPEN,    /* some are to be written */
	SLICE_SENT,    /* some are being written: kernel_apply_begin() */
	SLICE_WRITTEN, /* all that will be; the outcome is in the model */
};

/*
 * A round on its way to the kernel, a slice at a time, so that the owner can do
 * something else in between. What is heard between two slices enters the model;
 * rows that it changes are planned in another round.
 */
struct engine_batch {
	bool active;
	bool is_small; /* all of it goes into one slice */
	bool is_wide;  /* more has changed than routes that are no default */
	enum engine_pass pass;
	struct planned planned; /* keeps the ops' attribute ids alive */
	struct prefix_vec rows; /* to be planned, in order */
	struct prefix_vec late; /* rows with something new that comes last */
	struct prefix_vec gone; /* rows with something that goes */
	size_t next;		/* in @rows or @gone, by the pass */
	/* Of the slice. */
	struct op_vec ops;
	struct engine_result result;
	enum engine_slice slice;
	size_t sent_end; /* in @ops, of those that are being written */
	/* Of all of them. */
	size_t written;
	uint64_t noted;	       /* repair.noted when it began */
	uint64_t attr_changes; /* of the store, when it began */
	bool is_repair;	       /* puts back what others did */
	bool failed;	       /* some op was not carried out */
	bool is_bad;	       /* some op is to be tried again */
	bool retry;	       /* not at once */
	bool is_stopped;       /* nothing more can be written */
	int error;
};

/*
 * Called in each round before its writes, which may depend on what goes first.
 * What it is about: batch.rows are to be planned, and where batch.is_wide, more
 * has changed than routes that are no default. Once more before the first rule
 * is written in a round that was not: it is from then on.
 */
struct engine_hook {
	void (*call)(const struct engine *engine, void *data); /* or NULL */
	void *data;
};

/*
 * Whether others are to get a turn, which only who has a clock can tell. Asked
 * some times in each slice: what the kernel takes for an op is between some
 * microseconds and, while its own tree grows or others write, tens of
 * milliseconds. So where there are many, threads may write them, and
 * engine_waits() meanwhile.
 */
struct engine_turn {
	bool (*is_over)(void *data); /* or NULL: never */
	void *data;
	/* For so long they write, then we listen; 0: there are none. */
	unsigned int aside_ms;
};

struct engine {
	struct kernel *kernel;	     /* borrowed */
	const struct policy *policy; /* borrowed; engine_set_policy() */
	struct model model;
	struct subnet_set subnets;
	struct engine_observer observer; /* set by the owner; may be empty */
	struct engine_hook before_write; /* so is this */
	struct engine_turn turn;	 /* and this */
	struct table_vec tables;	 /* of our range, seen or given out */

	/* What is to be read before the next plan. */
	bool read_all;
	bool read_rules;
	bool read_ipv6;		    /* which links have it */
	VEC(, uint32_t) ipv6_links; /* if not of all, then of these */
	bool read_neighbours; /* they could not be; a plan does not wait */
	struct reread_vec rereads;
	struct reread_vec resync; /* the same after a loss: one in each round */
	uint64_t resync_ms;	  /* when the next begins; 0: nothing is lost */
	uint64_t resync_next_ms;  /* not before */

	/* What routers advertise: engine_advert.h. */
	struct seen_router_vec routers; /* at most SEEN_ROUTERS_MAX */
	bool hears_routers; /* whole messages come; the kernel's add nothing */
	struct reread_vec later; /* what a message of theirs may have changed */
	uint64_t later_ms;	 /* when that is to be read; 0: nothing is */
	uint64_t later_heard_ms; /* when the last such message came */
	uint64_t reread_ms;	 /* when it was last */
	/* Log lines about them, since when: anybody on a link can send. */
	unsigned int router_lines;
	uint64_t router_lines_ms;

	uint64_t unheard_next_ms; /* unheard.h: main is not read before */

	struct engine_batch batch;

	bool policy_changed;
	bool links_read;  /* all of them anew: what has changed is not known */
	bool rules_agree; /* they did when last planned; no wide round since */
	bool neighbours_agree;	     /* so did these */
	uint64_t neighbours_changes; /* of the store of attributes, then */
	bool recovered; /* table numbers of an earlier life were taken */
	bool watching_recovery; /* the kernel reports valid neighbours too */

	struct engine_pins pins; /* flows that keep their path */

	struct repair repair; /* meddling: what, who, how often */

	/* What failed: rows to plan again when retry_ms has come. */
	struct prefix_vec undone;
	unsigned int failures; /* rounds in a row with a failure */
	uint64_t retry_ms;     /* 0: nothing failed */
	bool read_failed;      /* nothing is planned before it succeeds */
	int read_error;	       /* of the last read; 0: it succeeded */
	bool lacks_table;      /* a subnet does; it could not be looked for */
	/* Attribute sets that the kernel refused; a ref each, for the mark. */
	struct attr_id_vec refused;
	uint64_t refused_ms; /* when they are tried again; 0: no reason yet */
	/* Entries that the kernel refused, as their links are; in no order. */
	struct neighbour_vec unkept;
	/* Routers that we do not keep resolved, when last looked at; sorted. */
	struct neighbour_vec others;
	uint64_t others_changes; /* of the store of attributes, then */

	struct engine_counters counters;
};

/** engine_init() - @kernel and @policy are borrowed for the engine's life */
void engine_init(struct engine *engine, struct kernel *kernel,
		 const struct policy *policy);
void engine_done(struct engine *engine);

/** engine_set_policy() - a new config; the old one may be freed after this */
void engine_set_policy(struct engine *engine, const struct policy *policy);

/**
 * engine_listen() - take in what the kernel has queued
 *
 * Return: whether there may be more.
 */
bool engine_listen(struct engine *engine, uint64_t now_ms);

/**
 * engine_read() - everything from the kernel, now
 *
 * Return: 0, or -errno: the model is not complete.
 */
int engine_read(struct engine *engine, uint64_t now_ms);

/** engine_is_pending() - whether engine_run() has work at @now_ms */
bool engine_is_pending(const struct engine *engine, uint64_t now_ms);

/** engine_next() - when engine_run() has work by the clock; 0: never */
uint64_t engine_next(const struct engine *engine);

/**
 * engine_is_steady() - the kernel is as planned and nothing waits: no
 * retry, no settle time, no repair held back
 */
bool engine_is_steady(const struct engine *engine, uint64_t now_ms);

/**
 * engine_plan() - the ops that are due, in order
 * @ops:   appended
 * @planned: zeroed; keeps the ops' attribute ids alive until planned_done()
 *
 * Brings the subnets up to date first. Writes nothing.
 */
void engine_plan(struct engine *engine, uint64_t now_ms, struct op_vec *ops,
		 struct planned *planned);

/** engine_is_busy() - amid a round: engine_run() has more to write */
bool engine_is_busy(const struct engine *engine);

/**
 * engine_waits() - threads are at work; engine_run() would wait for them
 *
 * As would whatever reads from the kernel or listens to it. Till
 * kernel_apply_fd() is readable others may have their turn: the model can be
 * looked at and changed as between two runs.
 */
bool engine_waits(const struct engine *engine);

/** engine_has_sent() - what came of it is still to be taken in */
bool engine_has_sent(const struct engine *engine);

/**
 * engine_run() - one reconcile: read what must be read, plan, write
 *
 * Of many rows it looks at the first only, and when its turn is over, or others
 * write for it, it stops; engine_is_busy() then, and it must be called again.
 * Return: 0 also when ops failed and will be tried again; -EPERM when the
 * kernel does not let us write at all.
 */
int engine_run(struct engine *engine, uint64_t now_ms);

/**
 * engine_flush() - remove all we own: rules first, then routes and neighbours
 *
 * If something fails, once more, of what the kernel still has then.
 * Return: 0, or the first -errno; everything was tried.
 */
int engine_flush(struct engine *engine, uint64_t now_ms);

/** engine_ops_written() - the sum of counters.ops */
uint64_t engine_ops_written(const struct engine *engine);

/** engine_view() - what decisions are made from */
struct view engine_view(const struct engine *engine);

#endif
