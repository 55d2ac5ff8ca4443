/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/device.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/ethtool.h>
#include <linux/sockios.h>

/* Links of these drivers end on this host. */
static const char *const local_drivers[] = {"bridge", "openvswitch", "tun"};

static int ask(int fd, const char *link, unsigned long what,
	       struct ifreq *request)
{
	(void)snprintf(request->ifr_name, sizeof(request->ifr_name), "%s",
		       link);
	return ioctl(fd, what, request) ? -errno : 0;
}

static int ask_kind(int fd, const char *link, bool *ret)
{
	struct ethtool_drvinfo info = {.cmd = ETHTOOL_GDRVINFO};
	struct ifreq request = {0};
	const size_t n = sizeof(local_drivers) / sizeof(local_drivers[0]);
	bool local;
	int r;

	r = ask(fd, link, SIOCGIFFLAGS, &request);
	if (r)
		return r;
	/* ppp, wwan, tunnels, dummies: no neighbour to ask for. */
	local = request.ifr_flags & (IFF_NOARP | IFF_POINTOPOINT);
	memset(&request, 0, sizeof(request));
	request.ifr_data = (char *)&info;
	r = ask(fd, link, SIOCETHTOOL, &request);
	/* Some drivers do not say: then they are none of those. */
	for (size_t i = 0; r == 0 && i < n; i++)
		local = local || strcmp(info.driver, local_drivers[i]) == 0;
	*ret = local;
	return 0;
}

int device_is_local(const char *link, bool *ret)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int r;

	if (fd < 0)
		return -errno;
	r = ask_kind(fd, link, ret);
	(void)close(fd);
	return r;
}
