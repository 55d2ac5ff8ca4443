/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "answers/verify.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "answers/json.h"
#include "answers/judge.h"
#include "answers/unheard.h"
#include "control/interface.h"
#include "core/probe.h"
#include "core/xalloc.h"
#include "daemon.h"

enum {
	FOUND_MAX = 1000,	    /* disagreements that are told */
	DOUBTS_MAX = 50,	    /* rounds of asking again */
	STEP_QUESTIONS = 300,	    /* some milliseconds */
	PROGRESS_QUESTIONS = 20000, /* between two replies */
};

/* A packet that was, or is to be, asked about. */
struct doubt {
	struct ip_prefix subnet; /* key of the subnet */
	uint32_t ifindex;
	struct ip_addr source;
	struct ip_addr destination;
	uint8_t tos;
};

VEC(doubt_vec, struct doubt);

/* One that disagrees after all, as it was in that moment. */
struct disagreement {
	struct doubt doubt;
	char wanted[JUDGE_TEXT_MAX];
	char kernel[JUDGE_TEXT_MAX];
	char hint[JUDGE_TEXT_MAX];
};

VEC(disagreement_vec, struct disagreement);

enum phase {
	VERIFY_ASKING,
	VERIFY_DOUBTING,
	VERIFY_READING,
	VERIFY_DONE,
};

struct verify {
	struct engine *engine;
	enum phase phase;
	uint64_t start_ms;
	uint64_t end_ms; /* when it was done */
	/* Asking: where we are; the next prefix is the one behind @at. */
	uint8_t family;
	bool started; /* @at has been set for the family */
	struct ip_prefix at;
	/* Asked about last, so that neighbours are not asked twice. */
	struct ip_addr recent[PROBE_MAX];
	size_t n_recent;

	struct verify_count count;
	uint64_t prefixes;
	unsigned int doubts_left;
	struct doubt_vec doubts;
	uint64_t more_doubts; /* beyond FOUND_MAX: counted only */
	struct disagreement_vec found;
	struct prefix_vec unheard; /* where main had changed without a word */
	bool has_read;		   /* main, to find these */
	uint64_t told; /* asked, when verify_handle() told of it last */
};

static const uint8_t families[] = {AF_INET, AF_INET6};

/* --- the subnets --- */

/* One that is on two links may be another subnet's: that has its rule. */
static const struct subnet_address *address_of(const struct view *view,
					       const struct subnet *subnet)
{
	size_t i = (size_t)(subnet - view->subnets->subnets.items);
	const struct subnet_address *it;

	vec_foreach(&view->subnets->addresses, it)
		if (it->subnet == i &&
		    subnet_of_source(view->subnets, &it->addr) == subnet)
			return it;
	return NULL;
}

static bool is_asked(const struct view *view, const struct subnet *subnet,
		     uint8_t family)
{
	return subnet->managed && subnet->table &&
	       subnet->prefix.addr.family == family && address_of(view, subnet);
}

static size_t count_subnets(const struct view *view, uint8_t family)
{
	const struct subnet *it;
	size_t n = 0;

	vec_foreach(&view->subnets->subnets, it)
		n += is_asked(view, it, family);
	return plan_yields(view, family) ? 0 : n;
}

/* --- one question --- */

/* Return: 1 it does not agree, and @ret says how; 0 it does; or -errno. */
static int judge(struct verify *verify, const struct doubt *doubt,
		 struct disagreement *ret)
{
	const struct view view = engine_view(verify->engine);
	const struct subnet *subnet =
		subnet_find(view.subnets, &doubt->subnet, doubt->ifindex);
	const struct kernel_question question = {
		.src = doubt->source,
		.dst = doubt->destination,
		.tos = doubt->tos,
	};
	struct forward forward = {0};
	struct kernel_answer answer;
	const struct judge_case it = {
		.src = &doubt->source,
		.dst = &doubt->destination,
		.subnet = subnet,
		.forward = &forward,
		.answer = &answer,
	};
	enum judgement judgement;
	int error;

	if (!subnet || !subnet->managed || !subnet->table)
		return 0; /* it went while we asked */
	error = kernel_ask(verify->engine->kernel, &question, &answer);
	if (error)
		return error;
	forward_pick(&view, subnet, &doubt->destination, doubt->tos, &forward);
	judgement = judge_packet(&view, &it);
	if (verify->phase == VERIFY_ASKING)
		verify->count.local += judgement == JUDGE_LOCAL;
	if (judgement == JUDGE_DISAGREES && ret) {
		ret->doubt = *doubt;
		judge_want(&view, &it, ret->wanted);
		judge_have(&view, &it, ret->kernel);
		judge_hint(&view, &it, ret->hint);
	}
	forward_done(&forward);
	return judgement == JUDGE_DISAGREES;
}

static int ask(struct verify *verify, const struct doubt *doubt)
{
	int r = judge(verify, doubt, NULL);

	verify->count.asked++;
	if (r > 0 && verify->doubts.n < FOUND_MAX)
		vec_push(&verify->doubts, *doubt);
	else if (r > 0)
		verify->more_doubts++;
	return r < 0 ? r : 0;
}

/* --- one prefix --- */

static bool is_recent(const struct verify *verify, const struct ip_addr *addr)
{
	for (size_t i = 0; i < verify->n_recent; i++)
		if (ip_addr_equal(&verify->recent[i], addr))
			return true;
	return false;
}

/* Every subnet about one destination. Return: 0 or -errno. */
static int ask_subnets(struct verify *verify, const struct ip_addr *dst,
		       uint8_t tos)
{
	const struct view view = engine_view(verify->engine);
	const struct subnet *it;
	int error = 0;

	vec_foreach(&view.subnets->subnets, it) {
		struct doubt doubt = {
			.subnet = it->prefix,
			.ifindex = it->ifindex,
			.destination = *dst,
			.tos = tos,
		};

		if (error || !is_asked(&view, it, verify->family))
			continue;
		doubt.source = address_of(&view, it)->addr;
		error = ask(verify, &doubt);
	}
	return error;
}

/* A destination, with each TOS that routes of the row have. */
static int ask_each_tos(struct verify *verify, const struct row *row,
			const struct ip_addr *dst)
{
	uint8_t asked = 0;
	int error = ask_subnets(verify, dst, 0);

	/* Sorted by table, then TOS: main's are together. */
	for (uint16_t i = 0; i < row->n && !error; i++) {
		uint8_t tos = row->routes[i].tos;

		if (tos == asked || row->routes[i].table != ROUTE_TABLE_MAIN)
			continue;
		asked = tos;
		error = ask_subnets(verify, dst, tos);
	}
	return error;
}

static int ask_prefix(struct verify *verify, const struct ip_prefix *prefix,
		      const struct row *row)
{
	struct ip_addr addresses[PROBE_MAX];
	size_t n = probe_addresses(prefix, addresses);
	int error = 0;

	for (size_t i = 0; i < n && !error; i++)
		if (!is_recent(verify, &addresses[i]))
			error = ask_each_tos(verify, row, &addresses[i]);
	memcpy(verify->recent, addresses, sizeof(addresses));
	verify->n_recent = n;
	verify->prefixes++;
	return error;
}

/* --- going through all of them --- */

/* Return: whether there is another one; verify->at is it then. */
static bool next_prefix(struct verify *verify, uint32_t *ret_row)
{
	const struct rib *rib = &verify->engine->model.rib;
	const struct trie *trie = rib_trie(rib, verify->family);
	const struct ip_prefix all = ip_prefix_default(verify->family);
	struct trie_walk walk;

	if (verify->started)
		trie_walk_after(&walk, trie, &verify->at);
	else
		trie_walk_start(&walk, trie, &all);
	verify->started = true;
	return trie_walk_next(&walk, &verify->at, ret_row);
}

static void end_family(struct verify *verify)
{
	verify->started = false;
	verify->n_recent = 0;
	if (verify->family == AF_INET)
		verify->family = AF_INET6;
	else
		verify->phase = VERIFY_DOUBTING;
}

static int go_on_asking(struct verify *verify, unsigned int questions)
{
	const struct rib *rib = &verify->engine->model.rib;
	const struct view view = engine_view(verify->engine);
	uint64_t until = verify->count.asked + questions;
	uint32_t row;
	int error = 0;

	while (verify->phase == VERIFY_ASKING && !error) {
		if (count_subnets(&view, verify->family) == 0 ||
		    !next_prefix(verify, &row))
			end_family(verify);
		else
			error = ask_prefix(verify, &verify->at,
					   rib_row_at(rib, row));
		if (verify->count.asked >= until)
			break;
	}
	return error ? error : 1;
}

/* What is in the queue may explain what disagreed. */
static bool is_news(struct verify *verify, uint64_t now_ms)
{
	(void)engine_listen(verify->engine, now_ms);
	return engine_is_pending(verify->engine, now_ms) &&
	       verify->doubts_left > 0;
}

/* Asks again, into verify->found. Return: 0 or -errno. */
static int judge_doubts(struct verify *verify)
{
	struct disagreement found;
	const struct doubt *it;

	vec_clear(&verify->found);
	vec_foreach(&verify->doubts, it) {
		int r = judge(verify, it, &found);

		if (r < 0)
			return r;
		if (r > 0)
			vec_push(&verify->found, found);
	}
	/* The answer may be of a change that was not told yet. */
	return verify->found.n ? kernel_settle(verify->engine->kernel) : 0;
}

static int go_on_doubting(struct verify *verify, uint64_t now_ms)
{
	int error;

	verify->doubts_left -= verify->doubts_left > 0;
	if (is_news(verify, now_ms))
		return 1; /* the engine's turn */
	error = judge_doubts(verify);
	if (error)
		return error;
	if (verify->found.n && is_news(verify, now_ms))
		return 1;
	verify->phase = VERIFY_READING;
	verify->doubts_left = DOUBTS_MAX;
	return 1;
}

/* --- what nobody told us --- */

static void end(struct verify *verify, uint64_t now_ms)
{
	verify->phase = VERIFY_DONE;
	verify->end_ms = now_ms;
	verify->count.found =
		verify->found.n + verify->more_doubts + verify->unheard.n;
}

static int go_on_reading(struct verify *verify, uint64_t now_ms)
{
	int error;

	verify->doubts_left -= verify->doubts_left > 0;
	if (is_news(verify, now_ms))
		return 1; /* the engine's turn */
	/* Where there is no end of news it cannot be told what is none. */
	error = engine_is_pending(verify->engine, now_ms)
			? -EAGAIN
			: unheard_find(verify->engine, now_ms,
				       &verify->unheard);
	if (error && error != -EAGAIN)
		return error;
	verify->has_read = !error;
	end(verify, now_ms);
	return 0;
}

int verify_step(struct verify *verify, unsigned int questions, uint64_t now_ms)
{
	switch (verify->phase) {
	case VERIFY_ASKING:
		return go_on_asking(verify, questions);
	case VERIFY_DOUBTING:
		return go_on_doubting(verify, now_ms);
	case VERIFY_READING:
		return go_on_reading(verify, now_ms);
	case VERIFY_DONE:
		break;
	}
	return 0;
}

struct verify *verify_new(struct engine *engine, uint64_t now_ms)
{
	struct verify *verify = xalloc(sizeof(*verify));

	memset(verify, 0, sizeof(*verify));
	verify->engine = engine;
	verify->family = AF_INET;
	verify->start_ms = now_ms;
	verify->doubts_left = DOUBTS_MAX;
	return verify;
}

void verify_free(struct verify *verify)
{
	if (!verify)
		return;
	vec_done(&verify->doubts);
	vec_done(&verify->found);
	vec_done(&verify->unheard);
	free(verify);
}

/* Neighbouring prefixes share edges, so it is mostly less than four each. */
struct verify_count verify_count(const struct verify *verify)
{
	const struct view view = engine_view(verify->engine);
	struct verify_count count = verify->count;

	for (size_t f = 0; f < sizeof(families); f++)
		count.total += rib_count(&view.model->rib, families[f]) *
			       count_subnets(&view, families[f]) * PROBE_MAX;
	if (verify->phase == VERIFY_DONE || count.total < count.asked)
		count.total = count.asked;
	return count;
}

/* --- the reply --- */

static struct json_object *found_json(const struct verify *verify,
				      const struct disagreement *found)
{
	const struct doubt *doubt = &found->doubt;
	const struct link *link =
		model_link(&verify->engine->model, doubt->ifindex);
	struct json_object *object = json_object_new_object();
	char text[IP_TEXT_MAX];

	json_add_text(object, "link", link ? link->name : "?");
	json_add_text(object, "prefix", ip_prefix_format(&doubt->subnet, text));
	json_add_text(object, "source", ip_addr_format(&doubt->source, text));
	json_add_text(object, "destination",
		      ip_addr_format(&doubt->destination, text));
	json_add_text(object, "wanted", found->wanted);
	json_add_text(object, "kernel", found->kernel);
	json_add_text(object, "hint", found->hint);
	return object;
}

static struct json_object *disagreements(const struct verify *verify)
{
	struct json_object *array = json_object_new_array();
	const struct disagreement *it;

	if (verify->phase == VERIFY_DONE)
		vec_foreach(&verify->found, it)
			json_object_array_add(array, found_json(verify, it));
	return array;
}

static struct json_object *unheard_json(const struct verify *verify)
{
	struct json_object *array = json_object_new_array();
	const struct ip_prefix *it;
	char text[IP_TEXT_MAX];

	vec_foreach(&verify->unheard, it)
		json_push_text(array, ip_prefix_format(it, text));
	return array;
}

static struct json_object *skipped(const struct verify *verify)
{
	static const char *const names[] = {"ipv4", "ipv6"};
	const struct view view = engine_view(verify->engine);
	struct json_object *array = json_object_new_array();

	for (size_t f = 0; f < sizeof(families); f++)
		if (plan_yields(&view, families[f]))
			json_push_text(array, names[f]);
	return array;
}

struct json_object *verify_json(const struct verify *verify, uint64_t now_ms)
{
	const struct verify_count count = verify_count(verify);
	const struct view view = engine_view(verify->engine);
	struct json_object *object = json_object_new_object();
	uint64_t end_ms =
		verify->phase == VERIFY_DONE ? verify->end_ms : now_ms;

	json_add_int(object, "asked", (int64_t)count.asked);
	json_add_int(object, "total", (int64_t)count.total);
	json_add_int(object, "local", (int64_t)count.local);
	json_add_int(object, "subnets",
		     (int64_t)(count_subnets(&view, AF_INET) +
			       count_subnets(&view, AF_INET6)));
	json_add_int(object, "prefixes", (int64_t)verify->prefixes);
	json_add_double(object, "seconds",
			(double)(end_ms - verify->start_ms) / 1000);
	json_object_object_add(object, "skipped", skipped(verify));
	json_add_int(object, "found", (int64_t)count.found);
	json_object_object_add(object, "disagreements", disagreements(verify));
	if (verify->has_read)
		json_object_object_add(object, "unheard", unheard_json(verify));
	return object;
}

/* --- the method --- */

static void step(struct server_call *call, void *user)
{
	struct verify *verify = user;
	uint64_t now_ms = daemon_now();
	struct json_object *parameters;
	int r = verify_step(verify, STEP_QUESTIONS, now_ms);

	if (r < 0) {
		parameters = json_object_new_object();
		json_add_text(parameters, "error", strerrorname_np(-r));
		server_call_error(call, INTERFACE_ERROR_KERNEL, parameters);
		verify_free(verify);
	} else if (r == 0) {
		server_call_reply(call, verify_json(verify, now_ms));
		verify_free(verify);
	} else if (server_call_more(call) &&
		   verify->count.asked - verify->told >= PROGRESS_QUESTIONS) {
		verify->told = verify->count.asked;
		server_call_continue(call, verify_json(verify, now_ms));
	}
}

static void cancel(struct server_call *call, void *user)
{
	(void)call;
	verify_free(user);
}

void verify_handle(struct server_call *call, struct json_object *parameters,
		   void *data)
{
	struct daemon *daemon = data;
	struct verify *verify = verify_new(&daemon->engine, daemon_now());

	(void)parameters;
	server_call_defer(call, cancel, verify);
	server_call_step(call, step);
}
