/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's MPTCP endpoints, a row for each, and its limits. */
#include "render/render.h"

#include <string.h>

#include "control/field.h"
#include "render/columns.h"
#include "render/connections.h"
#include "render/phrase.h"

enum {
	KERNEL_ENDPOINTS = 8, /* more are refused */
};

enum cell {
	CELL_ADDRESS,
	CELL_ID,
	CELL_LINK,
	CELL_FLAGS,
	CELL_OWNER,
	CELLS,
};

static const struct column columns_of_endpoints[CELLS] = {
	[CELL_ADDRESS] = {.head = "ADDRESS", .width = 24},
	[CELL_ID] = {.head = "ID", .width = 3, .is_right = true},
	[CELL_LINK] = {.head = "LINK", .width = 8},
	[CELL_FLAGS] = {.head = "FLAGS", .width = 16},
	[CELL_OWNER] = {.head = "OWNER", .width = 20},
};

struct endpoint_row {
	struct column_cell cells[CELLS];
	struct phrase id;
	struct phrase flags;
	struct phrase owner;
};

static const char *flags_of(struct json_object *endpoint, struct phrase *ret)
{
	size_t len = 0;
	size_t i;

	ret->text[0] = '\0';
	for (i = 0; i < field_count(endpoint, "flags") && len < 100; i++) {
		struct json_object *flag = field_at(endpoint, "flags", i);

		(void)snprintf(ret->text + len, sizeof(ret->text) - len,
			       "%s%.20s", i ? " " : "",
			       flag ? json_object_get_string(flag) : "?");
		len = strlen(ret->text);
	}
	return len ? ret->text : "-";
}

static bool has_flag(struct json_object *endpoint, const char *name)
{
	size_t i;

	for (i = 0; i < field_count(endpoint, "flags"); i++) {
		struct json_object *flag = field_at(endpoint, "flags", i);

		if (flag && strcmp(json_object_get_string(flag), name) == 0)
			return true;
	}
	return false;
}

static const char *owner_of(struct json_object *endpoint, struct phrase *ret)
{
	double left = field_double(endpoint, "seconds_left", -1);
	struct phrase span;

	if (has_flag(endpoint, "implicit"))
		return "the kernel";
	if (!field_bool(endpoint, "ours", false))
		return "others";
	if (field_bool(endpoint, "kept", false))
		return "ours, kept";
	if (left < 0)
		return "ours";
	(void)snprintf(ret->text, sizeof(ret->text), "ours, %.20s left",
		       phrase_span(left, &span));
	return ret->text;
}

static void row_fill(struct json_object *endpoint, struct endpoint_row *ret)
{
	bool waits = field_double(endpoint, "seconds_left", -1) >= 0 ||
		     field_bool(endpoint, "kept", false);
	size_t i;

	for (i = 0; i < CELLS; i++)
		ret->cells[i].style = TEXT_PLAIN;
	ret->cells[CELL_ADDRESS].string = field_text(endpoint, "address", "?");
	ret->cells[CELL_ID].string =
		phrase_number(field_int(endpoint, "id", 0), &ret->id);
	ret->cells[CELL_LINK].string = field_text(endpoint, "link", "-");
	ret->cells[CELL_FLAGS].string = flags_of(endpoint, &ret->flags);
	ret->cells[CELL_OWNER].string = owner_of(endpoint, &ret->owner);
	if (waits)
		ret->cells[CELL_OWNER].style = TEXT_WARN;
}

static void put_rows(const struct text *text, struct json_object *reply)
{
	struct columns columns = columns_start(columns_of_endpoints, CELLS, 0);
	size_t count = field_count(reply, "endpoints");
	struct endpoint_row row;
	size_t i;

	for (i = 0; i < count; i++) {
		row_fill(field_at(reply, "endpoints", i), &row);
		columns_fit(&columns, row.cells);
	}
	columns_settle(&columns);
	columns_put_heads(text, &columns);
	for (i = 0; i < count; i++) {
		row_fill(field_at(reply, "endpoints", i), &row);
		columns_put(text, &columns, row.cells);
	}
	(void)fputc('\n', text->out);
}

static void put_missing(const struct text *text, struct json_object *reply)
{
	bool full = field_count(reply, "endpoints") >= KERNEL_ENDPOINTS;
	size_t i;

	for (i = 0; i < field_count(reply, "missing"); i++) {
		struct json_object *addr = field_at(reply, "missing", i);

		text_say(text, TEXT_WARN, 0,
			 "%s should have an endpoint and has none: %s",
			 addr ? json_object_get_string(addr) : "?",
			 full ? "the kernel takes 8 in all."
			      : "somebody removed it; 'multihomectl reload' "
				"adds it again.");
	}
}

/* A word in the table that needs more words. */
static void put_kept(const struct text *text, struct json_object *reply)
{
	size_t i;

	for (i = 0; i < field_count(reply, "endpoints"); i++)
		if (field_bool(field_at(reply, "endpoints", i), "kept",
			       false)) {
			text_wrap(text, 0,
				  "kept: its path is gone, but a connection "
				  "has no other subflow, and would end with "
				  "it.");
			return;
		}
}

static void put_manager(const struct text *text, struct json_object *reply)
{
	if (strcmp(field_text(reply, "path_manager", ""), "userspace") != 0)
		return;
	if (!field_bool(reply, "manages", false))
		text_wrap_styled(text, TEXT_BAD, 0,
				 "The daemon could not become the path "
				 "manager: the log says why. Connections have "
				 "one path.");
	else if (field_int(reply, "connections_total", 0) == 0)
		text_wrap(text, 0,
			  "The daemon is the path manager. There is no "
			  "connection.");
}

/* Two path managers in user space undo each other's work. */
static void put_others(const struct text *text, struct json_object *reply)
{
	size_t i;

	for (i = 0; i < field_count(reply, "others"); i++) {
		struct json_object *port = field_at(reply, "others", i);

		text_say(text, TEXT_WARN, 0,
			 "Netlink port %lld (mostly a process number) listens "
			 "to MPTCP events too: mptcpd?",
			 port ? (long long)json_object_get_int64(port) : 0);
	}
}

void render_mptcp(const struct text *text, struct json_object *reply,
		  struct json_object *previous)
{
	struct json_object *limits =
		field_get(reply, "limits", json_type_object);
	const char *unknown = field_text(reply, "unknown_token", NULL);
	const char *error = field_text(reply, "kernel_error", NULL);
	const char *manager = field_text(reply, "path_manager", "");
	bool is_off = strcmp(manager, "off") == 0;
	bool is_kernel = strcmp(manager, "userspace") != 0;

	(void)previous;
	if (!field_bool(reply, "available", false)) {
		text_wrap(text, 0, "This kernel has no MPTCP.");
		return;
	}
	if (unknown) {
		text_say(text, TEXT_BAD, 0, "There is no connection %s.",
			 unknown);
		return;
	}
	connections_put(text, reply);
	if (error)
		text_say(text, TEXT_BAD, 0,
			 "The kernel cannot be asked for endpoints (%s). The "
			 "daemon tries again.",
			 error);
	else if (field_count(reply, "endpoints") > 0)
		put_rows(text, reply);
	else if (is_kernel)
		text_wrap(text, 0, "No endpoints: connections have one path.");
	put_manager(text, reply);
	put_kept(text, reply);
	put_missing(text, reply);
	put_others(text, reply);
	if (limits && is_kernel)
		text_say(text, TEXT_PLAIN, 0,
			 "A connection may have %lld more subflows, and take "
			 "%lld addresses that its peer announces.",
			 (long long)field_int(limits, "subflows", 0),
			 (long long)field_int(limits, "accepted", 0));
	if (is_off)
		text_wrap(
			text, 0,
			"mptcp.path_manager is \"off\": endpoints are none of "
			"the daemon's business.");
}
