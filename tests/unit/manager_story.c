/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/manager_story.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/scene_text.h"

#define PORT_HERE  1000
#define PORT_THERE 80

void story_begin(struct story *story, const char *host)
{
	memset(story, 0, sizeof(*story));
	story->now_ms = STORY_START_MS;
	scene_make(&story->scene, host);
	scene_steady(&story->scene);
}

void story_end(struct story *story)
{
	vec_done(&story->actions);
	manager_done_all(&story->manager);
	scene_done(&story->scene);
}

/* --- lines --- */

static int read_ends(struct words *words, struct mptcp_event *event)
{
	int r = words_addr(words, &event->ends.src);

	event->ends.sport = PORT_HERE;
	event->ends.dport = PORT_THERE;
	return r ? r : words_addr(words, &event->ends.dst);
}

static int read_begin(struct words *words, struct mptcp_event *event)
{
	int r = read_ends(words, event);

	event->passive = words_take(words, "passive");
	event->denies_first = words_take(words, "denies");
	return r;
}

static int read_subflow(struct words *words, struct mptcp_event *event)
{
	int r = read_ends(words, event);
	uint32_t error = 0;
	uint32_t id = 0;

	if (r || words_number(words, &id) ||
	    (words_left(words) && words_number(words, &error)))
		return -EINVAL;
	event->id_local = (uint8_t)id;
	event->ends.sport = (uint16_t)(PORT_HERE + id);
	event->error = (uint8_t)error;
	return 0;
}

static int read_id(struct words *words, struct mptcp_event *event)
{
	uint32_t id;

	if (words_number(words, &id))
		return -EINVAL;
	event->id_remote = (uint8_t)id;
	return 0;
}

static int read_announced(struct words *words, struct mptcp_event *event)
{
	event->ends.dport = words_take(words, "portless") ? 0 : PORT_THERE;
	return read_id(words, event) || words_addr(words, &event->ends.dst);
}

static int read_nothing(struct words *words, struct mptcp_event *event)
{
	(void)words;
	(void)event;
	return 0;
}

static const struct {
	const char *word;
	enum mptcp_event_kind kind;
	int (*read)(struct words *words, struct mptcp_event *event);
} events[] = {
	{"opened", MPTCP_OPENED, read_begin},
	{"ready", MPTCP_READY, read_begin},
	{"ended", MPTCP_ENDED, read_nothing},
	{"announced", MPTCP_PEER_ANNOUNCED, read_announced},
	{"withdrew", MPTCP_PEER_WITHDREW, read_id},
	{"joined", MPTCP_SUBFLOW_OPENED, read_subflow},
	{"closed", MPTCP_SUBFLOW_CLOSED, read_subflow},
};

/* Return: whether the line is an event. */
static bool tell_event(struct story *story, struct words *words,
		       const char *line)
{
	struct mptcp_event event = {0};

	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
		if (!words_take(words, events[i].word))
			continue;
		event.kind = events[i].kind;
		if (words_number(words, &event.token) ||
		    events[i].read(words, &event) || words_left(words))
			fail_msg("bad line: %s", line);
		manager_hear(&story->manager, &event, story->now_ms);
		return true;
	}
	return false;
}

/* As the engine does: of a route that is no default whom it leads to. */
static void touch(struct story *story, const char *line)
{
	struct prefix_vec rows = {0};
	struct ip_prefix prefix;
	struct words words;

	assert_int_equal(words_split(&words, &story->scene.model, line), 0);
	(void)words_take(&words, "del");
	if (words_take(&words, "route") && words_prefix(&words, &prefix) == 0 &&
	    prefix.len > 0) {
		vec_push(&rows, prefix);
		manager_touch_rows(&story->manager, &rows);
	} else {
		manager_touch(&story->manager);
	}
	vec_done(&rows);
}

static void tell_line(struct story *story, const char *line)
{
	uint32_t number;
	struct words words;

	if (words_split(&words, &story->scene.model, line))
		fail_msg("too long: %s", line);
	if (tell_event(story, &words, line))
		return;
	if (words_take(&words, "at")) {
		assert_int_equal(words_number(&words, &number), 0);
		story->now_ms = STORY_START_MS + number;
		return;
	}
	if (words_take(&words, "refuse")) {
		assert_int_equal(words_number(&words, &number), 0);
		story->error = -(int)number;
		return;
	}
	if (scene_line(&story->scene, line))
		fail_msg("bad line: %s", line);
	scene_manage(&story->scene);
	scene_steady(&story->scene);
	touch(story, line);
}

void story_tell(struct story *story, const char *lines)
{
	char copy[4096];
	char *save;

	assert_true(strlen(lines) < sizeof(copy));
	(void)snprintf(copy, sizeof(copy), "%s", lines);
	for (char *line = strtok_r(copy, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save))
		tell_line(story, line);
}

/* --- actions --- */

static const char *action_text(const struct manager_action *action, char *ret,
			       size_t size)
{
	char src[IP_TEXT_MAX];
	char dst[IP_TEXT_MAX] = "";

	ip_addr_format(&action->ends.src, src);
	if (ip_addr_is_set(&action->ends.dst))
		ip_addr_format(&action->ends.dst, dst);
	switch (action->what) {
	case MANAGER_OPEN:
		(void)snprintf(ret, size, "open %s#%u>%s%s", src,
			       action->id_local, dst,
			       action->backup ? " backup" : "");
		break;
	case MANAGER_CLOSE:
		(void)snprintf(ret, size, "close %s>%s%s", src, dst,
			       action->rejects ? " rejects" : "");
		break;
	case MANAGER_MARK:
		(void)snprintf(ret, size, "mark %s>%s", src, dst);
		break;
	case MANAGER_ANNOUNCE:
		(void)snprintf(ret, size, "announce %s#%u", src,
			       action->id_local);
		break;
	case MANAGER_WITHDRAW:
		(void)snprintf(ret, size, "withdraw %s#%u", src,
			       action->id_local);
		break;
	}
	return ret;
}

static void add_text(struct story *story, const struct manager_action *action)
{
	size_t len = strlen(story->text);
	char token[16] = "";
	char text[256];

	if (action->token != 1)
		(void)snprintf(token, sizeof(token), "%u:", action->token);
	(void)snprintf(story->text + len, sizeof(story->text) - len, "%s%s%s",
		       len ? "; " : "", token,
		       action_text(action, text, sizeof(text)));
	assert_true(strlen(story->text) < sizeof(story->text) - 1);
}

const char *story_plan(struct story *story)
{
	const struct view view = scene_view(&story->scene);
	const struct manager_action *it;

	story->text[0] = '\0';
	vec_clear(&story->actions);
	manager_plan(&story->manager, &view, story->now_ms, &story->actions);
	vec_foreach(&story->actions, it) {
		assert_non_null(it->why);
		add_text(story, it);
		manager_done(&story->manager, it, story->error, story->now_ms);
	}
	story->error = 0;
	return story->text;
}

void story_run(struct story *story, const struct story_row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		story_tell(story, rows[i].lines);
		if (strcmp(story_plan(story), rows[i].want) != 0)
			fail_msg("row %zu, %s: '%s', not '%s'", i, rows[i].why,
				 story->text, rows[i].want);
	}
}

void story_test(const char *host, const struct story_row *rows, size_t n)
{
	struct story story;

	story_begin(&story, host);
	story_run(&story, rows, n);
	story_end(&story);
}
