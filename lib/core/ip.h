/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ip - addresses and prefixes of both families as plain values.
 *
 * An address carries its family, so no function takes a bare byte array. All
 * bytes are in network order; bytes an IPv4 address does not use are zero, so
 * that comparing 16 bytes is comparing addresses.
 */
#ifndef IP_H
#define IP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IP_TEXT_MAX 64 /* any address or prefix as text, with its NUL */

struct ip_addr {
	uint8_t family; /* AF_INET, AF_INET6, or 0: no address */
	uint8_t bytes[16];
};

struct ip_prefix {
	struct ip_addr addr; /* bits behind @len are zero */
	uint8_t len;	     /* in bits */
};

/** ip_bits() - 32 or 128; @family must be AF_INET or AF_INET6 */
uint8_t ip_bits(uint8_t family);

/** ip_addr_is_set() - whether there is an address at all */
static inline bool ip_addr_is_set(const struct ip_addr *addr)
{
	return addr->family != 0;
}

/** ip_addr_make() - from 4 or 16 bytes in network order */
struct ip_addr ip_addr_make(uint8_t family, const void *bytes);

int ip_addr_cmp(const struct ip_addr *a, const struct ip_addr *b);
bool ip_addr_equal(const struct ip_addr *a, const struct ip_addr *b);

/* 169.254/16, fe80::/10; 127/8, ::1; 224/4, ff00::/8; all bits zero. */
bool ip_addr_is_link_local(const struct ip_addr *addr);
bool ip_addr_is_loopback(const struct ip_addr *addr);
bool ip_addr_is_multicast(const struct ip_addr *addr);
bool ip_addr_is_any(const struct ip_addr *addr);

/** ip_addr_is_mapped() - IPv4 in the form of IPv6, ::ffff:0:0/96 (RFC 4291) */
bool ip_addr_is_mapped(const struct ip_addr *addr);

/** ip_addr_bit() - bit @i counted from the most significant, 0 or 1 */
int ip_addr_bit(const struct ip_addr *addr, unsigned int i);

/** ip_prefix_make() - @addr with the bits behind @len, in range, cleared */
struct ip_prefix ip_prefix_make(const struct ip_addr *addr, uint8_t len);

/** ip_prefix_default() - 0.0.0.0/0 or ::/0 */
struct ip_prefix ip_prefix_default(uint8_t family);

/** ip_prefix_host() - the /32 or /128 of @addr */
struct ip_prefix ip_prefix_host(const struct ip_addr *addr);

/** ip_prefix_cmp() - by family, then address, then length (shorter first) */
int ip_prefix_cmp(const struct ip_prefix *a, const struct ip_prefix *b);
bool ip_prefix_equal(const struct ip_prefix *a, const struct ip_prefix *b);

/** ip_prefix_has() - whether @addr lies inside; false across families */
bool ip_prefix_has(const struct ip_prefix *prefix, const struct ip_addr *addr);

/** ip_prefix_covers() - whether every address of @inner lies in @outer */
bool ip_prefix_covers(const struct ip_prefix *outer,
		      const struct ip_prefix *inner);
bool ip_prefix_overlaps(const struct ip_prefix *a, const struct ip_prefix *b);

/** ip_prefix_last() - the highest address inside */
struct ip_addr ip_prefix_last(const struct ip_prefix *prefix);

/**
 * ip_addr_parse() / ip_prefix_parse() - from text
 *
 * A prefix needs its length ("192.0.2.0/24") and may have no host bits set;
 * "default" is not a prefix here. Return: 0, or -EINVAL (@ret untouched).
 */
int ip_addr_parse(const char *text, struct ip_addr *ret);
int ip_prefix_parse(const char *text, struct ip_prefix *ret);

/**
 * ip_addr_format() / ip_prefix_format() - to text, into @text
 * @text: at least IP_TEXT_MAX bytes. Return: @text. No address reads "none".
 */
const char *ip_addr_format(const struct ip_addr *addr, char *text);
const char *ip_prefix_format(const struct ip_prefix *prefix, char *text);

#endif
