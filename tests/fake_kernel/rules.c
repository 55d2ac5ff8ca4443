/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>

#include "tests/fake_kernel/machine.h"

static void tell_rule(struct fake *fake, uint32_t port, const struct rule *rule,
		      bool deleted)
{
	struct kernel_event event = {
		.kind = KERNEL_RULE,
		.deleted = deleted,
		.port = port,
		.rule = *rule,
	};

	machine_tell(fake, &event, MACHINE_NO_ATTRS);
}

int machine_add_rule(struct fake *fake, uint32_t port, const struct rule *rule,
		     bool exclusive)
{
	size_t at = fake->rules.n;
	const struct rule *it;

	vec_foreach(&fake->rules, it)
		if (exclusive && rule_cmp(it, rule) == 0)
			return -EEXIST;
	while (at > 0 && fake->rules.items[at - 1].priority > rule->priority)
		at--;
	vec_insert(&fake->rules, at, *rule);
	tell_rule(fake, port, rule, false);
	return 0;
}

int machine_remove_rule(struct fake *fake, uint32_t port,
			const struct rule *rule)
{
	for (size_t i = 0; i < fake->rules.n; i++) {
		struct rule found = fake->rules.items[i];
		struct rule meant = *rule;

		if (!meant.protocol)
			meant.protocol = found.protocol;
		if (rule_cmp(&found, &meant) != 0)
			continue;
		vec_remove(&fake->rules, i);
		tell_rule(fake, port, &found, true);
		return 0;
	}
	return -ENOENT;
}
