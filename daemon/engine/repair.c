/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/repair.h"

#include <stdio.h>
#include <string.h>

#include "core/backoff.h"
#include "log.h"

#define CALM_MS	    10000 /* after so long it is a new story */
#define AT_ONCE	    5	  /* repairs in a row without delay */
#define HOLD_MIN_MS 20
#define HOLD_MAX_MS 30000
#define NOTED_MAX   256 /* beyond, all of a table that was meddled with are */

void repair_done(struct repair *repair)
{
	vec_done(&repair->entries);
	vec_done(&repair->rules);
}

/* The netlink port of a process's first socket is its pid. */
static void read_name(uint32_t port, char *ret, size_t size)
{
	char path[32];
	char name[64] = "";
	FILE *file;

	(void)snprintf(path, sizeof(path), "/proc/%u/comm", port);
	file = fopen(path, "re");
	if (file) {
		if (!fgets(name, sizeof(name), file))
			name[0] = '\0';
		(void)fclose(file);
	}
	name[strcspn(name, "\n")] = '\0';
	if (name[0])
		(void)snprintf(ret, size, "%s (pid %u)", name, port);
	else
		(void)snprintf(ret, size, "an unknown process (port %u)", port);
}

static bool is_noted(const struct repair *repair, uint32_t table,
		     const struct ip_prefix *prefix)
{
	const struct repair_entry *it;

	vec_foreach(&repair->entries, it)
		if (it->table == table &&
		    (repair->many_entries ||
		     ip_prefix_equal(&it->prefix, prefix)))
			return true;
	return false;
}

static bool is_noted_rule(const struct repair *repair, const struct rule *rule)
{
	const struct rule *it;

	if (repair->rules.n == NOTED_MAX)
		return true;
	vec_foreach(&repair->rules, it)
		if (rule_cmp(it, rule) == 0)
			return true;
	return false;
}

void repair_note_route(struct repair *repair, const struct repair_entry *entry,
		       bool deleted, uint32_t port)
{
	char text[IP_TEXT_MAX];

	repair->port = port;
	repair->noted++;
	(void)snprintf(repair->what, sizeof(repair->what), "%s route %s",
		       deleted ? "deleted our" : "changed our",
		       ip_prefix_format(&entry->prefix, text));
	if (is_noted(repair, entry->table, &entry->prefix))
		return;
	vec_push(&repair->entries, *entry);
	repair->many_entries |= repair->entries.n == NOTED_MAX;
}

void repair_note_rule(struct repair *repair, const struct rule *rule,
		      uint32_t port)
{
	char text[RULE_TEXT_MAX];

	repair->port = port;
	repair->noted++;
	if (!is_noted_rule(repair, rule))
		vec_push(&repair->rules, *rule);
	(void)snprintf(repair->what, sizeof(repair->what),
		       "deleted our rule \"%.96s\"", rule_format(rule, text));
}

static bool is_noting(const struct repair *repair)
{
	return repair->rules.n > 0 || repair->entries.n > 0;
}

uint64_t repair_next(const struct repair *repair)
{
	if (!is_noting(repair))
		return 0;
	return repair->hold_ms ? repair->hold_ms : 1;
}

bool repair_is_due(const struct repair *repair, uint64_t now_ms)
{
	return is_noting(repair) && now_ms >= repair->hold_ms;
}

bool repair_holds(const struct repair *repair, const struct op *op,
		  uint64_t now_ms)
{
	if (now_ms >= repair->hold_ms)
		return false;
	switch (op->kind) {
	case OP_ROUTE_PUT:
		return is_noted(repair, op->route.route.table,
				&op->route.prefix);
	case OP_RULE_ADD:
		return is_noted_rule(repair, &op->rule);
	case OP_ROUTE_DELETE:
	case OP_RULE_DELETE:
	case OP_NEIGHBOUR_PUT:
	case OP_NEIGHBOUR_DELETE:
		return false;
	}
	return false;
}

static void reckon_hold(struct repair *repair, uint64_t now_ms)
{
	if (repair->last_ms && now_ms - repair->last_ms > CALM_MS &&
	    now_ms > repair->hold_ms + CALM_MS)
		repair->rounds = 0;
	repair->rounds++;
	repair->last_ms = now_ms;
	repair->hold_ms = 0;
	if (repair->rounds <= AT_ONCE)
		return;
	repair->hold_ms = now_ms + backoff_ms(HOLD_MIN_MS, HOLD_MAX_MS,
					      repair->rounds - AT_ONCE);
}

bool repair_finish(struct repair *repair, uint64_t now_ms, bool is_whole)
{
	char suspect[96];

	if (!repair_is_due(repair, now_ms))
		return false;
	read_name(repair->port, suspect, sizeof(suspect));
	reckon_hold(repair, now_ms);
	if (repair->hold_ms)
		log_limited(LOG_KIND_MEDDLING, now_ms, LOG_WARNING,
			    "%s keeps changing what is ours, %u times now: "
			    "last it %s; put back, the next time only after "
			    "%llu ms; if it is systemd-networkd, set "
			    "ManageForeignRoutingPolicyRules=no and "
			    "ManageForeignRoutes=no",
			    suspect, repair->rounds, repair->what,
			    (unsigned long long)(repair->hold_ms - now_ms));
	else
		log_limited(LOG_KIND_MEDDLING, now_ms, LOG_WARNING,
			    "%s %s; put back", suspect, repair->what);
	if (!is_whole)
		return false;
	vec_clear(&repair->entries);
	repair->many_entries = false;
	vec_clear(&repair->rules);
	return true;
}
