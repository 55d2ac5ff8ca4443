/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/filter.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stddef.h>

#include <linux/filter.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <netlink/socket.h>

#define NUD_RECOVERED                                                          \
	(NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE | NUD_NOARP |       \
	 NUD_PERMANENT)

#define TYPE_AT	       offsetof(struct nlmsghdr, nlmsg_type)
#define PORT_AT	       offsetof(struct nlmsghdr, nlmsg_pid)
#define STATE_AT       (NLMSG_HDRLEN + offsetof(struct ndmsg, ndm_state))
#define ATTRS_AT       (NLMSG_HDRLEN + NLMSG_ALIGN(sizeof(struct ndmsg)))
#define VALUE_AT       sizeof(struct nlattr) /* within an attribute */
#define OPTION_AT      (NLMSG_HDRLEN + sizeof(struct nduseroptmsg))
#define OPTION_PREFIX  3 /* RFC 4861, 4.6.2 */
#define FIND_ATTRIBUTE ((uint32_t)(SKF_AD_OFF + SKF_AD_NLATTR))

#define DST_LEN_AT  (NLMSG_HDRLEN + offsetof(struct rtmsg, rtm_dst_len))
#define TABLE_AT    (NLMSG_HDRLEN + offsetof(struct rtmsg, rtm_table))
#define RT_ATTRS_AT (NLMSG_HDRLEN + NLMSG_ALIGN(sizeof(struct rtmsg)))
#define BYTE_AT(i)                                                             \
	(VALUE_AT + (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? (i) : 3 - (i)))

/* Places in the program. */
enum {
	OPTION = 12,
	CHANGED = 14,
	DELETED = 16,
	ROUTE = 25,
	LARGE = 32,
	RANGE = 56,
	PASS = 58,
	DROP = 59,
};

/* Places in its memory. */
enum {
	NUMBER,
	ATTRIBUTE,
};

#define LOAD_WORD(at) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (at))
#define LOAD_HALF(at) BPF_STMT(BPF_LD | BPF_H | BPF_ABS, (at))
#define LOAD_BYTE(at) BPF_STMT(BPF_LD | BPF_B | BPF_ABS, (at))
#define LOAD(value)   BPF_STMT(BPF_LD | BPF_IMM, (value))
/* Byte @i of the attribute's number, the lowest first, to its place in it. */
#define LOAD_PART(i)   BPF_STMT(BPF_LD | BPF_B | BPF_IND, BYTE_AT(i))
#define SHIFT(i)       BPF_STMT(BPF_ALU | BPF_LSH | BPF_K, 8 * (i))
#define STORE(place)   BPF_STMT(BPF_ST, (place))
#define FETCH_X(place) BPF_STMT(BPF_LDX | BPF_MEM, (place))
#define OR_X	       BPF_STMT(BPF_ALU | BPF_OR | BPF_X, 0)
#define TEST(here, what, value, yes, no)                                       \
	BPF_JUMP(BPF_JMP | (what) | BPF_K, (value), (yes) - (here)-1,          \
		 (no) - (here)-1)
#define OWN(here, i, no)                                                       \
	TEST(here, BPF_JEQ, htonl(filter->own_ports[i]), DROP, no)
#define END(accepted) BPF_STMT(BPF_RET | BPF_K, (accepted))

/*
 * A filter loads numbers as if they stood in network order, but netlink's stand
 * in the host's: every constant to compare with must be turned around. Where
 * order matters, for the range of tables, the number is put together from its
 * bytes.
 *
 * Of a foreign table the defaults pass: they decide whether a tunnel is full.
 */
int filter_attach(struct nl_sock *sock, const struct filter *filter)
{
	const uint16_t states =
		(uint16_t)(NUD_FAILED | NUD_PERMANENT |
			   (filter->recovery ? NUD_RECOVERED : 0));
	// clang-format off
	struct sock_filter code[] = {
		[0] = LOAD_WORD(PORT_AT),
		[1] = TEST(1, BPF_JEQ, 0, 5, 2), /* nobody's */
		[2] = OWN(2, 0, 3),
		[3] = OWN(3, 1, 4),
		[4] = OWN(4, 2, 5),
		[5] = LOAD_HALF(TYPE_AT),
		[6] = TEST(6, BPF_JEQ, htons(RTM_NEWROUTE), ROUTE, 7),
		[7] = TEST(7, BPF_JEQ, htons(RTM_DELROUTE), ROUTE, 8),
		[8] = TEST(8, BPF_JEQ, htons(RTM_NEWNEIGH), CHANGED, 9),
		[9] = TEST(9, BPF_JEQ, htons(RTM_DELNEIGH), DELETED, 10),
		[10] = TEST(10, BPF_JEQ, htons(RTM_NEWNDUSEROPT), OPTION, 11),
		[11] = END(UINT32_MAX),
		[OPTION] = LOAD_BYTE(OPTION_AT),
		[13] = TEST(13, BPF_JEQ, OPTION_PREFIX, PASS, DROP),
		[CHANGED] = LOAD_HALF(STATE_AT),
		[15] = TEST(15, BPF_JSET, htons(states), PASS, DROP),
		[DELETED] = LOAD(filter->recovery),
		[17] = TEST(17, BPF_JEQ, true, PASS, 18),
		[18] = LOAD(ATTRS_AT),
		[19] = BPF_STMT(BPF_LDX | BPF_IMM, NDA_PROTOCOL),
		[20] = LOAD_WORD(FIND_ATTRIBUTE), /* where it is; 0: nowhere */
		[21] = TEST(21, BPF_JEQ, 0, DROP, 22),
		[22] = BPF_STMT(BPF_MISC | BPF_TAX, 0),
		[23] = BPF_STMT(BPF_LD | BPF_B | BPF_IND, VALUE_AT),
		[24] = TEST(24, BPF_JEQ, filter->protocol, PASS, DROP),
		[ROUTE] = LOAD_BYTE(TABLE_AT),
		[26] = TEST(26, BPF_JEQ, RT_TABLE_MAIN, PASS, 27),
		[27] = TEST(27, BPF_JEQ, RT_TABLE_LOCAL, DROP, 28),
		[28] = LOAD_BYTE(DST_LEN_AT),
		[29] = TEST(29, BPF_JEQ, 0, PASS, 30),
		[30] = LOAD_BYTE(TABLE_AT),
		/* Numbers above 255 are in an attribute. */
		[31] = TEST(31, BPF_JEQ, RT_TABLE_COMPAT, LARGE, RANGE),
		[LARGE] = LOAD(RT_ATTRS_AT),
		[33] = BPF_STMT(BPF_LDX | BPF_IMM, RTA_TABLE),
		[34] = LOAD_WORD(FIND_ATTRIBUTE),
		[35] = TEST(35, BPF_JEQ, 0, PASS, 36),
		[36] = STORE(ATTRIBUTE),
		[37] = BPF_STMT(BPF_MISC | BPF_TAX, 0),
		[38] = LOAD_PART(3), [39] = SHIFT(3), [40] = STORE(NUMBER),
		[41] = LOAD_PART(2), [42] = SHIFT(2), [43] = FETCH_X(NUMBER),
		[44] = OR_X, [45] = STORE(NUMBER), [46] = FETCH_X(ATTRIBUTE),
		[47] = LOAD_PART(1), [48] = SHIFT(1), [49] = FETCH_X(NUMBER),
		[50] = OR_X, [51] = STORE(NUMBER), [52] = FETCH_X(ATTRIBUTE),
		[53] = LOAD_PART(0), [54] = FETCH_X(NUMBER), [55] = OR_X,
		[RANGE] = TEST(56, BPF_JGE, filter->table_first, 57, DROP),
		[57] = TEST(57, BPF_JGT, filter->table_last, DROP, PASS),
		[PASS] = END(UINT32_MAX),
		[DROP] = END(0),
	};
	// clang-format on
	struct sock_fprog program = {
		.len = sizeof(code) / sizeof(code[0]),
		.filter = code,
	};

	if (setsockopt(nl_socket_get_fd(sock), SOL_SOCKET, SO_ATTACH_FILTER,
		       &program, sizeof(program)) < 0)
		return -errno;
	return 0;
}
