/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What our tables hold. It comes bit by bit and can be long, so the widths are
 * fixed: a prefix that is too long for its column has a line of its own.
 */
#include "render/render.h"

#include <inttypes.h>
#include <string.h>

#include "control/field.h"
#include "render/columns.h"
#include "render/phrase.h"

enum {
	INDENT = 4,
};

enum cell {
	CELL_PREFIX,
	CELL_KIND,
	CELL_NEXT_HOP,
	CELL_METRIC,
	CELLS,
};

static const struct column columns_of_table[CELLS] = {
	[CELL_PREFIX] = {.head = "PREFIX", .width = 18},
	[CELL_KIND] = {.head = "KIND", .width = 11},
	[CELL_NEXT_HOP] = {.head = "NEXT HOP", .width = 39},
	[CELL_METRIC] = {.head = "METRIC", .width = 6, .is_right = true},
};

/* An entry that is in place needs no words. */
static const struct entry_state {
	const char *key;
	enum text_style style;
	const char *words;
} entry_states[] = {
	{"missing", TEXT_BAD, "missing: wanted, but not in the kernel (yet)"},
	{"differs", TEXT_BAD, "differs: something else is in its place"},
	{"surplus", TEXT_WARN, "surplus: ours, but no longer wanted"},
	{"foreign", TEXT_WARN, "foreign: somebody else's, left alone"},
	{NULL, TEXT_WARN, "not known to this program"},
};

static bool is_same_subnet(struct json_object *a, struct json_object *b)
{
	return a && b && field_int(a, "table", 0) == field_int(b, "table", 0) &&
	       strcmp(field_text(a, "link", ""), field_text(b, "link", "")) ==
		       0 &&
	       strcmp(field_text(a, "prefix", ""),
		      field_text(b, "prefix", "")) == 0;
}

static void put_heading(const struct text *text, const struct columns *columns,
			struct json_object *reply)
{
	struct phrase subnet;
	struct phrase table;

	text_say(text, TEXT_HEAD, 0, "%s, table %s",
		 phrase_subnet(reply, &subnet),
		 phrase_table(field_int(reply, "table", 0), &table));
	if (field_count(reply, "entries") > 0)
		columns_put_heads(text, columns);
	else
		text_say(text, TEXT_FAINT, INDENT, "no entries");
}

/* Most are congruent; what is not shall stand out. */
static struct column_cell kind_cell(struct json_object *entry)
{
	const char *kind = field_text(entry, "kind", "none");
	const struct state *state = state_of_kind(kind);
	const char *pin = field_text(entry, "pin", NULL);

	if (pin)
		return (struct column_cell){strcmp(pin, "hold") == 0 ? "held"
								     : "pinned",
					    TEXT_WARN};

	if (strcmp(kind, "none") == 0)
		return (struct column_cell){"-", TEXT_FAINT};
	return (struct column_cell){state->name, state->style == TEXT_GOOD
							 ? TEXT_PLAIN
							 : state->style};
}

static const char *prefix_of(struct json_object *entry, struct phrase *ret)
{
	const char *prefix = field_text(entry, "prefix", "?");
	int64_t tos = field_int(entry, "tos", 0);

	if (tos == 0)
		return prefix;
	(void)snprintf(ret->text, sizeof(ret->text), "%.200s tos 0x%02" PRIx64,
		       prefix, (uint64_t)tos);
	return ret->text;
}

/* The type stands where a next hop would. */
static const char *first_hop_of(struct json_object *entry, struct phrase *ret)
{
	const char *type = field_text(entry, "type", "unicast");

	if (field_count(entry, "next_hops") > 0)
		return phrase_next_hop(field_at(entry, "next_hops", 0), NULL,
				       ret);
	if (strcmp(type, "throw") == 0)
		return "throw: table main decides";
	return strcmp(type, "unicast") == 0 ? "-" : type;
}

static const char *metric_of(struct json_object *entry, struct phrase *ret)
{
	int64_t metric = field_int(entry, "metric", -1);

	if (metric < 0)
		return "";
	(void)snprintf(ret->text, sizeof(ret->text), "%" PRId64, metric);
	return ret->text;
}

static void put_more_hops(const struct text *text,
			  const struct columns *columns,
			  struct json_object *entry)
{
	struct column_cell cells[CELLS];
	struct phrase hop;
	size_t i;

	for (i = 0; i < CELLS; i++)
		cells[i] = (struct column_cell){"", TEXT_PLAIN};
	for (i = 1; i < field_count(entry, "next_hops"); i++) {
		cells[CELL_NEXT_HOP].string = phrase_next_hop(
			field_at(entry, "next_hops", i), NULL, &hop);
		columns_put(text, columns, cells);
	}
}

static void put_state(const struct text *text, struct json_object *entry)
{
	const char *key = field_text(entry, "state", "in_place");
	const struct entry_state *state = entry_states;
	const char *route = field_text(entry, "route", NULL);

	if (strcmp(key, "in_place") == 0)
		return;
	while (state->key && strcmp(state->key, key) != 0)
		state++;
	text_put(text, state->style, 0, "  ! ");
	text_wrap_styled(text, state->style, INDENT, state->words);
	if (route)
		text_say(text, TEXT_FAINT, INDENT, "%s", route);
}

static void put_entry(const struct text *text, const struct columns *columns,
		      struct json_object *entry)
{
	struct phrase prefix;
	struct phrase hop;
	struct phrase metric;
	const struct column_cell cells[CELLS] = {
		[CELL_PREFIX] = {prefix_of(entry, &prefix), TEXT_PLAIN},
		[CELL_KIND] = kind_cell(entry),
		[CELL_NEXT_HOP] = {first_hop_of(entry, &hop), TEXT_PLAIN},
		[CELL_METRIC] = {metric_of(entry, &metric), TEXT_PLAIN},
	};

	columns_put(text, columns, cells);
	put_more_hops(text, columns, entry);
	put_state(text, entry);
}

void render_table(const struct text *text, struct json_object *reply,
		  struct json_object *previous)
{
	const struct columns columns =
		columns_fixed(columns_of_table, CELLS, 0);
	size_t i;

	if (previous && !is_same_subnet(reply, previous))
		(void)fputc('\n', text->out);
	if (!is_same_subnet(reply, previous))
		put_heading(text, &columns, reply);
	for (i = 0; i < field_count(reply, "entries"); i++)
		put_entry(text, &columns, field_at(reply, "entries", i));
}
