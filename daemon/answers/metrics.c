/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "answers/metrics.h"

#include <stdio.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "answers/fate.h"
#include "answers/json.h"
#include "answers/pins.h"
#include "answers/status.h"
#include "daemon.h"

#define PREFIX "multihomed_"

/* --- families and samples --- */

/* One family of metrics; name without suffix. */
struct family {
	const char *name;
	const char *type;
	const char *unit;
	const char *help;
};

/* Return: the array for the family's samples. */
static struct json_object *add_family(struct json_object *metrics,
				      const struct family *family)
{
	struct json_object *object = json_object_new_object();
	struct json_object *samples = json_object_new_array();

	json_add_text(object, "name", family->name);
	json_add_text(object, "type", family->type);
	json_add_text(object, "unit", family->unit);
	json_add_text(object, "help", family->help);
	json_object_object_add(object, "samples", samples);
	json_object_array_add(metrics, object);
	return samples;
}

/* @key: NULL: no label. Return: its labels, for more. */
static struct json_object *add_sample(struct json_object *samples,
				      const char *suffix, const char *key,
				      const char *label, double value)
{
	struct json_object *sample = json_object_new_object();
	struct json_object *labels = json_object_new_object();

	if (key)
		json_add_text(labels, key, label);
	json_add_text(sample, "suffix", suffix);
	json_object_object_add(sample, "labels", labels);
	json_add_double(sample, "value", value);
	json_object_array_add(samples, sample);
	return labels;
}

static void add_counter(struct json_object *metrics, const char *name,
			const char *help, uint64_t value)
{
	const struct family family = {name, "counter", "", help};

	add_sample(add_family(metrics, &family), "_total", NULL, NULL,
		   (double)value);
}

static void add_gauge(struct json_object *metrics, const char *name,
		      const char *help, double value)
{
	const struct family family = {name, "gauge", "", help};

	add_sample(add_family(metrics, &family), "", NULL, NULL, value);
}

/* --- what the engine counted --- */

static void add_events(struct json_object *metrics,
		       const struct engine_counters *counters)
{
	static const char *const kinds[KERNEL_EVENTS] = {
		[KERNEL_LINK] = "link",
		[KERNEL_ADDRESS] = "address",
		[KERNEL_ROUTE] = "route",
		[KERNEL_RULE] = "rule",
		[KERNEL_NEIGHBOUR] = "neighbour",
		[KERNEL_NEXTHOP] = "nexthop",
		[KERNEL_ADVERT] = "advert",
		[KERNEL_LOST] = "lost",
		[KERNEL_BAD] = "bad",
	};
	struct json_object *samples = add_family(
		metrics,
		&(struct family){PREFIX "events", "counter", "",
				 "Messages of the kernel taken in; dumps do "
				 "not count."});

	for (size_t i = 0; i < KERNEL_EVENTS; i++)
		add_sample(samples, "_total", "kind", kinds[i],
			   (double)counters->events[i]);
}

static void add_ops(struct json_object *metrics,
		    const struct engine_counters *counters)
{
	static const char *const kinds[OP_KINDS] = {
		[OP_ROUTE_PUT] = "route_put",
		[OP_ROUTE_DELETE] = "route_delete",
		[OP_RULE_ADD] = "rule_add",
		[OP_RULE_DELETE] = "rule_delete",
		[OP_NEIGHBOUR_PUT] = "neighbour_put",
		[OP_NEIGHBOUR_DELETE] = "neighbour_delete",
	};
	struct json_object *samples = add_family(
		metrics, &(struct family){PREFIX "ops", "counter", "",
					  "Changes written to the kernel."});

	for (size_t i = 0; i < OP_KINDS; i++)
		add_sample(samples, "_total", "kind", kinds[i],
			   (double)counters->ops[i]);
}

static void add_counters(struct json_object *metrics,
			 const struct engine_counters *counters)
{
	add_events(metrics, counters);
	add_counter(metrics, PREFIX "reconciles",
		    "Times the plan was brought up to date.", counters->rounds);
	add_counter(metrics, PREFIX "reconciles_written",
		    "Those that wrote something.", counters->runs);
	add_counter(metrics, PREFIX "planned_prefixes",
		    "Destination prefixes that were planned, again or for the "
		    "first time.",
		    counters->rows);
	add_ops(metrics, counters);
	add_counter(metrics, PREFIX "op_errors",
		    "Changes that the kernel did not take.", counters->errors);
	add_counter(metrics, PREFIX "repairs",
		    "Times that was put back what others had changed.",
		    counters->repairs);
	add_counter(metrics, PREFIX "resyncs",
		    "Times that messages of the kernel were lost, so that "
		    "everything was read again.",
		    counters->resyncs);
	add_counter(metrics, PREFIX "full_reads",
		    "Times that everything was read from the kernel.",
		    counters->reads);
}

static void add_latency(struct json_object *metrics,
			const struct histogram *histogram)
{
	struct json_object *samples = add_family(
		metrics,
		&(struct family){
			PREFIX "event_to_kernel_seconds", "histogram",
			"seconds",
			"From waking up for messages of the kernel to the end "
			"of the writes they led to."});
	uint64_t sum = 0;

	for (unsigned int i = 0; i < HISTOGRAM_BUCKETS; i++) {
		sum += histogram->buckets[i];
		add_sample(samples, "_bucket", "le", histogram_bound(i),
			   (double)sum);
	}
	add_sample(samples, "_bucket", "le", "+Inf", (double)histogram->count);
	add_sample(samples, "_sum", NULL, NULL,
		   (double)histogram->sum_us / 1e6);
	add_sample(samples, "_count", NULL, NULL, (double)histogram->count);
}

/* --- how things are --- */

static void add_subnets(struct json_object *metrics,
			const struct daemon *daemon)
{
	const struct outlook_entry_vec *managed =
		&daemon->round.outlook.entries;
	struct json_object *samples = add_family(
		metrics, &(struct family){PREFIX "subnets", "gauge", "",
					  "Subnets, by how packets to a "
					  "destination without a route of its "
					  "own leave."});
	const struct outlook_entry *it;

	for (size_t i = 0; i < CELL_FATES; i++) {
		size_t n = 0;

		vec_foreach(managed, it)
			n += it->fate == (enum cell_fate)i;
		add_sample(samples, "", "state", fate_names[i], (double)n);
	}
	add_sample(samples, "", "state", "not_managed",
		   (double)daemon->engine.subnets.subnets.n -
			   (double)managed->n);
}

static void add_routes(struct json_object *metrics, const struct engine *engine)
{
	static const struct rib_table none;
	const struct rib *rib = &engine->model.rib;
	const struct rib_table *main = rib_table(rib, ROUTE_TABLE_MAIN);
	const struct rib_table ours = status_routes(engine);
	struct json_object *samples = add_family(
		metrics, &(struct family){PREFIX "routes", "gauge", "",
					  "Routes in table main and in ours."});

	if (!main)
		main = &none;
	json_add_text(
		add_sample(samples, "", "family", "ipv4", (double)main->n4),
		"table", "main");
	json_add_text(
		add_sample(samples, "", "family", "ipv6", (double)main->n6),
		"table", "main");
	json_add_text(
		add_sample(samples, "", "family", "ipv4", (double)ours.n4),
		"table", "ours");
	json_add_text(
		add_sample(samples, "", "family", "ipv6", (double)ours.n6),
		"table", "ours");
}

static void add_rules(struct json_object *metrics, const struct engine *engine)
{
	struct json_object *samples = add_family(
		metrics, &(struct family){PREFIX "rules", "gauge", "",
					  "Policy rules, by whose they are."});
	const struct rule_vec *rules = &engine->model.rules;
	const struct rule *it;
	size_t ours = 0;

	vec_foreach(rules, it)
		ours += it->protocol == engine->policy->protocol;
	add_sample(samples, "", "owner", "ours", (double)ours);
	add_sample(samples, "", "owner", "others", (double)(rules->n - ours));
}

/* --- pins --- */

static void add_moved(struct json_object *metrics,
		      const struct engine_pins_counters *counters)
{
	static const char *const reasons[PIN_MOVEDS] = {
		[PIN_MOVED_STALLED] = "stalled",
		[PIN_MOVED_LOST] = "path_lost",
		[PIN_MOVED_WEAK] = "weak_path_lost",
		[PIN_MOVED_HOLD_OVER] = "hold_over",
		[PIN_MOVED_CAP] = "over_cap",
		[PIN_MOVED_ASKED] = "unpinned",
	};
	struct json_object *samples = add_family(
		metrics,
		&(struct family){
			PREFIX "flows_moved", "counter", "",
			"Flows that had to leave their path, by why."});

	for (size_t i = PIN_MOVED_NOT + 1; i < PIN_MOVEDS; i++)
		add_sample(samples, "_total", "reason", reasons[i],
			   (double)counters->moved[i]);
}

static void add_pins(struct json_object *metrics, const struct engine *engine)
{
	static const enum pin_kind kinds[] = {PIN_PATH, PIN_HOLD, PIN_AWAY};
	const struct engine_pins_counters *counters = &engine->pins.counters;
	struct json_object *samples = add_family(
		metrics,
		&(struct family){PREFIX "pins", "gauge", "",
				 "Destinations whose flows are kept on their "
				 "path, held for it, or away from it."});

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		add_sample(samples, "", "kind", pins_kinds[kinds[i]],
			   (double)pins_count(engine, kinds[i]));
	add_counter(metrics, PREFIX "pins_set",
		    "Destinations whose flows were pinned to their path.",
		    counters->added);
	add_counter(metrics, PREFIX "holds",
		    "Destinations whose flows were held for a lost path.",
		    counters->held);
	add_counter(metrics, PREFIX "pins_ended", "Pins and holds that ended.",
		    counters->dropped);
	add_counter(metrics, PREFIX "flows_saved",
		    "Flows that kept their path though routes changed.",
		    counters->saved);
	add_moved(metrics, counters);
	add_counter(metrics, PREFIX "flow_listings",
		    "Times that TCP connections were listed.",
		    counters->listings);
}

static void add_manager(struct json_object *metrics,
			const struct userspace *userspace)
{
	add_gauge(metrics, PREFIX "mptcp_connections",
		  "MPTCP connections that the daemon manages.",
		  (double)userspace->manager.connections.n);
	add_counter(metrics, PREFIX "mptcp_subflows_opened",
		    "Subflows whose opening the daemon began.",
		    userspace->counts.opened);
	add_counter(metrics, PREFIX "mptcp_subflows_closed",
		    "Subflows closed for their path or address was gone.",
		    userspace->counts.closed);
	add_counter(metrics, PREFIX "mptcp_subflows_rejected",
		    "Incongruent subflows of peers that were closed.",
		    userspace->counts.rejected);
	add_counter(metrics, PREFIX "mptcp_events_lost",
		    "Times that the kernel's MPTCP events were lost.",
		    userspace->counts.lost);
	add_counter(metrics, PREFIX "mptcp_command_errors",
		    "Commands to the kernel's path manager that failed.",
		    userspace->counts.errors);
}

static void add_mptcp(struct json_object *metrics,
		      const struct endpoints *endpoints)
{
	add_gauge(metrics, PREFIX "mptcp_endpoints",
		  "MPTCP endpoints of ours in the kernel.",
		  (double)endpoints->ours.n);
	add_counter(metrics, PREFIX "mptcp_endpoints_added",
		    "MPTCP endpoints added.", endpoints->added);
	add_counter(metrics, PREFIX "mptcp_endpoints_removed",
		    "MPTCP endpoints removed.", endpoints->removed);
	add_counter(metrics, PREFIX "mptcp_errors",
		    "MPTCP endpoints that could not be added or removed.",
		    endpoints->errors);
}

static void add_gauges(struct json_object *metrics, const struct daemon *daemon)
{
	const struct engine *engine = &daemon->engine;

	add_subnets(metrics, daemon);
	add_routes(metrics, engine);
	add_rules(metrics, engine);
	add_pins(metrics, engine);
	add_mptcp(metrics, &daemon->endpoints);
	add_manager(metrics, &daemon->userspace);
	add_gauge(metrics, PREFIX "route_attribute_sets",
		  "Different sets of route attributes, each kept once.",
		  engine->model.rib.attrs.used);
	add_gauge(metrics, PREFIX "steady",
		  "1 while the kernel has what the plan wants.",
		  engine_is_steady(engine, daemon_now()));
	add_gauge(metrics, PREFIX "config_on_trial",
		  "1 while a configuration is on trial.",
		  trial_next(&daemon->trial) != 0);
	add_gauge(metrics, PREFIX "control_clients",
		  "Clients connected to the control socket.",
		  daemon->server ? server_clients(daemon->server) : 0);
	add_gauge(metrics, PREFIX "control_monitors",
		  "Those that listen to every round of work.",
		  (double)daemon->monitors.n);
}

/* --- the process --- */

static double cpu_seconds(void)
{
	struct rusage usage;

	if (getrusage(RUSAGE_SELF, &usage) < 0)
		return 0;
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static double resident_bytes(void)
{
	char text[128];
	char *end = text;
	double pages = 0;
	FILE *file = fopen("/proc/self/statm", "re");

	if (!file)
		return 0;
	/* The whole first, then what is resident. */
	if (fgets(text, sizeof(text), file)) {
		(void)strtoull(text, &end, 10);
		pages = (double)strtoull(end, NULL, 10);
	}
	(void)fclose(file);
	return pages * (double)sysconf(_SC_PAGESIZE);
}

/* Reckoned back from now: the clock may have been wrong at the start. */
static double start_time(const struct daemon *daemon)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9 -
	       (double)(daemon_now() - daemon->started_ms) / 1000;
}

static void add_process(struct json_object *metrics,
			const struct daemon *daemon)
{
	struct json_object *samples;

	samples = add_family(
		metrics,
		&(struct family){"process_start_time_seconds", "gauge",
				 "seconds",
				 "When the daemon started, since 1970."});
	add_sample(samples, "", NULL, NULL, start_time(daemon));
	samples = add_family(
		metrics,
		&(struct family){"process_cpu_seconds", "counter", "seconds",
				 "Processor time used, user and system."});
	add_sample(samples, "_total", NULL, NULL, cpu_seconds());
	samples = add_family(
		metrics, &(struct family){"process_resident_memory_bytes",
					  "gauge", "bytes", "Memory in use."});
	add_sample(samples, "", NULL, NULL, resident_bytes());
}

/* --- the whole --- */

struct json_object *metrics_build(const struct daemon *daemon)
{
	struct json_object *object = json_object_new_object();
	struct json_object *metrics = json_object_new_array();
	struct json_object *build = add_family(
		metrics, &(struct family){PREFIX "build", "info", "",
					  "Which multihomed this is."});

	add_sample(build, "_info", "version", MULTIHOMED_VERSION, 1);
	add_counters(metrics, &daemon->engine.counters);
	add_latency(metrics, &daemon->round.event_to_kernel);
	add_gauges(metrics, daemon);
	add_process(metrics, daemon);
	json_object_object_add(object, "metrics", metrics);
	return object;
}

void metrics_handle(struct server_call *call, struct json_object *parameters,
		    void *data)
{
	(void)parameters;
	server_call_reply(call, metrics_build(data));
}
