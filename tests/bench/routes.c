/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bench-routes - routes by the million, and what that costs at the least.
 *
 *	fill FAMILY TABLE N     N routes, spread over links eth0, eth1 ...
 *	fill FAMILY TABLE N LINK METRIC
 *				the same, all over one of them
 *	floor FAMILY TABLE...   one strict dump of main, and what it said put
 *	                        raw into each TABLE: what any program must do
 *	read FAMILY TABLE...    a strict dump of each TABLE
 *	churn TABLE RATE SECONDS [FAMILY]
 *	                        replace, delete and add routes of fill, RATE a
 *	                        second
 *
 * FAMILY is 4 or 6. One line of JSON says how long it took and how many there
 * were; writing goes in batches of BATCH messages with one ack each. Links are
 * those of tests/bench/scale.py: 10.K.0.1 and 2001:db8:K::1 behind ethK.
 */
#include <errno.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#define BATCH	   100
#define METRIC	   1024
#define TABLES_MAX 16
#define LINKS_MAX  16
#define SPREAD	   UINT32_MAX

static struct {
	int fd;
	uint32_t seq;
	char out[1 << 16];
	size_t out_len;
	unsigned int out_n;
	char in[1 << 17];
	unsigned int links[LINKS_MAX];
	unsigned int n_links;
	uint32_t metric;
} bench = {.metric = METRIC};

/* What a dump said: messages one behind the other. */
struct messages {
	char *bytes;
	size_t len;
	size_t cap;
	size_t n;
};

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static double clock_ms(clockid_t clock)
{
	struct timespec now;

	(void)clock_gettime(clock, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static double now_ms(void)
{
	return clock_ms(CLOCK_MONOTONIC);
}

static void open_socket(void)
{
	int on = 1;
	int room = 1 << 22;

	bench.fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (bench.fd < 0 ||
	    setsockopt(bench.fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on,
		       sizeof(on)) ||
	    setsockopt(bench.fd, SOL_SOCKET, SO_RCVBUFFORCE, &room,
		       sizeof(room)))
		fail("socket");
}

static void find_links(void)
{
	char name[IF_NAMESIZE];

	for (bench.n_links = 0; bench.n_links < LINKS_MAX; bench.n_links++) {
		(void)snprintf(name, sizeof(name), "eth%u", bench.n_links);
		bench.links[bench.n_links] = if_nametoindex(name);
		if (!bench.links[bench.n_links])
			break;
	}
	if (!bench.n_links) {
		(void)fprintf(stderr, "there is no eth0\n");
		exit(1);
	}
}

/* --- messages --- */

static void put(struct nlmsghdr *hdr, unsigned short type, const void *bytes,
		size_t len)
{
	struct rtattr *attr =
		(struct rtattr *)((char *)hdr + NLMSG_ALIGN(hdr->nlmsg_len));

	attr->rta_type = type;
	attr->rta_len = (unsigned short)RTA_LENGTH(len);
	memcpy(RTA_DATA(attr), bytes, len);
	hdr->nlmsg_len = (uint32_t)(NLMSG_ALIGN(hdr->nlmsg_len) +
				    RTA_ALIGN(attr->rta_len));
}

static void put_u32(struct nlmsghdr *hdr, unsigned short type, uint32_t value)
{
	put(hdr, type, &value, sizeof(value));
}

static struct nlmsghdr *begin(void *at, uint16_t type, uint16_t flags,
			      int family)
{
	struct nlmsghdr *hdr = at;
	struct rtmsg *info = NLMSG_DATA(hdr);

	memset(hdr, 0, NLMSG_SPACE(sizeof(*info)));
	hdr->nlmsg_len = NLMSG_LENGTH(sizeof(*info));
	hdr->nlmsg_type = type;
	hdr->nlmsg_flags = NLM_F_REQUEST | flags;
	hdr->nlmsg_seq = ++bench.seq;
	info->rtm_family = (uint8_t)family;
	return hdr;
}

/* Of an answer; @stored: where the objects of a dump go. Return: ended. */
static bool take(ssize_t len, struct messages *stored)
{
	struct nlmsghdr *hdr = (struct nlmsghdr *)bench.in;

	for (; NLMSG_OK(hdr, len); hdr = NLMSG_NEXT(hdr, len)) {
		const struct nlmsgerr *error = NLMSG_DATA(hdr);

		if (hdr->nlmsg_type == NLMSG_DONE)
			return true;
		if (hdr->nlmsg_type == NLMSG_ERROR) {
			errno = -error->error;
			if (error->error && error->error != -ESRCH &&
			    error->error != -ENOENT)
				fail("answer");
			if (hdr->nlmsg_seq == bench.seq)
				return true;
			continue;
		}
		stored->n++;
		if (!stored->bytes)
			continue;
		if (stored->len + hdr->nlmsg_len + 64 > stored->cap) {
			stored->cap *= 2;
			stored->bytes = realloc(stored->bytes, stored->cap);
			if (!stored->bytes)
				fail("memory");
		}
		memcpy(stored->bytes + stored->len, hdr, hdr->nlmsg_len);
		stored->len += NLMSG_ALIGN(hdr->nlmsg_len);
	}
	return false;
}

static void read_answer(struct messages *stored)
{
	ssize_t len;

	do {
		len = recv(bench.fd, bench.in, sizeof(bench.in), 0);
		if (len < 0)
			fail("recv");
	} while (!take(len, stored));
}

static void flush(void)
{
	struct messages none = {0};

	if (!bench.out_n)
		return;
	if (send(bench.fd, bench.out, bench.out_len, 0) < 0)
		fail("send");
	read_answer(&none);
	bench.out_len = 0;
	bench.out_n = 0;
}

/* The message that was written at the end of bench.out belongs to a batch. */
static void queue(struct nlmsghdr *hdr)
{
	bench.out_len += NLMSG_ALIGN(hdr->nlmsg_len);
	if (++bench.out_n < BATCH)
		return;
	hdr->nlmsg_flags |= NLM_F_ACK;
	flush();
}

static void end_batch(void)
{
	struct nlmsghdr *hdr = (struct nlmsghdr *)bench.out;

	if (!bench.out_n)
		return;
	for (unsigned int i = 1; i < bench.out_n; i++)
		hdr = (struct nlmsghdr *)((char *)hdr +
					  NLMSG_ALIGN(hdr->nlmsg_len));
	hdr->nlmsg_flags |= NLM_F_ACK;
	flush();
}

static void dump(int family, uint32_t table, struct messages *ret)
{
	char bytes[256];
	struct nlmsghdr *hdr = begin(bytes, RTM_GETROUTE, NLM_F_DUMP, family);

	put_u32(hdr, RTA_TABLE, table);
	if (send(bench.fd, hdr, hdr->nlmsg_len, 0) < 0)
		fail("send");
	read_answer(ret);
}

/* --- what there is to route --- */

/*
 * Prefix number @i: one in eight is a shorter one that covers its neighbours,
 * and the space is not dense, as in the tables of real routers.
 */
static void put_prefix(struct nlmsghdr *hdr, int family, uint32_t i)
{
	struct rtmsg *info = NLMSG_DATA(hdr);
	uint8_t bytes[16] = {0};
	uint32_t at = i * 5;

	if (i % 8 == 0)
		at &= ~3u;
	if (family == AF_INET) {
		at = htonl((16u << 24) + (at << 8));
		memcpy(bytes, &at, 4);
		info->rtm_dst_len = i % 8 == 0 ? 22 : 24;
	} else {
		bytes[0] = 0x2a;
		at = htonl(at);
		memcpy(bytes + 2, &at, 4);
		info->rtm_dst_len = i % 8 == 0 ? 46 : 48;
	}
	put(hdr, RTA_DST, bytes, family == AF_INET ? 4 : 16);
}

static void put_next_hop(struct nlmsghdr *hdr, int family, uint32_t link)
{
	char text[INET6_ADDRSTRLEN];
	uint8_t gateway[16];

	(void)snprintf(text, sizeof(text),
		       family == AF_INET ? "10.%u.0.1" : "2001:db8:%u::1",
		       link);
	if (inet_pton(family, text, gateway) != 1)
		fail("gateway");
	put(hdr, RTA_GATEWAY, gateway, family == AF_INET ? 4 : 16);
	put_u32(hdr, RTA_OIF, bench.links[link]);
}

static void queue_route(int family, uint32_t table, uint32_t i, uint32_t link,
			uint16_t type)
{
	uint16_t flags =
		type == RTM_NEWROUTE ? NLM_F_CREATE | NLM_F_REPLACE : 0;
	struct nlmsghdr *hdr =
		begin(bench.out + bench.out_len, type, flags, family);
	struct rtmsg *info = NLMSG_DATA(hdr);

	info->rtm_protocol = RTPROT_STATIC;
	info->rtm_type = RTN_UNICAST;
	if (type == RTM_DELROUTE)
		info->rtm_scope = RT_SCOPE_NOWHERE;
	put_prefix(hdr, family, i);
	put_u32(hdr, RTA_TABLE, table);
	put_u32(hdr, RTA_PRIORITY, bench.metric);
	if (type == RTM_NEWROUTE)
		put_next_hop(hdr, family, link);
	queue(hdr);
}

/* --- verbs --- */

static void say(const char *what, double since_ms, size_t n)
{
	(void)printf("{\"what\": \"%s\", \"ms\": %.3f, \"cpu_ms\": %.3f, "
		     "\"n\": %zu}\n",
		     what, now_ms() - since_ms,
		     clock_ms(CLOCK_PROCESS_CPUTIME_ID), n);
}

/* @link: SPREAD, or the number of one link */
static int fill(int family, uint32_t table, uint32_t n, uint32_t link)
{
	double start = now_ms();

	find_links();
	for (uint32_t i = 0; i < n; i++)
		queue_route(family, table, i,
			    link == SPREAD ? i % bench.n_links : link,
			    RTM_NEWROUTE);
	end_batch();
	say("fill", start, n);
	return 0;
}

/* A message of main as one for @table; what a program must say at the least. */
static void queue_copy(const struct nlmsghdr *from, uint32_t table)
{
	const struct rtmsg *said = NLMSG_DATA(from);
	struct nlmsghdr *hdr =
		begin(bench.out + bench.out_len, RTM_NEWROUTE,
		      NLM_F_CREATE | NLM_F_REPLACE, said->rtm_family);
	struct rtmsg *info = NLMSG_DATA(hdr);
	const struct rtattr *attr = RTM_RTA(said);
	size_t len = RTM_PAYLOAD(from);

	*info = *said;
	info->rtm_protocol = RTPROT_STATIC;
	info->rtm_table = 0;
	for (; RTA_OK(attr, len); attr = RTA_NEXT(attr, len)) {
		if (attr->rta_type == RTA_DST ||
		    attr->rta_type == RTA_GATEWAY || attr->rta_type == RTA_OIF)
			put(hdr, attr->rta_type, RTA_DATA(attr),
			    RTA_PAYLOAD(attr));
	}
	put_u32(hdr, RTA_TABLE, table);
	put_u32(hdr, RTA_PRIORITY, METRIC);
	queue(hdr);
}

static bool is_copied(const struct nlmsghdr *hdr)
{
	const struct rtmsg *info = NLMSG_DATA(hdr);

	return info->rtm_type == RTN_UNICAST &&
	       !(info->rtm_flags & RTM_F_CLONED);
}

static int floor_of(int family, const uint32_t *tables, size_t n_tables)
{
	struct messages all = {.cap = 1 << 20};
	double start = now_ms();
	const char *at;

	all.bytes = malloc(all.cap);
	if (!all.bytes)
		fail("memory");
	dump(family, RT_TABLE_MAIN, &all);
	for (size_t t = 0; t < n_tables; t++) {
		for (at = all.bytes; at < all.bytes + all.len;) {
			const struct nlmsghdr *hdr =
				(const struct nlmsghdr *)at;

			if (is_copied(hdr))
				queue_copy(hdr, tables[t]);
			at += NLMSG_ALIGN(hdr->nlmsg_len);
		}
	}
	end_batch();
	say("floor", start, all.n);
	free(all.bytes);
	return 0;
}

static int read_tables(int family, const uint32_t *tables, size_t n_tables)
{
	struct messages seen = {0};
	double start = now_ms();

	for (size_t t = 0; t < n_tables; t++)
		dump(family, tables[t], &seen);
	say("read", start, seen.n);
	return 0;
}

/* Till its time has come; how late it was is not made up for in one go. */
static void wait_till(double at_ms)
{
	double left = at_ms - now_ms();
	struct timespec pause;

	if (left <= 0)
		return;
	pause.tv_sec = (time_t)(left / 1e3);
	pause.tv_nsec = (long)((left - (double)pause.tv_sec * 1e3) * 1e6);
	(void)nanosleep(&pause, NULL);
}

/* Ends with the routes as fill left them. */
static int churn(uint32_t table, double rate, double seconds, int family)
{
	double start = now_ms();
	uint32_t total = (uint32_t)(rate * seconds);
	uint32_t done = 0;
	uint32_t i = 0;

	find_links();
	while (done < total && now_ms() - start < seconds * 1000) {
		for (unsigned int k = 0; k < BATCH; k++, done++) {
			/* To another link, away, and as it was. */
			uint32_t step = done % 3;
			uint32_t link = (i + (step == 0)) % bench.n_links;

			queue_route(family, table, i, link,
				    step == 1 ? RTM_DELROUTE : RTM_NEWROUTE);
			i = step == 2 ? (i + 1) % 100000 : i;
		}
		wait_till(start + done / rate * 1000);
	}
	if (done % 3)
		queue_route(family, table, i, i % bench.n_links, RTM_NEWROUTE);
	end_batch();
	say("churn", start, done);
	return 0;
}

static int family_of(const char *text)
{
	return strcmp(text, "6") == 0 ? AF_INET6 : AF_INET;
}

static uint32_t number(const char *text)
{
	return (uint32_t)strtoul(text, NULL, 10);
}

int main(int argc, char **argv)
{
	uint32_t tables[TABLES_MAX];
	size_t n = 0;

	open_socket();
	for (int i = 3; i < argc && n < TABLES_MAX; i++)
		tables[n++] = number(argv[i]);
	if (argc == 5 && strcmp(argv[1], "fill") == 0)
		return fill(family_of(argv[2]), tables[0], tables[1], SPREAD);
	if (argc == 7 && strcmp(argv[1], "fill") == 0) {
		bench.metric = tables[3];
		return fill(family_of(argv[2]), tables[0], tables[1],
			    tables[2]);
	}
	if (argc > 3 && strcmp(argv[1], "floor") == 0)
		return floor_of(family_of(argv[2]), tables, n);
	if (argc > 3 && strcmp(argv[1], "read") == 0)
		return read_tables(family_of(argv[2]), tables, n);
	if (argc > 4 && strcmp(argv[1], "churn") == 0)
		return churn(number(argv[2]), number(argv[3]), number(argv[4]),
			     argc > 5 ? family_of(argv[5]) : AF_INET);
	(void)fprintf(stderr, "see the head of tests/bench/routes.c\n");
	return 2;
}
