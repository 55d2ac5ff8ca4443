/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The reply to Metrics, and the histogram in it.
 */
#include "answers/metrics.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <json-c/json.h>

#include "daemon.h"

/* A daemon that never ran. */
struct stage {
	struct policy policy;
	struct daemon daemon;
	struct json_object *reply;
};

static void set_up(struct stage *stage)
{
	memset(stage, 0, sizeof(*stage));
	policy_init(&stage->policy);
	engine_init(&stage->daemon.engine, NULL, &stage->policy);
	round_init(&stage->daemon.round, &stage->daemon.engine, 0);
}

static void take_down(struct stage *stage)
{
	json_object_put(stage->reply);
	round_done(&stage->daemon.round);
	engine_done(&stage->daemon.engine);
	policy_done(&stage->policy);
}

static struct json_object *find(struct stage *stage, const char *name)
{
	struct json_object *metrics;
	size_t n;

	if (!stage->reply)
		stage->reply = metrics_build(&stage->daemon);
	metrics = json_object_object_get(stage->reply, "metrics");
	n = json_object_array_length(metrics);
	for (size_t i = 0; i < n; i++) {
		struct json_object *metric =
			json_object_array_get_idx(metrics, i);

		if (strcmp(json_object_get_string(
				   json_object_object_get(metric, "name")),
			   name) == 0)
			return json_object_object_get(metric, "samples");
	}
	fail_msg("no metric %s", name);
	return NULL;
}

/* The value of the only label; NULL: there is none. */
static const char *label_of(struct json_object *sample)
{
	struct json_object *labels = json_object_object_get(sample, "labels");
	struct json_object_iterator it = json_object_iter_begin(labels);
	struct json_object_iterator end = json_object_iter_end(labels);

	if (json_object_iter_equal(&it, &end))
		return NULL;
	return json_object_get_string(json_object_iter_peek_value(&it));
}

static bool is_text(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

/* @label: of the sample; NULL: it has none. */
static double value(struct stage *stage, const char *name, const char *suffix,
		    const char *label)
{
	struct json_object *samples = find(stage, name);

	for (size_t i = 0; i < json_object_array_length(samples); i++) {
		struct json_object *sample =
			json_object_array_get_idx(samples, i);
		struct json_object *has =
			json_object_object_get(sample, "suffix");

		if (is_text(json_object_get_string(has), suffix) &&
		    is_text(label_of(sample), label))
			return json_object_get_double(
				json_object_object_get(sample, "value"));
	}
	fail_msg("%s%s: no sample %s", name, suffix, label ? label : "");
	return 0;
}

static void counters_are_those_of_the_engine(void **state)
{
	static const struct {
		const char *name;
		const char *label;
		double value;
	} cases[] = {
		{"multihomed_events", "link", 1},
		{"multihomed_events", "bad", 2},
		{"multihomed_ops", "route_put", 3},
		{"multihomed_ops", "neighbour_delete", 4},
		{"multihomed_reconciles", NULL, 5},
		{"multihomed_reconciles_written", NULL, 6},
		{"multihomed_planned_prefixes", NULL, 7},
		{"multihomed_repairs", NULL, 8},
		{"multihomed_resyncs", NULL, 9},
		{"multihomed_full_reads", NULL, 10},
		{"multihomed_op_errors", NULL, 11},
	};
	struct stage stage;
	struct engine_counters *counters = &stage.daemon.engine.counters;

	(void)state;
	set_up(&stage);
	counters->events[KERNEL_LINK] = 1;
	counters->events[KERNEL_BAD] = 2;
	counters->ops[OP_ROUTE_PUT] = 3;
	counters->ops[OP_NEIGHBOUR_DELETE] = 4;
	counters->rounds = 5;
	counters->runs = 6;
	counters->rows = 7;
	counters->repairs = 8;
	counters->resyncs = 9;
	counters->reads = 10;
	counters->errors = 11;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_true(value(&stage, cases[i].name, "_total",
				  cases[i].label) == cases[i].value);
	take_down(&stage);
}

static void buckets_hold_those_below_as_well(void **state)
{
	static const uint64_t took[] = {0, 50, 51, 999, 1000, 1001, 20000000};
	static const struct {
		const char *le;
		double count;
	} cases[] = {
		{"5e-05", 2}, {"0.0001", 3}, {"0.0005", 3}, {"0.001", 5},
		{"0.002", 6}, {"10.0", 6},   {"+Inf", 7},
	};
	struct stage stage;

	(void)state;
	set_up(&stage);
	for (size_t i = 0; i < sizeof(took) / sizeof(took[0]); i++)
		histogram_add(&stage.daemon.round.event_to_kernel, took[i]);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_true(value(&stage, "multihomed_event_to_kernel_seconds",
				  "_bucket", cases[i].le) == cases[i].count);
	assert_true(value(&stage, "multihomed_event_to_kernel_seconds",
			  "_count", NULL) == 7);
	assert_float_equal(value(&stage, "multihomed_event_to_kernel_seconds",
				 "_sum", NULL),
			   20.003101, 1e-9);
	take_down(&stage);
}

static void subnets_are_counted_by_state(void **state)
{
	static const enum cell_fate fates[] = {CELL_FATE_WEAK, CELL_FATE_WEAK,
					       CELL_FATE_STRONG_DROP};
	const struct subnet subnet = {.managed = true};
	const struct subnet other = {.managed = false};
	struct stage stage;

	(void)state;
	set_up(&stage);
	vec_push(&stage.daemon.engine.subnets.subnets, other);
	for (size_t i = 0; i < sizeof(fates) / sizeof(fates[0]); i++) {
		const struct outlook_entry entry = {.fate = fates[i]};

		vec_push(&stage.daemon.engine.subnets.subnets, subnet);
		vec_push(&stage.daemon.round.outlook.entries, entry);
	}
	assert_true(value(&stage, "multihomed_subnets", "", "weak") == 2);
	assert_true(value(&stage, "multihomed_subnets", "", "strong_drop") ==
		    1);
	assert_true(value(&stage, "multihomed_subnets", "", "congruent") == 0);
	assert_true(value(&stage, "multihomed_subnets", "", "not_managed") ==
		    1);
	take_down(&stage);
}

static void the_process_has_used_something(void **state)
{
	struct stage stage;

	(void)state;
	set_up(&stage);
	assert_true(value(&stage, "process_resident_memory_bytes", "", NULL) >
		    100000);
	assert_true(value(&stage, "process_cpu_seconds", "_total", NULL) >= 0);
	assert_true(value(&stage, "multihomed_control_clients", "", NULL) == 0);
	assert_true(value(&stage, "multihomed_config_on_trial", "", NULL) == 0);
	take_down(&stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counters_are_those_of_the_engine),
		cmocka_unit_test(buckets_hold_those_below_as_well),
		cmocka_unit_test(subnets_are_counted_by_state),
		cmocka_unit_test(the_process_has_used_something),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
