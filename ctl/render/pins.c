/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which flows are kept off the plan, a row for each destination. They can be
 * many and come bit by bit, so the widths are fixed.
 */
#include "render/render.h"

#include <string.h>

#include "control/field.h"
#include "render/columns.h"
#include "render/phrase.h"

enum cell {
	CELL_DESTINATION,
	CELL_KIND,
	CELL_PATH,
	CELL_FLOWS,
	CELL_SINCE,
	CELLS,
};

static const struct column columns_of_pins[CELLS] = {
	[CELL_DESTINATION] = {.head = "DESTINATION", .width = 19},
	[CELL_KIND] = {.head = "KIND", .width = 6},
	[CELL_PATH] = {.head = "PATH", .width = 29},
	[CELL_FLOWS] = {.head = "FLOWS", .width = 6, .is_right = true},
	[CELL_SINCE] = {.head = "SINCE", .width = 8, .is_right = true},
};

static const struct pin_kind_words {
	const char *key;
	const char *name;
	enum text_style style;
} kinds[] = {
	{"path", "pinned", TEXT_GOOD},
	{"hold", "held", TEXT_WARN},
	{"away", "away", TEXT_WARN},
	{NULL, "?", TEXT_WARN},
};

static const char meaning[] =
	"pinned: flows stay on the path they began on, while new destinations "
	"take another one. held: their path is gone, and they wait for it. "
	"away: they lost it, and go home when it returns.";

static const struct pin_kind_words *words_of(struct json_object *pin)
{
	const char *key = field_text(pin, "kind", "");
	const struct pin_kind_words *it = kinds;

	while (it->key && strcmp(it->key, key) != 0)
		it++;
	return it;
}

static void put_pin(const struct text *text, const struct columns *columns,
		    struct json_object *pin)
{
	const struct pin_kind_words *words = words_of(pin);
	double left = field_double(pin, "seconds_left", -1);
	struct phrase hop;
	struct phrase flows;
	struct phrase since;
	const struct column_cell cells[CELLS] = {
		[CELL_DESTINATION] = {field_text(pin, "destination", "?"),
				      TEXT_PLAIN},
		[CELL_KIND] = {words->name, words->style},
		[CELL_PATH] = {phrase_next_hop(field_at(pin, "next_hops", 0),
					       NULL, &hop),
			       TEXT_PLAIN},
		[CELL_FLOWS] = {phrase_number(field_int(pin, "flows", 0),
					      &flows),
				TEXT_PLAIN},
		[CELL_SINCE] = {phrase_span(field_double(pin, "seconds", 0),
					    &since),
				TEXT_PLAIN},
	};

	columns_put(text, columns, cells);
	text_say(text, TEXT_FAINT, 4, "from %s: %s",
		 field_text(pin, "prefix", "?"), field_text(pin, "why", "?"));
	if (left >= 0)
		text_say(text, TEXT_WARN, 4, "for %s more",
			 phrase_span(left, &since));
}

void render_pins(const struct text *text, struct json_object *reply,
		 struct json_object *previous)
{
	const struct columns columns = columns_fixed(columns_of_pins, CELLS, 0);
	size_t i;

	if (!previous && field_count(reply, "pins") == 0) {
		text_wrap(text, 0,
			  "No pins: all flows leave as the routes say.");
		return;
	}
	if (!previous) {
		text_wrap_styled(text, TEXT_FAINT, 0, meaning);
		(void)fputc('\n', text->out);
		columns_put_heads(text, &columns);
	}
	for (i = 0; i < field_count(reply, "pins"); i++)
		put_pin(text, &columns, field_at(reply, "pins", i));
}

void render_unpin(const struct text *text, struct json_object *reply,
		  struct json_object *previous)
{
	struct phrase count;

	(void)previous;
	text_say(text, TEXT_PLAIN, 0, "%s let go.",
		 phrase_count(field_int(reply, "pins", 0), "pin", &count));
}
