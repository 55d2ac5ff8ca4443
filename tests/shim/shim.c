/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * shim - what a kernel test cannot bring about otherwise, by LD_PRELOAD.
 *
 * MULTIHOMED_SHIM_FAULT="CALL:N:ERRNO": the N-th CALL on a netlink socket
 * fails with that errno and does nothing. CALL is socket, bind, setsockopt,
 * send or receive; or ack: the kernel does what it is asked for, and its
 * acknowledgement says ERRNO all the same. A receive that fails has left what
 * it would have received in the queue. With 0 for ERRNO, the process is killed
 * there, as by kill -9.
 *
 * MULTIHOMED_SHIM_COUNTS=FILE: how many of each there were is in FILE, in the
 * order above, each as 8 bytes.
 *
 * MULTIHOMED_SHIM_CLOCK=FILE: CLOCK_REALTIME is wrong by the seconds in FILE,
 * 8 bytes that may change at any time.
 *
 * MULTIHOMED_SHIM_DUMPS=FILE: while its 8 bytes are not 0 they are the errno
 * with which every question for a list of rtnetlink's fails.
 *
 * MULTIHOMED_SHIM_FLOWS=FILE: while its 8 bytes are not 0 they are the errno
 * with which every list of sock_diag's ends at once, without any connection: a
 * kernel without tcp_diag says ENOENT.
 *
 * MULTIHOMED_SHIM_ENDPOINTS=FILE: the same of every MPTCP endpoint that is to
 * be added: that fails.
 *
 * MULTIHOMED_SHIM_SLOW=FILE: what is sent to write routes takes longer, by as
 * many ms as its 8 bytes say: the kernel is busy with others' routes.
 *
 * MULTIHOMED_SHIM_NO_THREADS=1: no thread can be made.
 *
 * MULTIHOMED_SHIM_NO_IPV6=1: as with ipv6.disable=1, there are no IPv6 rules:
 * whoever asks for them asks for MPLS's in truth, a family that has none.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fib_rules.h>
#include <linux/genetlink.h>
#include <linux/mptcp.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum call {
	CALL_SOCKET,
	CALL_BIND,
	CALL_SETSOCKOPT,
	CALL_SEND,
	CALL_RECEIVE,
	CALL_ACK,
	CALLS
};

static const char *const call_names[CALLS] = {
	"socket", "bind", "setsockopt", "send", "receive", "ack",
};

static uint64_t no_file[CALLS];
static uint64_t *counts = no_file;
static const volatile int64_t *clock_offset_s;
static const volatile int64_t *dump_errno;
static const volatile int64_t *endpoint_errno;
static const volatile int64_t *flows_errno;
static const volatile int64_t *slow_ms;
static bool no_threads;
static bool no_ipv6;
static enum call fault_call = CALLS;
static uint64_t fault_nth;
static int fault_errno;

static void *map(const char *variable, size_t size)
{
	const char *path = getenv(variable);
	int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
	void *at;

	if (fd < 0)
		return NULL;
	at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	(void)close(fd);
	return at == MAP_FAILED ? NULL : at;
}

__attribute__((constructor)) static void begin(void)
{
	const char *fault = getenv("MULTIHOMED_SHIM_FAULT");
	void *at = map("MULTIHOMED_SHIM_COUNTS", sizeof(no_file));
	char name[16];
	unsigned long nth;

	if (at)
		counts = at;
	clock_offset_s = map("MULTIHOMED_SHIM_CLOCK", sizeof(int64_t));
	dump_errno = map("MULTIHOMED_SHIM_DUMPS", sizeof(int64_t));
	endpoint_errno = map("MULTIHOMED_SHIM_ENDPOINTS", sizeof(int64_t));
	flows_errno = map("MULTIHOMED_SHIM_FLOWS", sizeof(int64_t));
	slow_ms = map("MULTIHOMED_SHIM_SLOW", sizeof(int64_t));
	no_threads = getenv("MULTIHOMED_SHIM_NO_THREADS") != NULL;
	no_ipv6 = getenv("MULTIHOMED_SHIM_NO_IPV6") != NULL;
	if (!fault ||
	    sscanf(fault, "%15[a-z]:%lu:%d", name, &nth, &fault_errno) != 3)
		return;
	for (int call = 0; call < CALLS; call++)
		if (strcmp(name, call_names[call]) == 0)
			fault_call = (enum call)call;
	fault_nth = nth;
}

/* Return: whether this one fails; errno is set then. */
static bool fails(enum call call)
{
	uint64_t n = __atomic_add_fetch(&counts[call], 1, __ATOMIC_RELAXED);

	if (call != fault_call || n != fault_nth)
		return false;
	if (fault_errno == 0)
		(void)kill(getpid(), SIGKILL);
	errno = fault_errno;
	return true;
}

static int option(int fd, int name)
{
	int saved = errno;
	int value = 0;
	socklen_t len = sizeof(value);

	(void)getsockopt(fd, SOL_SOCKET, name, &value, &len);
	errno = saved;
	return value;
}

static bool is_netlink(int fd)
{
	return option(fd, SO_DOMAIN) == AF_NETLINK;
}

static bool is_dump(int fd, const struct nlmsghdr *hdr)
{
	return (hdr->nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP &&
	       option(fd, SO_PROTOCOL) == NETLINK_ROUTE;
}

/* Of generic netlink the daemon uses mptcp_pm alone, and who numbers it. */
static bool is_new_endpoint(int fd, const struct nlmsghdr *hdr)
{
	const struct genlmsghdr *body = NLMSG_DATA(hdr);

	return hdr->nlmsg_len >= NLMSG_LENGTH(sizeof(*body)) &&
	       hdr->nlmsg_type > GENL_ID_CTRL &&
	       body->cmd == MPTCP_PM_CMD_ADD_ADDR &&
	       option(fd, SO_PROTOCOL) == NETLINK_GENERIC;
}

static void be_slow(int fd, const struct nlmsghdr *hdr)
{
	int64_t ms = slow_ms ? *slow_ms : 0;
	struct timespec pause = {.tv_sec = ms / 1000,
				 .tv_nsec = ms % 1000 * 1000000};

	if (ms > 0 && option(fd, SO_PROTOCOL) == NETLINK_ROUTE &&
	    (hdr->nlmsg_type == RTM_NEWROUTE ||
	     hdr->nlmsg_type == RTM_DELROUTE))
		(void)nanosleep(&pause, NULL);
}

/* Return: whether this one, of a netlink socket, fails; errno is set then. */
static bool send_fails(int fd, const void *bytes, size_t n)
{
	const struct nlmsghdr *hdr = bytes;
	int64_t error = 0;

	if (fails(CALL_SEND))
		return true;
	if (n < sizeof(*hdr))
		return false;
	be_slow(fd, hdr);
	if (dump_errno && is_dump(fd, hdr))
		error = *dump_errno;
	if (endpoint_errno && is_new_endpoint(fd, hdr))
		error = *endpoint_errno;
	if (error)
		errno = (int)error;
	return error != 0;
}

/* A question for rules. */
struct rules_question {
	struct nlmsghdr hdr;
	struct fib_rule_hdr rule;
};

/* Return: whether @bytes ask for IPv6's; then @ret asks for MPLS's. */
static bool is_ipv6_rules(int fd, const void *bytes, size_t n,
			  struct rules_question *ret)
{
	if (!no_ipv6 || n != sizeof(*ret) ||
	    option(fd, SO_PROTOCOL) != NETLINK_ROUTE)
		return false;
	memcpy(ret, bytes, sizeof(*ret));
	if (ret->hdr.nlmsg_type != RTM_GETRULE || ret->rule.family != AF_INET6)
		return false;
	ret->rule.family = AF_MPLS;
	return true;
}

/*
 * Names and numbers of parameters are the C library's, a function's name in
 * parentheses declares nothing, and a pointer is what is copied.
 */
// NOLINTBEGIN(readability-function-size)
// NOLINTBEGIN(readability-inconsistent-declaration-parameter-name)
// NOLINTBEGIN(bugprone-macro-parentheses,bugprone-sizeof-expression)

/* dlsym() gives an object pointer; C has no conversion to a function's. */
#define NEXT(name)                                                             \
	static __typeof__(&name) next;                                         \
	if (!next) {                                                           \
		void *symbol = dlsym(RTLD_NEXT, #name);                        \
		memcpy(&next, &symbol, sizeof(next));                          \
	}

/* --- netlink --- */

int socket(int domain, int type, int protocol)
{
	NEXT(socket);
	if (domain == AF_NETLINK && fails(CALL_SOCKET))
		return -1;
	return next(domain, type, protocol);
}

int bind(int fd, const struct sockaddr *addr, socklen_t len)
{
	NEXT(bind);
	if (is_netlink(fd) && fails(CALL_BIND))
		return -1;
	return next(fd, addr, len);
}

int setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
	NEXT(setsockopt);
	if (is_netlink(fd) && fails(CALL_SETSOCKOPT))
		return -1;
	return next(fd, level, name, value, len);
}

ssize_t sendto(int fd, const void *bytes, size_t n, int flags,
	       const struct sockaddr *to, socklen_t len)
{
	struct rules_question other;

	NEXT(sendto);
	if (is_netlink(fd) && send_fails(fd, bytes, n))
		return -1;
	if (is_netlink(fd) && is_ipv6_rules(fd, bytes, n, &other))
		bytes = &other;
	return next(fd, bytes, n, flags, to, len);
}

ssize_t send(int fd, const void *bytes, size_t n, int flags)
{
	return sendto(fd, bytes, n, flags, NULL, 0);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
	NEXT(sendmsg);
	if (is_netlink(fd) && send_fails(fd, message->msg_iov[0].iov_base,
					 message->msg_iov[0].iov_len))
		return -1;
	return next(fd, message, flags);
}

static void spoil_acks(void *bytes, ssize_t n, int flags)
{
	struct nlmsghdr *hdr = bytes;
	struct nlmsgerr *ack;
	uint32_t left = n > 0 ? (uint32_t)n : 0;
	int saved = errno;

	if (flags & MSG_PEEK)
		return;
	for (; NLMSG_OK(hdr, left); hdr = NLMSG_NEXT(hdr, left)) {
		if (hdr->nlmsg_type != NLMSG_ERROR ||
		    hdr->nlmsg_len < NLMSG_LENGTH(sizeof(*ack)))
			continue;
		ack = NLMSG_DATA(hdr);
		if (fails(CALL_ACK))
			ack->error = -fault_errno;
	}
	errno = saved;
}

/* Return: the length of an answer of @n bytes from now on. */
static ssize_t spoil_flows(int fd, void *bytes, ssize_t n, int flags)
{
	struct nlmsghdr *hdr = bytes;
	int error = flows_errno ? (int)-*flows_errno : 0;

	/* What nobody asked for has no number: a connection has ended. */
	if (error == 0 || n < (ssize_t)NLMSG_LENGTH(sizeof(error)) ||
	    (flags & MSG_PEEK) || hdr->nlmsg_seq == 0 ||
	    option(fd, SO_PROTOCOL) != NETLINK_SOCK_DIAG)
		return n;
	hdr->nlmsg_type = NLMSG_DONE;
	hdr->nlmsg_len = NLMSG_LENGTH(sizeof(error));
	memcpy(NLMSG_DATA(hdr), &error, sizeof(error));
	return hdr->nlmsg_len;
}

ssize_t recvfrom(int fd, void *bytes, size_t size, int flags,
		 struct sockaddr *from, socklen_t *len)
{
	ssize_t n;

	NEXT(recvfrom);
	if (!is_netlink(fd))
		return next(fd, bytes, size, flags, from, len);
	if (fails(CALL_RECEIVE))
		return -1;
	n = next(fd, bytes, size, flags, from, len);
	spoil_acks(bytes, n < (ssize_t)size ? n : (ssize_t)size, flags);
	return n;
}

ssize_t recv(int fd, void *bytes, size_t size, int flags)
{
	return recvfrom(fd, bytes, size, flags, NULL, NULL);
}

ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
	ssize_t n;
	size_t size = message->msg_iovlen ? message->msg_iov[0].iov_len : 0;

	NEXT(recvmsg);
	if (!is_netlink(fd))
		return next(fd, message, flags);
	if (fails(CALL_RECEIVE))
		return -1;
	n = next(fd, message, flags);
	if (!size)
		return n;
	spoil_acks(message->msg_iov[0].iov_base,
		   n < (ssize_t)size ? n : (ssize_t)size, flags);
	return spoil_flows(fd, message->msg_iov[0].iov_base, n, flags);
}

/* --- threads --- */

int pthread_create(pthread_t *thread, const pthread_attr_t *attr,
		   void *(*run)(void *), void *data)
{
	NEXT(pthread_create);
	return no_threads ? EAGAIN : next(thread, attr, run, data);
}

/* --- the wall clock --- */

static time_t offset(void)
{
	return clock_offset_s ? (time_t)*clock_offset_s : 0;
}

static bool is_wall(long clock)
{
	return clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE;
}

int clock_gettime(clockid_t clock, struct timespec *ret)
{
	int r;

	NEXT(clock_gettime);
	r = next(clock, ret);
	if (r == 0 && is_wall(clock))
		ret->tv_sec += offset();
	return r;
}

/* That is how libev may ask for the time. */
long syscall(long number, ...)
{
	long args[6];
	va_list list;
	long r;

	NEXT(syscall);
	va_start(list, number);
	for (size_t i = 0; i < 6; i++)
		args[i] = va_arg(list, long);
	va_end(list);
	r = next(number, args[0], args[1], args[2], args[3], args[4], args[5]);
	if (number == SYS_clock_gettime && r == 0 && is_wall(args[0])) {
		struct timespec *now;

		memcpy(&now, &args[1], sizeof(now));
		now->tv_sec += offset();
	}
	return r;
}

int gettimeofday(struct timeval *restrict ret, void *restrict zone)
{
	struct timespec now;

	(void)zone;
	(void)clock_gettime(CLOCK_REALTIME, &now);
	ret->tv_sec = now.tv_sec;
	ret->tv_usec = now.tv_nsec / 1000;
	return 0;
}

time_t time(time_t *ret)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	if (ret)
		*ret = now.tv_sec;
	return now.tv_sec;
}

// NOLINTEND(bugprone-macro-parentheses,bugprone-sizeof-expression)
// NOLINTEND(readability-inconsistent-declaration-parameter-name)
// NOLINTEND(readability-function-size)
