/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/privilege.h"

#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/capability.h>

/* libcap would be one more library for this one question. */
bool privilege_has_net_admin(pid_t pid)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
		.pid = pid,
	};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {{0}};

	if (syscall(SYS_capget, &header, data) < 0)
		return pid == 0; /* not told: what is refused will tell */
	return data[CAP_NET_ADMIN / 32].effective &
	       (UINT32_C(1) << CAP_NET_ADMIN % 32);
}
