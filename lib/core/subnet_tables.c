/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which table numbers are whose: by our own rules of an earlier life, and by
 * what others use.
 */
#include "core/subnet.h"

/*
 * What @addr is on and has no table yet: an uplink, or the longest, whose the
 * address would be. The number is that of all.
 */
static struct subnet *home_without_table(struct subnet_set *set,
					 const struct ip_addr *addr,
					 size_t *ret_n)
{
	const struct subnet *uplink = subnet_of_source(set, addr);
	const struct subnet_address *it;
	struct subnet *found = NULL;
	size_t n = 0;

	vec_foreach(&set->addresses, it) {
		struct subnet *home = &set->subnets.items[it->subnet];

		if (!ip_addr_equal(&it->addr, addr))
			continue;
		n++;
		if (home->table || (found && found == uplink))
			continue;
		if (!found || home == uplink ||
		    home->prefix.len > found->prefix.len)
			found = home;
	}
	*ret_n = n;
	return found;
}

/*
 * What has @prefix: an uplink before others, which may have come by it since.
 * NULL: nothing, or several uplinks.
 */
static struct subnet *subnet_of_prefix(struct subnet_set *set,
				       const struct ip_prefix *prefix)
{
	struct subnet *found = NULL;
	struct subnet *it;

	vec_foreach(&set->subnets, it) {
		if (!ip_prefix_equal(&it->prefix, prefix))
			continue;
		if (found && found->managed && it->managed)
			return NULL;
		if (!found || it->managed)
			found = it;
	}
	return found;
}

/*
 * A rule for one address can be of any subnet that has it.
 * @sure: not by an address that is on several links
 */
static struct subnet *subnet_of_rule(struct subnet_set *set,
				     const struct rule *rule, bool sure)
{
	struct subnet *it;
	size_t n;

	if (rule->src.len != ip_bits(rule->family))
		return subnet_of_prefix(set, &rule->src);
	it = home_without_table(set, &rule->src.addr, &n);
	return n > 1 && sure ? NULL : it;
}

static void recover_table(struct subnet_set *set, const struct model *model,
			  const struct policy *policy, const struct rule *rule,
			  bool sure)
{
	const struct policy_interface *entry;
	const struct subnet *other;
	struct subnet *subnet;

	if (rule->protocol != policy->protocol || rule->src.len == 0 ||
	    !policy_is_our_table(policy, rule->table))
		return;
	subnet = subnet_of_rule(set, rule, sure);
	if (!subnet || subnet->table)
		return;
	vec_foreach(&set->subnets, other)
		if (other->table == rule->table)
			return;
	entry = policy_interface_find(policy,
				      model_link(model, subnet->ifindex));
	if (entry && entry->manage == MANAGE_NEVER)
		return;
	/* It was one in an earlier life of ours. */
	subnet->uplink = true;
	subnet->managed = true;
	subnet->table = rule->table;
}

void subnet_recover_tables(struct subnet_set *set, const struct model *model,
			   const struct policy *policy)
{
	const struct rule *rule;

	/* An address that is on two links is whose that is left over. */
	vec_foreach(&model->rules, rule)
		recover_table(set, model, policy, rule, true);
	vec_foreach(&model->rules, rule)
		recover_table(set, model, policy, rule, false);
}

bool subnet_table_is_taken(const struct subnet_set *set,
			   const struct model *model, uint32_t table)
{
	const struct subnet *subnet;
	const struct rule *rule;

	vec_foreach(&set->subnets, subnet)
		if (subnet->table == table)
			return true;
	vec_foreach(&model->rules, rule)
		if (rule->table == table)
			return true;
	return rib_table(&model->rib, table) != NULL;
}
