/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which router serves which prefix, a row for each, and what is not known. */
#include "render/render.h"

#include <string.h>

#include "control/field.h"
#include "render/columns.h"
#include "render/phrase.h"

enum cell {
	CELL_ROUTER,
	CELL_LINK,
	CELL_PREFIX,
	CELL_ORIGIN,
	CELL_LEFT,
	CELLS,
};

/* A link-local router and a /64 fit; a row with longer ones has two lines. */
static const struct column columns_of_bindings[CELLS] = {
	[CELL_ROUTER] = {.head = "ROUTER", .width = 25},
	[CELL_LINK] = {.head = "LINK", .width = 8},
	[CELL_PREFIX] = {.head = "PREFIX", .width = 24},
	[CELL_ORIGIN] = {.head = "ORIGIN", .width = 7},
	[CELL_LEFT] = {.head = "LEFT", .width = 8},
};

struct binding_row {
	struct column_cell cells[CELLS];
	struct phrase left;
};

static bool is_of(struct json_object *binding, const char *origin)
{
	return strcmp(field_text(binding, "origin", ""), origin) == 0;
}

static bool has_of(struct json_object *reply, const char *origin)
{
	size_t i;

	for (i = 0; i < field_count(reply, "bindings"); i++)
		if (is_of(field_at(reply, "bindings", i), origin))
			return true;
	return false;
}

static bool has_unnamed(struct json_object *reply, const char *key)
{
	size_t i;

	for (i = 0; i < field_count(reply, "bindings"); i++)
		if (!field_get(field_at(reply, "bindings", i), key,
			       json_type_string))
			return true;
	return false;
}

static void row_fill(struct json_object *binding, struct binding_row *ret)
{
	double left = field_double(binding, "seconds_left", -1);
	size_t i;

	for (i = 0; i < CELLS; i++)
		ret->cells[i].style = TEXT_PLAIN;
	ret->cells[CELL_ROUTER].string = field_text(binding, "router", "any");
	ret->cells[CELL_LINK].string = field_text(binding, "dev", "any");
	ret->cells[CELL_PREFIX].string = field_text(binding, "prefix", "?");
	ret->cells[CELL_ORIGIN].string = field_text(binding, "origin", "?");
	ret->cells[CELL_LEFT].string =
		left < 0 ? "for good" : phrase_span(left, &ret->left);
}

static void put_rows(const struct text *text, struct json_object *reply)
{
	struct columns columns = columns_start(columns_of_bindings, CELLS, 0);
	size_t count = field_count(reply, "bindings");
	struct binding_row row;
	size_t i;

	for (i = 0; i < count; i++) {
		row_fill(field_at(reply, "bindings", i), &row);
		columns_fit(&columns, row.cells);
	}
	columns_settle(&columns);
	columns_put_heads(text, &columns);
	for (i = 0; i < count; i++) {
		row_fill(field_at(reply, "bindings", i), &row);
		columns_put(text, &columns, row.cells);
	}
}

/* @gap: a blank line is due; there is none behind the last of all. */
static void put_note(const struct text *text, enum text_style style, bool *gap,
		     const char *words)
{
	if (*gap)
		(void)fputc('\n', text->out);
	*gap = false;
	text_wrap_styled(text, style, 0, words);
}

static void put_meaning(const struct text *text, struct json_object *reply,
			bool *gap)
{
	bool learned = has_of(reply, "learned");
	bool hears = field_bool(reply, "hears", true);

	if (has_unnamed(reply, "router"))
		put_note(text, TEXT_FAINT, gap,
			 "any router: all next hops over the link.");
	if (has_unnamed(reply, "dev"))
		put_note(text, TEXT_FAINT, gap,
			 "any link: the router wherever it is.");
	if (learned && has_of(reply, "config"))
		put_note(text, TEXT_FAINT, gap,
			 "Where the configuration binds a router or a link, "
			 "only that counts.");
	if (!learned)
		put_note(text, TEXT_PLAIN, gap,
			 hears ? "Nothing is learned: no router advertises a "
				 "prefix now."
			       : "Nothing is learned.");
	if (!learned)
		put_note(text, TEXT_PLAIN, gap,
			 "An IPv6 prefix that no binding claims may use every "
			 "router of its link.");
}

/* Why there may be fewer than there should. */
static const char deafness[] =
	"The daemon does not hear router advertisements itself (it lacks "
	"CAP_NET_RAW, or there is no IPv6): it learns what the kernel passes "
	"on (Linux 6.5 and later), and nothing over links where "
	"systemd-networkd, NetworkManager or dhcpcd take them in the kernel's "
	"place.";

void render_bindings(const struct text *text, struct json_object *reply,
		     struct json_object *previous)
{
	bool gap = field_count(reply, "bindings") > 0;

	(void)previous;
	if (gap)
		put_rows(text, reply);
	put_meaning(text, reply, &gap);
	if (!field_bool(reply, "hears", true))
		put_note(text, TEXT_WARN, &gap, deafness);
}
