/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "answers/monitor.h"

#include <time.h>

#include "answers/json.h"
#include "control/interface.h"
#include "daemon.h"

static const char *const causes[] = {
	[ROUND_START] = "start",
	[ROUND_KERNEL] = "kernel",
	[ROUND_CONFIG] = "config",
	[ROUND_TIMER] = "timer",
};

static void set_calls(struct daemon *daemon)
{
	daemon->round.is_listening = daemon->monitors.n > 0;
}

static void forget_call(struct server_call *call, void *user)
{
	struct daemon *daemon = user;

	for (size_t i = daemon->monitors.n; i-- > 0;)
		if (daemon->monitors.items[i].call == call)
			vec_remove(&daemon->monitors, i);
	set_calls(daemon);
}

void monitor_handle(struct server_call *call, struct json_object *parameters,
		    void *data)
{
	struct daemon *daemon = data;
	const struct monitor monitor = {call};

	(void)parameters;
	if (!server_call_more(call)) {
		server_call_error(call, INTERFACE_ERROR_EXPECTED_MORE, NULL);
		return;
	}
	server_call_defer(call, forget_call, daemon);
	vec_push(&daemon->monitors, monitor);
	set_calls(daemon);
}

static void add_lines(struct json_object *object, const char *key,
		      const struct lines *lines)
{
	struct json_object *array = json_object_new_array();
	char **it;

	vec_foreach(&lines->kept, it)
		json_push_text(array, *it);
	json_object_object_add(object, key, array);
}

/* Who begins to listen in the midst of a round gets the number at least. */
static int64_t count_more(size_t n, const struct lines *lines)
{
	return (int64_t)(n - lines->kept.n);
}

static double wall_clock(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static struct json_object *round_json(const struct round *round)
{
	struct json_object *ret = json_object_new_object();

	json_add_double(ret, "time", wall_clock());
	json_add_text(ret, "cause", causes[round->cause]);
	add_lines(ret, "heard", &round->heard);
	json_add_int(ret, "heard_more",
		     count_more(round->n_heard, &round->heard));
	add_lines(ret, "planned", &round->planned);
	json_add_int(ret, "prefixes", (int64_t)round->prefixes);
	add_lines(ret, "wrote", &round->wrote);
	json_add_int(ret, "wrote_more",
		     count_more(round->n_wrote, &round->wrote));
	add_lines(ret, "failed", &round->failed);
	json_add_double(ret, "milliseconds", (double)round->took_us / 1000);
	return ret;
}

void monitor_tell(struct daemon *daemon)
{
	struct json_object *reply;

	if (daemon->monitors.n == 0)
		return;
	reply = round_json(&daemon->round);
	for (size_t i = 0; i < daemon->monitors.n; i++)
		server_call_continue(daemon->monitors.items[i].call,
				     json_object_get(reply));
	json_object_put(reply);
}
