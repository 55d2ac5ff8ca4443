/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * manager_story - what a path manager is told and what it then does, as text.
 *
 * A row's lines go in one after the other; then it plans once, and what it
 * planned must read as the row says. The ports of a subflow are 1000 and its
 * id here, and 80 there, so that the first one is 1000 to 80.
 *
 *   at MS                            the clock
 *   opened|ready TOKEN SRC DST [passive] [denies]
 *   joined TOKEN SRC DST ID          a subflow is open
 *   closed TOKEN SRC DST ID [ERRNO]  and it is not any more
 *   ended TOKEN
 *   announced TOKEN [portless] ID ADDR     by the peer
 *   withdrew TOKEN ID
 *   refuse ERRNO                     what this row plans comes to nothing
 *   any line of scene.h              routing changed
 *
 * Actions, with "; " between them; those of other tokens than 1 begin with
 * "TOKEN:".
 *
 *   open SRC#ID>DST [backup]   close SRC>DST [rejects]
 *   announce ADDR#ID           withdraw ADDR#ID
 */
#ifndef MANAGER_STORY_H
#define MANAGER_STORY_H

#include "core/manager.h"
#include "tests/unit/scene.h"

struct story_row {
	const char *lines; /* each ends with '\n', the last one may */
	const char *want;
	const char *why;
};

struct story {
	struct scene scene;
	struct manager manager;
	uint64_t now_ms;
	int error;			   /* of what is planned next */
	struct manager_action_vec actions; /* of the last plan */
	char text[16384];
};

#define STORY_START_MS 100000

/** story_begin() - a host as in scene.h, planned and applied */
void story_begin(struct story *story, const char *host);
void story_end(struct story *story);

/** story_tell() - lines; a bad one fails the test */
void story_tell(struct story *story, const char *lines);

/** story_plan() - plan, and tell what came of it; Return: the actions */
const char *story_plan(struct story *story);

/** story_run() - rows on @story; the first that differs fails the test */
void story_run(struct story *story, const struct story_row *rows, size_t n);

/** story_test() - the same from begin to end */
void story_test(const char *host, const struct story_row *rows, size_t n);

#endif
