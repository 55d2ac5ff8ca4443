/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lookup - a small model of the kernel's routing decision for packets that this
 * host makes: policy rules by priority, then in the table the longest prefix,
 * then the longest source prefix (IPv6), the TOS, the metric.
 *
 * Written from the kernel's behaviour alone, without a look at how the plan is
 * made, since it is what the plan is judged by. Table local is left out:
 * broadcast, multicast and own addresses are not asked about.
 */
#ifndef LOOKUP_H
#define LOOKUP_H

#include "core/op.h"
#include "core/plan.h"

struct kernel_entry {
	struct ip_prefix prefix;
	struct ip_prefix src; /* family 0: any source */
	uint32_t table;
	uint8_t tos;
	uint32_t metric;
	uint32_t attrs; /* id in the model's store, which outlives this */
};

struct kernel {
	VEC(, struct kernel_entry) entries;
	struct rule_vec rules; /* by priority, equal ones in order of age */
};

struct packet {
	struct ip_addr src;
	struct ip_addr dst;
	uint8_t tos;
};

/** kernel_read() - what @model says the kernel has; @kernel: zeroed */
void kernel_read(struct kernel *kernel, const struct model *model);
void kernel_done(struct kernel *kernel);
void kernel_copy(const struct kernel *kernel, struct kernel *ret);

/** kernel_apply() - carry out @op */
void kernel_apply(struct kernel *kernel, const struct op *op);

/**
 * kernel_lookup() - what the kernel does with @packet
 * @ret_rule: the rule whose table answered; NULL in it: none; may be NULL
 *
 * Return: the entry that answers, reject types too, or NULL: no route.
 */
const struct kernel_entry *kernel_lookup(const struct kernel *kernel,
					 const struct attrset_store *attrs,
					 const struct packet *packet,
					 const struct rule **ret_rule);

#endif
