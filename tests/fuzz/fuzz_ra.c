/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A router advertisement, and the same bytes as one option of it. Whatever
 * comes must be refused or be within bounds; and what is at its end must not
 * matter to what stands before it.
 */
#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ra/ra.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_prefix(const struct ra_prefix *it)
{
	const struct ip_prefix *prefix = &it->prefix;
	struct ip_prefix canonical;

	assert(prefix->addr.family == AF_INET6);
	assert(prefix->len >= 8 && prefix->len <= 128);
	canonical = ip_prefix_make(&prefix->addr, prefix->len);
	assert(ip_prefix_equal(&canonical, prefix));
	assert(!ip_addr_is_link_local(&prefix->addr));
	assert(!ip_addr_is_multicast(&prefix->addr));
}

static void check_message(const uint8_t *bytes, size_t size)
{
	struct ra ra;
	struct ra again;
	int r;

	/* Whatever was there before must not matter. */
	memset(&ra, 0x55, sizeof(ra));
	memset(&again, 0xaa, sizeof(again));
	r = ra_parse(bytes, size, &ra);
	assert(r == 0 || r == -EBADMSG);
	assert(ra_parse(bytes, size, &again) == r);
	if (r)
		return;
	assert(size >= 16 && size % 8 == 0);
	assert(ra.n_prefixes <= RA_PREFIXES_MAX);
	assert(!ra.cut || ra.n_prefixes == RA_PREFIXES_MAX);
	for (size_t i = 0; i < ra.n_prefixes; i++)
		check_prefix(&ra.prefixes[i]);
	assert(again.n_prefixes == ra.n_prefixes && again.cut == ra.cut);
	assert(again.router_lifetime_s == ra.router_lifetime_s);
	assert(again.routes_digest == ra.routes_digest);
	/* Half an option behind it spoils all of it. */
	assert(size == 16 || ra_parse(bytes, size - 1, &again) == -EBADMSG);
}

static void check_option(const uint8_t *bytes, size_t size)
{
	struct ra_prefix prefix;
	int r = ra_parse_prefix(bytes, size, &prefix);

	assert(r == 0 || r == -ENOENT || r == -EBADMSG);
	if (r == 0)
		check_prefix(&prefix);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *bytes = malloc(size ? size : 1); /* no byte too many */

	assert(bytes);
	memcpy(bytes, data, size);
	check_message(bytes, size);
	check_option(bytes, size);
	free(bytes);
	return 0;
}
