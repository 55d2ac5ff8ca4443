/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Messages of the MPTCP path manager, one behind the other. Whatever comes must
 * be refused or make sense; and events are heard by a path manager of a small
 * host, which must come to rest after each of them. The message's type says
 * what becomes of its commands: odd ones fail.
 */
#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <netlink/msg.h>

#include "core/manager.h"
#include "kernel/decode_mptcp.h"
#include "tests/unit/scene.h"

enum {
	INPUT_MAX = 16384,
	ROUNDS_MAX = 600, /* more ways than a connection can have */
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct scene *small_host(void)
{
	static struct scene scene;
	static bool is_made;

	if (!is_made) {
		scene_make(&scene,
			   "link 2 a up\nlink 3 b up\n"
			   "addr 192.0.2.2/24 dev a\n"
			   "addr 198.51.100.2/24 dev b\n"
			   "addr 2001:db8:2::2/64 dev b\n"
			   "route 0.0.0.0/0 via 192.0.2.1 dev a metric 100\n"
			   "route 0.0.0.0/0 via 198.51.100.1 dev b metric 200\n"
			   "route ::/0 via 2001:db8:2::1 dev b metric 300\n"
			   "policy interface b mptcp backup\n");
		scene_steady(&scene);
		scene.policy.mptcp.announce = true;
		is_made = true;
	}
	return &scene;
}

static void check_manager(const struct manager *manager)
{
	const struct managed_connection *it;
	const struct managed_connection *before = NULL;

	vec_foreach(&manager->connections, it) {
		assert(!before || before->token < it->token);
		assert(manager_find(manager, it->token) == it);
		assert(it->own.n <= 256 && it->failed.n <= 256);
		before = it;
	}
}

/* Return: whether anything was to be done. */
static bool plan(struct manager *manager, int error, uint64_t now_ms)
{
	const struct view view = scene_view(small_host());
	struct manager_action_vec actions = {0};
	const struct manager_action *it;
	bool any;

	manager_plan(manager, &view, now_ms, &actions);
	vec_foreach(&actions, it) {
		assert(it->why && ip_addr_is_set(&it->ends.src));
		manager_done(manager, it, error, now_ms);
	}
	any = actions.n != 0;
	vec_done(&actions);
	return any;
}

static void hear(struct manager *manager, const struct nlmsghdr *hdr,
		 const struct mptcp_event *event)
{
	static const int errors[] = {-EINVAL, -ESRCH, -EHOSTUNREACH, -ENOMEM};
	int error = hdr->nlmsg_type & 1 ? errors[hdr->nlmsg_type >> 1 & 3] : 0;
	uint64_t now_ms = 1 + (uint64_t)hdr->nlmsg_seq;
	int rounds = 0;

	manager_hear(manager, event, now_ms);
	while (plan(manager, error, now_ms))
		assert(rounds++ < ROUNDS_MAX);
	check_manager(manager);
}

static void take(struct manager *manager, const struct nlmsghdr *hdr)
{
	struct mptcp_event again;
	struct mptcp_event event;
	struct endpoint endpoint;
	struct mptcp_limits limits;

	/* Whatever was there before must not matter. */
	memset(&event, 0x55, sizeof(event));
	memset(&again, 0xaa, sizeof(again));
	if (decode_endpoint(hdr, &endpoint) == 0)
		assert(endpoint.id && ip_addr_is_set(&endpoint.addr));
	(void)decode_limits(hdr, &limits);
	if (decode_mptcp_event(hdr, &event))
		return;
	assert(decode_mptcp_event(hdr, &again) == 0);
	assert(event.kind == again.kind && event.token == again.token);
	assert(ip_addr_equal(&event.ends.src, &again.ends.src));
	assert(ip_addr_equal(&event.ends.dst, &again.ends.dst));
	assert(event.passive == again.passive && event.error == again.error);
	hear(manager, hdr, &event);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *bytes = calloc(1, size ? size : 1); /* no byte too many */
	const struct nlmsghdr *hdr = (const struct nlmsghdr *)bytes;
	struct manager manager = {0};
	int len = (int)size;

	assert(bytes);
	if (size <= INPUT_MAX) {
		memcpy(bytes, data, size);
		for (; nlmsg_ok(hdr, len);
		     hdr = nlmsg_next((struct nlmsghdr *)hdr, &len))
			take(&manager, hdr);
	}
	manager_done_all(&manager);
	free(bytes);
	return 0;
}
