/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/ip.h"

#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* The bits of byte @i that lie within the first @len bits of an address. */
static uint8_t byte_mask(size_t i, unsigned int len)
{
	unsigned int before = (unsigned int)i * 8;

	if (len >= before + 8)
		return 0xff;
	if (len <= before)
		return 0;
	return (uint8_t)(0xff00u >> (len - before));
}

static bool same_bits(const struct ip_addr *a, const struct ip_addr *b,
		      unsigned int len)
{
	size_t whole = len / 8;

	if (a->family != b->family || memcmp(a->bytes, b->bytes, whole) != 0)
		return false;
	return len % 8 == 0 || ((a->bytes[whole] ^ b->bytes[whole]) &
				byte_mask(whole, len)) == 0;
}

uint8_t ip_bits(uint8_t family)
{
	return family == AF_INET ? 32 : 128;
}

struct ip_addr ip_addr_make(uint8_t family, const void *bytes)
{
	struct ip_addr addr = {.family = family};

	memcpy(addr.bytes, bytes, ip_bits(family) / 8);
	return addr;
}

/* Half an address as a number. */
static uint64_t half(const struct ip_addr *addr, size_t at)
{
	uint64_t bytes;

	memcpy(&bytes, addr->bytes + at, sizeof(bytes));
	return be64toh(bytes);
}

/* Sorting flows and pins is mostly this: two numbers beat memcmp() by half. */
int ip_addr_cmp(const struct ip_addr *a, const struct ip_addr *b)
{
	uint64_t x = half(a, 0);
	uint64_t y = half(b, 0);

	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	if (x == y) {
		x = half(a, 8);
		y = half(b, 8);
	}
	return (x > y) - (x < y);
}

bool ip_addr_equal(const struct ip_addr *a, const struct ip_addr *b)
{
	return a->family == b->family &&
	       memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

bool ip_addr_is_link_local(const struct ip_addr *addr)
{
	if (addr->family == AF_INET)
		return addr->bytes[0] == 169 && addr->bytes[1] == 254;
	return addr->family == AF_INET6 && addr->bytes[0] == 0xfe &&
	       (addr->bytes[1] & 0xc0) == 0x80;
}

bool ip_addr_is_loopback(const struct ip_addr *addr)
{
	static const uint8_t one[16] = {[15] = 1};

	if (addr->family == AF_INET)
		return addr->bytes[0] == 127;
	return addr->family == AF_INET6 &&
	       memcmp(addr->bytes, one, sizeof(one)) == 0;
}

bool ip_addr_is_multicast(const struct ip_addr *addr)
{
	if (addr->family == AF_INET)
		return (addr->bytes[0] & 0xf0) == 0xe0;
	return addr->family == AF_INET6 && addr->bytes[0] == 0xff;
}

bool ip_addr_is_any(const struct ip_addr *addr)
{
	static const uint8_t zero[16];

	return ip_addr_is_set(addr) &&
	       memcmp(addr->bytes, zero, sizeof(zero)) == 0;
}

bool ip_addr_is_mapped(const struct ip_addr *addr)
{
	static const uint8_t head[12] = {[10] = 0xff, [11] = 0xff};

	return addr->family == AF_INET6 &&
	       memcmp(addr->bytes, head, sizeof(head)) == 0;
}

int ip_addr_bit(const struct ip_addr *addr, unsigned int i)
{
	return addr->bytes[i / 8] >> (7 - i % 8) & 1;
}

struct ip_prefix ip_prefix_make(const struct ip_addr *addr, uint8_t len)
{
	struct ip_prefix prefix = {.addr = *addr, .len = len};
	size_t i;

	for (i = 0; i < sizeof(prefix.addr.bytes); i++)
		prefix.addr.bytes[i] &= byte_mask(i, len);
	return prefix;
}

struct ip_prefix ip_prefix_default(uint8_t family)
{
	return (struct ip_prefix){.addr.family = family};
}

struct ip_prefix ip_prefix_host(const struct ip_addr *addr)
{
	return (struct ip_prefix){.addr = *addr, .len = ip_bits(addr->family)};
}

int ip_prefix_cmp(const struct ip_prefix *a, const struct ip_prefix *b)
{
	int order = ip_addr_cmp(&a->addr, &b->addr);

	return order ? order : (int)a->len - (int)b->len;
}

bool ip_prefix_equal(const struct ip_prefix *a, const struct ip_prefix *b)
{
	return ip_prefix_cmp(a, b) == 0;
}

bool ip_prefix_has(const struct ip_prefix *prefix, const struct ip_addr *addr)
{
	return same_bits(&prefix->addr, addr, prefix->len);
}

bool ip_prefix_covers(const struct ip_prefix *outer,
		      const struct ip_prefix *inner)
{
	return outer->len <= inner->len && ip_prefix_has(outer, &inner->addr);
}

bool ip_prefix_overlaps(const struct ip_prefix *a, const struct ip_prefix *b)
{
	return same_bits(&a->addr, &b->addr, a->len < b->len ? a->len : b->len);
}

struct ip_addr ip_prefix_last(const struct ip_prefix *prefix)
{
	struct ip_addr last = prefix->addr;
	size_t n = ip_bits(last.family) / 8;
	size_t i;

	for (i = 0; i < n; i++)
		last.bytes[i] |= (uint8_t)~byte_mask(i, prefix->len);
	return last;
}

int ip_addr_parse(const char *text, struct ip_addr *ret)
{
	uint8_t family = strchr(text, ':') ? AF_INET6 : AF_INET;
	uint8_t bytes[16];

	if (inet_pton(family, text, bytes) != 1)
		return -EINVAL;

	*ret = ip_addr_make(family, bytes);
	return 0;
}

/* A prefix length as people write it: one to three digits, no leading zero. */
static int parse_len(const char *text, unsigned int *ret)
{
	unsigned int len = 0;
	size_t digits;

	digits = strspn(text, "0123456789");
	if (digits < 1 || digits > 3 || text[digits])
		return -EINVAL;
	if (digits > 1 && text[0] == '0')
		return -EINVAL;

	while (*text)
		len = len * 10 + (unsigned int)(*text++ - '0');
	*ret = len;
	return 0;
}

int ip_prefix_parse(const char *text, struct ip_prefix *ret)
{
	const char *slash = strchr(text, '/');
	char addr_text[IP_TEXT_MAX] = "";
	struct ip_prefix prefix;
	struct ip_addr addr;
	unsigned int len;

	if (!slash || (size_t)(slash - text) >= sizeof(addr_text))
		return -EINVAL;
	memcpy(addr_text, text, (size_t)(slash - text));
	if (ip_addr_parse(addr_text, &addr) || parse_len(slash + 1, &len))
		return -EINVAL;
	if (len > ip_bits(addr.family))
		return -EINVAL;

	prefix = ip_prefix_make(&addr, (uint8_t)len);
	if (!ip_addr_equal(&prefix.addr, &addr))
		return -EINVAL;
	*ret = prefix;
	return 0;
}

const char *ip_addr_format(const struct ip_addr *addr, char *text)
{
	if (!inet_ntop(addr->family, addr->bytes, text, IP_TEXT_MAX))
		memcpy(text, "none", sizeof("none"));
	return text;
}

const char *ip_prefix_format(const struct ip_prefix *prefix, char *text)
{
	size_t n;

	ip_addr_format(&prefix->addr, text);
	if (!ip_addr_is_set(&prefix->addr))
		return text;

	n = strlen(text);
	(void)snprintf(text + n, IP_TEXT_MAX - n, "/%u", prefix->len);
	return text;
}
