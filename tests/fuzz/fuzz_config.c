/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The text of a config: values that hold, or errors that say where. */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "daemon/config/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_config(const struct config *config)
{
	const struct policy *policy = &config->policy;
	const struct policy_binding *binding;

	assert(policy->table_first > 0);
	assert(policy->table_first < policy->table_last);
	assert(policy->rule_priority > 0);
	assert(policy->rule_priority + POLICY_PRIORITIES < 32766);
	assert(policy->protocol > 4 && policy->settle_ms <= 60000);
	assert(config->socket[0] == '/' && config->group[0]);
	vec_foreach(&policy->bindings, binding) {
		assert(binding->dev[0] || ip_addr_is_set(&binding->router));
		assert(ip_addr_is_set(&binding->prefix.addr));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("config", MFD_CLOEXEC);
	struct config_error_vec errors = {0};
	struct config config;
	char path[32];

	assert(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (config_load(path, &config, &errors) == 0) {
		assert(errors.n == 0);
		check_config(&config);
		config_done(&config);
	} else {
		assert(errors.n > 0 && errors.n <= CONFIG_ERRORS_MAX + 1);
		assert(errors.items[0].file[0] && errors.items[0].message[0]);
	}
	vec_done(&errors);
	(void)close(fd);
	return 0;
}
