/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ra/ra.h"

#include <errno.h>
#include <netinet/in.h>

enum {
	TYPE_ADVERT = 134, /* of ICMPv6 */

	/* Places in a router advertisement: RFC 4861, 4.2. */
	HOP_LIMIT_AT = 4,
	FLAGS_AT = 5,
	LIFETIME_AT = 6,
	OPTIONS_AT = 16,

	/* Options: RFC 4861, 4.6.2 and 4.6.4; RFC 4191, 2.3. */
	OPTION_UNIT = 8, /* their lengths are told in this many bytes */
	OPTION_PREFIX = 3,
	OPTION_MTU = 5,
	OPTION_ROUTE = 24,

	PREFIX_BITS_AT = 2,
	PREFIX_VALID_AT = 4,
	PREFIX_AT = 16,
	PREFIX_SIZE = 32,

	MTU_AT = 4,
	MTU_SIZE = 8,

	ROUTE_BITS_AT = 2,
	ROUTE_FLAGS_AT = 3,
	ROUTE_LIFETIME_AT = 4,
	ROUTE_PREFIX_AT = 8,

	PREFERENCE_MASK = 0x18,	    /* the same bits in both places */
	PREFERENCE_RESERVED = 0x10, /* RFC 4191, 2.1 */

	PREFIX_BITS_MIN = 8,
};

static uint16_t read_u16(const uint8_t *bytes)
{
	return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

static uint32_t read_u32(const uint8_t *bytes)
{
	return (uint32_t)read_u16(bytes) << 16 | read_u16(bytes + 2);
}

static uint64_t read_u64(const uint8_t *bytes)
{
	return (uint64_t)read_u32(bytes) << 32 | read_u32(bytes + 4);
}

/* In bytes; 0: its length is nought, or beyond the end. */
static size_t option_size(const uint8_t *option, size_t len)
{
	size_t size;

	if (len < 2)
		return 0;
	size = (size_t)option[1] * OPTION_UNIT;
	return size <= len ? size : 0;
}

/* --- the digest --- */

/* Any number to one that looks like chance (the last steps of MurmurHash3). */
static uint64_t mix(uint64_t hash, uint64_t word)
{
	hash ^= word;
	hash ^= hash >> 33;
	hash *= 0xff51afd7ed558ccdU;
	hash ^= hash >> 33;
	hash *= 0xc4ceb9fe1a85ec53U;
	return hash ^ hash >> 33;
}

/* The four highest bits that are set stay: an eighth of it at most is lost. */
static uint32_t lifetime_step(uint32_t lifetime_s)
{
	unsigned int low = 0;

	if (lifetime_s == RA_FOREVER)
		return lifetime_s;
	while (lifetime_s >> low > 0xf)
		low++;
	return lifetime_s >> low << low;
}

static uint64_t digest_header(const uint8_t *bytes)
{
	uint32_t lifetime = lifetime_step(read_u16(bytes + LIFETIME_AT));
	uint64_t preference = bytes[FLAGS_AT] & PREFERENCE_MASK;

	/* RFC 4191, 2.2: it counts as medium. */
	if (preference == PREFERENCE_RESERVED || lifetime == 0)
		preference = 0;
	return mix(TYPE_ADVERT, preference << 40 |
					(uint64_t)bytes[HOP_LIMIT_AT] << 32 |
					lifetime);
}

static uint64_t digest_mtu(const uint8_t *option, size_t size)
{
	return size < MTU_SIZE ? 0 : mix(OPTION_MTU, read_u32(option + MTU_AT));
}

/* RFC 4191, 2.3: the bytes of a prefix which do not matter may be left out. */
static bool is_route_whole(const uint8_t *option, size_t size)
{
	size_t bits = option[ROUTE_BITS_AT];

	return bits <= 128 &&
	       (bits + 63) / 64 * OPTION_UNIT <= size - ROUTE_PREFIX_AT;
}

static uint64_t digest_route(const uint8_t *option, size_t size)
{
	uint64_t preference = option[ROUTE_FLAGS_AT] & PREFERENCE_MASK;
	uint8_t bits = option[ROUTE_BITS_AT];
	struct ip_addr addr = {.family = AF_INET6};
	struct ip_prefix prefix;
	uint64_t hash;

	/* RFC 4191, 2.3: a receiver ignores such an option. */
	if (preference == PREFERENCE_RESERVED || !is_route_whole(option, size))
		return 0;
	for (size_t i = 0; i < (size_t)(bits + 7) / 8; i++)
		addr.bytes[i] = option[ROUTE_PREFIX_AT + i];
	prefix = ip_prefix_make(&addr, bits);
	hash = mix(OPTION_ROUTE, preference << 8 | bits);
	hash = mix(hash, read_u64(prefix.addr.bytes));
	hash = mix(hash, read_u64(prefix.addr.bytes + 8));
	return mix(hash, lifetime_step(read_u32(option + ROUTE_LIFETIME_AT)));
}

/* --- options --- */

static void take_prefix(const uint8_t *option, size_t size, struct ra *ra)
{
	struct ra_prefix prefix;

	if (ra_parse_prefix(option, size, &prefix))
		return;
	if (ra->n_prefixes == RA_PREFIXES_MAX)
		ra->cut = true;
	else
		ra->prefixes[ra->n_prefixes++] = prefix;
}

static void take_option(const uint8_t *option, size_t size, struct ra *ra)
{
	/* Added up, so that their order does not matter. */
	if (option[0] == OPTION_PREFIX)
		take_prefix(option, size, ra);
	else if (option[0] == OPTION_MTU)
		ra->routes_digest += digest_mtu(option, size);
	else if (option[0] == OPTION_ROUTE)
		ra->routes_digest += digest_route(option, size);
}

int ra_parse(const uint8_t *bytes, size_t len, struct ra *ret)
{
	size_t size;

	if (len < OPTIONS_AT || bytes[0] != TYPE_ADVERT || bytes[1] != 0)
		return -EBADMSG;

	ret->router_lifetime_s = read_u16(bytes + LIFETIME_AT);
	ret->n_prefixes = 0;
	ret->cut = false;
	ret->routes_digest = digest_header(bytes);
	for (size_t at = OPTIONS_AT; at < len; at += size) {
		size = option_size(bytes + at, len - at);
		if (size == 0)
			return -EBADMSG;
		take_option(bytes + at, size, ret);
	}
	return 0;
}

int ra_parse_prefix(const uint8_t *bytes, size_t len, struct ra_prefix *ret)
{
	size_t size = option_size(bytes, len);
	struct ip_prefix prefix;
	struct ip_addr addr;

	if (size == 0)
		return -EBADMSG;
	if (bytes[0] != OPTION_PREFIX)
		return -ENOENT;
	if (size < PREFIX_SIZE || bytes[PREFIX_BITS_AT] > 128)
		return -EBADMSG;
	addr = ip_addr_make(AF_INET6, bytes + PREFIX_AT);
	prefix = ip_prefix_make(&addr, bytes[PREFIX_BITS_AT]);
	/* fefa::/9 is fe80::/9. */
	if (prefix.len < PREFIX_BITS_MIN || ip_addr_is_link_local(&addr) ||
	    ip_addr_is_link_local(&prefix.addr) || ip_addr_is_multicast(&addr))
		return -ENOENT;

	ret->prefix = prefix;
	ret->valid_s = read_u32(bytes + PREFIX_VALID_AT);
	return 0;
}
