/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/property/host.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>

/* --- dice --- */

/* splitmix64: every seed is as good as every other. */
static uint64_t next_of_bytes(struct dice *dice)
{
	uint64_t number = 0;

	for (unsigned int i = 0; i < 2 && dice->n_bytes; i++) {
		number |= (uint64_t)*dice->bytes++ << 8 * i;
		dice->n_bytes--;
	}
	return number;
}

uint64_t dice_next(struct dice *dice)
{
	uint64_t z;

	if (dice->n_bytes)
		return next_of_bytes(dice);
	z = dice->state += 0x9e3779b97f4a7c15ULL;
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

uint32_t dice_below(struct dice *dice, uint32_t n)
{
	return (uint32_t)(dice_next(dice) % n);
}

bool dice_chance(struct dice *dice, uint32_t percent)
{
	return dice_below(dice, 100) < percent;
}

/* --- lines --- */

bool host_read(const struct line_vec *lines, struct scene *scene)
{
	const struct line *line;

	vec_foreach(lines, line) {
		int err = scene_line(scene, line->text);

		if (err && err != -EAGAIN)
			return false;
	}
	return true;
}

bool host_build(const struct line_vec *lines, struct scene *scene)
{
	scene_init(scene);
	if (!host_read(lines, scene))
		return false;
	scene_manage(scene);
	return true;
}

void host_print(const struct line_vec *lines)
{
	const struct line *line;

	vec_foreach(lines, line)
		(void)fprintf(stderr, "%s\n", line->text);
}

static void copy_without(const struct line_vec *lines, size_t from, size_t n,
			 struct line_vec *ret)
{
	vec_clear(ret);
	for (size_t i = 0; i < lines->n; i++)
		if (i < from || i >= from + n)
			vec_push(ret, lines->items[i]);
}

/* Removes @step lines wherever that can be done. Return: whether it could. */
static bool shrink_by(struct line_vec *lines, size_t step, host_fails *fails,
		      void *context)
{
	struct line_vec less = {0};
	size_t before = lines->n;
	size_t at = 0;

	while (at + step <= lines->n) {
		copy_without(lines, at, step, &less);
		if (!fails(&less, context)) {
			at++;
			continue;
		}
		vec_done(lines);
		*lines = less;
		less = (struct line_vec){0};
	}
	vec_done(&less);
	return lines->n < before;
}

void host_shrink(struct line_vec *lines, host_fails *fails, void *context)
{
	for (size_t step = lines->n / 2; step > 1; step /= 2)
		(void)shrink_by(lines, step, fails, context);
	/* A smaller host may do without what a larger one needed. */
	while (shrink_by(lines, 1, fails, context))
		continue;
}

/* --- destinations --- */

static struct ip_addr addr_step(const struct ip_addr *from, int step)
{
	struct ip_addr addr = *from;
	int i = ip_bits(addr.family) / 8;

	while (i-- > 0) {
		addr.bytes[i] = (uint8_t)(addr.bytes[i] + step);
		if (addr.bytes[i] != (step > 0 ? 0 : 255))
			break;
	}
	return addr;
}

static struct ip_addr addr_inside(struct dice *dice,
				  const struct ip_prefix *prefix)
{
	struct ip_addr addr = prefix->addr;
	unsigned int bits = ip_bits(addr.family);

	for (unsigned int i = prefix->len; i < bits; i++)
		if (dice_chance(dice, 50))
			addr.bytes[i / 8] |= (uint8_t)(0x80 >> i % 8);
	return addr;
}

/* Table local and the rule for fe80::/10 answer for these. */
static bool is_special(const struct ip_addr *addr)
{
	return ip_addr_is_multicast(addr) || ip_addr_is_loopback(addr) ||
	       ip_addr_is_any(addr) ||
	       (addr->family == AF_INET6 && ip_addr_is_link_local(addr));
}

static void add_destination(struct addr_vec *ret, struct ip_addr addr)
{
	const struct ip_addr *it;

	if (is_special(&addr))
		return;
	vec_foreach(ret, it)
		if (ip_addr_equal(it, &addr))
			return;
	vec_push(ret, addr);
}

void host_destinations(const struct scene *scene, struct dice *dice,
		       struct addr_vec *ret)
{
	static const uint8_t families[] = {AF_INET, AF_INET6};

	for (size_t i = 0; i < 2; i++) {
		struct ip_prefix all = ip_prefix_default(families[i]);
		struct ip_prefix prefix;
		struct trie_walk walk;
		uint32_t at;

		trie_walk_start(&walk, rib_trie(&scene->model.rib, families[i]),
				&all);
		while (trie_walk_next(&walk, &prefix, &at)) {
			struct ip_addr last = ip_prefix_last(&prefix);

			add_destination(ret, prefix.addr);
			add_destination(ret, addr_step(&prefix.addr, -1));
			add_destination(ret, addr_step(&prefix.addr, 1));
			add_destination(ret, last);
			add_destination(ret, addr_step(&last, 1));
			add_destination(ret, addr_inside(dice, &prefix));
		}
		for (size_t n = 0; n < 3; n++)
			add_destination(ret, addr_inside(dice, &all));
	}
}
