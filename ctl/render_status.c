/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The status page. What is wrong comes first and in colour; the table of the
 * subnets has the state before the details, and the details move to a line of
 * their own where 80 columns are too few for them.
 */
#include "render.h"

#include <string.h>

#include "control/field.h"

enum {
	CELL_MAX = 256,
	GAP = 2, /* between two columns */
};

/* What a subnet's default means for its packets. */
static const struct state {
	const char *kind; /* in the reply */
	const char *name;
	enum text_style style;
	const char *meaning; /* NULL: needs none */
} states[] = {
	{"congruent", "congruent", TEXT_GOOD, NULL},
	{"weak", "weak", TEXT_WARN,
	 "no router fits this source: packets leave by the lowest metric"},
	{"unreachable", "unreachable", TEXT_BAD,
	 "no router fits this source: packets are dropped (strong model)"},
	{"none", "no default", TEXT_BAD, "nothing leads to the Internet"},
	{"no rules", "no rules", TEXT_WARN,
	 "our rules are not in place: the kernel uses table main"},
	{"not managed", "not managed", TEXT_FAINT, NULL},
	{NULL, "?", TEXT_BAD, NULL},
};

#define STATES (sizeof(states) / sizeof(states[0]) - 1)

enum column {
	COLUMN_LINK,
	COLUMN_SUBNET,
	COLUMN_STATE,
	COLUMN_TABLE,
	COLUMN_DEFAULT,
	COLUMNS,
};

static const char *const heads[COLUMNS] = {
	"LINK", "SUBNET", "STATE", "TABLE", "DEFAULT",
};

struct row {
	char cells[COLUMNS][CELL_MAX];
	const struct state *state;
};

struct layout {
	int width[COLUMNS];
	bool two_lines;
};

static const struct state *state_find(struct json_object *subnet)
{
	const char *kind = field_text(
		field_get(subnet, "default", json_type_object), "kind", "");
	size_t i;

	if (!field_bool(subnet, "managed", false))
		kind = "not managed";
	else if (field_count(subnet, "rules") == 0)
		kind = "no rules";
	for (i = 0; i < STATES; i++)
		if (strcmp(states[i].kind, kind) == 0)
			break;
	return &states[i];
}

static void append(char *cell, const char *word, const char *value)
{
	size_t len = strlen(cell);

	if (value)
		(void)snprintf(cell + len, CELL_MAX - len, "%s%s %s",
			       len > 0 ? " " : "", word, value);
}

/* "via 192.0.2.1 dev eth1 metric 100", less what the row says already. */
static void format_default(struct json_object *subnet, char *cell)
{
	struct json_object *next =
		field_get(subnet, "default", json_type_object);
	const char *dev = field_text(next, "dev", NULL);
	const char *via = field_text(next, "via", NULL);
	int64_t metric = field_int(next, "metric", -1);
	char number[32];

	cell[0] = '\0';
	append(cell, "via", via);
	if (dev && via && strcmp(dev, field_text(subnet, "link", "")) == 0)
		dev = NULL;
	append(cell, "dev", dev);
	(void)snprintf(number, sizeof(number), "%lld", (long long)metric);
	append(cell, "metric", metric > 0 ? number : NULL);
	if (cell[0] == '\0')
		(void)snprintf(cell, CELL_MAX, "-");
}

static struct row row_of(struct json_object *subnet)
{
	struct row row = {.state = state_find(subnet)};
	int64_t table = field_int(subnet, "table", 0);

	(void)snprintf(row.cells[COLUMN_LINK], CELL_MAX, "%s",
		       field_text(subnet, "link", "?"));
	(void)snprintf(row.cells[COLUMN_SUBNET], CELL_MAX, "%s",
		       field_text(subnet, "prefix", "?"));
	(void)snprintf(row.cells[COLUMN_STATE], CELL_MAX, "%s",
		       row.state->name);
	(void)snprintf(row.cells[COLUMN_TABLE], CELL_MAX, "-");
	if (table > 0)
		(void)snprintf(row.cells[COLUMN_TABLE], CELL_MAX, "%lld",
			       (long long)table);
	format_default(subnet, row.cells[COLUMN_DEFAULT]);
	return row;
}

static struct layout layout_of(struct json_object *status)
{
	struct layout layout = {0};
	struct row row;
	int total = (COLUMNS - 1) * GAP;
	int width;
	size_t i;
	int column;

	for (column = 0; column < COLUMNS; column++)
		layout.width[column] = text_width(heads[column]);
	for (i = 0; i < field_count(status, "subnets"); i++) {
		row = row_of(field_at(status, "subnets", i));
		for (column = 0; column < COLUMNS; column++) {
			width = text_width(row.cells[column]);
			if (width > layout.width[column])
				layout.width[column] = width;
		}
	}
	for (column = 0; column < COLUMNS; column++)
		total += layout.width[column];
	layout.two_lines = total > TEXT_COLUMNS;
	return layout;
}

static void put_gap(const struct text *text)
{
	text_put(text, TEXT_PLAIN, GAP, "");
}

/* The second line of a row that needs two. */
static void render_details(const struct text *text, const struct row *row)
{
	char line[3 * CELL_MAX];
	int indent = 2 * GAP;

	(void)snprintf(line, sizeof(line), "table %s default %s",
		       row->cells[COLUMN_TABLE], row->cells[COLUMN_DEFAULT]);
	text_put(text, TEXT_PLAIN, indent, "");
	text_wrap(text, indent, line);
}

static void render_row(const struct text *text, const struct layout *layout,
		       const struct row *row)
{
	text_put(text, TEXT_PLAIN, layout->width[COLUMN_LINK],
		 row->cells[COLUMN_LINK]);
	put_gap(text);
	text_put(text, TEXT_PLAIN, layout->width[COLUMN_SUBNET],
		 row->cells[COLUMN_SUBNET]);
	put_gap(text);
	if (layout->two_lines) {
		text_put(text, row->state->style, 0, row->cells[COLUMN_STATE]);
		(void)fputc('\n', text->out);
		if (strcmp(row->cells[COLUMN_TABLE], "-") != 0)
			render_details(text, row);
		return;
	}
	text_put(text, row->state->style, layout->width[COLUMN_STATE],
		 row->cells[COLUMN_STATE]);
	put_gap(text);
	text_put_right(text, TEXT_PLAIN, layout->width[COLUMN_TABLE],
		       row->cells[COLUMN_TABLE]);
	put_gap(text);
	text_put(text, TEXT_PLAIN, 0, row->cells[COLUMN_DEFAULT]);
	(void)fputc('\n', text->out);
}

static void render_heads(const struct text *text, const struct layout *layout)
{
	int columns = layout->two_lines ? COLUMN_TABLE : COLUMNS;
	int column;

	for (column = 0; column < columns; column++) {
		if (column > 0)
			put_gap(text);
		text_put(text, TEXT_HEAD,
			 column + 1 < columns ? layout->width[column] : 0,
			 heads[column]);
	}
	(void)fputc('\n', text->out);
}

static void render_meanings(const struct text *text, struct json_object *status)
{
	bool seen[STATES + 1] = {false};
	const struct state *state;
	size_t i;

	for (i = 0; i < field_count(status, "subnets"); i++) {
		state = state_find(field_at(status, "subnets", i));
		seen[state - states] = true;
	}
	for (i = 0; i < STATES; i++) {
		if (!seen[i] || !states[i].meaning)
			continue;
		text_put(text, states[i].style, 0, states[i].name);
		text_put(text, TEXT_PLAIN, 0, ": ");
		text_wrap(text, text_width(states[i].name) + GAP,
			  states[i].meaning);
	}
}

/* Managed subnets first: the others are there for completeness. */
static void render_subnets(const struct text *text, struct json_object *status)
{
	struct layout layout = layout_of(status);
	size_t count = field_count(status, "subnets");
	struct json_object *subnet;
	struct row row;
	int managed;
	size_t i;

	if (count == 0) {
		text_wrap(text, 0, "No subnets: no address on any link.");
		return;
	}
	render_heads(text, &layout);
	for (managed = 1; managed >= 0; managed--) {
		for (i = 0; i < count; i++) {
			subnet = field_at(status, "subnets", i);
			if (field_bool(subnet, "managed", false) != managed)
				continue;
			row = row_of(subnet);
			render_row(text, &layout, &row);
		}
	}
	render_meanings(text, status);
}

static void render_head(const struct text *text, struct json_object *status)
{
	bool steady = field_bool(status, "steady", false);
	size_t problems = field_count(status, "problems");
	char line[CELL_MAX];

	(void)snprintf(line, sizeof(line), "multihomed %s (pid %lld): ",
		       field_text(status, "version", "?"),
		       (long long)field_int(status, "pid", 0));
	text_put(text, TEXT_HEAD, 0, line);
	text_put(text, steady ? TEXT_GOOD : TEXT_WARN, 0,
		 steady ? "steady" : "busy");
	text_put(text, TEXT_PLAIN, 0, ", ");
	(void)snprintf(line, sizeof(line), "%zu problem%s", problems,
		       problems == 1 ? "" : "s");
	text_put(text, problems > 0 ? TEXT_BAD : TEXT_GOOD, 0,
		 problems > 0 ? line : "no problems");
	(void)snprintf(line, sizeof(line), ", %s model",
		       field_text(status, "model", "?"));
	text_put(text, TEXT_PLAIN, 0, line);
	(void)fputc('\n', text->out);
}

static void render_problems(const struct text *text, struct json_object *status)
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

/* Time as people say it. */
static void format_ago(double seconds, char *line, size_t size)
{
	if (seconds < 1)
		(void)snprintf(line, size, "just now");
	else if (seconds < 120)
		(void)snprintf(line, size, "%.0f s ago", seconds);
	else if (seconds < 2 * 3600)
		(void)snprintf(line, size, "%.0f min ago", seconds / 60);
	else if (seconds < 48 * 3600)
		(void)snprintf(line, size, "%.0f h ago", seconds / 3600);
	else
		(void)snprintf(line, size, "%.0f days ago", seconds / 86400);
}

static void render_change(const struct text *text, struct json_object *status)
{
	struct json_object *change =
		field_get(status, "last_change", json_type_object);
	char line[CELL_MAX];
	char ago[64];

	if (!change)
		return;
	format_ago(field_double(change, "seconds_ago", 0), ago, sizeof(ago));
	(void)snprintf(line, sizeof(line), "last change %s: %s", ago,
		       field_text(change, "what", "?"));
	text_wrap(text, 0, line);
}

static void render_vpn(const struct text *text, struct json_object *status)
{
	static const struct {
		const char *key;
		const char *name;
	} families[] = {{"ipv4", "IPv4"}, {"ipv6", "IPv6"}};
	struct json_object *vpn = field_get(status, "vpn", json_type_object);
	const char *policy;
	bool yields;
	size_t i;

	for (i = 0; i < 2; i++) {
		policy = field_text(vpn, families[i].key, "none");
		if (strcmp(policy, "none") == 0)
			continue;
		yields = strcmp(policy, "yield") == 0;
		text_put(text, TEXT_WARN, 0, families[i].name);
		text_put(text, TEXT_WARN, 0, " full tunnel: ");
		text_wrap(text, (int)strlen("IPv4 full tunnel: "),
			  yields ? "our rules are withdrawn while it is up"
				 : "our rules stay before the tunnel's");
	}
}

static void render_counts(const struct text *text, struct json_object *status)
{
	struct json_object *routes =
		field_get(status, "routes", json_type_object);
	char line[CELL_MAX];

	if (!routes)
		return;
	(void)snprintf(line, sizeof(line),
		       "%lld IPv4 and %lld IPv6 routes in our tables, "
		       "%lld changes written since the start",
		       (long long)field_int(routes, "ipv4", 0),
		       (long long)field_int(routes, "ipv6", 0),
		       (long long)field_int(status, "ops", 0));
	text_wrap(text, 0, line);
}

void render_status(const struct text *text, struct json_object *status)
{
	render_head(text, status);
	render_problems(text, status);
	render_vpn(text, status);
	(void)fputc('\n', text->out);
	render_subnets(text, status);
	(void)fputc('\n', text->out);
	render_change(text, status);
	render_counts(text, status);
}
