/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The golden cases of tests/cases: small hosts, and what the plan makes of
 * them.
 *
 * A file is a scene (scene.h), then blocks, each named by a line "---- NAME":
 *
 *   plan     the rules and tables of the plan, which then is carried out
 *   event    more lines of the scene: what happens to the host
 *   ops      what is done about it, in order; it then is carried out
 *   packets  "SRC -> DST [tos N]: ANSWER" by the draft's procedure (forward.h)
 *
 * The words are those of `ip -batch`. MULTIHOMED_UPDATE=1 writes what came out
 * into the files instead of comparing; then read the difference.
 */
#include <errno.h>
#include <glob.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "core/forward.h"
#include "tests/unit/scene.h"

#define CASES	  "tests/cases/*.case"
#define LINES_MAX 60 /* nobody reads longer ones */

/* One case on its way from the file's text to what it should be. */
struct golden {
	struct scene scene;
	FILE *out;
};

/* --- plan and ops --- */

static void print_op(struct golden *golden, const struct op *op)
{
	char text[OP_TEXT_MAX];

	(void)fprintf(golden->out, "%s\n",
		      op_format(op, &golden->scene.model.rib.attrs,
				&golden->scene.model.links, text));
}

static void apply_all(struct golden *golden, const struct op_vec *ops)
{
	const struct op *op;

	vec_foreach(ops, op)
		op_enter(&golden->scene.model, op);
}

/* Table by table, each in the order of its prefixes. */
static int table_order(const void *a, const void *b)
{
	const struct op *x = a;
	const struct op *y = b;
	int order = route_key_cmp(&x->route.route, &y->route.route);

	if (x->route.route.table != y->route.route.table)
		return order;
	if (!ip_prefix_equal(&x->route.prefix, &y->route.prefix))
		return ip_prefix_cmp(&x->route.prefix, &y->route.prefix);
	return order;
}

static void collect_routes(const struct scene *scene,
			   const struct scene_plan *plan, struct op_vec *ret)
{
	const struct scene_row *row;
	const struct want *want;
	struct op op = {.kind = OP_ROUTE_PUT};

	vec_foreach(&plan->rows, row) {
		op.route.prefix = row->prefix;
		vec_foreach(&row->wants, want) {
			op.route.route = (struct route){
				.table = want->table,
				.tos = want->tos,
				.metric = want->metric,
				.protocol = scene->policy.protocol,
				.attrs = want->attrs,
			};
			vec_push(ret, op);
		}
	}
	if (ret->n)
		qsort(ret->items, ret->n, sizeof(op), table_order);
}

static void print_plan(struct golden *golden)
{
	struct scene_plan plan = {0};
	struct op_vec routes = {0};
	struct op op = {.kind = OP_RULE_ADD};
	const struct rule *rule;
	const struct op *it;

	scene_plan_build(&golden->scene, &plan);
	vec_foreach(&plan.rules, rule) {
		op.rule = *rule;
		print_op(golden, &op);
	}
	collect_routes(&golden->scene, &plan, &routes);
	vec_foreach(&routes, it)
		print_op(golden, it);
	vec_done(&routes);
	scene_plan_done(&golden->scene, &plan);
	scene_steady(&golden->scene);
}

static void print_ops(struct golden *golden)
{
	struct scene_plan plan = {0};
	struct op_vec ops = {0};
	size_t phase_end[DIFF_PHASES];
	const struct op *op;

	scene_plan_build(&golden->scene, &plan);
	scene_ops(&golden->scene, &plan, &ops, phase_end);
	vec_foreach(&ops, op)
		print_op(golden, op);
	apply_all(golden, &ops);
	vec_done(&ops);
	scene_plan_done(&golden->scene, &plan);
}

/* --- packets --- */

static void print_best(struct golden *golden, const struct forward *forward)
{
	static const char *const rejects[] = {
		[ATTRSET_BLACKHOLE] = "blackhole",
		[ATTRSET_UNREACHABLE] = "unreachable",
		[ATTRSET_PROHIBIT] = "prohibit",
		[ATTRSET_THROW] = "throw",
	};
	const struct model *model = &golden->scene.model;
	const struct forward_candidate *it;
	char text[IP_TEXT_MAX];

	vec_foreach(&forward->best, it) {
		const struct attrset *set =
			attrset_get(&model->rib.attrs, it->route.attrs);
		const struct next_hop *hop;

		(void)fprintf(golden->out, "%s",
			      it > forward->best.items ? " or" : "");
		if (it->reject) {
			(void)fprintf(golden->out, " %s", rejects[set->type]);
			continue;
		}
		hop = &set->hops.items[it->hop];
		if (ip_addr_is_set(&hop->gateway))
			(void)fprintf(golden->out, " via %s",
				      ip_addr_format(&hop->gateway, text));
		(void)fprintf(golden->out, " dev %s",
			      model_link(model, hop->ifindex)->name);
	}
}

static void answer(struct golden *golden, const struct ip_addr *src,
		   const struct ip_addr *dst, uint8_t tos)
{
	static const char *const rules[] = {
		[FORWARD_NO_ROUTE] = "rule 2: no route",
		[FORWARD_WEAK] = "rule 3:",
		[FORWARD_STRONG] = "rule 3, strong: drop",
		[FORWARD_CONGRUENT] = "rule 4:",
	};
	const struct subnet *subnet =
		subnet_of_source(&golden->scene.subnets, src);
	struct view view = scene_view(&golden->scene);
	struct forward forward = {0};

	if (!subnet) {
		(void)fprintf(golden->out, "not managed\n");
		return;
	}
	forward_pick(&view, subnet, dst, tos, &forward);
	(void)fprintf(golden->out, "%s", rules[forward.rule]);
	print_best(golden, &forward);
	(void)fprintf(golden->out, "\n");
	forward_done(&forward);
}

/* Return: whether @line is a question; then it is answered. */
static bool print_packet(struct golden *golden, const char *line)
{
	char src[IP_TEXT_MAX];
	char dst[IP_TEXT_MAX];
	char *colon;
	unsigned int tos = 0;
	struct ip_addr from;
	struct ip_addr to;

	if (sscanf(line, "%63s -> %63s tos %i", src, dst, (int *)&tos) < 2)
		return false;
	colon = dst + strlen(dst) - 1;
	if (*colon == ':')
		*colon = '\0';
	if (ip_addr_parse(src, &from) || ip_addr_parse(dst, &to))
		return false;
	(void)fprintf(golden->out, "%s -> %s", src, dst);
	if (tos)
		(void)fprintf(golden->out, " tos 0x%02x", tos);
	(void)fprintf(golden->out, ": ");
	answer(golden, &from, &to, (uint8_t)tos);
	return true;
}

/* --- a file --- */

enum block {
	BLOCK_SCENE, /* and event: lines of the scene */
	BLOCK_PRINTED,
	BLOCK_PACKETS,
};

/* A head line ends the block before it. */
static enum block block_start(struct golden *golden, const char *name)
{
	scene_manage(&golden->scene);
	(void)fprintf(golden->out, "---- %s\n", name);
	if (strcmp(name, "plan") == 0)
		print_plan(golden);
	else if (strcmp(name, "ops") == 0)
		print_ops(golden);
	else if (strcmp(name, "packets") == 0)
		return BLOCK_PACKETS;
	else if (strcmp(name, "event") == 0)
		return BLOCK_SCENE;
	else
		fail_msg("no such block: %s", name);
	return BLOCK_PRINTED;
}

static void take_line(struct golden *golden, enum block *block,
		      const char *line)
{
	if (strncmp(line, "---- ", 5) == 0) {
		*block = block_start(golden, line + 5);
		return;
	}
	switch (*block) {
	case BLOCK_SCENE:
		if (scene_line(&golden->scene, line))
			fail_msg("cannot be read: %s", line);
		(void)fprintf(golden->out, "%s\n", line);
		break;
	case BLOCK_PRINTED:
		break; /* what came out last time */
	case BLOCK_PACKETS:
		if (!print_packet(golden, line))
			fail_msg("not SRC -> DST: %s", line);
		break;
	}
}

/* What the file with @text should say; the caller frees it. */
static char *render(const char *text)
{
	struct golden golden = {0};
	enum block block = BLOCK_SCENE;
	char *copy = strdup(text);
	char *ret = NULL;
	char *rest = copy;
	size_t size;
	char *line;

	assert_non_null(copy);
	scene_init(&golden.scene);
	golden.out = open_memstream(&ret, &size);
	assert_non_null(golden.out);
	while ((line = strsep(&rest, "\n")))
		if (rest || *line)
			take_line(&golden, &block, line);
	assert_int_equal(fclose(golden.out), 0);
	scene_done(&golden.scene);
	free(copy);
	return ret;
}

static char *read_file(const char *path)
{
	FILE *file = fopen(path, "re");
	size_t size = 0;
	char *text = NULL;

	if (!file)
		fail_msg("%s: %s", path, strerror(errno));
	if (getdelim(&text, &size, '\0', file) < 0)
		fail_msg("%s: empty", path);
	(void)fclose(file);
	return text;
}

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");

	if (!file || fputs(text, file) < 0 || fclose(file))
		fail_msg("%s: %s", path, strerror(errno));
	print_message("# %s written\n", path);
}

static size_t count_lines(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

/* The first line in which the two differ. */
static void print_difference(const char *written, const char *out)
{
	size_t n = 1;

	while (*written == *out) {
		size_t len = strcspn(written, "\n");

		if (strncmp(written, out, len + 1) != 0)
			break;
		written += len + 1;
		out += len + 1;
		n++;
	}
	print_error("line %zu says\n  %.*s\nbut this came out\n  %.*s\n", n,
		    (int)strcspn(written, "\n"), written,
		    (int)strcspn(out, "\n"), out);
}

static void settle_difference(const char *path, const char *text,
			      const char *should)
{
	if (getenv("MULTIHOMED_UPDATE")) {
		write_file(path, should);
		return;
	}
	print_difference(text, should);
	fail_msg("%s: MULTIHOMED_UPDATE=1 rewrites it", path);
}

static void case_is_as_written(void **state)
{
	const char *path = *state;
	char *text = read_file(path);
	char *should = render(text);

	if (count_lines(should) > LINES_MAX)
		fail_msg("%s: more than %d lines", path, LINES_MAX);
	if (strcmp(text, should) != 0)
		settle_difference(path, text, should);
	free(should);
	free(text);
}

int main(void)
{
	struct CMUnitTest tests[256] = {0};
	glob_t found;
	size_t n;
	int failed;

	if (glob(CASES, 0, NULL, &found) || found.gl_pathc > 256) {
		print_error("no cases here: %s\n", CASES);
		return 1;
	}
	for (n = 0; n < found.gl_pathc; n++) {
		tests[n].name = strrchr(found.gl_pathv[n], '/') + 1;
		tests[n].test_func = case_is_as_written;
		tests[n].initial_state = found.gl_pathv[n];
	}
	failed = _cmocka_run_group_tests("cases", tests, n, NULL, NULL);
	globfree(&found);
	return failed;
}
