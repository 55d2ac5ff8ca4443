/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * host - random small hosts, as lines of a scene (tests/unit/scene.h).
 *
 * Lines, so that a host that breaks a property can be made smaller line by line
 * and printed as something that can be pasted into a test.
 */
#ifndef HOST_H
#define HOST_H

#include "tests/unit/scene.h"

#define HOST_LINE_MAX 240

struct line {
	char text[HOST_LINE_MAX];
};

VEC(line_vec, struct line);

/*
 * A generator of random numbers whose whole state is its seed; or, with @bytes,
 * what these say, two at a time, till they are used up.
 */
struct dice {
	uint64_t state;
	const uint8_t *bytes; /* borrowed; NULL: none */
	size_t n_bytes;
};

uint64_t dice_next(struct dice *dice);

/** dice_below() - 0 to @n - 1; dice_chance() - true in @percent of 100 */
uint32_t dice_below(struct dice *dice, uint32_t n);
bool dice_chance(struct dice *dice, uint32_t percent);

/** host_roll() - append the lines of a random host */
void host_roll(struct dice *dice, struct line_vec *lines);

/**
 * host_change() - append lines that change a host made of @lines
 *
 * One to four random events: routes, addresses, links, neighbours, settings.
 */
void host_change(struct dice *dice, const struct line_vec *lines,
		 struct line_vec *changes);

/**
 * host_read() - enter @lines into @scene
 *
 * A message that the model answers with "read again" is left out, as it would
 * be until then. Return: false if a line cannot be read.
 */
bool host_read(const struct line_vec *lines, struct scene *scene);

/** host_build() - the scene of @lines; subnets are managed. Return: as above */
bool host_build(const struct line_vec *lines, struct scene *scene);

/** host_print() - to stderr, as a scene */
void host_print(const struct line_vec *lines);

/* Whether a property fails for a host. */
typedef bool host_fails(const struct line_vec *lines, void *context);

/** host_shrink() - remove every line of @lines that @fails does not need */
void host_shrink(struct line_vec *lines, host_fails *fails, void *context);

/** host_destinations() - addresses worth asking about in @scene; appended */
VEC(addr_vec, struct ip_addr);
void host_destinations(const struct scene *scene, struct dice *dice,
		       struct addr_vec *ret);

#endif
