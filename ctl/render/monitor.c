/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Each line stands alone: the time, what it is about, the rest. So that it can
 * be searched for with grep; the last line of a round sums it up.
 */
#include "render/render.h"

#include <math.h>
#include <string.h>
#include <time.h>

#include "control/field.h"

enum {
	WORD_COLUMNS = 8, /* the longest word and a blank */
	LINE_MAX_BYTES = 512,
	TIME_MAX_BYTES = 32,
};

static const struct list {
	const char *key;  /* of the reply, and the word shown */
	const char *more; /* how many are not in the list; NULL: none */
	enum text_style style;
} lists[] = {
	{"heard", "heard_more", TEXT_PLAIN},
	{"planned", NULL, TEXT_HEAD},
	{"wrote", "wrote_more", TEXT_GOOD},
	{"failed", NULL, TEXT_BAD},
};

#define LISTS (sizeof(lists) / sizeof(lists[0]))

/* The local time of day, with milliseconds and a blank. */
static void format_time(struct json_object *reply, char *clock, size_t size)
{
	double seconds = field_double(reply, "time", 0);
	double whole = floor(seconds);
	time_t when = (time_t)whole;
	char day[TIME_MAX_BYTES];
	struct tm local;

	if (!localtime_r(&when, &local) ||
	    strftime(day, sizeof(day), "%H:%M:%S", &local) == 0)
		(void)snprintf(day, sizeof(day), "??:??:??");
	(void)snprintf(clock, size, "%s.%03d ", day,
		       (int)((seconds - whole) * 1000));
}

struct round {
	const struct text *text;
	struct json_object *reply;
	char clock[TIME_MAX_BYTES + 8];
};

static void put_line(const struct round *round, const char *word,
		     enum text_style style, const char *line)
{
	int column = text_width(round->clock) + WORD_COLUMNS;

	text_put(round->text, TEXT_FAINT, 0, round->clock);
	text_put(round->text, style, WORD_COLUMNS, word);
	if (round->text->piped) {
		text_put(round->text, TEXT_PLAIN, 0, line);
		(void)fputc('\n', round->text->out);
		return;
	}
	text_wrap(round->text, column, line);
}

/* How many there are, those that are not in the list included. */
static long long count_of(struct json_object *reply, const struct list *list)
{
	long long more = list->more ? field_int(reply, list->more, 0) : 0;

	return (long long)field_count(reply, list->key) + more;
}

static void put_list(const struct round *round, const struct list *list)
{
	size_t count = field_count(round->reply, list->key);
	long long missing = count_of(round->reply, list) - (long long)count;
	struct json_object *line;
	char words[LINE_MAX_BYTES];
	size_t i;

	for (i = 0; i < count; i++) {
		line = field_at(round->reply, list->key, i);
		put_line(round, list->key, list->style,
			 line ? json_object_get_string(line) : "?");
	}
	if (missing > 0) {
		(void)snprintf(words, sizeof(words), "and %lld more", missing);
		put_line(round, list->key, list->style, words);
	}
}

static void put_sum(const struct round *round)
{
	struct json_object *reply = round->reply;
	long long prefixes = field_int(reply, "prefixes", 0);
	long long failed = (long long)field_count(reply, "failed");
	char failures[32] = "";
	char words[LINE_MAX_BYTES];

	if (failed > 0)
		(void)snprintf(failures, sizeof(failures), ", failed %lld",
			       failed);
	(void)snprintf(words, sizeof(words),
		       "heard %lld, planned %lld prefix%s, wrote %lld%s, "
		       "%.2f ms (%.64s)",
		       count_of(reply, &lists[0]), prefixes,
		       prefixes == 1 ? "" : "es", count_of(reply, &lists[2]),
		       failures, field_double(reply, "milliseconds", 0),
		       field_text(reply, "cause", "?"));
	put_line(round, "done", TEXT_FAINT, words);
}

void render_monitor(const struct text *text, struct json_object *reply,
		    struct json_object *previous)
{
	struct round round = {.text = text, .reply = reply};
	size_t i;

	(void)previous;
	format_time(reply, round.clock, sizeof(round.clock));
	for (i = 0; i < LISTS; i++)
		put_list(&round, &lists[i]);
	put_sum(&round);
}
