/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * wire - ICMPv6 packets with whatever header a test wants, put on a link.
 *
 * They leave by a packet socket, so that the sender needs no address and may
 * lie. Whatever goes wrong in here fails the test.
 */
#ifndef TESTS_KERNEL_C_WIRE_H
#define TESTS_KERNEL_C_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* To all nodes of the link (ff02::1). */
struct wire_packet {
	const char *link;   /* over which it is sent */
	const char *source; /* an address */
	uint8_t hop_limit;
	bool bad_checksum;
	bool fragments; /* in two of them */
};

/** wire_send() - @bytes: an ICMPv6 message; its checksum is put in */
void wire_send(const struct wire_packet *packet, const uint8_t *bytes,
	       size_t len);

#endif
