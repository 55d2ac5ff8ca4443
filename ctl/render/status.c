/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The status page. What is wrong comes first and in colour; then one line for
 * each subnet, and at the end the words that not everybody knows.
 */
#include "render/render.h"

#include <inttypes.h>
#include <string.h>

#include "control/field.h"
#include "render/columns.h"
#include "render/phrase.h"

enum {
	GAP = 2,
	/* More than these that are not ours would hide those that are. */
	UNMANAGED_MAX = 10,
};

enum cell {
	CELL_LINK,
	CELL_SUBNET,
	CELL_STATE,
	CELL_TABLE,
	CELL_NEXT_HOP,
	CELL_METRIC,
	CELLS,
};

static const struct column columns_of_status[CELLS] = {
	[CELL_LINK] = {.head = "LINK", .width = 15},
	[CELL_SUBNET] = {.head = "SUBNET", .width = 18},
	[CELL_STATE] = {.head = "STATE", .width = 11},
	[CELL_TABLE] = {.head = "TABLE", .width = 5, .is_right = true},
	[CELL_NEXT_HOP] = {.head = "NEXT HOP", .width = 15},
	[CELL_METRIC] = {.head = "METRIC", .width = 6, .is_right = true},
};

struct row {
	struct column_cell cells[CELLS];
	/* What the cells point to, where it is not in the reply. */
	struct phrase table;
	struct phrase next_hop;
	struct phrase metric;
};

/* --- the table of the subnets --- */

static const char *metric_of(struct json_object *hop, struct phrase *ret)
{
	int64_t metric = field_int(hop, "metric", -1);

	if (metric < 0)
		return "";
	(void)snprintf(ret->text, sizeof(ret->text), "%" PRId64, metric);
	return ret->text;
}

static void row_fill(struct json_object *subnet, struct row *ret)
{
	struct json_object *next =
		field_get(subnet, "default", json_type_object);
	const struct state *state = state_of_subnet(subnet);
	const char *link = field_text(subnet, "link", "?");
	bool managed = field_bool(subnet, "managed", false);
	int64_t table = field_int(subnet, "table", 0);
	size_t i;

	for (i = 0; i < CELLS; i++)
		ret->cells[i].style = managed ? TEXT_PLAIN : TEXT_FAINT;
	ret->cells[CELL_LINK].string = link;
	ret->cells[CELL_SUBNET].string = field_text(subnet, "prefix", "?");
	ret->cells[CELL_STATE].string = state->name;
	ret->cells[CELL_STATE].style = state->style;
	ret->cells[CELL_TABLE].string =
		table > 0 ? phrase_table(table, &ret->table) : "-";
	ret->cells[CELL_NEXT_HOP].string =
		managed ? phrase_next_hop(next, link, &ret->next_hop) : "-";
	ret->cells[CELL_METRIC].string =
		managed ? metric_of(next, &ret->metric) : "";
}

static size_t unmanaged_count(struct json_object *status)
{
	size_t count = 0;
	size_t i;

	for (i = 0; i < field_count(status, "subnets"); i++)
		if (!field_bool(field_at(status, "subnets", i), "managed",
				false))
			count++;
	return count;
}

static bool is_shown(struct json_object *subnet, size_t unmanaged)
{
	return unmanaged <= UNMANAGED_MAX ||
	       field_bool(subnet, "managed", false);
}

static struct columns columns_for(struct json_object *status, size_t unmanaged)
{
	struct columns columns = columns_start(columns_of_status, CELLS, 0);
	struct json_object *subnet;
	struct row row;
	size_t i;

	for (i = 0; i < field_count(status, "subnets"); i++) {
		subnet = field_at(status, "subnets", i);
		if (!is_shown(subnet, unmanaged))
			continue;
		row_fill(subnet, &row);
		columns_fit(&columns, row.cells);
	}
	columns_settle(&columns);
	return columns;
}

/* Managed subnets first: the others are there for completeness. */
static void put_rows(const struct text *text, struct json_object *status,
		     size_t unmanaged)
{
	struct columns columns = columns_for(status, unmanaged);
	struct json_object *subnet;
	struct row row;
	int managed;
	size_t i;

	columns_put_heads(text, &columns);
	for (managed = 1; managed >= 0; managed--) {
		for (i = 0; i < field_count(status, "subnets"); i++) {
			subnet = field_at(status, "subnets", i);
			if (field_bool(subnet, "managed", false) != managed ||
			    !is_shown(subnet, unmanaged))
				continue;
			row_fill(subnet, &row);
			columns_put(text, &columns, row.cells);
		}
	}
}

static void put_subnets(const struct text *text, struct json_object *status)
{
	size_t unmanaged = unmanaged_count(status);
	struct phrase phrase;

	if (field_count(status, "subnets") == 0) {
		text_wrap(text, 0, "No subnets: no address on any link.");
		return;
	}
	if (unmanaged <= UNMANAGED_MAX ||
	    field_count(status, "subnets") > unmanaged)
		put_rows(text, status, unmanaged);
	if (unmanaged == field_count(status, "subnets"))
		text_wrap_styled(text, TEXT_WARN, 0,
				 "No subnet is managed: none has a router.");
	if (unmanaged > UNMANAGED_MAX)
		text_say(text, TEXT_FAINT, 0,
			 "and %s that are not managed: 'multihomectl subnets' "
			 "shows them",
			 phrase_count((int64_t)unmanaged, "subnet", &phrase));
}

/* A word for each state that was shown. */
static void put_meanings(const struct text *text, struct json_object *status)
{
	bool seen[STATES] = {false};
	size_t i;

	for (i = 0; i < field_count(status, "subnets"); i++)
		seen[state_of_subnet(field_at(status, "subnets", i)) - states] =
			true;
	for (i = 0; i < STATES; i++) {
		if (!seen[i])
			continue;
		text_put(text, states[i].style, 0, states[i].name);
		text_put(text, TEXT_FAINT, 0, ": ");
		text_wrap_styled(text, TEXT_FAINT,
				 text_width(states[i].name) + GAP,
				 states[i].meaning);
	}
}

/* --- above and below it --- */

static void put_head(const struct text *text, struct json_object *status)
{
	bool steady = field_bool(status, "steady", false);
	size_t problems = field_count(status, "problems");
	struct phrase phrase;

	(void)snprintf(phrase.text, sizeof(phrase.text), "multihomed %.12s: ",
		       field_text(status, "version", "?"));
	text_put(text, TEXT_HEAD, 0, phrase.text);
	text_put(text, steady ? TEXT_GOOD : TEXT_WARN, 0,
		 steady ? "steady" : "busy (changes are due)");
	text_put(text, TEXT_PLAIN, 0, ", ");
	text_put(text, problems > 0 ? TEXT_BAD : TEXT_GOOD, 0,
		 problems > 0
			 ? phrase_count((int64_t)problems, "problem", &phrase)
			 : "no problems");
	(void)snprintf(phrase.text, sizeof(phrase.text), ", %.6s model",
		       field_text(status, "model", "?"));
	text_put(text, TEXT_PLAIN, 0, phrase.text);
	(void)fputc('\n', text->out);
}

static void put_problems(const struct text *text, struct json_object *status)
{
	struct json_object *problem;
	size_t i;

	for (i = 0; i < field_count(status, "problems"); i++) {
		problem = field_at(status, "problems", i);
		text_put(text, TEXT_BAD, GAP, "!");
		text_wrap(text, GAP,
			  problem ? json_object_get_string(problem) : "?");
	}
}

static void put_trial(const struct text *text, struct json_object *status)
{
	struct json_object *trial =
		field_get(status, "trial", json_type_object);
	struct phrase span;

	if (trial)
		text_say(text, TEXT_WARN, 0,
			 "A new configuration is on trial: %s left, then the "
			 "old one returns; 'multihomectl confirm' keeps it.",
			 phrase_span(field_double(trial, "seconds_left", 0),
				     &span));
}

static void put_tunnels(const struct text *text, struct json_object *status)
{
	static const struct {
		const char *key;
		const char *name;
	} families[] = {{"ipv4", "IPv4"}, {"ipv6", "IPv6"}};
	struct json_object *vpn = field_get(status, "vpn", json_type_object);
	const char *policy;
	size_t i;

	for (i = 0; i < 2; i++) {
		policy = field_text(vpn, families[i].key, "none");
		if (strcmp(policy, "yield") == 0)
			text_say(text, TEXT_WARN, 0,
				 "%s: a full tunnel takes all traffic; our "
				 "rules are withdrawn meanwhile.",
				 families[i].name);
		else if (strcmp(policy, "override") == 0)
			text_say(text, TEXT_WARN, 0,
				 "%s: a full tunnel is up; our rules stay "
				 "(vpn = \"override\").",
				 families[i].name);
	}
}

static void put_change(const struct text *text, struct json_object *status)
{
	struct json_object *change =
		field_get(status, "last_change", json_type_object);
	struct phrase when;

	if (!change)
		return;
	text_say(text, TEXT_PLAIN, 0, "Last change %s: %s",
		 phrase_when(field_double(change, "time", 0),
			     field_double(change, "seconds_ago", 0), &when),
		 field_text(change, "what", "?"));
}

static void put_pins(const struct text *text, struct json_object *status)
{
	static const struct {
		const char *key;
		const char *words;
	} kinds[] = {{"path", "pinned"}, {"hold", "held"}, {"away", "away"}};
	struct json_object *pins = field_get(status, "pins", json_type_object);
	struct phrase count;
	struct phrase all = {""};
	size_t len = 0;
	size_t i;

	for (i = 0; i < 3; i++) {
		int64_t n = field_int(pins, kinds[i].key, 0);

		if (n <= 0)
			continue;
		(void)snprintf(all.text + len, sizeof(all.text) - len,
			       "%s%.60s %s", len ? ", " : "",
			       len ? phrase_number(n, &count)
				   : phrase_count(n, "destination", &count),
			       kinds[i].words);
		len = strlen(all.text);
	}
	if (len)
		text_say(text, TEXT_PLAIN, 0,
			 "Running connections: %s; see 'multihomectl pins'",
			 all.text);
}

static void put_counts(const struct text *text, struct json_object *status)
{
	struct json_object *routes =
		field_get(status, "routes", json_type_object);
	double uptime = field_double(status, "uptime", -1);
	struct phrase ipv4;
	struct phrase ipv6;
	struct phrase ops;
	struct phrase span;

	if (!routes)
		return;
	text_say(text, TEXT_PLAIN, 0,
		 "%s%s%s%s IPv4 and %s IPv6 routes in our tables, %s written",
		 uptime < 0 ? "" : "Up for ",
		 uptime < 0 ? "" : phrase_span(uptime, &span),
		 uptime < 0 ? "" : ": ",
		 phrase_number(field_int(routes, "ipv4", 0), &ipv4),
		 phrase_number(field_int(routes, "ipv6", 0), &ipv6),
		 phrase_count(field_int(status, "ops", 0), "change", &ops));
}

void render_status(const struct text *text, struct json_object *reply,
		   struct json_object *previous)
{
	(void)previous;
	put_head(text, reply);
	put_problems(text, reply);
	put_trial(text, reply);
	put_tunnels(text, reply);
	(void)fputc('\n', text->out);
	put_subnets(text, reply);
	(void)fputc('\n', text->out);
	put_pins(text, reply);
	put_change(text, reply);
	put_counts(text, reply);
	put_meanings(text, reply);
}
