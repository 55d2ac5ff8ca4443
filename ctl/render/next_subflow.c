/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "render/next_subflow.h"

#include <string.h>

#include "control/field.h"
#include "render/columns.h"
#include "render/phrase.h"

enum {
	INDENT = 2
};

enum cell {
	CELL_MARK,
	CELL_SOURCE,
	CELL_NEXT_HOP,
	CELL_METRIC,
	CELL_WHY,
	CELLS,
};

static const struct column columns_of_ways[CELLS] = {
	[CELL_MARK] = {.head = "", .width = 1},
	[CELL_SOURCE] = {.head = "SOURCE", .width = 16},
	[CELL_NEXT_HOP] = {.head = "NEXT HOP", .width = 20},
	[CELL_METRIC] = {.head = "METRIC", .width = 7, .is_right = true},
	[CELL_WHY] = {.head = "", .width = 26, .wraps = true},
};

struct way_row {
	struct column_cell cells[CELLS];
	struct phrase hop;
	struct phrase metric;
};

static void row_fill(struct json_object *way, struct way_row *ret)
{
	bool chosen = strcmp(field_text(way, "verdict", ""), "chosen") == 0;
	size_t i;

	for (i = 0; i < CELLS; i++)
		ret->cells[i].style = chosen ? TEXT_GOOD : TEXT_PLAIN;
	ret->cells[CELL_MARK].string = chosen ? "*" : "";
	ret->cells[CELL_SOURCE].string = field_text(way, "source", "-");
	ret->cells[CELL_NEXT_HOP].string =
		phrase_next_hop(way, NULL, &ret->hop);
	ret->cells[CELL_METRIC].string =
		phrase_number(field_int(way, "metric", 0), &ret->metric);
	ret->cells[CELL_WHY].string = field_text(way, "why", "?");
}

static void put_ways(const struct text *text, struct json_object *next)
{
	struct columns columns = columns_start(columns_of_ways, CELLS, INDENT);
	size_t count = field_count(next, "ways");
	struct way_row row;
	size_t i;

	for (i = 0; i < count; i++) {
		row_fill(field_at(next, "ways", i), &row);
		columns_fit(&columns, row.cells);
	}
	columns_settle(&columns);
	columns_put_heads(text, &columns);
	for (i = 0; i < count; i++) {
		row_fill(field_at(next, "ways", i), &row);
		columns_put(text, &columns, row.cells);
	}
}

static void put_end(const struct text *text, struct json_object *next)
{
	const char *source = field_text(next, "source", "?");

	switch (field_int(next, "step", 0)) {
	case 2:
		text_wrap_styled(text, TEXT_WARN, 0,
				 "Step 2: no route that a subflow can take: "
				 "another address of the peer is tried, if it "
				 "has told of one.");
		break;
	case 4:
		text_wrap_styled(text, TEXT_WARN, 0,
				 "Step 4: none remains: no further subflow to "
				 "this address.");
		break;
	case 5:
		text_say(text, TEXT_GOOD, 0,
			 "Step 5: the lowest metric: the subflow is bound to "
			 "%s%s.",
			 source,
			 field_bool(next, "backup", false) ? ", as a backup"
							   : "");
		break;
	default:
		break;
	}
}

void next_subflow_put(const struct text *text, struct json_object *reply)
{
	struct json_object *next =
		field_get(reply, "subflow", json_type_object);

	if (!next)
		return;
	(void)fputc('\n', text->out);
	text_say(text, TEXT_HEAD, 0,
		 "A further MPTCP subflow of that connection (section 5.1):");
	if (field_count(next, "ways") > 0) {
		text_wrap(text, 0,
			  "Steps 1 and 3: the routes with the longest prefix, "
			  "less those on the subnet of an address in use:");
		put_ways(text, next);
	}
	put_end(text, next);
}
