/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/kernel_c/wire.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/ip6.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>

enum {
	PAYLOAD_MAX = 65536,
	CHECKSUM_AT = 2, /* in an ICMPv6 message */
};

static uint32_t sum(uint32_t before, const void *bytes, size_t len)
{
	const uint8_t *byte = bytes;

	for (size_t i = 0; i < len; i++)
		before += i % 2 ? byte[i] : (uint32_t)byte[i] << 8;
	return before;
}

/* RFC 4443, 2.3: over a pseudo-header, too. */
static void put_checksum(const struct ip6_hdr *header, uint8_t *bytes,
			 size_t len)
{
	uint32_t total = (uint32_t)len + IPPROTO_ICMPV6;

	total = sum(total, &header->ip6_src, sizeof(header->ip6_src));
	total = sum(total, &header->ip6_dst, sizeof(header->ip6_dst));
	total = sum(total, bytes, len);
	while (total >> 16)
		total = (total & 0xffff) + (total >> 16);
	total = ~total;
	bytes[CHECKSUM_AT] = (uint8_t)(total >> 8);
	bytes[CHECKSUM_AT + 1] = (uint8_t)total;
}

/* One for all: to close a packet socket takes the kernel milliseconds. */
static int packet_socket(void)
{
	static int fd = -1;

	if (fd < 0)
		fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	return fd;
}

static void put_out(const char *link, const struct ip6_hdr *header,
		    const void *payload, size_t len)
{
	const struct sockaddr_ll to = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_IPV6),
		.sll_ifindex = (int)if_nametoindex(link),
		.sll_halen = ETH_ALEN,
		.sll_addr = {0x33, 0x33, 0, 0, 0, 1},
	};
	uint8_t packet[sizeof(*header) + PAYLOAD_MAX];
	size_t size = sizeof(*header) + len;

	assert_true(len <= PAYLOAD_MAX);
	memcpy(packet, header, sizeof(*header));
	memcpy(packet + sizeof(*header), payload, len);
	((struct ip6_hdr *)packet)->ip6_plen = htons((uint16_t)len);
	assert_int_equal(sendto(packet_socket(), packet, size, 0,
				(const struct sockaddr *)&to, sizeof(to)),
			 size);
}

static void put_out_fragment(const char *link, struct ip6_hdr header,
			     const uint8_t *part, size_t len, uint16_t offset)
{
	static uint32_t id;
	struct ip6_frag fragment = {.ip6f_nxt = IPPROTO_ICMPV6};
	uint8_t payload[sizeof(fragment) + PAYLOAD_MAX];

	if (offset == 0)
		id++;
	fragment.ip6f_ident = id;
	fragment.ip6f_offlg = htons(offset);
	if (offset == 0)
		fragment.ip6f_offlg |= IP6F_MORE_FRAG;
	memcpy(payload, &fragment, sizeof(fragment));
	memcpy(payload + sizeof(fragment), part, len);
	header.ip6_nxt = IPPROTO_FRAGMENT;
	put_out(link, &header, payload, sizeof(fragment) + len);
}

void wire_send(const struct wire_packet *packet, const uint8_t *bytes,
	       size_t len)
{
	struct ip6_hdr header = {
		.ip6_nxt = IPPROTO_ICMPV6,
		.ip6_hlim = packet->hop_limit,
		.ip6_dst.s6_addr = {0xff, 0x02, [15] = 1},
	};
	const size_t first = 8;
	uint8_t message[PAYLOAD_MAX];

	header.ip6_vfc = 6 << 4;
	assert_int_equal(inet_pton(AF_INET6, packet->source, &header.ip6_src),
			 1);
	assert_true(len <= sizeof(message));
	memcpy(message, bytes, len);
	put_checksum(&header, message, len);
	if (packet->bad_checksum)
		message[CHECKSUM_AT] ^= 1;
	if (!packet->fragments) {
		put_out(packet->link, &header, message, len);
		return;
	}
	put_out_fragment(packet->link, header, message, first, 0);
	put_out_fragment(packet->link, header, message + first, len - first,
			 first);
}
