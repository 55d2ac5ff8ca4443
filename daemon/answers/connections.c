/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "answers/connections.h"

#include <stdio.h>
#include <string.h>

#include "answers/json.h"
#include "daemon.h"
#include "mptcp/subflows.h"

/* One connection on its way into the reply. */
struct tale {
	const struct daemon *daemon;
	struct view view;
	const struct managed_connection *managed; /* NULL: not by us */
	uint64_t now_ms;
};

static double seconds_till(const struct tale *tale, uint64_t at_ms)
{
	return at_ms > tale->now_ms ? (double)(at_ms - tale->now_ms) / 1000 : 0;
}

static const struct managed_subflow *managed_of(const struct tale *tale,
						const struct flow *flow)
{
	const struct managed_subflow *it;

	if (!tale->managed)
		return NULL;
	vec_foreach(&tale->managed->subflows, it)
		if (it->ends.sport == flow->sport &&
		    it->ends.dport == flow->dport &&
		    ip_addr_equal(&it->ends.src, &flow->src) &&
		    ip_addr_equal(&it->ends.dst, &flow->dst))
			return it;
	return NULL;
}

/* --- one subflow --- */

/* Where its packets leave, by the draft's rules. */
static void add_way(const struct tale *tale, const struct ip_addr *src,
		    const struct ip_addr *dst, struct json_object *ret)
{
	const struct subnet *subnet = subnet_of_source(tale->view.subnets, src);
	struct forward forward = {0};
	const struct forward_candidate *best;
	const struct next_hop *hop;
	const struct link *link;
	char text[IP_TEXT_MAX];

	if (!subnet)
		return;
	forward_pick(&tale->view, subnet, dst, 0, &forward);
	best = forward.best.items;
	if (best && !best->reject) {
		hop = &attrset_get(&tale->view.model->rib.attrs,
				   best->route.attrs)
			       ->hops.items[best->hop];
		link = model_link(tale->view.model, hop->ifindex);
		if (link)
			json_add_text(ret, "link", link->name);
		if (ip_addr_is_set(&hop->gateway))
			json_add_text(ret, "via",
				      ip_addr_format(&hop->gateway, text));
	}
	forward_done(&forward);
}

static void add_ends(const struct mptcp_ends *ends, struct json_object *ret)
{
	char text[IP_TEXT_MAX];

	json_add_text(ret, "source", ip_addr_format(&ends->src, text));
	json_add_int(ret, "source_port", ends->sport);
	json_add_text(ret, "destination", ip_addr_format(&ends->dst, text));
	json_add_int(ret, "destination_port", ends->dport);
}

/* The kernel's MPTCP_SUBFLOW_FLAG_BKUP_REM and _LOC. */
#define FLAG_BACKUP (16U | 32U)

static const char *state_of(const struct flow *flow,
			    const struct managed_subflow *managed)
{
	if (!connection_is_open(flow) || (managed && managed->closing))
		return "closing";
	if (flow->stalled)
		return "stalled";
	return managed && managed->lost_ms ? "lost" : "open";
}

static struct json_object *subflow_json(const struct tale *tale,
					const struct flow *flow)
{
	const struct managed_subflow *managed = managed_of(tale, flow);
	const struct mptcp_ends ends = {flow->src, flow->dst, flow->sport,
					flow->dport};
	struct json_object *object = json_object_new_object();

	add_ends(&ends, object);
	json_add_int(object, "id_local", flow->id_local);
	json_add_int(object, "id_remote", flow->id_remote);
	add_way(tale, &flow->src, &flow->dst, object);
	json_add_text(object, "state", state_of(flow, managed));
	json_add_bool(
		object, "congruent",
		subflow_is_congruent(&tale->view, &flow->src, &flow->dst));
	json_add_bool(object, "backup", flow->subflow_flags & FLAG_BACKUP);
	json_add_int(object, "sent", (int64_t)flow->bytes_acked);
	json_add_int(object, "received", (int64_t)flow->bytes_received);
	return object;
}

/* Its SYN was sent: the kernel lists it with nobody's connection yet. */
static struct json_object *opening_json(const struct tale *tale,
					const struct managed_subflow *subflow)
{
	struct json_object *object = json_object_new_object();

	add_ends(&subflow->ends, object);
	json_add_int(object, "id_local", subflow->id_local);
	json_add_int(object, "id_remote", subflow->id_remote);
	add_way(tale, &subflow->ends.src, &subflow->ends.dst, object);
	json_add_text(object, "state", "opening");
	json_add_bool(object, "congruent",
		      subflow_is_congruent(&tale->view, &subflow->ends.src,
					   &subflow->ends.dst));
	json_add_bool(object, "backup", subflow->backup);
	json_add_int(object, "sent", 0);
	json_add_int(object, "received", 0);
	return object;
}

/* --- what the manager knows besides --- */

static struct json_object *failed_json(const struct tale *tale)
{
	struct json_object *array = json_object_new_array();
	const struct failed_way *it;
	char text[IP_TEXT_MAX];

	vec_foreach(&tale->managed->failed, it) {
		struct json_object *object = json_object_new_object();

		json_add_text(object, "source", ip_addr_format(&it->src, text));
		json_add_text(object, "destination",
			      ip_addr_format(&it->dst, text));
		json_add_int(object, "failures", it->failures);
		if (it->error)
			json_add_text(object, "error",
				      strerrorname_np(it->error)
					      ? strerrorname_np(it->error)
					      : "?");
		json_add_bool(object, "has_path", it->has_path);
		json_add_double(object, "seconds_left",
				seconds_till(tale, it->next_ms));
		json_object_array_add(array, object);
	}
	return array;
}

static struct json_object *peer_json(const struct tale *tale)
{
	struct json_object *array = json_object_new_array();
	const struct peer_address *it;
	char text[IP_TEXT_MAX];

	vec_foreach(&tale->managed->peer, it) {
		struct json_object *object = json_object_new_object();

		json_add_int(object, "id", it->id);
		json_add_text(object, "address",
			      ip_addr_format(&it->addr, text));
		json_add_int(object, "port", it->port);
		json_add_bool(object, "usable",
			      manager_may_join(tale->managed, it));
		json_object_array_add(array, object);
	}
	return array;
}

static void add_managed(const struct tale *tale, struct json_object *object,
			struct json_object *subflows)
{
	const struct managed_subflow *it;

	json_add_bool(object, "passive", tale->managed->passive);
	vec_foreach(&tale->managed->subflows, it)
		if (it->opening)
			json_object_array_add(subflows, opening_json(tale, it));
	json_object_object_add(object, "failed", failed_json(tale));
	json_object_object_add(object, "peer", peer_json(tale));
}

/* --- all of it --- */

static void add_token(struct json_object *object, const char *key,
		      uint32_t token)
{
	char text[16];

	(void)snprintf(text, sizeof(text), "%08x", token);
	json_add_text(object, key, text);
}

static struct json_object *connection_json(struct tale *tale,
					   const struct flow_vec *flows,
					   size_t first, size_t end)
{
	uint32_t token = flows->items[first].token_local;
	struct json_object *object = json_object_new_object();
	struct json_object *subflows = json_object_new_array();
	const struct managed_connection *found =
		manager_find(&tale->daemon->userspace.manager, token);

	tale->managed = found && !found->ignored ? found : NULL;
	add_token(object, "token", token);
	json_add_bool(object, "managed", tale->managed != NULL);
	for (size_t i = first; i < end; i++)
		json_object_array_add(subflows,
				      subflow_json(tale, &flows->items[i]));
	if (tale->managed)
		add_managed(tale, object, subflows);
	json_object_object_add(object, "subflows", subflows);
	return object;
}

void connections_add(const struct daemon *daemon, uint32_t token,
		     struct json_object *reply)
{
	struct tale tale = {
		.daemon = daemon,
		.view = engine_view(&daemon->engine),
		.now_ms = daemon_now(),
	};
	struct json_object *array = json_object_new_array();
	struct flow_vec flows = {0};
	int error = subflows_list(&flows);
	size_t total = 0;
	size_t end;

	for (size_t first = 0; first < flows.n; first = end) {
		end = connection_end(&flows, first);
		total++;
		if (token ? flows.items[first].token_local == token
			  : total <= CONNECTIONS_MAX)
			json_object_array_add(
				array,
				connection_json(&tale, &flows, first, end));
	}
	vec_done(&flows);
	/* Of a list that broke off nobody knows. */
	if (token && !error && json_object_array_length(array) == 0)
		add_token(reply, "unknown_token", token);
	json_object_object_add(reply, "connections", array);
	json_add_int(reply, "connections_total", (int64_t)total);
}
