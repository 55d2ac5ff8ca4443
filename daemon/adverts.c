/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "adverts.h"

#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <unistd.h>

#include "engine/engine_advert.h"
#include "kernel/ra_socket.h"
#include "log.h"
#include "state_file.h"

enum {
	RECEIVE_MAX = 64,      /* messages at one go */
	ASK_MAX = 3,	       /* MAX_RTR_SOLICITATIONS */
	ASK_EVERY_MS = 4000,   /* RTR_SOLICITATION_INTERVAL */
	BARE_MAX = 16,	       /* links without a prefix that are asked */
	SAVE_EVERY_MS = 60000, /* when only times are new */
	SAVE_PAUSE_MS = 100,   /* between two writes, whatever happens */
	RESTORED_MAX = 4096,   /* lines of the file */
	LINE_MAX_BYTES = 256,
};

/* --- the file --- */

static bool parse_line(const char *line, struct binding *ret)
{
	char router[IP_TEXT_MAX];
	char prefix[IP_TEXT_MAX];
	char end;

	*ret = (struct binding){0};
	return sscanf(line,
		      "%" SCNu32 " %63s %63s %" SCNu64 " %" SCNu64 " %" SCNu64
		      "%c",
		      &ret->ifindex, router, prefix, &ret->prefix_until_ms,
		      &ret->router_until_ms, &ret->heard_ms, &end) == 7 &&
	       end == '\n' && ip_addr_parse(router, &ret->router) == 0 &&
	       ip_prefix_parse(prefix, &ret->prefix) == 0 &&
	       ret->router.family == AF_INET6 &&
	       ip_addr_is_link_local(&ret->router) &&
	       ret->prefix.addr.family == AF_INET6;
}

/* Return: NULL, or what is wrong with the rest of it. */
static const char *read_lines(FILE *file, struct engine *engine,
			      uint64_t now_ms)
{
	char line[LINE_MAX_BYTES];
	struct binding binding;

	for (int i = 0; fgets(line, sizeof(line), file); i++) {
		if (i == RESTORED_MAX)
			return "it is too long";
		if (!parse_line(line, &binding))
			return "a line of it makes no sense";
		engine_restore_binding(engine, &binding, now_ms);
	}
	return ferror(file) ? "it cannot be read" : NULL;
}

static const char *read_file(FILE *file, struct engine *engine, uint64_t now_ms)
{
	/* Times are those of this boot. */
	if (!state_file_is_of_this_boot(file))
		return "it is not of this boot";
	return read_lines(file, engine, now_ms);
}

/* What the file says is checked like anything from outside. */
void adverts_load(struct adverts *adverts, struct engine *engine,
		  uint64_t now_ms)
{
	FILE *file = state_file_read(adverts->path);
	const char *why;

	if (!file && errno == ENOENT)
		return;
	why = file ? read_file(file, engine, now_ms) : strerror(errno);
	if (why)
		log_warn("%s: %s; what it does not tell is learned anew",
			 adverts->path, why);
	if (file)
		(void)fclose(file);
	adverts->saved_version = engine->model.bindings_version;
	adverts->saved_ms = now_ms;
}

static void write_lines(FILE *file, const void *data)
{
	const struct engine *engine = data;
	char router[IP_TEXT_MAX];
	char prefix[IP_TEXT_MAX];
	const struct binding *it;

	vec_foreach(&engine->model.bindings, it)
		(void)fprintf(file,
			      "%" PRIu32 " %s %s %" PRIu64 " %" PRIu64
			      " %" PRIu64 "\n",
			      it->ifindex, ip_addr_format(&it->router, router),
			      ip_prefix_format(&it->prefix, prefix),
			      it->prefix_until_ms, it->router_until_ms,
			      it->heard_ms);
}

void adverts_save(struct adverts *adverts, const struct engine *engine,
		  uint64_t now_ms)
{
	int error;

	adverts->saved_version = engine->model.bindings_version;
	adverts->saved_ms = now_ms;
	adverts->save_ms = 0;
	if (engine->model.bindings.n == 0) {
		(void)unlink(adverts->path);
		return;
	}
	error = state_file_write(adverts->path, write_lines, engine);
	if (!error)
		return;
	adverts->save_ms = now_ms + STATE_FILE_RETRY_MS;
	log_limited(LOG_KIND_STATE_FILE, now_ms, LOG_WARNING,
		    "%s: %s; learned bindings do not outlive a "
		    "restart",
		    adverts->path, strerror(-error));
}

void adverts_forget(struct adverts *adverts)
{
	(void)unlink(adverts->path);
}

/* --- hearing --- */

static void log_refused(const struct engine *engine,
			const struct ra_heard *heard, const char *why,
			uint64_t now_ms)
{
	const struct link *link = model_link(&engine->model, heard->ifindex);
	char text[IP_TEXT_MAX];

	log_limited(LOG_KIND_BAD_ADVERT, now_ms, LOG_WARNING,
		    "a router advertisement from %s link=%s was ignored: %s",
		    ip_addr_format(&heard->router, text),
		    link ? link->name : "?", why);
}

void adverts_receive(struct adverts *adverts, struct engine *engine,
		     uint64_t now_ms)
{
	for (int i = 0; i < RECEIVE_MAX && !engine_is_busy(engine); i++) {
		struct ra_heard heard = {0};
		int r = ra_socket_receive(adverts->socket, &heard);

		if (r == 0)
			return;
		if (r > 0)
			engine_take_advert(engine,
					   &(struct advert){heard.ifindex,
							    heard.router,
							    &heard.ra},
					   now_ms);
		else
			log_refused(engine, &heard,
				    r == -EBADMSG ? heard.why : strerror(-r),
				    now_ms);
		if (r < 0 && r != -EBADMSG)
			return;
	}
}

/* --- asking --- */

static struct advert_link *find_link(struct adverts *adverts, uint32_t ifindex)
{
	struct advert_link *it;

	vec_foreach(&adverts->links, it)
		if (it->ifindex == ifindex)
			return it;
	return NULL;
}

/* A solicitation needs a link-local address that is no longer tentative. */
static bool may_ask_from(const struct model *model,
			 const struct address *address)
{
	const struct link *link;

	if (address->local.family != AF_INET6 || address->tentative ||
	    address->dad_failed || !ip_addr_is_link_local(&address->local))
		return false;
	link = model_link(model, address->ifindex);
	return link && link->up && link->carrier && !link->loopback;
}

static bool has_binding(const struct model *model, uint32_t ifindex)
{
	const struct binding *it;

	vec_foreach(&model->bindings, it)
		if (it->ifindex == ifindex)
			return true;
	return false;
}

/* One that a solicitation can leave by. */
struct askable {
	uint32_t ifindex; /* 0: none is left */
	bool bare;	  /* no prefix of it is known, for a router to serve */
};

/* Whether addresses from @at to @end, all of one link, let it be asked. */
static bool can_ask(const struct model *model, size_t at, size_t end)
{
	for (; at < end; at++)
		if (may_ask_from(model, &model->addresses.items[at]))
			return true;
	return false;
}

/*
 * @at: where to go on among the addresses, which are in order by link
 * @any: bare ones too
 */
static struct askable next_askable(const struct model *model, bool any,
				   size_t *at)
{
	const struct address_vec *addresses = &model->addresses;

	while (*at < addresses->n) {
		struct askable ret = {addresses->items[*at].ifindex, true};
		size_t first = *at;

		for (; *at < addresses->n; ++*at) {
			const struct address *it = &addresses->items[*at];

			if (it->ifindex != ret.ifindex)
				break;
			ret.bare &= it->local.family != AF_INET6 ||
				    ip_addr_is_link_local(&it->local);
		}
		ret.bare = ret.bare && !has_binding(model, ret.ifindex);
		if ((any || !ret.bare) && can_ask(model, first, *at))
			return ret;
	}
	return (struct askable){0};
}

/* Very many without a prefix are links of containers. */
static bool are_too_many_bare(const struct model *model)
{
	struct askable it;
	size_t at = 0;
	size_t n = 0;

	while (n <= BARE_MAX && (it = next_askable(model, true, &at)).ifindex)
		n += it.bare;
	return n > BARE_MAX;
}

static bool has_answered(const struct engine *engine,
			 const struct advert_link *link)
{
	const struct seen_router *it;

	vec_foreach(&engine->routers, it)
		if (it->ifindex == link->ifindex &&
		    it->heard_ms >= link->asked_ms)
			return true;
	return false;
}

static void note_links(struct adverts *adverts, const struct engine *engine,
		       uint64_t now_ms)
{
	const struct model *model = &engine->model;
	bool any = !are_too_many_bare(model);
	struct advert_link *known;
	struct askable it;
	size_t at = 0;

	vec_foreach(&adverts->links, known)
		known->seen = false;
	while ((it = next_askable(model, any, &at)).ifindex) {
		known = find_link(adverts, it.ifindex);
		if (known)
			known->seen = true;
		else
			vec_push(&adverts->links,
				 ((struct advert_link){.ifindex = it.ifindex,
						       .next_ms = now_ms,
						       .seen = true}));
	}
	/* One that comes up again is asked again. */
	for (size_t i = adverts->links.n; i-- > 0;)
		if (!adverts->links.items[i].seen)
			vec_remove(&adverts->links, i);
}

static void log_unasked(const struct engine *engine,
			const struct advert_link *which, int error,
			uint64_t now_ms)
{
	const struct link *link = model_link(&engine->model, which->ifindex);

	log_limited(LOG_KIND_UNASKED, now_ms, LOG_NOTICE,
		    "asking for routers link=%s: %s", link ? link->name : "?",
		    strerror(-error));
}

static void ask(struct adverts *adverts, const struct engine *engine,
		struct advert_link *link, uint64_t now_ms)
{
	int error;

	if (link->asked > 0 && has_answered(engine, link))
		link->next_ms = 0;
	if (!link->next_ms || link->next_ms > now_ms)
		return;
	link->next_ms = 0;
	if (link->asked == 0)
		link->asked_ms = now_ms;
	error = ra_socket_solicit(adverts->socket, link->ifindex);
	if (error)
		log_unasked(engine, link, error, now_ms);
	if (++link->asked < ASK_MAX)
		link->next_ms = now_ms + ASK_EVERY_MS;
}

void adverts_update(struct adverts *adverts, const struct engine *engine,
		    uint64_t now_ms)
{
	const struct model *model = &engine->model;
	struct advert_link *it;

	if (adverts->socket) {
		if (adverts->wide != engine->counters.wide)
			note_links(adverts, engine, now_ms);
		adverts->wide = engine->counters.wide;
		vec_foreach(&adverts->links, it)
			ask(adverts, engine, it, now_ms);
	}
	if (adverts->saved_version != model->bindings_version &&
	    !adverts->save_ms)
		adverts->save_ms = adverts->saved_ms + SAVE_PAUSE_MS;
	if ((adverts->save_ms && now_ms >= adverts->save_ms) ||
	    (model->bindings.n && now_ms > adverts->saved_ms + SAVE_EVERY_MS))
		adverts_save(adverts, engine, now_ms);
}

uint64_t adverts_next(const struct adverts *adverts)
{
	const struct advert_link *it;
	uint64_t next = adverts->save_ms;

	vec_foreach(&adverts->links, it)
		if (it->next_ms && (!next || it->next_ms < next))
			next = it->next_ms;
	return next;
}

/* --- life --- */

int adverts_fd(const struct adverts *adverts)
{
	return adverts->socket ? ra_socket_fd(adverts->socket) : -1;
}

void adverts_init(struct adverts *adverts, const char *path)
{
	int error;

	memset(adverts, 0, sizeof(*adverts));
	(void)snprintf(adverts->path, sizeof(adverts->path), "%s", path);
	error = ra_socket_open(&adverts->socket);
	if (error)
		log_notice("no raw socket for router advertisements (%s%s): "
			   "only what the kernel passes on is heard",
			   strerror(-error),
			   error == -EPERM ? ", CAP_NET_RAW is missing" : "");
}

void adverts_done(struct adverts *adverts)
{
	ra_socket_free(adverts->socket);
	adverts->socket = NULL;
	vec_done(&adverts->links);
}
