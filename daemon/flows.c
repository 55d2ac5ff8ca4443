/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "flows.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "kernel/flow_socket.h"
#include "log.h"
#include "state_file.h"

enum {
	RECEIVE_MAX = 4096,    /* messages at one go */
	RESTORED_MAX = 200000, /* lines of the file */
	LINE_MAX_BYTES = 256,
};

/* --- listing and hearing --- */

static int list(void *data, const struct flow_query *query, flow_fn *fn,
		void *fn_data)
{
	struct flows *flows = data;
	struct flow_query detailed = *query;

	detailed.detailed =
		flows->engine->policy->pinning.scope == PIN_SCOPE_MPTCP;
	return flow_socket_list(flows->socket, &detailed, fn, fn_data);
}

static bool any(void *data)
{
	struct flows *flows = data;

	return flow_socket_is_any(flows->socket);
}

static bool begun(void *data, uint64_t *ret)
{
	struct flows *flows = data;

	return flow_socket_begun(flows->socket, ret);
}

/* One that ended, on its way to the engine. */
struct ended {
	struct engine *engine;
	uint64_t now_ms;
};

static void take_ended(const struct flow *flow, void *data)
{
	const struct ended *ended = data;

	engine_pins_flow_ended(ended->engine, &flow->src, &flow->dst,
			       ended->now_ms);
}

int flows_fd(const struct flows *flows)
{
	return flows->socket ? flow_socket_fd(flows->socket) : -1;
}

void flows_receive(struct flows *flows, uint64_t now_ms)
{
	struct ended ended = {flows->engine, now_ms};
	int n = flow_socket_listen(flows->socket, RECEIVE_MAX, take_ended,
				   &ended);

	/* Whatever was lost, counting anew finds out. */
	if (n < 0)
		engine_pins_flows_lost(flows->engine, now_ms);
}

/* --- the file --- */

/*
 * A line: what, table, destination, link, gateway ("none" without), when the
 * wait is over, then the cookie of one flow. Lines of one pin stand together.
 */
struct line {
	struct pin pin;
	struct next_hop hop;
	uint64_t cookie;
};

static bool parse_line(const char *text, struct line *ret)
{
	char kind[8];
	char dst[IP_TEXT_MAX];
	char gateway[IP_TEXT_MAX];
	char end;

	*ret = (struct line){.pin = {.why = PIN_WHY_LOST}};
	if (sscanf(text,
		   "%7s %" SCNu32 " %63s %" SCNu32 " %63s %" SCNu64 " %" SCNu64
		   "%c",
		   kind, &ret->pin.table, dst, &ret->hop.ifindex, gateway,
		   &ret->pin.until_ms, &ret->cookie, &end) != 8 ||
	    end != '\n' || ip_addr_parse(dst, &ret->pin.dst) != 0)
		return false;
	ret->pin.kind = strcmp(kind, "hold") == 0 ? PIN_HOLD : PIN_AWAY;
	if (ret->pin.kind == PIN_AWAY && strcmp(kind, "away") != 0)
		return false;
	return strcmp(gateway, "none") == 0 ||
	       ip_addr_parse(gateway, &ret->hop.gateway) == 0;
}

/* A hold longer than the config's cannot be one of ours. */
static void restore(struct flows *flows, const struct line *line,
		    uint64_t now_ms)
{
	uint64_t latest = now_ms + flows->engine->policy->pinning.hold_ms;
	const struct pin_member member = {line->cookie, line->pin.dst,
					  line->pin.table};
	struct pin pin = line->pin;

	pin.since_ms = now_ms;
	pin.flows = 1; /* till they are counted */
	if (pin.until_ms > latest)
		pin.until_ms = latest;
	engine_pins_restore(flows->engine, &pin, &line->hop, &member);
}

static const char *read_file(struct flows *flows, FILE *file, uint64_t now_ms)
{
	char text[LINE_MAX_BYTES];
	struct line line;

	/* Links, times and cookies are those of this boot. */
	if (!state_file_is_of_this_boot(file))
		return "it is not of this boot";
	for (int i = 0; fgets(text, sizeof(text), file); i++) {
		if (i == RESTORED_MAX)
			return "it is too long";
		if (!parse_line(text, &line))
			return "a line of it makes no sense";
		restore(flows, &line, now_ms);
	}
	return ferror(file) ? "it cannot be read" : NULL;
}

/* What the file says is checked like anything from outside. */
static void load(struct flows *flows, uint64_t now_ms)
{
	FILE *file = state_file_read(flows->path);
	const char *why;

	if (!file && errno == ENOENT)
		return;
	why = file ? read_file(flows, file, now_ms) : strerror(errno);
	engine_pins_restored(flows->engine);
	if (why)
		log_warn("%s: %s; flows without a path follow the plan",
			 flows->path, why);
	if (file)
		(void)fclose(file);
	flows->saved = true;
}

static void write_member(FILE *file, const struct engine *engine,
			 const struct pin_member *member)
{
	const struct pin *pin =
		pin_find(&engine->pins.set, &member->dst, member->table);
	const struct attrset *set;
	char dst[IP_TEXT_MAX];
	char gateway[IP_TEXT_MAX];

	if (!pin || pin->kind == PIN_PATH)
		return;
	set = attrset_get(&engine->model.rib.attrs, pin->attrs);
	if (set->hops.n != 1)
		return; /* of several next hops none is home */
	(void)fprintf(
		file,
		"%s %" PRIu32 " %s %" PRIu32 " %s %" PRIu64 " %" PRIu64 "\n",
		pin->kind == PIN_HOLD ? "hold" : "away", pin->table,
		ip_addr_format(&pin->dst, dst), set->hops.items[0].ifindex,
		ip_addr_format(&set->hops.items[0].gateway, gateway),
		pin->until_ms, member->cookie);
}

static void write_lines(FILE *file, const void *data)
{
	const struct engine *engine = data;
	const struct pin_member *it;

	vec_foreach(&engine->pins.set.members, it)
		write_member(file, engine, it);
}

static void save(struct flows *flows, uint64_t now_ms)
{
	const struct engine_pins *pins = &flows->engine->pins;
	int error;

	flows->saved_version = pins->version;
	flows->save_ms = 0;
	if (pins->set.members.n == 0) {
		if (flows->saved)
			flows_forget(flows);
		return;
	}
	error = state_file_write(flows->path, write_lines, flows->engine);
	flows->saved = true;
	if (!error)
		return;
	flows->save_ms = now_ms + STATE_FILE_RETRY_MS;
	log_limited(LOG_KIND_STATE_FILE, now_ms, LOG_WARNING,
		    "%s: %s; flows that wait for their path do not "
		    "outlive a restart",
		    flows->path, strerror(-error));
}

void flows_update(struct flows *flows, uint64_t now_ms)
{
	const struct prefix_vec *sources = &flows->engine->pins.sources;

	if (!flows->socket)
		return;
	/* What ended between the list and this is not told. */
	if (flow_socket_watch(flows->socket, sources->items, sources->n) != 0)
		engine_pins_flows_lost(flows->engine, now_ms);
	if (flows->saved_version != flows->engine->pins.version ||
	    (flows->save_ms && flows->save_ms <= now_ms))
		save(flows, now_ms);
}

uint64_t flows_next(const struct flows *flows)
{
	return flows->save_ms;
}

void flows_forget(struct flows *flows)
{
	(void)unlink(flows->path);
	flows->saved = false;
}

/* --- life --- */

void flows_init(struct flows *flows, const char *path)
{
	int error;

	memset(flows, 0, sizeof(*flows));
	(void)snprintf(flows->path, sizeof(flows->path), "%s", path);
	error = flow_socket_open(&flows->socket);
	if (error)
		log_warn("TCP connections cannot be listed (%s): none is "
			 "pinned",
			 strerror(-error));
}

void flows_start(struct flows *flows, struct engine *engine, uint64_t now_ms)
{
	flows->engine = engine;
	if (!flows->socket)
		return;
	engine->pins.flows = (struct engine_flows){list, any, begun, flows};
	load(flows, now_ms);
}

void flows_done(struct flows *flows)
{
	flow_socket_free(flows->socket);
	flows->socket = NULL;
}
