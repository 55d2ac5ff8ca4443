/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * MPTCP connections: each with its subflows, what failed and where its peer is.
 */
#include "render/connections.h"

#include <inttypes.h>
#include <string.h>

#include "control/field.h"
#include "render/columns.h"
#include "render/phrase.h"

enum {
	INDENT = 2
};

enum cell {
	CELL_SOURCE,
	CELL_DESTINATION,
	CELL_LINK,
	CELL_NEXT_HOP,
	CELL_STATE,
	CELL_SENT,
	CELL_RECEIVED,
	CELLS,
};

static const struct column columns_of_subflows[CELLS] = {
	[CELL_SOURCE] = {.head = "SOURCE", .width = 15},
	[CELL_DESTINATION] = {.head = "DESTINATION", .width = 15},
	[CELL_LINK] = {.head = "LINK", .width = 6},
	[CELL_NEXT_HOP] = {.head = "NEXT HOP", .width = 12},
	[CELL_STATE] = {.head = "STATE", .width = 9},
	[CELL_SENT] = {.head = "SENT", .width = 6, .is_right = true},
	[CELL_RECEIVED] = {.head = "RECEIVED", .width = 8, .is_right = true},
};

struct subflow_row {
	struct column_cell cells[CELLS];
	struct phrase destination;
	struct phrase state;
	struct phrase sent;
	struct phrase received;
};

/* "17 B", "2.3 kB", "1.8 GB". */
static const char *phrase_bytes(int64_t bytes, struct phrase *ret)
{
	static const char units[] = "BkMGTPE";
	double value = (double)bytes;
	size_t i = 0;

	while (value >= 1000 && units[i + 1]) {
		value /= 1000;
		i++;
	}
	if (i == 0)
		(void)snprintf(ret->text, sizeof(ret->text), "%" PRId64 " B",
			       bytes);
	else
		(void)snprintf(ret->text, sizeof(ret->text), "%.*f %cB",
			       value < 10 ? 1 : 0, value, units[i]);
	return ret->text;
}

/* An address with its port. */
static const char *phrase_end(const char *addr, int64_t port,
			      struct phrase *ret)
{
	bool is_v6 = strchr(addr, ':');

	(void)snprintf(ret->text, sizeof(ret->text), "%s%.60s%s:%" PRId64,
		       is_v6 ? "[" : "", addr, is_v6 ? "]" : "", port);
	return ret->text;
}

/* Its state, or where it is open whether it leaves as it should. */
static void fill_state(struct json_object *subflow, struct subflow_row *ret)
{
	const char *state = field_text(subflow, "state", "?");
	bool congruent = field_bool(subflow, "congruent", false);
	bool is_open = strcmp(state, "open") == 0;

	(void)snprintf(ret->state.text, sizeof(ret->state.text), "%.20s%s",
		       is_open ? congruent ? "congruent" : "weak" : state,
		       field_bool(subflow, "backup", false) ? ", backup" : "");
	ret->cells[CELL_STATE].string = ret->state.text;
	ret->cells[CELL_STATE].style =
		is_open && congruent ? TEXT_GOOD : TEXT_WARN;
}

static void row_fill(struct json_object *subflow, struct subflow_row *ret)
{
	size_t i;

	for (i = 0; i < CELLS; i++)
		ret->cells[i].style = TEXT_PLAIN;
	ret->cells[CELL_SOURCE].string = field_text(subflow, "source", "?");
	ret->cells[CELL_DESTINATION].string = phrase_end(
		field_text(subflow, "destination", "?"),
		field_int(subflow, "destination_port", 0), &ret->destination);
	ret->cells[CELL_LINK].string = field_text(subflow, "link", "-");
	ret->cells[CELL_NEXT_HOP].string = field_text(subflow, "via", "-");
	fill_state(subflow, ret);
	ret->cells[CELL_SENT].string =
		phrase_bytes(field_int(subflow, "sent", 0), &ret->sent);
	ret->cells[CELL_RECEIVED].string =
		phrase_bytes(field_int(subflow, "received", 0), &ret->received);
}

static void put_subflows(const struct text *text,
			 struct json_object *connection)
{
	struct columns columns =
		columns_start(columns_of_subflows, CELLS, INDENT);
	size_t count = field_count(connection, "subflows");
	struct subflow_row row;
	size_t i;

	for (i = 0; i < count; i++) {
		row_fill(field_at(connection, "subflows", i), &row);
		columns_fit(&columns, row.cells);
	}
	columns_settle(&columns);
	columns_put_heads(text, &columns);
	for (i = 0; i < count; i++) {
		row_fill(field_at(connection, "subflows", i), &row);
		columns_put(text, &columns, row.cells);
	}
}

static void put_failed(const struct text *text, struct json_object *connection)
{
	size_t i;

	for (i = 0; i < field_count(connection, "failed"); i++) {
		struct json_object *way = field_at(connection, "failed", i);
		double left = field_double(way, "seconds_left", 0);
		struct phrase times;
		struct phrase span;

		text_say(text, TEXT_WARN, INDENT,
			 "From %s to %s: failed %s, last with %s; %s%s.",
			 field_text(way, "source", "?"),
			 field_text(way, "destination", "?"),
			 phrase_count(field_int(way, "failures", 0), "time",
				      &times),
			 field_text(way, "error", "no error"),
			 !field_bool(way, "has_path", true)
				 ? "again when it has a path"
			 : left > 0 ? "again in "
				    : "again now",
			 field_bool(way, "has_path", true) && left > 0
				 ? phrase_span(left, &span)
				 : "");
	}
}

/* Its first address is that of the first subflow. */
static void put_peer(const struct text *text, struct json_object *connection)
{
	size_t i;

	for (i = 0; i < field_count(connection, "peer"); i++) {
		struct json_object *it = field_at(connection, "peer", i);
		bool usable = field_bool(it, "usable", true);
		struct phrase end;

		if (field_int(it, "id", 0) == 0) {
			if (!usable)
				text_say(text, TEXT_PLAIN, INDENT,
					 "The peer takes no further subflows "
					 "at the address that was connected "
					 "to.");
			continue;
		}
		text_say(text, TEXT_PLAIN, INDENT,
			 "The peer %s be reached at %s%s.",
			 usable ? "can" : "cannot",
			 phrase_end(field_text(it, "address", "?"),
				    field_int(it, "port", 0), &end),
			 usable ? " too"
				: ": the socket is of the other family");
	}
}

static void put_connection(const struct text *text,
			   struct json_object *connection)
{
	bool managed = field_bool(connection, "managed", false);
	const char *by = field_bool(connection, "passive", false)
				 ? ", opened by the peer"
				 : ", opened from here";

	text_say(text, TEXT_HEAD, 0, "Connection %s%s%s",
		 field_text(connection, "token", "?"), managed ? by : "",
		 managed ? ", managed by the daemon" : "");
	put_subflows(text, connection);
	put_failed(text, connection);
	put_peer(text, connection);
	(void)fputc('\n', text->out);
}

void connections_put(const struct text *text, struct json_object *reply)
{
	size_t count = field_count(reply, "connections");
	int64_t total = field_int(reply, "connections_total", 0);
	struct phrase number;
	size_t i;

	for (i = 0; i < count; i++)
		put_connection(text, field_at(reply, "connections", i));
	if (count > 1 && total > (int64_t)count)
		text_say(text, TEXT_PLAIN, 0,
			 "There are %s connections; 'multihomectl mptcp TOKEN' "
			 "shows one of them.",
			 phrase_number(total, &number));
}
