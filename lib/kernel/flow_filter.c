/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/flow_filter.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <linux/filter.h>
#include <linux/inet_diag.h>
#include <netlink/socket.h>

#include "core/xalloc.h"

#define WORDS	   4		   /* of an address */
#define SOURCE_MAX (2 * WORDS + 2) /* statements about one */

#define DIAG_AT(field)                                                         \
	(NLMSG_HDRLEN + (uint32_t)offsetof(struct inet_diag_msg, field))
#define FAMILY_AT DIAG_AT(idiag_family)
#define SRC_AT(i) (DIAG_AT(id.idiag_src) + 4 * (i))
#define DST_AT(i) (DIAG_AT(id.idiag_dst) + 4 * (i))

/* Places in the program's head. */
enum {
	DROP = 3,
	LOAD = 4,
	UNSET = 19,
	UNSET_PASS = 31,
	KNOWN = 32,
	TO_IPV4 = 34,
	MAPPED = 35,
	MAPPED_TO_IPV4 = 43,
	IPV6 = 44,
};

struct program {
	struct sock_filter code[IPV6 + FLOW_FILTER_MAX * SOURCE_MAX + 2];
	uint32_t n;
};

static_assert(sizeof(((struct program *)0)->code) /
			      sizeof(struct sock_filter) <=
		      BPF_MAXINSNS,
	      "as much as the kernel takes");

#define LOAD_WORD(at)  BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (at))
#define LOAD_BYTE(at)  BPF_STMT(BPF_LD | BPF_B | BPF_ABS, (at))
#define STORE(place)   BPF_STMT(BPF_ST, (place))
#define FETCH(place)   BPF_STMT(BPF_LD | BPF_MEM, (place))
#define FETCH_X(place) BPF_STMT(BPF_LDX | BPF_MEM, (place))
#define KEEP_X	       BPF_STMT(BPF_MISC | BPF_TAX, 0)
#define OR_X	       BPF_STMT(BPF_ALU | BPF_OR | BPF_X, 0)
#define JUMP(distance) BPF_STMT(BPF_JMP | BPF_JA, (distance))
#define END(accepted)  BPF_STMT(BPF_RET | BPF_K, (accepted))
#define TEST(here, what, value, yes, no)                                       \
	BPF_JUMP(BPF_JMP | (what) | BPF_K, (value), (yes) - (here)-1,          \
		 (no) - (here)-1)

static void add(struct program *program, struct sock_filter statement)
{
	program->code[program->n++] = statement;
}

/* Conditional jumps reach 255 statements, so they stay within one source. */
static uint32_t source_len(const struct ip_prefix *source)
{
	return 2U * (source->len / 32U) + (source->len % 32U ? 3U : 0U) + 1U;
}

static void add_test(struct program *program, uint16_t what, uint32_t value,
		     uint32_t yes, uint32_t no)
{
	const uint32_t next = program->n + 1;
	const struct sock_filter test = {
		.code = (uint16_t)(BPF_JMP | BPF_K | what),
		.jt = (uint8_t)(yes - next),
		.jf = (uint8_t)(no - next),
		.k = value,
	};

	add(program, test);
}

/* Word @i of the address in memory against that of a prefix. */
static void add_word(struct program *program, const struct ip_prefix *source,
		     uint32_t i, uint32_t no)
{
	const uint32_t len = source->len - 32 * i;
	uint32_t low;

	memcpy(&low, source->addr.bytes + 4 * (size_t)i, sizeof(low));
	low = ntohl(low);
	add(program, (struct sock_filter)FETCH(i));
	if (len >= 32) {
		add_test(program, BPF_JEQ, low, program->n + 1, no);
	} else {
		add_test(program, BPF_JGE, low, program->n + 1, no);
		add_test(program, BPF_JGT, low | UINT32_MAX >> len, no,
			 program->n + 1);
	}
}

static void add_source(struct program *program, const struct ip_prefix *source)
{
	const uint32_t no = program->n + source_len(source);

	for (uint32_t i = 0; 32 * i < source->len; i++)
		add_word(program, source, i, no);
	add(program, (struct sock_filter)END(UINT32_MAX));
}

/* Puts the words of the source in memory, that of an IPv4 one first. */
static void add_head(struct program *program, uint32_t ipv4)
{
	// clang-format off
	const struct sock_filter head[] = {
		[0] = LOAD_BYTE(FAMILY_AT),
		[1] = TEST(1, BPF_JEQ, AF_INET, LOAD, 2),
		[2] = TEST(2, BPF_JEQ, AF_INET6, LOAD, DROP),
		[DROP] = END(0),
		[LOAD] = LOAD_WORD(SRC_AT(3)), [5] = STORE(3), [6] = KEEP_X,
		[7] = LOAD_WORD(SRC_AT(2)), [8] = STORE(2), [9] = OR_X,
		[10] = KEEP_X,
		[11] = LOAD_WORD(SRC_AT(1)), [12] = STORE(1), [13] = OR_X,
		[14] = KEEP_X,
		[15] = LOAD_WORD(SRC_AT(0)), [16] = STORE(0), [17] = OR_X,
		[18] = TEST(18, BPF_JEQ, 0, UNSET, KNOWN),
		/* Aborted, or never connected: then there is no peer. */
		[UNSET] = LOAD_WORD(DST_AT(0)), [20] = KEEP_X,
		[21] = LOAD_WORD(DST_AT(1)), [22] = OR_X, [23] = KEEP_X,
		[24] = LOAD_WORD(DST_AT(2)), [25] = OR_X, [26] = KEEP_X,
		[27] = LOAD_WORD(DST_AT(3)), [28] = OR_X,
		[29] = TEST(29, BPF_JEQ, 0, 30, UNSET_PASS),
		[30] = END(0),
		[UNSET_PASS] = END(UINT32_MAX),
		[KNOWN] = LOAD_BYTE(FAMILY_AT),
		[33] = TEST(33, BPF_JEQ, AF_INET, TO_IPV4, MAPPED),
		[TO_IPV4] = JUMP(ipv4 - TO_IPV4 - 1),
		[MAPPED] = FETCH(0), [36] = FETCH_X(1), [37] = OR_X,
		[38] = TEST(38, BPF_JEQ, 0, 39, IPV6),
		[39] = FETCH(2),
		[40] = TEST(40, BPF_JEQ, 0xffff, 41, IPV6),
		[41] = FETCH(3), [42] = STORE(0),
		[MAPPED_TO_IPV4] = JUMP(ipv4 - MAPPED_TO_IPV4 - 1),
	};
	// clang-format on

	for (size_t i = 0; i < sizeof(head) / sizeof(head[0]); i++)
		add(program, head[i]);
}

static void build(struct program *program, const struct ip_prefix *sources,
		  size_t n)
{
	uint32_t ipv4 = IPV6 + 1; /* behind the refusal */

	for (size_t i = 0; i < n; i++)
		if (sources[i].addr.family == AF_INET6)
			ipv4 += source_len(&sources[i]);
	program->n = 0;
	add_head(program, ipv4);
	for (size_t i = 0; i < n; i++)
		if (sources[i].addr.family == AF_INET6)
			add_source(program, &sources[i]);
	add(program, (struct sock_filter)END(0));
	for (size_t i = 0; i < n; i++)
		if (sources[i].addr.family == AF_INET)
			add_source(program, &sources[i]);
	add(program, (struct sock_filter)END(0));
}

static int attach(struct nl_sock *sock, struct program *program)
{
	const struct sock_fprog it = {(unsigned short)program->n,
				      program->code};

	if (setsockopt(nl_socket_get_fd(sock), SOL_SOCKET, SO_ATTACH_FILTER,
		       &it, sizeof(it)) < 0)
		return -errno;
	return 0;
}

int flow_filter_attach(struct nl_sock *sock, const struct ip_prefix *sources,
		       size_t n)
{
	struct program *program = xalloc(sizeof(*program));
	int error = -ENOMEM;

	if (n <= FLOW_FILTER_MAX) {
		build(program, sources, n);
		error = attach(sock, program);
	}
	/* net.core.optmem_max is the limit, 20 KB before Linux 6.7. */
	if (error == -ENOMEM) {
		program->n = 0;
		add(program, (struct sock_filter)END(UINT32_MAX));
		error = attach(sock, program);
	}
	free(program);
	return error;
}
