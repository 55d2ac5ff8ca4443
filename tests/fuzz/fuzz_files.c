/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files that others may have written, or half of them: our own state beside the
 * control socket, leases and settings of systemd-networkd and dhclient. The
 * first byte says which. Whatever they hold must be within bounds, or nothing.
 */
#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "adverts.h"
#include "facts/facts.h"
#include "flows.h"
#include "kernel/flow_socket.h"
#include "linkdown.h"
#include "log.h"
#include "mptcp/endpoints_file.h"
#include "mptcp/setting.h"
#include "state_file.h"

enum {
	NOW_MS = 1000000,
	LINK = 2,
};

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char root[] = "/tmp/fuzz-files-XXXXXX";
static struct flow_socket *flow_socket;

/* Foreign files, below the root. */
static const char *const places[] = {
	"/run/systemd/netif/leases/2",
	"/var/lib/dhcp/dhclient.eth0.leases",
	"/etc/systemd/networkd.conf",
};

static void remove_root(void)
{
	char path[128];

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		(void)snprintf(path, sizeof(path), "%s%s", root, places[i]);
		(void)unlink(path);
		for (char *slash = strrchr(path, '/'); slash > path + 1;
		     slash = strrchr(path, '/')) {
			*slash = '\0';
			if (rmdir(path))
				break;
		}
	}
}

static void make_dirs(const char *place)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "%s%s", root, place);
	for (char *slash = strchr(path + sizeof(root) - 1, '/'); slash;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		(void)mkdir(path, 0700);
		*slash = '/';
	}
}

/* NOLINTNEXTLINE(readability-non-const-parameter): libFuzzer's. */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	log_set_level(LOG_ERR);
	if (!mkdtemp(root))
		return -1;
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		make_dirs(places[i]);
	(void)atexit(remove_root);
	/* Never used; without one the file of flows is not read. */
	(void)flow_socket_open(&flow_socket);
	return 0;
}

static void begin(struct engine *engine, struct policy *policy)
{
	const struct link link = {
		.ifindex = LINK,
		.name = "eth0",
		.up = true,
		.carrier = true,
	};

	policy_init(policy);
	engine_init(engine, NULL, policy);
	(void)model_put_link(&engine->model, &link);
}

static void check_bindings(const struct engine *engine)
{
	const struct binding *it;

	vec_foreach(&engine->model.bindings, it) {
		assert(it->ifindex == LINK);
		assert(ip_addr_is_link_local(&it->router));
		assert(it->prefix.len <= 128);
	}
}

static void check_pins(const struct engine *engine)
{
	const struct pin *it;

	vec_foreach(&engine->pins.set.pins, it) {
		assert(it->kind == PIN_HOLD || it->kind == PIN_AWAY);
		assert(it->until_ms <=
		       NOW_MS + engine->policy->pinning.hold_ms);
		assert(pin_find(&engine->pins.set, &it->dst, it->table));
	}
}

static void read_endpoints(const char *path)
{
	struct endpoints endpoints = {0};
	const struct own_endpoint *it;

	(void)snprintf(endpoints.path, sizeof(endpoints.path), "%s", path);
	endpoints_file_load(&endpoints);
	vec_foreach(&endpoints.ours, it)
		assert(ip_addr_is_set(&it->endpoint.addr));
	vec_done(&endpoints.ours);
}

/* One of our own, of this boot: @which 0 to 3. */
static void read_own(uint8_t which, const uint8_t *data, size_t size)
{
	int fd = memfd_create("state", MFD_CLOEXEC);
	char boot_id[STATE_FILE_BOOT_ID_MAX];
	struct adverts adverts = {0};
	struct linkdown linkdown;
	struct setting setting;
	struct flows flows = {.socket = flow_socket};
	struct policy policy;
	struct engine engine;
	char path[32];

	state_file_boot_id(boot_id);
	assert(fd >= 0 && dprintf(fd, "%s\n", boot_id) > 0);
	assert(write(fd, data, size) == (ssize_t)size);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	begin(&engine, &policy);
	if (which == 0) {
		(void)snprintf(adverts.path, sizeof(adverts.path), "%s", path);
		adverts_load(&adverts, &engine, NOW_MS);
		check_bindings(&engine);
	} else if (which == 1) {
		(void)snprintf(flows.path, sizeof(flows.path), "%s", path);
		flows_start(&flows, &engine, NOW_MS);
		check_pins(&engine);
	} else if (which == 2) {
		linkdown_init(&linkdown, path);
		linkdown_done(&linkdown);
		setting_init(&setting, path);
		assert(memchr(setting.before, '\0', sizeof(setting.before)));
	} else {
		read_endpoints(path);
	}
	engine_done(&engine);
	policy_done(&policy);
	(void)close(fd);
}

static void read_foreign(const char *place, const uint8_t *data, size_t size)
{
	struct facts facts = {0};
	struct policy policy;
	struct engine engine;
	const struct lease_facts *it;
	char path[128];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s%s", root, place);
	file = fopen(path, "we");
	assert(file && fwrite(data, 1, size, file) == size);
	assert(fclose(file) == 0);
	begin(&engine, &policy);
	facts_read_leases(root, &engine.model, &facts);
	facts_read_networkd(root, &facts);
	vec_foreach(&facts.leases, it)
		assert(it->ifindex == LINK && ip_addr_is_set(&it->router));
	facts_done(&facts);
	engine_done(&engine);
	policy_done(&policy);
	(void)unlink(path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t which;

	if (size < 1)
		return 0;
	which = data[0] % 7;
	if (which < 4)
		read_own(which, data + 1, size - 1);
	else
		read_foreign(places[which - 4], data + 1, size - 1);
	return 0;
}
