/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "render/phrase.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "control/field.h"

enum {
	MINUTE = 60,
	HOUR = 60 * MINUTE,
	DAY = 24 * HOUR,
};

#define TIME_MAX 1e11 /* the year 5138: what is later is nonsense */

const struct state states[STATES] = {
	{"congruent", "congruent", TEXT_GOOD,
	 "packets leave through a router of their own subnet"},
	{"weak", "weak", TEXT_WARN,
	 "no router fits this source: packets leave by the lowest metric"},
	{"strong_drop", "strong-drop", TEXT_BAD,
	 "no router fits this source: packets are dropped (strong model)"},
	{"reject", "rejected", TEXT_BAD,
	 "a reject route of table main has the lowest metric: packets are "
	 "dropped"},
	{"none", "no default", TEXT_BAD, "nothing leads to the Internet"},
	{"no rules", "no rules", TEXT_WARN,
	 "our rules are not in place: other rules and table main decide"},
	{"not managed", "not managed", TEXT_FAINT,
	 "no uplink, or left alone by the config: table main decides"},
	{"?", "?", TEXT_BAD, "this program does not know that word"},
};

const struct state *state_of_kind(const char *kind)
{
	size_t i;

	for (i = 0; i < STATES - 1; i++)
		if (strcmp(states[i].kind, kind) == 0)
			break;
	return &states[i];
}

const struct state *state_of_subnet(struct json_object *subnet)
{
	struct json_object *next =
		field_get(subnet, "default", json_type_object);

	if (!field_bool(subnet, "managed", false))
		return state_of_kind("not managed");
	if (field_count(subnet, "rules") == 0)
		return state_of_kind("no rules");
	return state_of_kind(field_text(next, "kind", "?"));
}

const char *phrase_number(int64_t number, struct phrase *ret)
{
	char digits[24];
	size_t len;
	size_t at = 0;
	size_t i;

	(void)snprintf(digits, sizeof(digits), "%" PRId64, number);
	len = strlen(digits);
	for (i = 0; i < len; i++) {
		ret->text[at++] = digits[i];
		if (len > 4 && i + 1 < len && (len - i - 1) % 3 == 0 &&
		    digits[i] != '-')
			ret->text[at++] = ',';
	}
	ret->text[at] = '\0';
	return ret->text;
}

const char *phrase_count(int64_t count, const char *noun, struct phrase *ret)
{
	struct phrase number;

	(void)snprintf(ret->text, sizeof(ret->text), "%.40s %.200s%s",
		       phrase_number(count, &number), noun,
		       count == 1 ? "" : "s");
	return ret->text;
}

const char *phrase_span(double seconds, struct phrase *ret)
{
	/* Also where it is no number at all. */
	if (!(seconds > 0))
		seconds = 0;
	if (seconds < 2 * MINUTE)
		(void)snprintf(ret->text, sizeof(ret->text), "%.0f s", seconds);
	else if (seconds < 2 * HOUR)
		(void)snprintf(ret->text, sizeof(ret->text), "%.0f min",
			       seconds / MINUTE);
	else if (seconds < 2 * DAY)
		(void)snprintf(ret->text, sizeof(ret->text), "%.0f h",
			       seconds / HOUR);
	else if (seconds < TIME_MAX)
		(void)snprintf(ret->text, sizeof(ret->text), "%.0f days",
			       seconds / DAY);
	else
		(void)snprintf(ret->text, sizeof(ret->text), "ages");
	return ret->text;
}

/* Local day of @time, counted from some day long ago. */
static long day_of(double time)
{
	time_t seconds = (time_t)time;
	struct tm local;

	if (!localtime_r(&seconds, &local))
		return 0;
	/* As good as a calendar: only today and yesterday are asked for. */
	return (long)((time + (double)local.tm_gmtoff) / DAY);
}

/* Return: false where the calendar does not know @time. */
static bool clock_of(double time, double seconds_ago, struct phrase *ret)
{
	time_t seconds = (time_t)time;
	long days = day_of(time + seconds_ago) - day_of(time);
	const char *format = "on %Y-%m-%d at %H:%M";
	struct tm local;

	if (days == 0)
		format = "today at %H:%M";
	else if (days == 1)
		format = "yesterday at %H:%M";
	return localtime_r(&seconds, &local) &&
	       strftime(ret->text, sizeof(ret->text), format, &local) > 0;
}

const char *phrase_when(double time, double seconds_ago, struct phrase *ret)
{
	struct phrase span;

	if (!(seconds_ago >= 1)) {
		(void)snprintf(ret->text, sizeof(ret->text), "just now");
		return ret->text;
	}
	if (seconds_ago >= HOUR && time > 0 && time < TIME_MAX &&
	    seconds_ago < TIME_MAX && clock_of(time, seconds_ago, ret))
		return ret->text;
	(void)snprintf(ret->text, sizeof(ret->text), "%s ago",
		       phrase_span(seconds_ago, &span));
	return ret->text;
}

const char *phrase_next_hop(struct json_object *hop, const char *link,
			    struct phrase *ret)
{
	const char *via = field_text(hop, "via", NULL);
	const char *dev = field_text(hop, "dev", NULL);

	if (via && dev && link && strcmp(dev, link) == 0)
		dev = NULL;
	if (!via && !dev)
		via = "-";
	(void)snprintf(ret->text, sizeof(ret->text), "%s%s%s", via ? via : "",
		       !dev  ? ""
		       : via ? " dev "
			     : "dev ",
		       dev ? dev : "");
	return ret->text;
}

const char *phrase_via(struct json_object *hop, struct phrase *ret)
{
	struct phrase words;

	(void)snprintf(ret->text, sizeof(ret->text), "%s%.200s",
		       field_text(hop, "via", NULL) ? "via " : "",
		       phrase_next_hop(hop, NULL, &words));
	return ret->text;
}

const char *phrase_table(int64_t table, struct phrase *ret)
{
	static const char *const names[] = {"default", "main", "local"};

	if (table >= 253 && table <= 255)
		(void)snprintf(ret->text, sizeof(ret->text), "%s",
			       names[table - 253]);
	else
		(void)snprintf(ret->text, sizeof(ret->text), "%" PRId64, table);
	return ret->text;
}

const char *phrase_subnet(struct json_object *subnet, struct phrase *ret)
{
	/* As long as they can be; a heading is not wrapped. */
	(void)snprintf(ret->text, sizeof(ret->text), "%.43s on %.15s",
		       field_text(subnet, "prefix", "?"),
		       field_text(subnet, "link", "?"));
	return ret->text;
}

const char *phrase_stop(const char *sentence)
{
	size_t len = strlen(sentence);

	return len > 0 && strchr(".!?:", sentence[len - 1]) ? "" : ".";
}
