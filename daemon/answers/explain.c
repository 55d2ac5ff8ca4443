/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "answers/explain.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "answers/json.h"
#include "control/field.h"
#include "control/interface.h"
#include "core/forward.h"
#include "core/what_if.h"
#include "daemon.h"

#define TYPE_UNICAST 1 /* RTN_UNICAST */

/* --- the source of an unbound socket, as far as one can tell --- */

/* How gladly the kernel takes it: deprecated ones last, secondary before. */
static int dislike(const struct view *view, const struct subnet_address *it)
{
	const struct address *address;

	vec_foreach(&view->model->addresses, address)
		if (address->ifindex == it->ifindex &&
		    ip_addr_equal(&address->local, &it->addr))
			return address->deprecated * 2 + address->temporary;
	return 0;
}

/* Return: false: there is none, or it is not clear which one. */
static bool first_address(const struct view *view, uint8_t family,
			  const struct next_hop *hop, struct ip_addr *ret)
{
	const struct subnet *around = subnet_longest_on_link(
		view->subnets, hop->ifindex, &hop->gateway);
	const struct subnet_address *best = NULL;
	const struct subnet_address *it;
	bool clear = false;

	vec_foreach(&view->subnets->addresses, it) {
		const struct subnet *home =
			&view->subnets->subnets.items[it->subnet];
		int order;

		if (home->ifindex != hop->ifindex ||
		    it->addr.family != family || (around && home != around))
			continue;
		order = best ? dislike(view, it) - dislike(view, best) : -1;
		clear = order < 0 || (order > 0 && clear);
		if (order < 0)
			best = it;
	}
	/* Instead of a deprecated one IPv6 takes another link's. */
	if (!clear || (family == AF_INET6 && dislike(view, best) >= 2))
		return false;
	*ret = best->addr;
	return true;
}

/* The first of the lowest metric: what table main alone would take. */
static const struct forward_candidate *
lowest(const struct forward_candidate_vec *candidates)
{
	const struct forward_candidate *best = NULL;
	const struct forward_candidate *it;

	vec_foreach(candidates, it)
		if (it->route.table == ROUTE_TABLE_MAIN &&
		    (!best || it->route.metric < best->route.metric))
			best = it;
	return best;
}

bool explain_source(const struct view *view, const struct ip_addr *dst,
		    struct ip_addr *ret)
{
	const struct subnet none = {.prefix = ip_prefix_host(dst)};
	const struct forward_candidate *best;
	struct forward forward = {0};
	const struct attrset *set;
	bool found = false;

	forward_pick(view, &none, dst, 0, &forward);
	best = lowest(&forward.candidates);
	if (best && !best->reject) {
		set = attrset_get(&view->model->rib.attrs, best->route.attrs);
		found = ip_addr_is_set(&set->prefsrc);
		if (found)
			*ret = set->prefsrc;
		else
			found = first_address(view, dst->family,
					      &set->hops.items[best->hop], ret);
	}
	forward_done(&forward);
	return found;
}

/* --- asking --- */

static struct json_object *explain_change(const struct engine *engine,
					  struct explain_question question)
{
	const struct explain_kernel nobody = {0};
	const struct view now = engine_view(engine);
	bool unbound = !ip_addr_is_set(&question.source);
	struct json_object *reply;
	struct what_if what_if;
	struct view view;

	what_if_link_down(&now, question.without, &question.destination,
			  &what_if);
	view = what_if_view(&what_if);
	if (unbound)
		(void)explain_source(&view, &question.destination,
				     &question.source);
	reply = explain_json(&view, &question, &nobody, unbound);
	what_if_done(&what_if);
	return reply;
}

/*
 * What a socket without a source does. connect() of IPv4 looks up once more,
 * with the source that the first lookup chose; IPv6 keeps the first route, and
 * @ret is not set.
 */
static int ask_unbound(const struct engine *engine,
		       struct kernel_question packet,
		       struct kernel_answer *ret_first,
		       struct kernel_answer *ret)
{
	int error = kernel_ask(engine->kernel, &packet, ret_first);

	if (error || packet.dst.family == AF_INET6)
		return error;
	packet.src = ret_first->src;
	return kernel_ask(engine->kernel, &packet, ret);
}

/*
 * Of IPv6 the kernel's lookup for a source and a link may name another link: it
 * takes the link for a wish, where a bound socket takes no other
 * (docs/kernel-notes.md).
 */
static bool is_off_link(const struct explain_question *question,
			const struct kernel_answer *answer)
{
	return question->dev && question->destination.family == AF_INET6 &&
	       ip_addr_is_set(&question->source) &&
	       (answer->error || (answer->type == TYPE_UNICAST &&
				  answer->hop.ifindex != question->dev));
}

static int explain_now(const struct engine *engine,
		       struct explain_question question,
		       struct json_object **ret)
{
	const struct view view = engine_view(engine);
	bool unbound = !ip_addr_is_set(&question.source);
	bool keeps = unbound && question.destination.family == AF_INET6;
	const struct kernel_question packet = {
		.src = question.source,
		.dst = question.destination,
		.tos = question.tos,
		.oif = question.dev,
	};
	struct kernel_answer first = {0};
	struct kernel_answer answer;
	struct explain_kernel kernel = {
		.answer = keeps ? &first : &answer,
		.unbound = unbound ? &first : NULL,
	};
	int error = unbound ? ask_unbound(engine, packet, &first, &answer)
			    : kernel_ask(engine->kernel, &packet, &answer);

	if (error)
		return error;
	if (unbound)
		question.source = first.src;
	else if (is_off_link(&question, &answer))
		kernel.answer = NULL;
	*ret = explain_json(&view, &question, &kernel, unbound);
	return 0;
}

/* --- the method --- */

/* A parameter that may be missing. Return: false: it is no such thing. */
static bool read_addr(struct json_object *parameters, const char *key,
		      struct ip_addr *ret)
{
	const char *text = field_text(parameters, key, NULL);

	return !text || ip_addr_parse(text, ret) == 0;
}

static const char *read_question(struct json_object *parameters,
				 struct explain_question *ret)
{
	if (!read_addr(parameters, "destination", &ret->destination))
		return "destination";
	if (!read_addr(parameters, "source", &ret->source) ||
	    (ip_addr_is_set(&ret->source) &&
	     ret->source.family != ret->destination.family))
		return "source";
	/* The two bits of ECN are no TOS. */
	ret->tos = (uint8_t)field_int(parameters, "tos", 0);
	if (ret->tos & 3)
		return "tos";
	return NULL;
}

static bool read_link(const struct engine *engine, struct server_call *call,
		      const char *name, uint32_t *ret)
{
	const struct link *link;
	struct json_object *parameters;

	if (!name)
		return true;
	link = model_link_by_name(&engine->model, name);
	if (link) {
		*ret = link->ifindex;
		return true;
	}
	parameters = json_object_new_object();
	json_add_text(parameters, "link", name);
	server_call_error(call, INTERFACE_ERROR_NO_LINK, parameters);
	return false;
}

void explain_handle(struct server_call *call, struct json_object *parameters,
		    void *data)
{
	const struct daemon *daemon = data;
	const struct engine *engine = &daemon->engine;
	struct explain_question question = {.now_ms = daemon_now()};
	const char *bad = read_question(parameters, &question);
	struct json_object *reply = NULL;
	int error = 0;

	if (bad) {
		server_call_invalid(call, bad);
		return;
	}
	question.mptcp = field_bool(parameters, "mptcp", false);
	if (!read_link(engine, call, field_text(parameters, "dev", NULL),
		       &question.dev) ||
	    !read_link(engine, call, field_text(parameters, "without", NULL),
		       &question.without))
		return;
	if (question.without && question.dev) {
		server_call_invalid(call, "without");
		return;
	}
	if (question.without)
		reply = explain_change(engine, question);
	else
		error = explain_now(engine, question, &reply);
	if (error) {
		reply = json_object_new_object();
		json_add_text(reply, "error", strerrorname_np(-error));
		server_call_error(call, INTERFACE_ERROR_KERNEL, reply);
		return;
	}
	server_call_reply(call, reply);
}
