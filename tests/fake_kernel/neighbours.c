/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>

#include "tests/fake_kernel/machine.h"

static void tell_neighbour(struct fake *fake, uint32_t port,
			   const struct neighbour *neighbour, bool deleted)
{
	struct kernel_event event = {
		.kind = KERNEL_NEIGHBOUR,
		.deleted = deleted,
		.port = port,
		.neighbour = *neighbour,
	};

	machine_tell(fake, &event, MACHINE_NO_ATTRS);
}

struct machine_neighbour *machine_neighbour(struct fake *fake, uint32_t ifindex,
					    const struct ip_addr *addr)
{
	struct machine_neighbour *it;

	vec_foreach(&fake->neighbours, it)
		if (it->entry.ifindex == ifindex &&
		    ip_addr_equal(&it->entry.addr, addr))
			return it;
	return NULL;
}

void machine_put_neighbour(struct fake *fake, uint32_t port,
			   const struct machine_neighbour *neighbour)
{
	struct machine_neighbour *old = machine_neighbour(
		fake, neighbour->entry.ifindex, &neighbour->entry.addr);

	if (old)
		*old = *neighbour;
	else
		vec_push(&fake->neighbours, *neighbour);
	tell_neighbour(fake, port, &neighbour->entry, false);
}

static void remove_at(struct fake *fake, size_t at)
{
	struct neighbour gone = fake->neighbours.items[at].entry;

	vec_remove(&fake->neighbours, at);
	gone.unresolved = false;
	/* Whoever asked for it, this message does not say. */
	tell_neighbour(fake, 0, &gone, true);
}

int machine_remove_neighbour(struct fake *fake, uint32_t port, uint32_t ifindex,
			     const struct ip_addr *addr)
{
	const struct machine_neighbour *it =
		machine_neighbour(fake, ifindex, addr);
	struct neighbour failed;

	if (!it)
		return -ENOENT;
	/* First it is said to have failed, and is no longer managed. */
	failed = it->entry;
	failed.failed = true;
	failed.permanent = false;
	failed.managed = false;
	failed.unresolved = false;
	tell_neighbour(fake, port, &failed, false);
	remove_at(fake, (size_t)(it - fake->neighbours.items));
	return 0;
}

void machine_drop_neighbours(struct fake *fake, uint32_t ifindex,
			     uint8_t family)
{
	for (size_t i = fake->neighbours.n; i-- > 0;) {
		const struct neighbour *it = &fake->neighbours.items[i].entry;

		if (it->ifindex == ifindex &&
		    (!family || it->addr.family == family))
			remove_at(fake, i);
	}
}
