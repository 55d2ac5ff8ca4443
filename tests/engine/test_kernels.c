/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a kernel does, without the engine: kernels.txt is a protocol of changes,
 * of what is heard of each, and of what is then there. The real kernel must say
 * what the file says, and the fake one the same.
 *
 *   ==== NAME            a fresh world (tests/engine/world.h)
 *   > LINE               somebody does that; what is heard of it follows
 *   = TABLE              what the table holds, in the kernel's order
 *   ! put|del ROUTE      kernel_apply() with such an op, and what it says
 *   ? SRC|- DST [oif DEV] [tos N]   where such a packet goes
 *
 * Behind each the answer, indented. KERNELS_UPDATE=1 with test_kernels_real
 * writes the file anew.
 */
#include "kernel/kernel.h"

#include <ctype.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "core/text.h"
#include "tests/engine/world.h"
#include "tests/unit/scene_text.h"

#define PATH "tests/engine/kernels.txt"
#define SIZE 65536

static const struct kernel_config config = {
	.table_first = 7100,
	.table_last = 7999,
	.protocol = 109,
};

struct protocol {
	struct kernel *kernel;
	struct model model; /* of it the links, for their names */
	struct text text;   /* what is written */
};

static const char *link_name(const struct protocol *protocol, uint32_t ifindex)
{
	const struct link *link = model_link(&protocol->model, ifindex);

	return link ? link->name : "?";
}

/* --- what is heard --- */

static void put_route(struct protocol *protocol,
		      const struct model_route *route)
{
	char text[ROUTE_TEXT_MAX];

	text_put(&protocol->text, "%s",
		 route_format(&route->prefix, &route->route, &route->set,
			      &protocol->model.links, text));
}

static void put_link(struct protocol *protocol,
		     const struct kernel_event *event)
{
	text_put(&protocol->text, "link %s%s%s", event->link.name,
		 event->link.up ? " up" : "",
		 event->link.carrier ? " carrier" : "");
}

static void put_address(struct protocol *protocol,
			const struct kernel_event *event)
{
	char text[IP_TEXT_MAX];

	text_put(&protocol->text, "address %s/%u%s%s",
		 ip_addr_format(&event->address.local, text),
		 event->address.prefix_len,
		 event->address.temporary ? " secondary" : "",
		 event->address.tentative ? " tentative" : "");
}

static void put_change(struct protocol *protocol,
		       const struct kernel_event *event)
{
	static const char *const hows[] = {"append ", "prepend ", "replace "};

	text_put(&protocol->text, "route %s",
		 event->deleted ? "" : hows[event->put]);
	put_route(protocol, &event->route);
}

static void put_rule(struct protocol *protocol,
		     const struct kernel_event *event)
{
	char text[RULE_TEXT_MAX];

	text_put(&protocol->text, "rule %s", rule_format(&event->rule, text));
}

static void put_neighbour(struct protocol *protocol,
			  const struct kernel_event *event)
{
	char text[IP_TEXT_MAX];

	text_put(&protocol->text, "neighbour %s%s",
		 ip_addr_format(&event->neighbour.addr, text),
		 event->neighbour.failed ? " failed" : "");
}

static void put_nexthop(struct protocol *protocol,
			const struct kernel_event *event)
{
	text_put(&protocol->text, "nexthop %u", event->nexthop_id);
}

static void (*const writers[KERNEL_EVENTS])(
	struct protocol *protocol, const struct kernel_event *event) = {
	[KERNEL_LINK] = put_link,	    [KERNEL_ADDRESS] = put_address,
	[KERNEL_ROUTE] = put_change,	    [KERNEL_RULE] = put_rule,
	[KERNEL_NEIGHBOUR] = put_neighbour, [KERNEL_NEXTHOP] = put_nexthop,
};

/* Of links and addresses the kernel likes to tell twice. */
static bool is_new(struct protocol *protocol, const struct kernel_event *event)
{
	if (event->deleted)
		return true;
	if (event->kind == KERNEL_LINK)
		return model_put_link(&protocol->model, &event->link);
	if (event->kind == KERNEL_ADDRESS)
		return model_put_address(&protocol->model, &event->address);
	return true;
}

static void hear(const struct kernel_event *event, void *data)
{
	struct protocol *protocol = data;

	if (!is_new(protocol, event))
		return;
	if (event->deleted && event->kind == KERNEL_ADDRESS)
		(void)model_remove_address(&protocol->model, &event->address);
	text_put(&protocol->text, "  %s", event->deleted ? "gone: " : "");
	assert_non_null(writers[event->kind]);
	writers[event->kind](protocol, event);
	/* Links say no more than before 6.2; nobody reads it there. */
	if (event->port && event->kind != KERNEL_LINK)
		text_put(&protocol->text, ", by somebody");
	text_put(&protocol->text, "\n");
}

static void take_link(const struct kernel_event *event, void *data)
{
	struct protocol *protocol = data;

	(void)model_put_link(&protocol->model, &event->link);
}

/* Those that are gone are still named. */
static void read_links(struct protocol *protocol)
{
	static const struct kernel_read what = {.what = KERNEL_LINK};

	assert_int_equal(
		kernel_read(protocol->kernel, &what, take_link, protocol), 0);
}

static void hear_all(struct protocol *protocol)
{
	while (kernel_listen(protocol->kernel, 100, hear, protocol) > 0)
		;
}

static void do_line(struct protocol *protocol, const char *line)
{
	world_do(line);
	hear_all(protocol);
}

/* --- what is there --- */

static void list(const struct kernel_event *event, void *data)
{
	struct protocol *protocol = data;

	text_put(&protocol->text, "  ");
	put_route(protocol, &event->route);
	text_put(&protocol->text, "\n");
}

static void list_table(struct protocol *protocol, const char *name)
{
	struct kernel_read what = {
		.what = KERNEL_ROUTE,
		.family = AF_INET,
		.table = (uint32_t)strtoul(name, NULL, 10),
	};

	assert_int_equal(kernel_read(protocol->kernel, &what, list, protocol),
			 0);
	what.family = AF_INET6;
	assert_int_equal(kernel_read(protocol->kernel, &what, list, protocol),
			 0);
}

/* --- what it says to an op --- */

static void apply(struct protocol *protocol, const char *line)
{
	struct attrset_store *store = &protocol->model.rib.attrs;
	struct kernel_failure_vec failures = {0};
	struct model_route route;
	struct op op = {.kind = OP_ROUTE_PUT};
	struct words words;
	uint64_t ignored;

	assert_int_equal(words_split(&words, &protocol->model, line), 0);
	if (words_take(&words, "del"))
		op.kind = OP_ROUTE_DELETE;
	else
		assert_true(words_take(&words, "put"));
	assert_int_equal(scene_text_route(&words, &ignored, &route), 0);
	op.route.prefix = route.prefix;
	op.route.route = route.route;
	op.route.route.attrs = attrset_intern(store, &route.set);
	attrset_done(&route.set);
	assert_int_equal(
		kernel_apply(protocol->kernel, &op, 1, store, &failures), 0);
	if (failures.n)
		text_put(&protocol->text, "  %s %s\n",
			 strerrorname_np(-failures.items[0].error),
			 failures.items[0].why);
	else
		text_put(&protocol->text, "  done\n");
	vec_done(&failures);
	hear_all(protocol);
}

/* --- where a packet goes --- */

static struct kernel_question read_question(const struct protocol *protocol,
					    const char *line)
{
	struct kernel_question question = {0};
	char src[IP_TEXT_MAX] = "";
	char dst[IP_TEXT_MAX] = "";
	char word[16] = "";
	char value[LINK_NAME_MAX] = "";

	(void)sscanf(line, "%63s %63s %15s %15s", src, dst, word, value);
	if (strcmp(src, "-") != 0)
		assert_int_equal(ip_addr_parse(src, &question.src), 0);
	assert_int_equal(ip_addr_parse(dst, &question.dst), 0);
	if (strcmp(word, "oif") == 0)
		question.oif =
			model_link_by_name(&protocol->model, value)->ifindex;
	if (strcmp(word, "tos") == 0)
		question.tos = (uint8_t)strtoul(value, NULL, 0);
	return question;
}

static void ask(struct protocol *protocol, const char *line)
{
	struct kernel_question question = read_question(protocol, line);
	struct kernel_answer answer;
	char text[IP_TEXT_MAX];

	assert_int_equal(kernel_ask(protocol->kernel, &question, &answer), 0);
	if (answer.error) {
		text_put(&protocol->text, "  %s\n",
			 strerrorname_np(-answer.error));
		return;
	}
	text_put(&protocol->text, "  type %u", answer.type);
	if (ip_addr_is_set(&answer.hop.gateway))
		text_put(&protocol->text, " via %s",
			 ip_addr_format(&answer.hop.gateway, text));
	text_put(&protocol->text, " dev %s table %u",
		 link_name(protocol, answer.hop.ifindex), answer.table);
	if (!ip_addr_is_set(&question.src))
		text_put(&protocol->text, " src %s",
			 ip_addr_format(&answer.src, text));
	text_put(&protocol->text, "\n");
}

/* --- the file --- */

static void begin(struct protocol *protocol)
{
	kernel_free(protocol->kernel);
	protocol->kernel = NULL;
	world_ground_done();
	world_ground_new();
	assert_int_equal(kernel_open(&config, &protocol->kernel), 0);
	model_done(&protocol->model);
	model_init(&protocol->model);
	read_links(protocol);
}

static void play(struct protocol *protocol, const char *line)
{
	switch (line[0]) {
	case '=':
		text_put(&protocol->text, "%s\n", line);
		if (line[1] == '=')
			begin(protocol);
		else
			list_table(protocol, line + 2);
		break;
	case '>':
		text_put(&protocol->text, "%s\n", line);
		do_line(protocol, line + 2);
		break;
	case '!':
		text_put(&protocol->text, "%s\n", line);
		apply(protocol, line + 2);
		break;
	case '?':
		text_put(&protocol->text, "%s\n", line);
		ask(protocol, line + 2);
		break;
	case ' ':
		break; /* what was answered when the file was written */
	default:
		text_put(&protocol->text, "%s\n", line);
	}
}

static char *read_file(void)
{
	char *text = xalloc(SIZE);
	FILE *file = fopen(PATH, "re");

	assert_non_null(file);
	assert_true(fread(text, 1, SIZE - 1, file) > 0);
	(void)fclose(file);
	return text;
}

static void write_file(const char *text)
{
	FILE *file = fopen(PATH, "we");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

/* The first line that differs, and how. */
static void compare(const char *have, const char *want)
{
	unsigned int number = 1;

	while (*have && *want) {
		size_t h = strcspn(have, "\n");
		size_t w = strcspn(want, "\n");

		if (h != w || strncmp(have, want, h) != 0)
			break;
		have += h + (have[h] == '\n');
		want += w + (want[w] == '\n');
		number++;
	}
	if (*have || *want)
		fail_msg("%s:%u: \"%.*s\", but it is \"%.*s\"", PATH, number,
			 (int)strcspn(want, "\n"), want,
			 (int)strcspn(have, "\n"), have);
}

static void the_kernel_does_what_the_file_says(void **state)
{
	struct protocol protocol = {0};
	char *written = xalloc(SIZE);
	char *file = read_file();
	char *rest = strdup(file);
	char *next = rest;
	char *line;

	(void)state;
	text_init(&protocol.text, written, SIZE);
	model_init(&protocol.model);
	/* Empty lines too: strtok() would leave them out. */
	while (*next) {
		line = strsep(&next, "\n");
		play(&protocol, line);
	}
	kernel_free(protocol.kernel);
	world_ground_done();
	model_done(&protocol.model);
	if (getenv("KERNELS_UPDATE"))
		write_file(written);
	else
		compare(written, file);
	free(written);
	free(rest);
	free(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_kernel_does_what_the_file_says),
	};

	if (!world_enter())
		return WORLD_SKIP;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
