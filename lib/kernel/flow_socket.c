/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/flow_socket.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/socket.h>

#include "core/rib.h"
#include "kernel/decode_flow.h"
#include "kernel/flow_counts.h"
#include "kernel/flow_filter.h"
#include "kernel/message.h"
#include "kernel/nl_sock.h"

#define TIMEOUT_S     5
#define LISTEN_BUFFER (1024 * 1024)
#define STATE(state)  (1U << (state))
#define STATES                                                                 \
	(STATE(TCP_ESTABLISHED) | STATE(TCP_FIN_WAIT1) |                       \
	 STATE(TCP_FIN_WAIT2) | STATE(TCP_CLOSE_WAIT) | STATE(TCP_LAST_ACK) |  \
	 STATE(TCP_CLOSING))
#define OPENING (STATE(TCP_SYN_SENT) | STATE(TCP_SYN_RECV))

struct flow_socket {
	struct nl_sock *asker;	   /* NULL: to be opened anew */
	struct nl_sock *listener;  /* NULL: nobody wants to hear */
	struct prefix_vec watched; /* the listener's */
	struct flow_counts counts;
	uint32_t sequence;
	void *buffer; /* NL_SOCK_BUFFER bytes */
};

/* While a part of an answer waits to be read, the next question is refused. */
static void close_asker(struct flow_socket *flows)
{
	nl_sock_free(flows->asker);
	flows->asker = NULL;
}

/* One that could wait for ever is none. */
static int open_asker(struct flow_socket *flows)
{
	int error;

	if (flows->asker)
		return 0;
	error = nl_sock_open(NETLINK_SOCK_DIAG, &flows->asker);
	if (!error)
		error = nl_sock_set_receive_timeout(flows->asker, TIMEOUT_S);
	if (error)
		close_asker(flows);
	return error;
}

static void close_listener(struct flow_socket *flows)
{
	nl_sock_free(flows->listener);
	flows->listener = NULL;
	vec_clear(&flows->watched);
}

int flow_socket_open(struct flow_socket **ret)
{
	struct flow_socket *flows = xalloc(sizeof(*flows));
	int error;

	flow_counts_init(&flows->counts);
	error = open_asker(flows);
	/* What is wanting for the moment may be there when a list is wanted. */
	if (error == -EPROTONOSUPPORT) {
		flow_socket_free(flows);
		return error;
	}
	flows->buffer = xalloc(NL_SOCK_BUFFER);
	*ret = flows;
	return 0;
}

void flow_socket_free(struct flow_socket *flows)
{
	if (!flows)
		return;
	close_asker(flows);
	close_listener(flows);
	vec_done(&flows->watched);
	flow_counts_done(&flows->counts);
	free(flows->buffer);
	free(flows);
}

/* --- asking --- */

#define CONDITION_MAX                                                          \
	(2 * sizeof(struct inet_diag_bc_op) +                                  \
	 sizeof(struct inet_diag_hostcond) + 16)

/* The kernel's filter program: jumps forward by bytes; the end accepts. */
struct program {
	uint8_t bytes[(FLOW_SOURCES_MAX + FLOW_DESTS_MAX) * CONDITION_MAX];
	size_t len;
};

#define REQUEST_MAX (sizeof(struct program) + 256) /* with its headers */

static size_t condition_len(const struct ip_prefix *prefix)
{
	return sizeof(struct inet_diag_bc_op) +
	       sizeof(struct inet_diag_hostcond) +
	       ip_bits(prefix->addr.family) / 8U;
}

static void add_bytes(struct program *program, const void *bytes, size_t len)
{
	memcpy(program->bytes + program->len, bytes, len);
	program->len += len;
}

/*
 * "Is the address inside?" If so go on behind it, else jump over @no bytes.
 * @code: INET_DIAG_BC_S_COND or INET_DIAG_BC_D_COND
 */
static void add_condition(struct program *program, uint8_t code,
			  const struct ip_prefix *prefix, size_t no)
{
	const struct inet_diag_bc_op op = {
		.code = code,
		.yes = (unsigned char)condition_len(prefix),
		.no = (unsigned short)no,
	};
	const struct inet_diag_hostcond host = {
		.family = prefix->addr.family,
		.prefix_len = prefix->len,
		.port = -1,
	};

	add_bytes(program, &op, sizeof(op));
	add_bytes(program, &host, sizeof(host));
	add_bytes(program, prefix->addr.bytes,
		  ip_bits(prefix->addr.family) / 8U);
}

static void add_jump(struct program *program, size_t distance)
{
	const struct inet_diag_bc_op op = {
		.code = INET_DIAG_BC_JMP,
		.yes = sizeof(op),
		.no = (unsigned short)distance,
	};

	add_bytes(program, &op, sizeof(op));
}

/* Of one condition for each prefix, and a jump behind each but the last. */
static size_t any_of_len(const struct ip_prefix *prefixes, size_t n)
{
	size_t len = 0;

	for (size_t i = 0; i < n; i++)
		len += condition_len(&prefixes[i]) +
		       (i + 1 < n ? sizeof(struct inet_diag_bc_op) : 0);
	return len;
}

/*
 * One that is inside any of the prefixes goes on behind all of these.
 * @end: of the whole program; behind that is a refusal
 */
static void add_any_of(struct program *program, uint8_t code,
		       const struct ip_prefix *prefixes, size_t n, size_t end)
{
	const size_t op_len = sizeof(struct inet_diag_bc_op);
	const size_t behind = program->len + any_of_len(prefixes, n);

	for (size_t i = 0; i + 1 < n; i++) {
		add_condition(program, code, &prefixes[i],
			      condition_len(&prefixes[i]) + op_len);
		add_jump(program, behind - program->len);
	}
	if (n)
		add_condition(program, code, &prefixes[n - 1],
			      end - program->len + op_len);
}

static void build(const struct flow_query *query, struct program *program)
{
	size_t end = any_of_len(query->sources, query->n_sources) +
		     any_of_len(query->dests, query->n_dests);

	program->len = 0;
	add_any_of(program, INET_DIAG_BC_S_COND, query->sources,
		   query->n_sources, end);
	add_any_of(program, INET_DIAG_BC_D_COND, query->dests, query->n_dests,
		   end);
}

static uint32_t states(const struct flow_query *query)
{
	return query->opening ? STATES | OPENING : STATES;
}

/*
 * The old form of the request: it alone asks for both families in one walk over
 * the sockets.
 */
static int ask(struct flow_socket *flows, const struct flow_query *query)
{
	struct inet_diag_req request = {
		.idiag_ext = query->detailed ? 1 << (INET_DIAG_INFO - 1) : 0,
		.idiag_states = states(query),
	};
	struct program program;
	struct nl_msg *msg = nlmsg_alloc_size(REQUEST_MAX);
	int error = -ENOMEM;

	if (!msg)
		return -ENOMEM;
	build(query, &program);
	if (nlmsg_put(msg, 0, 0, TCPDIAG_GETSOCK, 0,
		      NLM_F_REQUEST | NLM_F_DUMP) &&
	    nlmsg_append(msg, &request, sizeof(request), NLMSG_ALIGNTO) == 0 &&
	    nla_put(msg, INET_DIAG_REQ_BYTECODE, (int)program.len,
		    program.bytes) == 0) {
		nlmsg_hdr(msg)->nlmsg_seq = ++flows->sequence;
		error = nl_sock_send(flows->asker, nlmsg_hdr(msg),
				     nlmsg_hdr(msg)->nlmsg_len);
	}
	nlmsg_free(msg);
	return error;
}

/* Return: 1 to go on, 0 at the end, or -errno. */
static int take_answer(const struct flow_socket *flows,
		       const struct nlmsghdr *hdr, uint32_t wanted, flow_fn *fn,
		       void *data)
{
	struct flow flow;
	int error;

	if (hdr->nlmsg_seq != flows->sequence)
		return 1; /* of an earlier question that was given up */
	if (hdr->nlmsg_type == NLMSG_DONE)
		return message_end(hdr);
	if (hdr->nlmsg_type == NLMSG_ERROR) {
		const struct nlmsgerr *failure = nlmsg_data(hdr);

		if (!nlmsg_valid_hdr(hdr, sizeof(*failure)))
			return -EBADMSG;
		return failure->error < 0 ? failure->error : -EBADMSG;
	}
	error = decode_flow(hdr, &flow);
	if (error)
		return error;
	/* Of what waits the kernel's idea of a state is wider than ours. */
	if (STATE(flow.state) & wanted)
		fn(&flow, data);
	return 1;
}

bool flow_socket_is_any(struct flow_socket *flows)
{
	return flow_counts_any(&flows->counts);
}

bool flow_socket_begun(struct flow_socket *flows, uint64_t *ret)
{
	return flow_counts_begun(&flows->counts, ret);
}

/* Return: 0 at the end of the answer, or -errno. */
static int take_all(const struct flow_socket *flows, uint32_t wanted,
		    flow_fn *fn, void *data)
{
	int state = 1;

	while (state > 0) {
		const struct nlmsghdr *hdr = flows->buffer;
		int len = nl_sock_receive(flows->asker, flows->buffer, true);

		if (len <= 0)
			return len ? len : -ETIMEDOUT;
		for (; state > 0 && nlmsg_ok(hdr, len);
		     hdr = nlmsg_next((struct nlmsghdr *)hdr, &len))
			state = take_answer(flows, hdr, wanted, fn, data);
	}
	return state;
}

int flow_socket_list(struct flow_socket *flows, const struct flow_query *query,
		     flow_fn *fn, void *data)
{
	int error;

	if (query->n_sources == 0 || query->n_sources > FLOW_SOURCES_MAX ||
	    query->n_dests > FLOW_DESTS_MAX)
		return -EINVAL;
	if (!flow_socket_is_any(flows))
		return 0;
	error = open_asker(flows);
	if (!error)
		error = ask(flows, query);
	if (!error)
		error = take_all(flows, states(query), fn, data);
	if (error)
		close_asker(flows);
	return error;
}

/* --- listening --- */

static int open_listener(const struct ip_prefix *sources, size_t n,
			 struct nl_sock **ret)
{
	static const int groups[] = {SKNLGRP_INET_TCP_DESTROY,
				     SKNLGRP_INET6_TCP_DESTROY, 0};
	struct nl_sock *sock;
	int error = nl_sock_open(NETLINK_SOCK_DIAG, &sock);

	if (error)
		return error;
	error = flow_filter_attach(sock, sources, n);
	if (error == 0)
		error = nl_sock_listen(sock, groups);
	if (error == 0)
		error = nl_sock_set_buffer(sock, LISTEN_BUFFER);
	if (error) {
		nl_sock_free(sock);
		return error;
	}
	*ret = sock;
	return 0;
}

static bool is_watched(const struct flow_socket *flows,
		       const struct ip_prefix *sources, size_t n)
{
	if (flows->watched.n != n)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!ip_prefix_equal(&flows->watched.items[i], &sources[i]))
			return false;
	return true;
}

int flow_socket_watch(struct flow_socket *flows,
		      const struct ip_prefix *sources, size_t n)
{
	int error;

	if (is_watched(flows, sources, n))
		return 0;
	if (n == 0) {
		close_listener(flows);
		return 0;
	}
	error = flows->listener
			? flow_filter_attach(flows->listener, sources, n)
			: open_listener(sources, n, &flows->listener);
	if (error)
		return error;
	vec_clear(&flows->watched);
	for (size_t i = 0; i < n; i++)
		vec_push(&flows->watched, sources[i]);
	return 1;
}

int flow_socket_fd(const struct flow_socket *flows)
{
	return flows->listener ? nl_socket_get_fd(flows->listener) : -1;
}

int flow_socket_listen(struct flow_socket *flows, size_t max, flow_fn *fn,
		       void *data)
{
	size_t n = 0;

	while (n < max && flows->listener) {
		const struct nlmsghdr *hdr = flows->buffer;
		struct flow flow;
		int len =
			nl_sock_receive(flows->listener, flows->buffer, false);

		if (len < 0)
			return len;
		if (len == 0)
			break;
		for (; nlmsg_ok(hdr, len);
		     hdr = nlmsg_next((struct nlmsghdr *)hdr, &len)) {
			n++;
			if (decode_flow(hdr, &flow) == 0)
				fn(&flow, data);
		}
	}
	return (int)n;
}
