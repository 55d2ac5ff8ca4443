/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "linkdown.h"

#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "kernel/sysctl.h"
#include "tests/unit/scene.h"

#define HOST                                                                   \
	"link 2 a up\n"                                                        \
	"link 3 b up\n"                                                        \
	"addr 10.1.0.2/24 dev a\n"                                             \
	"addr 10.2.0.2/24 dev b\n"                                             \
	"route 0.0.0.0/0 via 10.1.0.1 dev a\n"                                 \
	"route 0.0.0.0/0 via 10.2.0.1 dev b metric 100\n"

enum {
	NOW_MS = 1000
};

/* --- the settings, instead of the kernel's --- */

static struct {
	int value[2][2]; /* link a or b, IPv4 or IPv6 */
	bool is_read_only;
	unsigned int writes;
	char record[128];     /* the file */
	unsigned int behind;  /* writes of what the record did not have */
	unsigned int records; /* versions of it that a write found */
	char last[256];
} settings;

static int *value_of(uint8_t family, const char *link)
{
	assert_true(strcmp(link, "a") == 0 || strcmp(link, "b") == 0);
	return &settings.value[link[0] - 'a'][family == AF_INET6];
}

static void read_record(char *ret, size_t size)
{
	FILE *file = fopen(settings.record, "r");
	size_t n = file ? fread(ret, 1, size - 1, file) : 0;

	ret[n] = '\0';
	if (file)
		(void)fclose(file);
}

int sysctl_read_link(uint8_t family, const char *link, const char *name,
		     int *ret)
{
	assert_string_equal(name, "ignore_routes_with_linkdown");
	*ret = *value_of(family, link);
	return 0;
}

int sysctl_write_link(uint8_t family, const char *link, const char *name,
		      int value)
{
	char record[sizeof(settings.last)];
	char line[64];

	(void)name;
	settings.writes++;
	(void)snprintf(line, sizeof(line), "%s ipv%d\n", link,
		       family == AF_INET6 ? 6 : 4);
	read_record(record, sizeof(record));
	settings.behind += strstr(record, line) == NULL;
	settings.records += strcmp(record, settings.last) != 0;
	memcpy(settings.last, record, sizeof(record));
	if (settings.is_read_only)
		return -EROFS;
	*value_of(family, link) = value;
	return 0;
}

/* --- stories --- */

struct story {
	struct scene scene;
	struct linkdown linkdown;
};

static void begin(struct story *story, const char *host)
{
	memset(&settings, 0, sizeof(settings));
	(void)snprintf(settings.record, sizeof(settings.record),
		       "/tmp/test-linkdown-%d", (int)getpid());
	(void)unlink(settings.record);
	scene_make(&story->scene, host);
	story->scene.policy.ignore_linkdown = true;
	linkdown_init(&story->linkdown, settings.record);
}

static void update(struct story *story)
{
	const struct view view = scene_view(&story->scene);

	linkdown_update(&story->linkdown, &view, NOW_MS);
}

/* As if killed: the next life knows the record only. */
static void live_again(struct story *story)
{
	linkdown_done(&story->linkdown);
	linkdown_init(&story->linkdown, settings.record);
}

static void end(struct story *story)
{
	linkdown_done(&story->linkdown);
	scene_done(&story->scene);
	(void)unlink(settings.record);
}

static void assert_values(int a4, int a6, int b4, int b6)
{
	assert_int_equal(settings.value[0][0], a4);
	assert_int_equal(settings.value[0][1], a6);
	assert_int_equal(settings.value[1][0], b4);
	assert_int_equal(settings.value[1][1], b6);
}

static void what_was_unset_is_set_and_put_back(void **state)
{
	struct story story;

	(void)state;
	begin(&story, HOST);
	settings.value[0][1] = 1;
	update(&story);
	assert_values(1, 1, 1, 1);
	update(&story);
	assert_int_equal(settings.writes, 3);
	linkdown_restore(&story.linkdown, NOW_MS);
	assert_values(0, 1, 0, 0);
	assert_int_equal(access(settings.record, F_OK), -1);
	end(&story);
}

/* Killed between the two, it would stay set for good. */
static void the_record_comes_before_the_setting(void **state)
{
	struct story story;

	(void)state;
	begin(&story, HOST);
	update(&story);
	assert_int_equal(settings.writes, 4);
	assert_int_equal(settings.behind, 0);
	assert_int_equal(settings.records, 1);
	end(&story);
}

static void a_next_life_forgets_what_was_recorded_only(void **state)
{
	struct story story;

	(void)state;
	begin(&story, HOST);
	update(&story);
	settings.value[1][0] = 0; /* it was killed before this one */
	live_again(&story);
	story.scene.policy.ignore_linkdown = false;
	settings.writes = 0;
	update(&story);
	assert_int_equal(settings.writes, 3);
	assert_values(0, 0, 0, 0);
	end(&story);
}

static void a_refused_setting_is_not_recorded(void **state)
{
	struct story story;
	char record[256];

	(void)state;
	begin(&story, HOST);
	settings.is_read_only = true;
	update(&story);
	read_record(record, sizeof(record));
	assert_string_equal(record, "");
	assert_int_equal(story.linkdown.changed.n, 0);
	/* It is tried again, and only then recorded. */
	update(&story);
	assert_int_equal(settings.writes, 8);
	settings.is_read_only = false;
	update(&story);
	assert_values(1, 1, 1, 1);
	assert_int_equal(story.linkdown.changed.n, 4);
	linkdown_restore(&story.linkdown, NOW_MS);
	assert_values(0, 0, 0, 0);
	end(&story);
}

/* The setting goes with a link that goes; its name may be another's by then. */
static void a_link_that_goes_is_forgotten(void **state)
{
	struct story story;

	(void)state;
	begin(&story, HOST);
	update(&story);
	scene_read(&story.scene,
		   "del route 0.0.0.0/0 via 10.2.0.1 dev b metric 100\n"
		   "del addr 10.2.0.2/24 dev b\n"
		   "del link 3\n");
	scene_manage(&story.scene);
	settings.writes = 0;
	update(&story);
	assert_int_equal(settings.writes, 0);
	assert_int_equal(story.linkdown.changed.n, 2);
	end(&story);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_unset_is_set_and_put_back),
		cmocka_unit_test(the_record_comes_before_the_setting),
		cmocka_unit_test(a_next_life_forgets_what_was_recorded_only),
		cmocka_unit_test(a_refused_setting_is_not_recorded),
		cmocka_unit_test(a_link_that_goes_is_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
