/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/advert_bytes.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void put_u32(uint8_t *at, uint32_t value)
{
	value = htonl(value);
	memcpy(at, &value, sizeof(value));
}

/* Not ip_prefix_parse(): it refuses what a hostile router may send. */
static void put_prefix(const char *prefix, uint8_t *addr, uint8_t *bits)
{
	char text[64];
	unsigned int len;

	if (sscanf(prefix, "%63[^/]/%u", text, &len) != 2 ||
	    inet_pton(AF_INET6, text, addr) != 1 || len > UINT8_MAX)
		fail_msg("no prefix: %s", prefix);
	*bits = (uint8_t)len;
}

void advert_begin(struct advert_bytes *bytes, uint16_t lifetime_s)
{
	static const uint8_t header[16] = {134, 0, 0, 0, 64};

	memcpy(bytes->at, header, sizeof(header));
	bytes->at[6] = (uint8_t)(lifetime_s >> 8);
	bytes->at[7] = (uint8_t)lifetime_s;
	bytes->n = sizeof(header);
}

uint8_t *advert_add(struct advert_bytes *bytes, uint8_t type, uint8_t units)
{
	uint8_t *option = bytes->at + bytes->n;
	size_t size = (size_t)units * 8;

	assert_true(size >= 8 && bytes->n + size <= sizeof(bytes->at));
	memset(option, 0, size);
	option[0] = type;
	option[1] = units;
	bytes->n += size;
	return option;
}

uint8_t *advert_add_prefix(struct advert_bytes *bytes, const char *prefix,
			   uint32_t valid_s)
{
	uint8_t *option = advert_add(bytes, 3, 4);

	put_prefix(prefix, option + 16, option + 2);
	option[3] = 0xc0;
	put_u32(option + 4, valid_s);
	put_u32(option + 8, valid_s);
	return option;
}

uint8_t *advert_add_route(struct advert_bytes *bytes, const char *prefix,
			  uint32_t lifetime_s)
{
	uint8_t *option = advert_add(bytes, 24, 3);

	put_prefix(prefix, option + 8, option + 2);
	put_u32(option + 4, lifetime_s);
	return option;
}
