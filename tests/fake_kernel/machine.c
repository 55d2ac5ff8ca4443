/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/fake_kernel/machine.h"

#include <assert.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/eventfd.h>

#define FIRST_PORT 0x7f000000 /* no process has it as its pid */

static struct fake *running;

struct fake *machine_running(void)
{
	return running;
}

/* --- boot --- */

static void boot_rule(struct fake *fake, uint8_t family, uint32_t priority,
		      uint32_t table)
{
	struct rule rule = {
		.family = family,
		.priority = priority,
		.src = ip_prefix_default(family),
		.dst = ip_prefix_default(family),
		.table = table,
		.action = RULE_ACTION_LOOKUP,
		.protocol = MACHINE_KERNEL,
		.suppress_len = -1,
	};

	(void)machine_add_rule(fake, 0, &rule, false);
}

struct fake *fake_new(void)
{
	struct fake *fake = xalloc(sizeof(*fake));
	struct link lo = {
		.ifindex = MACHINE_LO,
		.name = "lo",
		.up = true,
		.carrier = true,
		.loopback = true,
	};

	assert(!running);
	fake->aside = (struct fake_aside){SIZE_MAX, SIZE_MAX};
	model_init(&fake->model);
	fake->last_ifindex = MACHINE_LO;
	fake->last_port = FIRST_PORT;
	(void)model_put_link(&fake->model, &lo);
	boot_rule(fake, AF_INET, 0, ROUTE_TABLE_LOCAL);
	boot_rule(fake, AF_INET, RULE_PRIORITY_MAIN, ROUTE_TABLE_MAIN);
	boot_rule(fake, AF_INET, RULE_PRIORITY_MAIN + 1, 253);
	boot_rule(fake, AF_INET6, 0, ROUTE_TABLE_LOCAL);
	boot_rule(fake, AF_INET6, RULE_PRIORITY_MAIN, ROUTE_TABLE_MAIN);
	running = fake;
	return fake;
}

void fake_free(struct fake *fake)
{
	if (!fake)
		return;
	assert(fake->doors.n == 0);
	running = NULL;
	vec_done(&fake->doors);
	vec_done(&fake->faults);
	vec_done(&fake->lagging);
	vec_done(&fake->nexthops);
	vec_done(&fake->pairs);
	vec_done(&fake->neighbours);
	vec_done(&fake->rules);
	model_done(&fake->model);
	free(fake);
}

/* --- faults --- */

void fake_fail(struct fake *fake, const struct fake_fault *fault)
{
	assert(fault->error < 0 && fault->nth > 0);
	vec_push(&fake->faults, *fault);
}

void fake_mend(struct fake *fake)
{
	vec_clear(&fake->faults);
}

uint64_t fake_faults_hit(const struct fake *fake)
{
	return fake->faults_hit;
}

uint64_t fake_calls(const struct fake *fake, enum fake_call call)
{
	return fake->calls[call];
}

uint64_t fake_ops(const struct fake *fake, enum op_kind kind)
{
	return fake->ops[kind];
}

/* Return: the error of @fault, if this is the call it waits for; or 0. */
static int count_down(struct fake_fault *fault)
{
	if (fault->nth == 0)
		return 0; /* spent */
	if (fault->nth > 1) {
		fault->nth--;
		return 0;
	}
	if (fault->times > 1)
		fault->times--;
	else
		fault->nth = 0;
	return fault->error;
}

static int begin(struct fake *fake, enum fake_call call, uint32_t kind,
		 size_t *ret_done)
{
	struct fake_fault *fault;
	int error = 0;

	fake->calls[call]++;
	vec_foreach(&fake->faults, fault) {
		int now;

		if (fault->call != call ||
		    (fault->kinds && !(fault->kinds & kind)))
			continue;
		now = count_down(fault);
		if (!now)
			continue;
		error = now;
		if (ret_done)
			*ret_done = fault->done;
	}
	fake->faults_hit += error != 0;
	return error;
}

int machine_call(struct fake *fake, enum fake_call call, size_t *ret_done)
{
	return begin(fake, call, 0, ret_done);
}

int machine_op(struct fake *fake, enum op_kind kind)
{
	return begin(fake, FAKE_OP, 1U << kind, NULL);
}

/* --- news --- */

void machine_drop_news(struct fake *fake, struct machine_news_vec *news)
{
	const struct machine_news *it;

	vec_foreach(news, it)
		if (it->attrs != MACHINE_NO_ATTRS)
			attrset_unref(&fake->model.rib.attrs, it->attrs);
	vec_clear(news);
}

static void push(struct kernel *door, const struct machine_news *news)
{
	const struct fake *fake = door->fake;

	if (fake->queue_max && door->queue.n >= fake->queue_max) {
		door->overrun = true;
		if (news->attrs != MACHINE_NO_ATTRS)
			attrset_unref(&door->fake->model.rib.attrs,
				      news->attrs);
	} else {
		vec_push(&door->queue, *news);
	}
	(void)eventfd_write(door->fd, 1);
}

/* The filter on the listening socket. */
static bool is_let_through(const struct kernel *door,
			   const struct kernel_event *event)
{
	const struct neighbour *it = &event->neighbour;

	if (event->port == door->port)
		return false;
	if (event->kind != KERNEL_NEIGHBOUR || door->recovery)
		return event->kind != KERNEL_NEIGHBOUR || !it->unresolved;
	if (event->deleted)
		return it->protocol == door->config.protocol;
	return it->failed || it->permanent;
}

void machine_tell(struct fake *fake, const struct kernel_event *event,
		  uint32_t attrs)
{
	struct machine_news news = {*event, attrs};
	const struct machine_door *door;

	if (fake->news == FAKE_HIDE)
		return;
	vec_foreach(&fake->doors, door) {
		if (!is_let_through(door->kernel, event))
			continue;
		if (attrs != MACHINE_NO_ATTRS)
			attrset_ref(&fake->model.rib.attrs, attrs);
		if (fake->news == FAKE_DELAY)
			vec_push(&door->kernel->delayed, news);
		else
			push(door->kernel, &news);
	}
}

void fake_set_news(struct fake *fake, enum fake_news news)
{
	fake->news = news;
}

/* --- what goes without a word --- */

void fake_set_aside(struct fake *fake, const struct fake_aside *aside)
{
	fake->aside = *aside;
}

void fake_set_lags(struct fake *fake, bool lags)
{
	fake->lags = lags;
}

static void fall_silent(struct fake *fake, const struct ip_addr *source)
{
	if (ip_addr_is_set(source))
		machine_drop_source(fake, source);
	else
		machine_drop_dead(fake);
}

void machine_fall_silent(struct fake *fake, const struct ip_addr *source)
{
	const struct ip_addr what = source ? *source : (struct ip_addr){0};

	if (fake->lags)
		vec_push(&fake->lagging, what);
	else
		fall_silent(fake, &what);
}

void fake_release(struct fake *fake)
{
	const struct ip_addr *silent;
	const struct machine_door *door;

	vec_foreach(&fake->lagging, silent)
		fall_silent(fake, silent);
	vec_clear(&fake->lagging);
	vec_foreach(&fake->doors, door) {
		const struct machine_news *it;

		vec_foreach(&door->kernel->delayed, it)
			push(door->kernel, it);
		vec_clear(&door->kernel->delayed); /* the refs went over */
	}
}

void fake_lose(struct fake *fake)
{
	const struct machine_door *door;

	vec_foreach(&fake->doors, door) {
		machine_drop_news(fake, &door->kernel->queue);
		door->kernel->overrun = true;
		(void)eventfd_write(door->kernel->fd, 1);
	}
}

void fake_set_queue(struct fake *fake, size_t max)
{
	fake->queue_max = max;
}

void fake_set_answers(struct fake *fake, bool answer)
{
	fake->answers = answer;
}

/* --- by line --- */

void fake_lines(struct fake *fake, const char *lines)
{
	while (*lines) {
		size_t len = strcspn(lines, "\n");
		char line[512];
		int error;

		(void)snprintf(line, sizeof(line), "%.*s", (int)len, lines);
		error = fake_do(fake, FAKE_SOMEBODY, line);
		if (error) {
			(void)fprintf(stderr, "fake kernel: %s: %s\n",
				      strerror(-error), line);
			abort();
		}
		lines += len + (lines[len] == '\n');
	}
}
