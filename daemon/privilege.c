/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "privilege.h"

#include <linux/capability.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

/* libcap would be one more library for this one question. */
bool privilege_has(int capability)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {{0}};
	unsigned int bit = (unsigned int)capability;

	if (syscall(SYS_capget, &header, data) < 0)
		return true; /* cannot be told: what is refused will tell */
	return data[bit / 32].effective & (UINT32_C(1) << bit % 32);
}
