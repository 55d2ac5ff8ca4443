/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * advert_bytes - router advertisements by hand, byte for byte.
 *
 * Begin one, add options, then spoil what the test wants spoiled. Whatever goes
 * wrong in here fails the test.
 */
#ifndef TESTS_UNIT_ADVERT_BYTES_H
#define TESTS_UNIT_ADVERT_BYTES_H

#include <stddef.h>
#include <stdint.h>

#define ADVERT_BYTES_MAX 60000

struct advert_bytes {
	uint8_t at[ADVERT_BYTES_MAX];
	size_t n;
};

/** advert_begin() - of a router for @lifetime_s; hop limit 64 */
void advert_begin(struct advert_bytes *bytes, uint16_t lifetime_s);

/** advert_add() - an option of @units times 8 bytes, zeros behind its length */
uint8_t *advert_add(struct advert_bytes *bytes, uint8_t type, uint8_t units);

/** advert_add_prefix() - @prefix: "2001:db8::/64", host bits are fine; L and A
 * are set. Return: the option */
uint8_t *advert_add_prefix(struct advert_bytes *bytes, const char *prefix,
			   uint32_t valid_s);

/** advert_add_route() - of 24 bytes, medium preference. Return: the option */
uint8_t *advert_add_route(struct advert_bytes *bytes, const char *prefix,
			  uint32_t lifetime_s);

#endif
