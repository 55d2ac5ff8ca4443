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

/* Places in the program. */
enum {
	OPTION = 7,
	CHANGED = 9,
	DELETED = 11,
	PASS = 20,
	DROP = 21,
};

#define LOAD_WORD(at) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (at))
#define LOAD_HALF(at) BPF_STMT(BPF_LD | BPF_H | BPF_ABS, (at))
#define LOAD(value)   BPF_STMT(BPF_LD | BPF_IMM, (value))
#define TEST(here, what, value, yes, no)                                       \
	BPF_JUMP(BPF_JMP | (what) | BPF_K, (value), (yes) - (here)-1,          \
		 (no) - (here)-1)
#define END(accepted) BPF_STMT(BPF_RET | BPF_K, (accepted))

/*
 * A filter loads numbers as if they stood in network order, but netlink's stand
 * in the host's: every constant to compare with must be turned around.
 */
int filter_attach(struct nl_sock *sock, const struct filter *filter)
{
	const uint16_t states =
		(uint16_t)(NUD_FAILED | NUD_PERMANENT |
			   (filter->recovery ? NUD_RECOVERED : 0));
	struct sock_filter code[] = {
		[0] = LOAD_WORD(PORT_AT),
		[1] = TEST(1, BPF_JEQ, htonl(filter->own_port), DROP, 2),
		[2] = LOAD_HALF(TYPE_AT),
		[3] = TEST(3, BPF_JEQ, htons(RTM_NEWNEIGH), CHANGED, 4),
		[4] = TEST(4, BPF_JEQ, htons(RTM_DELNEIGH), DELETED, 5),
		[5] = TEST(5, BPF_JEQ, htons(RTM_NEWNDUSEROPT), OPTION, 6),
		[6] = END(UINT32_MAX),
		[OPTION] = BPF_STMT(BPF_LD | BPF_B | BPF_ABS, OPTION_AT),
		[8] = TEST(8, BPF_JEQ, OPTION_PREFIX, PASS, DROP),
		[CHANGED] = LOAD_HALF(STATE_AT),
		[10] = TEST(10, BPF_JSET, htons(states), PASS, DROP),
		[DELETED] = LOAD(filter->recovery),
		[12] = TEST(12, BPF_JEQ, true, PASS, 13),
		[13] = LOAD(ATTRS_AT),
		[14] = BPF_STMT(BPF_LDX | BPF_IMM, NDA_PROTOCOL),
		[15] = LOAD_WORD(FIND_ATTRIBUTE), /* where it is; 0: nowhere */
		[16] = TEST(16, BPF_JEQ, 0, DROP, 17),
		[17] = BPF_STMT(BPF_MISC | BPF_TAX, 0),
		[18] = BPF_STMT(BPF_LD | BPF_B | BPF_IND, VALUE_AT),
		[19] = TEST(19, BPF_JEQ, filter->protocol, PASS, DROP),
		[PASS] = END(UINT32_MAX),
		[DROP] = END(0),
	};
	struct sock_fprog program = {
		.len = sizeof(code) / sizeof(code[0]),
		.filter = code,
	};

	if (setsockopt(nl_socket_get_fd(sock), SOL_SOCKET, SO_ATTACH_FILTER,
		       &program, sizeof(program)) < 0)
		return -errno;
	return 0;
}
