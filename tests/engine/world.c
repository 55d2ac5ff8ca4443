/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/engine/world.h"

#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "core/plan.h"
#include "log.h"

#define START_MS   1000000
#define ROUNDS_MAX 200 /* until the engine must be content */

VEC(line_vec, char *);

/* --- the engine at work --- */

int world_make(void **state)
{
	struct world *world = xalloc(sizeof(*world));

	/* What goes wrong on purpose is no news. */
	log_set_level(LOG_CRIT);
	policy_init(&world->policy);
	world->now_ms = START_MS;
	*state = world;
	world_ground_new();
	return 0;
}

int world_unmake(void **state)
{
	struct world *world = *state;

	world_stop(world);
	world_ground_done();
	policy_done(&world->policy);
	vec_done(&world->flows);
	free(world);
	return 0;
}

void world_do(const char *lines)
{
	world_ground_do(lines);
}

static struct kernel_config config_of(const struct world *world)
{
	return (struct kernel_config){
		.table_first = world->policy.table_first,
		.table_last = world->policy.table_last,
		.protocol = world->policy.protocol,
	};
}

/* --- flows --- */

uint64_t world_begin(struct world *world, const char *src, const char *dst)
{
	static uint32_t last;
	struct flow flow = {.cookie = last + 1, .inode = last + 1};

	last++;

	assert_int_equal(ip_addr_parse(src, &flow.src), 0);
	assert_int_equal(ip_addr_parse(dst, &flow.dst), 0);
	vec_push(&world->flows, flow);
	world->begun++;
	return flow.cookie;
}

struct flow *world_flow(struct world *world, uint64_t cookie)
{
	struct flow *flow;

	vec_foreach(&world->flows, flow)
		if (flow->cookie == cookie)
			return flow;
	fail_msg("no such flow");
	return NULL;
}

void world_end(struct world *world, uint64_t cookie)
{
	struct flow flow = *world_flow(world, cookie);

	vec_remove(&world->flows,
		   (size_t)(world_flow(world, cookie) - world->flows.items));
	engine_pins_flow_ended(&world->engine, &flow.src, &flow.dst,
			       world->now_ms);
}

enum pin_kind world_pin_kind(const struct world *world, const char *dst)
{
	const struct pin *pin;
	struct ip_addr addr;

	assert_int_equal(ip_addr_parse(dst, &addr), 0);
	vec_foreach(&world->engine.pins.set.pins, pin)
		if (ip_addr_equal(&pin->dst, &addr))
			return pin->kind;
	return PIN_NONE;
}

/* Whether this question for flows breaks off. */
static bool list_fails(struct world *world)
{
	if (world->lists_good) {
		world->lists_good--;
		return false;
	}
	if (world->lists_bad == 0)
		return false;
	world->lists_bad--;
	return true;
}

static bool has(const struct ip_prefix *prefixes, size_t n,
		const struct ip_addr *addr)
{
	for (size_t i = 0; i < n; i++)
		if (ip_prefix_has(&prefixes[i], addr))
			return true;
	return false;
}

static int list_flows(void *data, const struct flow_query *query, flow_fn *fn,
		      void *fn_data)
{
	struct world *world = data;
	const struct flow *flow;

	vec_foreach(&world->flows, flow) {
		if (!has(query->sources, query->n_sources, &flow->src) ||
		    (flow_is_opening(flow) && !query->opening))
			continue;
		if (query->n_dests &&
		    !has(query->dests, query->n_dests, &flow->dst))
			continue;
		world->told++;
		fn(flow, fn_data);
	}
	return list_fails(world) ? -ENOBUFS : 0;
}

static bool any_flow(void *data)
{
	const struct world *world = data;

	return world->flows.n || world->lists_bad;
}

static bool begun_flows(void *data, uint64_t *ret)
{
	const struct world *world = data;

	*ret = world->begun;
	return !world->counts_bad;
}

void world_open(struct world *world)
{
	const struct kernel_config config = config_of(world);

	assert_null(world->kernel);
	assert_int_equal(kernel_open(&config, &world->kernel), 0);
	engine_init(&world->engine, world->kernel, &world->policy);
	world->engine.observer = world->observer;
	world->engine.pins.flows =
		(struct engine_flows){list_flows, any_flow, begun_flows, world};
}

void world_start(struct world *world)
{
	world_open(world);
	world_run(world);
}

void world_stop(struct world *world)
{
	if (!world->kernel)
		return;
	engine_done(&world->engine);
	kernel_free(world->kernel);
	world->kernel = NULL;
}

void world_run(struct world *world)
{
	struct engine *engine = &world->engine;
	int rounds = 0;

	while (engine_listen(engine, world->now_ms))
		;
	while (engine_is_pending(engine, world->now_ms)) {
		world->error = engine_run(engine, world->now_ms);
		if (++rounds == ROUNDS_MAX)
			fail_msg("the engine is never content");
	}
}

void world_pass(struct world *world, uint64_t ms)
{
	uint64_t until_ms = world->now_ms + ms;
	uint64_t next;

	world_run(world);
	next = engine_next(&world->engine);
	while (next && next <= until_ms) {
		if (next > world->now_ms)
			world->now_ms = next;
		world_run(world);
		next = engine_next(&world->engine);
	}
	world->now_ms = until_ms;
	world_run(world);
}

uint64_t world_written(const struct world *world)
{
	return engine_ops_written(&world->engine);
}

/* --- what the kernel has --- */

/* A second way in, so that what the engine believes plays no part. */
struct look {
	struct line_vec lines;
	struct link_vec links;
	uint8_t protocol;
};

static void add_rule(struct look *look, const struct rule *rule)
{
	struct rule bare = *rule;
	char text[RULE_TEXT_MAX];
	char *line;

	bare.protocol = 0;
	assert_true(asprintf(&line, "rule %s",
			     rule_format(&bare, text) + strlen("priority ")) >
		    0);
	vec_push(&look->lines, line);
}

static void add_route(struct look *look, const struct model_route *route)
{
	struct route bare = route->route;
	char text[ROUTE_TEXT_MAX];
	char *table;
	char *line;

	bare.table = ROUTE_TABLE_MAIN;
	bare.protocol = 0;
	if (bare.metric == PLAN_METRIC)
		bare.metric = 0;
	route_format(&route->prefix, &bare, &route->set, &look->links, text);
	table = strstr(text, " table main");
	if (table)
		memmove(table, table + strlen(" table main"),
			strlen(table + strlen(" table main")) + 1);
	assert_true(asprintf(&line, "%u %s", route->route.table, text) > 0);
	vec_push(&look->lines, line);
}

static void take(const struct kernel_event *event, void *data)
{
	struct look *look = data;

	if (event->kind == KERNEL_LINK)
		vec_push(&look->links, event->link);
	if (event->kind == KERNEL_RULE &&
	    event->rule.protocol == look->protocol)
		add_rule(look, &event->rule);
	if (event->kind == KERNEL_ROUTE)
		add_route(look, &event->route);
}

static int compare_lines(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void sort_lines(struct line_vec *lines)
{
	if (lines->n)
		qsort(lines->items, lines->n, sizeof(*lines->items),
		      compare_lines);
}

static void free_lines(struct line_vec *lines)
{
	char **line;

	vec_foreach(lines, line)
		free(*line);
	vec_done(lines);
}

static void look_at(struct kernel *kernel, struct look *look)
{
	static const uint8_t families[] = {AF_INET, AF_INET6};
	struct kernel_read what = {.what = KERNEL_LINK};

	assert_int_equal(kernel_read(kernel, &what, take, look), 0);
	for (size_t i = 0; i < 2; i++) {
		what = (struct kernel_read){.what = KERNEL_RULE,
					    .family = families[i]};
		assert_int_equal(kernel_read(kernel, &what, take, look), 0);
		what.what = KERNEL_ROUTE;
		what.protocol = look->protocol;
		assert_int_equal(kernel_read(kernel, &what, take, look), 0);
	}
}

static struct line_vec ours(const struct world *world)
{
	const struct kernel_config config = config_of(world);
	struct look look = {.protocol = world->policy.protocol};
	struct kernel *kernel;

	assert_int_equal(kernel_open(&config, &kernel), 0);
	look_at(kernel, &look);
	kernel_free(kernel);
	vec_done(&look.links);
	sort_lines(&look.lines);
	return look.lines;
}

static void remove_line(struct line_vec *lines, const char *line, size_t len)
{
	for (size_t i = 0; i < lines->n; i++) {
		if (strlen(lines->items[i]) != len ||
		    strncmp(lines->items[i], line, len) != 0)
			continue;
		free(lines->items[i]);
		vec_remove(lines, i);
		return;
	}
	fail_msg("not among the lines: %.*s", (int)len, line);
}

static void enter_lines(struct line_vec *lines, const char *text)
{
	while (*text) {
		size_t len = strcspn(text, "\n");

		if (text[0] == '-')
			remove_line(lines, text + 1, len - 1);
		else
			vec_push(lines, strndup(text, len));
		text += len + (text[len] == '\n');
	}
}

/* Return: how many lines one has and the other has not; they are printed. */
static size_t print_differences(const struct line_vec *have,
				const struct line_vec *want)
{
	size_t n = 0;
	size_t h = 0;
	size_t w = 0;

	while (h < have->n || w < want->n) {
		int order = h == have->n ? 1
			    : w == want->n
				    ? -1
				    : strcmp(have->items[h], want->items[w]);

		if (order != 0) {
			print_error(
				"%s: %s\n", order < 0 ? "too much" : "missing",
				order < 0 ? have->items[h] : want->items[w]);
			n++;
		}
		h += order <= 0;
		w += order >= 0;
	}
	return n;
}

void world_must_hold(const struct world *world, const char *lines,
		     const char *but)
{
	struct line_vec want = {0};
	struct line_vec have = ours(world);
	size_t differences;

	enter_lines(&want, lines);
	enter_lines(&want, but);
	sort_lines(&want);
	differences = print_differences(&have, &want);
	free_lines(&have);
	free_lines(&want);
	if (differences)
		fail_msg("%zu lines differ", differences);
}

bool world_holds(const struct world *world, const char *lines)
{
	struct line_vec want = {0};
	struct line_vec have = ours(world);
	size_t differences;

	enter_lines(&want, lines);
	sort_lines(&want);
	differences = print_differences(&have, &want);
	free_lines(&have);
	free_lines(&want);
	return differences == 0;
}

/* --- what the engine believes --- */

static void add_believed(const struct engine *engine, uint8_t family,
			 struct line_vec *lines)
{
	const struct ip_prefix all = ip_prefix_default(family);
	const struct rib *rib = &engine->model.rib;
	struct look look = {.links = engine->model.links};
	struct model_route route;
	struct trie_walk walk;
	uint32_t at;

	trie_walk_start(&walk, rib_trie(rib, family), &all);
	while (trie_walk_next(&walk, &route.prefix, &at)) {
		const struct row *row = rib_row_at(rib, at);

		for (size_t i = 0; i < row->n; i++) {
			route.route = row->routes[i];
			route.set =
				*attrset_get(&rib->attrs, row->routes[i].attrs);
			add_route(&look, &route);
		}
	}
	for (size_t i = 0; i < look.lines.n; i++)
		vec_push(lines, look.lines.items[i]);
	vec_done(&look.lines);
}

static struct line_vec believed(const struct engine *engine)
{
	struct line_vec lines = {0};
	struct look look = {0};
	const struct rule *rule;

	add_believed(engine, AF_INET, &lines);
	add_believed(engine, AF_INET6, &lines);
	vec_foreach(&engine->model.rules, rule)
		add_rule(&look, rule);
	for (size_t i = 0; i < look.lines.n; i++)
		vec_push(&lines, look.lines.items[i]);
	vec_done(&look.lines);
	sort_lines(&lines);
	return lines;
}

void world_must_be_steady(struct world *world)
{
	struct engine *engine = &world->engine;
	uint64_t written = world_written(world);
	struct line_vec before;
	struct line_vec after;
	size_t differences;

	assert_true(engine_is_steady(engine, world->now_ms));
	before = believed(engine);
	assert_int_equal(engine_read(engine, world->now_ms), 0);
	after = believed(engine);
	differences = print_differences(&before, &after);
	free_lines(&before);
	free_lines(&after);
	if (differences)
		fail_msg("the engine believed something else");
	world_run(world);
	assert_int_equal(world_written(world), written);
}
