/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How one packet leaves, told in the order of the draft's rules: whose the
 * source is, the longest prefix, its candidates, the rule that decided, the
 * answer, and what the kernel says to it.
 */
#include "render/render.h"

#include <inttypes.h>
#include <string.h>

#include "control/field.h"
#include "render/columns.h"
#include "render/next_subflow.h"
#include "render/phrase.h"

enum {
	INDENT = 2,
	GAP = 2,
};

enum cell {
	CELL_MARK,
	CELL_NEXT_HOP,
	CELL_METRIC,
	CELL_ON_SUBNET,
	CELLS,
};

static const struct column columns_of_candidates[CELLS] = {
	[CELL_MARK] = {.head = " ", .width = 1},
	[CELL_NEXT_HOP] = {.head = "NEXT HOP", .width = 37},
	[CELL_METRIC] = {.head = "METRIC", .width = 6, .is_right = true},
	[CELL_ON_SUBNET] = {.head = "ON SUBNET", .width = 28, .wraps = true},
};

struct candidate_row {
	struct column_cell cells[CELLS];
	struct phrase hop;
	struct phrase next_hop;
	struct phrase metric;
	struct phrase on_subnet;
};

/* What a sender sees, in words. */
static const struct {
	const char *name;
	const char *words;
} errors[] = {
	{"ENETUNREACH", "network is unreachable"},
	{"EHOSTUNREACH", "no route to host"},
	{"EACCES", "administratively prohibited"},
	{"EINVAL", "no valid source, or a blackhole route"},
};

static bool is_source(struct json_object *reply, const char *kind)
{
	return strcmp(field_text(reply, "source_is", ""), kind) == 0;
}

/* --- the question --- */

static void put_question(const struct text *text, struct json_object *reply)
{
	const char *without = field_text(reply, "without", NULL);
	const char *dev = field_text(reply, "dev", NULL);
	const char *source = field_text(reply, "source", "?");

	if (without)
		text_say(text, TEXT_WARN, 0, "If %s went down:", without);
	if (is_source(reply, "unbound"))
		source = "any source";
	text_say(text, TEXT_HEAD, 0, "%s -> %s%s%s%s", source,
		 field_text(reply, "destination", "?"),
		 dev ? " (socket bound to " : "", dev ? dev : "",
		 dev ? ")" : "");
}

/* " of subnet 10.1.0.0/24 on eth0 (table 7100, weak model)" */
static const char *subnet_words(struct json_object *reply, struct phrase *ret)
{
	struct json_object *subnet =
		field_get(reply, "subnet", json_type_object);
	const char *model = field_text(subnet, "model", "?");
	int64_t table = field_int(subnet, "table", 0);
	struct phrase name;
	struct phrase number;

	if (!subnet)
		(void)snprintf(ret->text, sizeof(ret->text), "of no subnet");
	else if (table > 0)
		(void)snprintf(ret->text, sizeof(ret->text),
			       "of subnet %.150s (table %.20s, %.20s model)",
			       phrase_subnet(subnet, &name),
			       phrase_table(table, &number), model);
	else
		(void)snprintf(ret->text, sizeof(ret->text),
			       "of subnet %.150s, which is not managed",
			       phrase_subnet(subnet, &name));
	return ret->text;
}

static void put_source(const struct text *text, struct json_object *reply)
{
	const char *source = field_text(reply, "source", NULL);
	struct phrase subnet;

	(void)subnet_words(reply, &subnet);
	if (is_source(reply, "unbound") && !source &&
	    field_text(reply, "without", NULL))
		text_wrap(text, 0,
			  "No source given, and which one the kernel would "
			  "choose is not known.");
	else if (is_source(reply, "unbound") && !source)
		text_wrap(text, 0,
			  "No source given, and the kernel finds none.");
	else if (is_source(reply, "unbound"))
		text_say(text, TEXT_PLAIN, 0,
			 "No source given: the kernel chooses %s, %s.", source,
			 subnet.text);
	else if (is_source(reply, "foreign"))
		text_say(text, TEXT_WARN, 0,
			 "Source: %s is no address of this host.",
			 source ? source : "?");
	else
		text_say(text, TEXT_PLAIN, 0, "Source: %s is %s.",
			 source ? source : "?", subnet.text);
}

/* --- the candidates --- */

/* Line 0 of a route without a next hop: there is nothing to say no to. */
static const char *on_subnet_of(struct json_object *candidate,
				struct phrase *ret)
{
	const char *why = field_text(candidate, "why", "");
	const char *yes =
		field_bool(candidate, "on_subnet", false) ? "yes" : "no";
	int64_t line = field_int(candidate, "line", 0);

	if (line > 0)
		(void)snprintf(ret->text, sizeof(ret->text),
			       "%s, line %" PRId64 "%s%.200s", yes, line,
			       *why ? ": " : "", why);
	else
		(void)snprintf(ret->text, sizeof(ret->text), "%.200s",
			       *why ? why : yes);
	return ret->text;
}

/* @has_subnet: the source has one to be on. */
static void candidate_fill(struct json_object *candidate, bool has_subnet,
			   struct candidate_row *ret)
{
	const char *type = field_text(candidate, "type", "unicast");
	const char *origin = field_text(candidate, "origin", "main");
	bool usable = field_bool(candidate, "usable", true);
	bool chosen = field_bool(candidate, "chosen", false);
	enum text_style style = chosen ? TEXT_GOOD : TEXT_PLAIN;
	size_t i;

	if (!usable)
		style = chosen ? TEXT_WARN : TEXT_FAINT;
	for (i = 0; i < CELLS; i++)
		ret->cells[i].style = style;
	(void)phrase_next_hop(candidate, NULL, &ret->hop);
	(void)snprintf(ret->next_hop.text, sizeof(ret->next_hop.text),
		       "%.100s%s%.40s%s%s",
		       strcmp(type, "unicast") == 0 ? ret->hop.text : type,
		       strcmp(origin, "main") == 0 ? "" : " (",
		       strcmp(origin, "main") == 0 ? "" : origin,
		       strcmp(origin, "main") == 0 ? "" : ")",
		       usable ? "" : " (not usable)");
	(void)snprintf(ret->metric.text, sizeof(ret->metric.text), "%" PRId64,
		       field_int(candidate, "metric", 0));
	ret->cells[CELL_MARK].string = chosen ? "*" : "";
	ret->cells[CELL_NEXT_HOP].string = ret->next_hop.text;
	ret->cells[CELL_METRIC].string = ret->metric.text;
	ret->cells[CELL_ON_SUBNET].string =
		has_subnet ? on_subnet_of(candidate, &ret->on_subnet) : "-";
}

static void put_rows(const struct text *text, struct json_object *reply)
{
	struct columns columns =
		columns_start(columns_of_candidates, CELLS, INDENT);
	bool has_subnet = field_get(reply, "subnet", json_type_object);
	size_t count = field_count(reply, "candidates");
	struct candidate_row row;
	size_t i;

	for (i = 0; i < count; i++) {
		candidate_fill(field_at(reply, "candidates", i), has_subnet,
			       &row);
		columns_fit(&columns, row.cells);
	}
	columns_settle(&columns);
	columns_put_heads(text, &columns);
	for (i = 0; i < count; i++) {
		candidate_fill(field_at(reply, "candidates", i), has_subnet,
			       &row);
		columns_put(text, &columns, row.cells);
	}
}

static bool has_lines(struct json_object *reply)
{
	size_t i;

	for (i = 0; i < field_count(reply, "candidates"); i++)
		if (field_int(field_at(reply, "candidates", i), "line", 0) > 0)
			return field_get(reply, "subnet", json_type_object);
	return false;
}

static void put_candidates(const struct text *text, struct json_object *reply)
{
	size_t count = field_count(reply, "candidates");
	struct phrase candidates;

	if (count == 0) {
		text_wrap(text, 0,
			  "Longest matching prefix (rule 1): none, no route "
			  "matches.");
		return;
	}
	text_say(text, TEXT_PLAIN, 0,
		 "Longest matching prefix (rule 1): %s, with %s:",
		 field_text(field_at(reply, "candidates", 0), "prefix", "?"),
		 phrase_count((int64_t)count, "candidate", &candidates));
	put_rows(text, reply);
	if (has_lines(reply))
		text_say(text, TEXT_FAINT, 5,
			 "(lines: see \"On-subnet\" in multihomed(8))");
}

/* --- the answer --- */

/* "via 10.1.0.1 dev eth0 and dev ppp0" */
static const char *hops_words(struct json_object *object, struct phrase *ret)
{
	size_t count = field_count(object, "next_hops");
	struct json_object *hop;
	struct phrase words;
	size_t len = 0;
	size_t i;

	ret->text[0] = '\0';
	for (i = 0; i < count && len < sizeof(ret->text) - 1; i++) {
		hop = field_at(object, "next_hops", i);
		(void)snprintf(ret->text + len, sizeof(ret->text) - len,
			       "%s%.100s", i > 0 ? " and " : "",
			       phrase_via(hop, &words));
		len = strlen(ret->text);
	}
	return ret->text;
}

static void put_decision(const struct text *text, struct json_object *reply)
{
	const char *why = field_text(reply, "why", "");
	int64_t rule = field_int(reply, "rule", 0);

	if (rule > 0)
		text_say(text, TEXT_PLAIN, 0, "Rule %" PRId64 " decides%s%s%s",
			 rule, *why ? ": " : "", why, phrase_stop(why));
	else if (*why)
		text_say(text, TEXT_PLAIN, 0, "Not ours to decide: %s%s", why,
			 phrase_stop(why));
}

/* Where nobody compares, the kernel's answer is the one that counts. */
static bool is_ours_to_answer(struct json_object *reply)
{
	if (field_bool(reply, "yielded", false))
		return false;
	return !field_get(reply, "kernel", json_type_object) ||
	       field_get(reply, "agrees", json_type_boolean);
}

/* Flows that are there keep their path, and others to d share it. */
static void put_pin(const struct text *text, struct json_object *reply)
{
	struct json_object *pin = field_get(reply, "pin", json_type_object);
	double left = field_double(pin, "seconds_left", -1);
	struct phrase flows;
	struct phrase span;

	if (!pin)
		return;
	(void)phrase_count(field_int(pin, "flows", 0), "running connection",
			   &flows);
	if (left >= 0)
		text_say(text, TEXT_WARN, 0,
			 "But the path of %s to this destination is gone, and "
			 "waited for: held for %s more.",
			 flows.text, phrase_span(left, &span));
	else
		text_say(text, TEXT_WARN, 0,
			 "But the path of %s to this destination is kept (%s): "
			 "pinned.",
			 flows.text, field_text(pin, "why", "?"));
}

static void put_answer(const struct text *text, struct json_object *reply)
{
	const struct state *state =
		state_of_kind(field_text(reply, "kind", "none"));
	bool drops = field_count(reply, "next_hops") == 0;
	const char *weak = "";
	struct phrase hops;

	/* Rule 0: there are no words of ours about it. */
	if (field_int(reply, "rule", 0) == 0)
		return;
	(void)hops_words(reply, &hops);
	if (strcmp(state->kind, "weak") == 0 &&
	    !field_get(reply, "pin", json_type_object) &&
	    !field_text(reply, "dev", NULL))
		weak = " (weak: not through the source's subnet)";
	if (!is_ours_to_answer(reply))
		text_say(text, TEXT_FAINT, 0, "So our tables say: %s",
			 drops ? "dropped" : hops.text);
	else if (drops)
		text_wrap_styled(text, TEXT_BAD, 0,
				 "=> dropped, and the sender is told so");
	else
		text_say(text, state->style, 0, "=> %s%s", hops.text, weak);
}

/* --- what the kernel says --- */

static const char *error_words(const char *error, struct phrase *ret)
{
	const char *words = NULL;
	size_t i;

	for (i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		if (strcmp(errors[i].name, error) == 0)
			words = errors[i].words;
	(void)snprintf(ret->text, sizeof(ret->text),
		       "the sender gets %.40s%s%s%s", error, words ? " (" : "",
		       words ? words : "", words ? ")" : "");
	return ret->text;
}

static const char *kernel_words(struct json_object *kernel, struct phrase *ret)
{
	const char *error = field_text(kernel, "error", NULL);
	int64_t table = field_int(kernel, "table", 0);
	struct phrase hop;
	struct phrase number;

	if (error)
		return error_words(error, ret);
	(void)snprintf(ret->text, sizeof(ret->text), "%.120s%s%.20s",
		       phrase_via(kernel, &hop), table > 0 ? ", table " : "",
		       table > 0 ? phrase_table(table, &number) : "");
	return ret->text;
}

static void put_kernel(const struct text *text, struct json_object *reply)
{
	struct json_object *kernel =
		field_get(reply, "kernel", json_type_object);
	const char *rule = field_text(kernel, "rule", NULL);
	bool agrees = field_bool(reply, "agrees", false);
	struct phrase words;

	if (!kernel)
		return;
	(void)kernel_words(kernel, &words);
	if (!is_ours_to_answer(reply))
		text_say(text, TEXT_PLAIN, 0,
			 "Kernel: %s. This is what counts here.", words.text);
	else if (agrees)
		text_say(text, TEXT_GOOD, 0, "Kernel: %s: agrees.", words.text);
	else
		text_say(text, TEXT_BAD, 0, "Kernel: %s: DISAGREES.",
			 words.text);
	if (rule && !agrees)
		text_say(text,
			 is_ours_to_answer(reply) ? TEXT_WARN : TEXT_FAINT, GAP,
			 "It follows %s policy rule \"%s\".",
			 field_bool(kernel, "ours", false) ? "our" : "the",
			 rule);
}

static void put_notes(const struct text *text, struct json_object *reply)
{
	struct json_object *note;
	size_t i;

	for (i = 0; i < field_count(reply, "notes"); i++) {
		note = field_at(reply, "notes", i);
		text_put(text, TEXT_WARN, 0, "Note: ");
		text_wrap(text, (int)strlen("Note: "),
			  note ? json_object_get_string(note) : "?");
	}
}

void render_explain(const struct text *text, struct json_object *reply,
		    struct json_object *previous)
{
	(void)previous;
	put_question(text, reply);
	put_source(text, reply);
	put_candidates(text, reply);
	put_decision(text, reply);
	put_pin(text, reply);
	put_answer(text, reply);
	put_kernel(text, reply);
	put_notes(text, reply);
	next_subflow_put(text, reply);
}
