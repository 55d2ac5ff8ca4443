/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "round/change.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "core/text.h"

/* "... and 3 more changes of ..." */
static const char *const subjects[HEARD_RANKS] = {
	[HEARD_COPY] = "what is ours",
	[HEARD_ROUTE] = "routes",
	[HEARD_NEXTHOP] = "nexthop objects",
	[HEARD_NEIGHBOUR] = "routers",
	[HEARD_ADVERT] = "what routers advertise",
	[HEARD_ADDRESS] = "addresses",
	[HEARD_RULE] = "rules or what is ours",
	[HEARD_LINK] = "links",
};

bool change_heard(struct change *change, const struct engine *engine,
		  const struct kernel_event *event)
{
	enum heard_rank rank = heard_rank(engine, event);

	if (rank == HEARD_NOTHING)
		return false;
	if (rank == change->rank)
		change->n_causes++;
	if (rank <= change->rank)
		return true;
	change->rank = rank;
	change->n_causes = 1;
	change->is_route = event->kind == KERNEL_ROUTE;
	if (change->is_route)
		heard_route(engine, event, &change->route);
	else
		heard_news(engine, event, change->cause, sizeof(change->cause));
	return true;
}

void change_led(struct change *change, const char *cause)
{
	change->rank = HEARD_OWN;
	change->n_causes = 1;
	change->is_route = false;
	(void)snprintf(change->cause, sizeof(change->cause), "%s", cause);
}

void change_copy(struct change *to, const struct change *from)
{
	size_t n = from->n_notes < CHANGE_NOTES ? from->n_notes : CHANGE_NOTES;

	memcpy(to, from, offsetof(struct change, cause));
	if (!from->is_route)
		memcpy(to->cause, from->cause, sizeof(to->cause));
	memcpy(to->notes, from->notes, n * sizeof(*to->notes));
}

void change_clear(struct change *change)
{
	memset(change, 0, offsetof(struct change, cause));
	change->cause[0] = '\0';
}

void change_note(struct change *change, const struct outlook_note *note)
{
	if (change->n_notes < CHANGE_NOTES)
		change->notes[change->n_notes] = *note;
	change->n_notes++;
}

/* --- in words --- */

static void put_cause(struct text *line, const struct change *change)
{
	const char *subject = subjects[change->rank];
	size_t more = change->n_causes - 1;
	char text[256];

	if (change->rank == HEARD_NOTHING)
		text_put(line, "a time ran out");
	else if (change->is_route)
		text_put(line, "%s",
			 heard_route_news(&change->route, text, sizeof(text)));
	else
		text_put(line, "%s", change->cause);
	if (subject && more)
		text_put(line, " (and %zu more change%s of %s)", more,
			 more == 1 ? "" : "s", subject);
}

/* "12 routes, 1 rule and 2 neighbour entries" */
static void put_counts(struct text *line, const size_t counts[3])
{
	static const char *const one[] = {"route", "rule", "neighbour entry"};
	static const char *const many[] = {"routes", "rules",
					   "neighbour entries"};
	size_t left = 0;
	bool is_first = true;

	for (size_t i = 0; i < 3; i++)
		left += counts[i] > 0;
	for (size_t i = 0; i < 3; i++) {
		const char *before = left == 1 ? " and " : ", ";

		if (counts[i] == 0)
			continue;
		text_put(line, "%s%zu %s", is_first ? "" : before, counts[i],
			 counts[i] == 1 ? one[i] : many[i]);
		is_first = false;
		left--;
	}
}

static bool is_any(const size_t counts[3])
{
	return counts[0] + counts[1] + counts[2] > 0;
}

static void put_ops(struct text *line, const size_t *ops)
{
	const size_t put[] = {ops[OP_ROUTE_PUT], ops[OP_RULE_ADD],
			      ops[OP_NEIGHBOUR_PUT]};
	const size_t gone[] = {ops[OP_ROUTE_DELETE], ops[OP_RULE_DELETE],
			       ops[OP_NEIGHBOUR_DELETE]};

	text_put(line, ": ");
	put_counts(line, put);
	if (is_any(put))
		text_put(line, " written");
	if (is_any(put) && is_any(gone))
		text_put(line, ", ");
	put_counts(line, gone);
	if (is_any(gone))
		text_put(line, " removed");
}

static void put_notes(struct text *line, const struct change *change)
{
	for (size_t i = 0; i < change->n_notes && i < CHANGE_NOTES; i++)
		text_put(line, "; %s is %s", change->notes[i].subject,
			 change->notes[i].is);
	if (change->n_notes > CHANGE_NOTES)
		text_put(line, "; and %zu more",
			 change->n_notes - CHANGE_NOTES);
}

const char *change_format(const struct change *change, char *text)
{
	struct text line;

	text_init(&line, text, CHANGE_TEXT_MAX);
	put_cause(&line, change);
	put_ops(&line, change->ops);
	if (change->failed)
		text_put(&line, "; %zu write%s failed", change->failed,
			 change->failed == 1 ? "" : "s");
	put_notes(&line, change);
	return text;
}
