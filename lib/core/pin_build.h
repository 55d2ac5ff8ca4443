/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pin_build - which pins there shall be after a plan.
 *
 * Between the plan of the rows and the diff: where a table is about to lead
 * packets another way, the flows from its subnet are listed by the caller and
 * handed in, and the pins are brought up to date. They are laid over the rows'
 * wants then. Since a host route is longer than all else, and new host routes
 * are written before any other change, no packet of a pinned flow ever takes
 * the new path.
 */
#ifndef PIN_BUILD_H
#define PIN_BUILD_H

#include "core/path.h"
#include "core/pin.h"

/* One flow from a managed subnet. */
struct pin_flow {
	/* Key, in sort order after pin_flows_sort(). */
	struct ip_addr dst;
	uint32_t table; /* of the subnet of its source */
	/* Value. */
	uint64_t cookie; /* of the socket, never used again */
	uint64_t age;	 /* the lower, the older; only to compare */
	struct ip_addr src;
	uint16_t sport;
	uint16_t dport;
	bool stalled; /* in retransmission back-off */
};

VEC(pin_flow_vec, struct pin_flow);

/* Where the kernel sends a flow now. */
struct pin_way {
	uint32_t table;
	struct next_hop hop;
	bool exact; /* of several legs, the flow's own */
};

/* What is handed in; borrowed for the call. */
struct pin_input {
	const struct view *view;
	struct attrset_store *attrs; /* of the view's model */
	struct planned *planned;     /* of the same view */
	/*
	 * Tables whose flows to what is dirty are all in @flows; of those in
	 * @first all flows are. Others may be in it or not.
	 */
	const struct table_vec *listed;
	const struct pin_flow_vec *flows; /* sorted */
	/* Tables that no rule leads to yet: there the kernel's way counts. */
	const struct table_vec *first;
	/* Return: whether the kernel says where; NULL: it cannot be asked. */
	bool (*ask)(void *data, const struct pin_flow *flow,
		    struct pin_way *ret);
	void *data;
	uint64_t now_ms;
};

/* What it came to. */
struct pin_tally {
	size_t added;	/* paths pinned, those after a hold included */
	size_t held;	/* holds begun */
	size_t dropped; /* pins and holds that ended */
	size_t changed; /* of whatever kind they were and are */
	uint64_t saved; /* flows on the paths pinned */
	uint64_t moved[PIN_MOVEDS];
	struct prefix_vec touched; /* hosts whose rows must be planned too */
};

void pin_tally_done(struct pin_tally *tally);

/** pin_flows_sort() - by the key */
void pin_flows_sort(struct pin_flow_vec *flows);

/** pin_touch() - dirty rows make those of the pins inside them dirty as well */
void pin_touch(struct model *model, const struct pin_set *set);

/**
 * pin_affected() - tables whose flows must be listed
 * @first: tables that no rule leads to yet: always affected
 * @ret:   appended
 *
 * Those that are about to answer otherwise for some prefix, and those with a
 * pin whose path has gone or come.
 */
void pin_affected(const struct view *view, struct planned *planned,
		  const struct table_vec *first, struct table_vec *ret);

/** pin_update() - decide about every pin and flow concerned */
void pin_update(const struct pin_input *input, struct pin_set *set,
		struct pin_tally *ret);

/**
 * pin_count() - how many flows each pin of the listed tables has now
 *
 * Touches the rows of those that have none left, or only stalled ones.
 */
void pin_count(const struct pin_flow_vec *flows, const struct table_vec *listed,
	       struct pin_set *set, struct model *model);

#endif
