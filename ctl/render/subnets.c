/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Everything about each subnet, a block of lines for each. */
#include "render/render.h"

#include <inttypes.h>

#include "control/field.h"
#include "render/phrase.h"

enum {
	INDENT = 4,
	VALUE = 15, /* where the values start */
};

static void put_label(const struct text *text, const char *label)
{
	text_put(text, TEXT_PLAIN, INDENT, "");
	text_put(text, TEXT_PLAIN, VALUE - INDENT, label);
}

static void put_head(const struct text *text, struct json_object *subnet)
{
	const struct state *state = state_of_subnet(subnet);
	bool managed = field_bool(subnet, "managed", false);
	struct phrase name;

	text_put(text, managed ? TEXT_HEAD : TEXT_FAINT, 0,
		 phrase_subnet(subnet, &name));
	text_put(text, TEXT_PLAIN, 0, ": ");
	text_put(text, state->style, 0, state->name);
	(void)fputc('\n', text->out);
	text_say(text, TEXT_FAINT, INDENT, "%s", state->meaning);
}

/* One to a line: IPv6 addresses are long. */
static void put_addresses(const struct text *text, struct json_object *subnet)
{
	struct json_object *address;
	size_t i;

	for (i = 0; i < field_count(subnet, "addresses"); i++) {
		address = field_at(subnet, "addresses", i);
		put_label(text, i > 0 ? "" : "addresses");
		text_wrap(text, VALUE,
			  address ? json_object_get_string(address) : "?");
	}
}

static void put_rules(const struct text *text, struct json_object *subnet)
{
	struct json_object *rule;
	struct phrase line;
	size_t i;

	for (i = 0; i < field_count(subnet, "rules"); i++) {
		rule = field_at(subnet, "rules", i);
		(void)snprintf(line.text, sizeof(line.text),
			       "%" PRId64 ": from %s",
			       field_int(rule, "priority", 0),
			       field_text(rule, "from", "?"));
		put_label(text, i > 0 ? "" : "rules");
		text_wrap(text, VALUE, line.text);
	}
}

static void put_default(const struct text *text, struct json_object *subnet)
{
	struct json_object *next =
		field_get(subnet, "default", json_type_object);
	int64_t metric = field_int(next, "metric", -1);
	struct phrase hop;
	struct phrase line;

	if (!field_bool(subnet, "managed", false) ||
	    (!field_get(next, "via", json_type_string) &&
	     !field_get(next, "dev", json_type_string)))
		return;
	(void)snprintf(line.text, sizeof(line.text), "%.200s",
		       phrase_via(next, &hop));
	if (metric >= 0)
		(void)snprintf(line.text, sizeof(line.text),
			       "%.200s metric %" PRId64, hop.text, metric);
	put_label(text, "default");
	text_wrap(text, VALUE, line.text);
}

static void put_table(const struct text *text, struct json_object *subnet)
{
	int64_t table = field_int(subnet, "table", 0);
	struct phrase number;
	struct phrase line;

	if (table <= 0)
		return;
	(void)snprintf(line.text, sizeof(line.text), "%.40s (%.40s model)",
		       phrase_table(table, &number),
		       field_text(subnet, "model", "?"));
	put_label(text, "table");
	text_wrap(text, VALUE, line.text);
}

/* Without one it is kept for its past, or because the config says so. */
static void put_uplink(const struct text *text, struct json_object *subnet)
{
	if (!field_bool(subnet, "managed", false))
		return;
	put_label(text, "uplink");
	text_wrap(text, VALUE,
		  field_bool(subnet, "uplink", false)
			  ? "yes"
			  : "no: it has no router now");
}

void render_subnets(const struct text *text, struct json_object *reply,
		    struct json_object *previous)
{
	struct json_object *subnet;
	size_t i;

	(void)previous;
	if (field_count(reply, "subnets") == 0)
		text_wrap(text, 0, "No subnets: no address on any link.");
	for (i = 0; i < field_count(reply, "subnets"); i++) {
		subnet = field_at(reply, "subnets", i);
		if (i > 0)
			(void)fputc('\n', text->out);
		put_head(text, subnet);
		put_addresses(text, subnet);
		put_uplink(text, subnet);
		put_default(text, subnet);
		put_table(text, subnet);
		put_rules(text, subnet);
	}
}
