/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * facts - reads what doctor needs to know beside the model.
 *
 * Settings of the kernel, files of other programs, the neighbour table: all of
 * it when it is asked for, nothing is kept. What cannot be read is a gap in the
 * facts, never an error.
 */
#ifndef DAEMON_FACTS_H
#define DAEMON_FACTS_H

#include "core/subnet.h"
#include "doctor/facts.h"
#include "kernel/kernel.h"

/**
 * facts_read() - everything
 * @config: the daemon's own file
 * @ret:    initialised here; free with facts_done()
 */
void facts_read(const struct view *view, struct kernel *kernel,
		const char *config, struct facts *ret);

/*
 * The two that read other programs' files take the root of the file system, ""
 * or a tree that a test made.
 */

/** facts_read_networkd() - whether it runs here, and what it may delete */
void facts_read_networkd(const char *root, struct facts *ret);

/**
 * facts_read_leases() - routers that systemd-networkd, NetworkManager and
 * dhclient were told of
 *
 * For the links of @model. What dhclient wrote before it ended counts as well:
 * whether a router is on a subnet of today is for others to see.
 */
void facts_read_leases(const char *root, const struct model *model,
		       struct facts *ret);

#endif
