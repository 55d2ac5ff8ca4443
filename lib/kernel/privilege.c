/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/privilege.h"

#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/capability.h>

/* libcap would be one more library for this one question. */
static bool read_caps(pid_t pid, struct __user_cap_data_struct *ret)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
		.pid = pid,
	};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {{0}};

	if (syscall(SYS_capget, &header, data) < 0)
		return false;
	*ret = data[CAP_NET_ADMIN / 32];
	return true;
}

static bool has_net_admin(uint32_t caps)
{
	return caps & (UINT32_C(1) << CAP_NET_ADMIN % 32);
}

bool privilege_has_net_admin(void)
{
	struct __user_cap_data_struct caps;

	/* Not told: what is refused will tell. */
	return !read_caps(0, &caps) || has_net_admin(caps.effective);
}

static bool has_our_users(pid_t pid)
{
	char path[64];
	struct stat ours;
	struct stat theirs;

	(void)snprintf(path, sizeof(path), "/proc/%ld/ns/user", (long)pid);
	return stat("/proc/self/ns/user", &ours) == 0 &&
	       stat(path, &theirs) == 0 && ours.st_dev == theirs.st_dev &&
	       ours.st_ino == theirs.st_ino;
}

bool privilege_was_given(pid_t pid)
{
	struct __user_cap_data_struct caps;

	return read_caps(pid, &caps) && has_net_admin(caps.effective) &&
	       has_net_admin(caps.inheritable) && has_our_users(pid);
}
