/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Policy rules: those of others that come before ours and catch our sources,
 * and ours that are missing.
 */
#include <netinet/in.h>

#include "core/plan.h"
#include "doctor/check.h"

#define ACTION_GOTO	 2 /* FR_ACT_ values */
#define ACTION_BLACKHOLE 6 /* from here on they end the lookup */
#define ACTION_PROHIBIT	 8

/* --- whom a rule catches --- */

static bool has_source_in(const struct view *view, size_t subnet,
			  const struct ip_prefix *prefix, bool invert)
{
	const struct subnet_address *it;

	vec_foreach(&view->subnets->addresses, it)
		if (it->subnet == subnet &&
		    ip_prefix_has(prefix, &it->addr) != invert)
			return true;
	return false;
}

/* Whether it asks for more than a source: some packets only. */
static bool is_picky(const struct rule *rule)
{
	return rule->oif || rule->selective || rule->dst.len;
}

/*
 * Whether unmarked packets of this host from the subnet meet @rule, all or, if
 * it is picky, some.
 */
static bool catches(const struct view *view, const struct rule *rule,
		    size_t subnet)
{
	bool marked = (rule->fwmark & rule->fwmask) != 0;

	if (rule->other_iif)
		return false;
	/* That of a VRF (l3mdev): only sockets in one ask its table. */
	if (rule->selective && rule->action == RULE_ACTION_LOOKUP &&
	    !rule->table)
		return false;
	if (is_picky(rule) && rule->invert)
		return true;
	/* "not" is about all selectors at once. */
	if (marked)
		return rule->invert;
	if (rule->invert && (rule->iif_lo || !rule->src.len))
		return false;
	return !rule->src.len ||
	       has_source_in(view, subnet, &rule->src, rule->invert);
}

/* The first rule to the subnet's table; NULL: it has none (yet). */
static const struct rule *own_rule(const struct view *view,
				   const struct subnet *subnet)
{
	const struct rule *it;

	vec_foreach(&view->model->rules, it)
		if (it->family == subnet->prefix.addr.family &&
		    it->protocol == view->policy->protocol && subnet->table &&
		    it->table == subnet->table)
			return it;
	return NULL;
}

/* --- what it does to them --- */

/* Whether a default route of @table is there, and on the subnet. */
static bool table_default(const struct view *view, const struct subnet *subnet,
			  uint32_t table, bool *ret_own)
{
	const struct row *row =
		check_default_row(view, subnet->prefix.addr.family);
	bool found = false;

	*ret_own = false;
	for (size_t i = 0; row && i < row->n; i++) {
		const struct attrset *set = check_attrs(view, &row->routes[i]);
		const struct next_hop *hop;

		if (row->routes[i].table != table)
			continue;
		found = true;
		vec_foreach(&set->hops, hop)
			*ret_own |=
				subnet_has_next_hop(view, subnet, set, hop).yes;
	}
	return found;
}

/* What a rule does to one subnet's packets. */
struct harm {
	const struct subnet *subnet; /* NULL: none */
	enum severity severity;
	const char *breaks;
	bool beside; /* of our priority: who knows which is first */
};

/* Whoever names a few packets, as a rule means it. */
static void judge_picky(const struct rule *rule, struct harm *harm)
{
	if (!harm->subnet || !is_picky(rule))
		return;
	harm->severity = SEVERITY_HINT;
	harm->breaks = "Packets that it matches do not come to our tables. "
		       "This is as it should be if that is what it is for.";
}

static struct harm judge(const struct view *view, const struct rule *rule,
			 const struct subnet *subnet)
{
	struct harm harm = {.subnet = subnet, .severity = SEVERITY_ERROR};
	bool own;
	bool found;

	if (rule->action >= ACTION_BLACKHOLE &&
	    rule->action <= ACTION_PROHIBIT) {
		harm.breaks = "They are dropped.";
		return harm;
	}
	if (rule->action == ACTION_GOTO) {
		harm.severity = SEVERITY_WARNING;
		harm.breaks = "Where it leads behind the rules of multihomed "
			      "(ip rule says where), these are never asked.";
		return harm;
	}
	if (rule->action != RULE_ACTION_LOOKUP ||
	    rule->table == ROUTE_TABLE_LOCAL ||
	    (rule->suppress_len >= 0 && rule->table != ROUTE_TABLE_MAIN))
		return (struct harm){0};
	if (rule->suppress_len >= 0) {
		harm.severity = SEVERITY_WARNING;
		harm.breaks = "Where it has a route longer than that, the "
			      "lowest metric decides, whatever the source.";
		return harm;
	}
	if (rule->table == ROUTE_TABLE_MAIN) {
		harm.breaks = "They leave by the lowest metric, whatever "
			      "their source.";
		return harm;
	}
	found = table_default(view, subnet, rule->table, &own);
	/* From everywhere, to a few: a split tunnel, and meant so. */
	if (!found && !rule->src.len)
		return (struct harm){0};
	if (found && !own) {
		harm.breaks = "They leave by its default route, which is not "
			      "on their subnet.";
		return harm;
	}
	harm.severity = SEVERITY_WARNING;
	harm.breaks = "The table of multihomed is not asked where that one has "
		      "a route: longer prefixes and lost links of table main "
		      "do not count there.";
	return harm;
}

/* The worst it does to any subnet; the first of equals. */
static struct harm find_harm(const struct view *view, const struct rule *rule)
{
	const struct subnet_vec *subnets = &view->subnets->subnets;
	struct harm worst = {0};

	for (size_t i = 0; i < subnets->n; i++) {
		const struct rule *own = own_rule(view, &subnets->items[i]);
		struct harm harm;

		if (!own || rule->table == subnets->items[i].table ||
		    own->family != rule->family ||
		    own->priority < rule->priority || !catches(view, rule, i))
			continue;
		harm = judge(view, rule, &subnets->items[i]);
		judge_picky(rule, &harm);
		harm.beside = own->priority == rule->priority;
		if (harm.beside)
			harm.severity = SEVERITY_HINT;
		if (harm.subnet &&
		    (!worst.subnet || harm.severity < worst.severity))
			worst = harm;
	}
	return worst;
}

/*
 * The kernel deletes the first rule that fits all words given, so none may be
 * left out: another rule may stand before this one. Only the target of a goto
 * is not compared, but there has to be one.
 */
static void fix_delete(struct finding *finding, const struct rule *rule)
{
	const char *ip = rule->family == AF_INET ? "-4" : "-6";
	char text[RULE_TEXT_MAX];
	char *jump;

	jump = strstr(rule_format(rule, text), "[goto]");
	if (rule->selective || rule->oif)
		finding_fix(finding,
			    "ip %s rule show priority %u # delete it with all "
			    "the words that it has here, if it is to go",
			    ip, rule->priority);
	else if (jump)
		finding_fix(finding,
			    "ip %s rule del %.*sgoto %u%s # wherever it leads",
			    ip, (int)(jump - text), text, RULE_PRIORITY_MAIN,
			    jump + strlen("[goto]"));
	else
		finding_fix(finding, "ip %s rule del %s", ip, text);
}

static void report(const struct view *view, const struct rule *rule,
		   const struct harm *harm, struct finding_vec *ret)
{
	struct finding *finding;
	char text[RULE_TEXT_MAX];
	char prefix[IP_TEXT_MAX];

	(void)rule_format(rule, text);
	finding = finding_add(ret, harm->severity, "rule %u", rule->priority);
	finding_what(finding,
		     "The %s rule \"%s\" is not ours, %s ours (%u) and "
		     "catches %spackets from %s.",
		     check_family_name(rule->family), text,
		     harm->beside ? "has the priority of" : "comes before",
		     own_rule(view, harm->subnet)->priority,
		     is_picky(rule) ? "some " : "",
		     ip_prefix_format(&harm->subnet->prefix, prefix));
	finding_breaks(finding, "%s%s",
		       harm->beside
			       ? "The kernel asks the older of the two "
				 "first (ip rule shows the order). If that "
				 "is not ours: "
			       : "",
		       harm->breaks);
	fix_delete(finding, rule);
}

/* --- full tunnels --- */

static bool has_managed(const struct view *view, uint8_t family)
{
	const struct subnet *it;

	vec_foreach(&view->subnets->subnets, it)
		if (it->managed && it->prefix.addr.family == family)
			return true;
	return false;
}

/* To override one is a choice of the config; to yield is what it comes with. */
static void report_tunnel(const struct view *view, const struct facts *facts,
			  uint8_t family, struct finding_vec *ret)
{
	struct tunnel tunnel = plan_tunnel_find(view, family);
	const char *ip = check_family_name(family);
	struct finding *finding;

	if (!tunnel.found || view->policy->vpn != VPN_YIELD ||
	    !has_managed(view, family))
		return;
	finding = finding_add(ret, SEVERITY_HINT, "rule %u", tunnel.priority);
	finding_what(finding,
		     "An %s rule sends all unmarked packets of this host to "
		     "table %u, which has a default route: a full tunnel, to "
		     "which we yield (vpn is \"yield\").",
		     ip, tunnel.table);
	finding_breaks(finding,
		       "Our %s rules are withdrawn while it is up: packets go "
		       "into the tunnel whatever their source. This is as it "
		       "should be if the tunnel is meant to take everything.",
		       ip);
	finding_fix(finding, "%s: vpn = \"override\";", facts->config);
	finding_fix(finding, "multihomectl reload");
}

void check_foreign_rules(const struct view *view, const struct facts *facts,
			 struct finding_vec *ret)
{
	const struct rule *rule;

	report_tunnel(view, facts, AF_INET, ret);
	report_tunnel(view, facts, AF_INET6, ret);
	vec_foreach(&view->model->rules, rule) {
		struct harm harm;

		if (rule->protocol == view->policy->protocol)
			continue;
		harm = find_harm(view, rule);
		if (harm.subnet)
			report(view, rule, &harm, ret);
	}
}

/* --- ours --- */

static bool is_there(const struct view *view, const struct rule *rule)
{
	const struct rule *it;

	vec_foreach(&view->model->rules, it)
		if (rule_cmp(it, rule) == 0)
			return true;
	return false;
}

static void check_family(const struct view *view, uint8_t family,
			 struct finding_vec *ret)
{
	struct rule_vec wanted = {0};
	const struct rule *it;

	plan_rules_build(view, family, &wanted);
	vec_foreach(&wanted, it) {
		struct finding *finding;
		char text[RULE_TEXT_MAX];

		if (is_there(view, it))
			continue;
		(void)rule_format(it, text);
		finding = finding_add(ret, SEVERITY_ERROR, "rule %u",
				      it->priority);
		finding_what(finding,
			     "Our %s rule \"%s\" is missing: somebody keeps "
			     "deleting it, or the kernel did not take it.",
			     check_family_name(family), text);
		finding_breaks(finding, "Packets that it should catch leave "
					"by the lowest metric of table main.");
		finding_fix(finding, "ip %s rule add %s",
			    family == AF_INET ? "-4" : "-6", text);
	}
	vec_done(&wanted);
}

void check_no_rules(const struct view *view, const struct facts *facts,
		    struct finding_vec *ret)
{
	(void)facts;
	check_family(view, AF_INET, ret);
	check_family(view, AF_INET6, ret);
}
