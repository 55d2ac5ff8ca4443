/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What verify found: one sentence, and a block for each disagreement. */
#include "render/render.h"

#include <inttypes.h>
#include <string.h>

#include "control/field.h"
#include "render/phrase.h"

enum {
	INDENT = 4,
	VALUE = 12, /* where the values start */
	/* Who has more has one cause; the rest is in --json. */
	SHOWN_MAX = 20,
};

static void put_value(const struct text *text, const char *label,
		      struct json_object *value, const char *key)
{
	const char *string = field_text(value, key, "");

	if (*string == '\0')
		return;
	text_put(text, TEXT_PLAIN, INDENT, "");
	text_put(text, TEXT_PLAIN, VALUE - INDENT, label);
	text_wrap(text, VALUE, string);
}

static void put_disagreement(const struct text *text,
			     struct json_object *disagreement)
{
	struct phrase subnet;

	(void)fputc('\n', text->out);
	text_say(text, TEXT_BAD, 0, "%s -> %s (%s)",
		 field_text(disagreement, "source", "?"),
		 field_text(disagreement, "destination", "?"),
		 phrase_subnet(disagreement, &subnet));
	put_value(text, "wanted", disagreement, "wanted");
	put_value(text, "kernel", disagreement, "kernel");
	put_value(text, "hint", disagreement, "hint");
}

static void put_disagreements(const struct text *text,
			      struct json_object *reply, int64_t found)
{
	size_t known = field_count(reply, "disagreements");
	size_t shown = known < SHOWN_MAX ? known : SHOWN_MAX;
	struct phrase more;
	size_t i;

	for (i = 0; i < shown; i++)
		put_disagreement(text, field_at(reply, "disagreements", i));
	if (found <= (int64_t)shown)
		return;
	(void)fputc('\n', text->out);
	text_say(text, TEXT_BAD, 0, "... and %s more%s.",
		 phrase_number(found - (int64_t)shown, &more),
		 known > shown ? " (see --json)" : "");
}

static void put_skipped(const struct text *text, struct json_object *reply)
{
	struct json_object *family;
	const char *name;
	size_t i;

	for (i = 0; i < field_count(reply, "skipped"); i++) {
		family = field_at(reply, "skipped", i);
		name = family ? json_object_get_string(family) : "?";
		if (strcmp(name, "ipv4") == 0)
			name = "IPv4";
		else if (strcmp(name, "ipv6") == 0)
			name = "IPv6";
		text_say(text, TEXT_WARN, 0,
			 "%s is left out: a full tunnel is up, and our rules "
			 "are withdrawn meanwhile.",
			 name);
	}
}

/* The plural is not a matter of one letter. */
static const char *prefixes_of(struct json_object *reply, struct phrase *ret)
{
	int64_t count = field_int(reply, "prefixes", 0);
	struct phrase number;

	(void)snprintf(ret->text, sizeof(ret->text), "%.40s %s",
		       phrase_number(count, &number),
		       count == 1 ? "prefix" : "prefixes");
	return ret->text;
}

static void put_local(const struct text *text, struct json_object *reply)
{
	int64_t local = field_int(reply, "local", 0);
	struct phrase count;

	if (local > 0)
		text_say(text, TEXT_FAINT, 0,
			 "%s left out: table local has own, broadcast and "
			 "anycast addresses.",
			 phrase_count(local, "answer", &count));
}

enum {
	UNHEARD_SHOWN = 10
};

static void put_unheard(const struct text *text, struct json_object *reply)
{
	size_t count = field_count(reply, "unheard");
	struct json_object *prefix;
	size_t i;

	if (count == 0)
		return;
	text_say(text, TEXT_BAD, 0,
		 "Table main had changed without a word to the daemon, for:");
	for (i = 0; i < count && i < UNHEARD_SHOWN; i++) {
		prefix = field_at(reply, "unheard", i);
		text_say(text, TEXT_PLAIN, 2, "%s",
			 prefix ? json_object_get_string(prefix) : "?");
	}
	if (count > UNHEARD_SHOWN)
		text_say(text, TEXT_PLAIN, 2, "and %zu more (see --json)",
			 count - UNHEARD_SHOWN);
	text_say(text, TEXT_PLAIN, 0,
		 "It has read table main now and mends its tables.");
}

void render_verify(const struct text *text, struct json_object *reply,
		   struct json_object *previous)
{
	int64_t unheard = (int64_t)field_count(reply, "unheard");
	int64_t found = field_int(reply, "found", 0) - unheard;
	int64_t asked = field_int(reply, "asked", 0);
	double seconds = field_double(reply, "seconds", 0);
	struct phrase questions;
	struct phrase subnets;
	struct phrase prefixes;
	struct phrase verdict;

	(void)previous;
	if (found > 0)
		(void)snprintf(verdict.text, sizeof(verdict.text),
			       "the kernel disagrees with us on %" PRId64
			       " of them.",
			       found);
	else
		(void)snprintf(verdict.text, sizeof(verdict.text),
			       "the kernel agrees with all of them.");
	if (asked > 0)
		text_say(text, found > 0 ? TEXT_BAD : TEXT_GOOD, 0,
			 "Asked %s about %s and %s in %.*f s: %s",
			 phrase_count(asked, "question", &questions),
			 phrase_count(field_int(reply, "subnets", 0), "subnet",
				      &subnets),
			 prefixes_of(reply, &prefixes), seconds < 1 ? 2 : 1,
			 seconds, verdict.text);
	else
		text_wrap_styled(text, TEXT_WARN, 0,
				 "Nothing to ask about: no subnet is managed "
				 "and has its rules in place.");
	put_local(text, reply);
	put_skipped(text, reply);
	put_disagreements(text, reply, found);
	put_unheard(text, reply);
}
