/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>

#include "tests/fake_kernel/machine.h"

bool machine_is_up(const struct fake *fake, uint32_t ifindex)
{
	const struct link *link = model_link(&fake->model, ifindex);

	return link && link->up;
}

bool machine_carries(const struct fake *fake, uint32_t ifindex, uint8_t family)
{
	return machine_is_up(fake, ifindex) &&
	       !(family == AF_INET6 &&
		 model_link(&fake->model, ifindex)->no_ipv6);
}

/* --- addresses and the routes that come with them --- */

static struct ip_prefix prefix_of(const struct address *address)
{
	return ip_prefix_make(&address->peer, address->prefix_len);
}

/* IPv4: another one of its prefix came first. */
static bool has_primary(const struct fake *fake, const struct address *address)
{
	const struct ip_prefix prefix = prefix_of(address);
	const struct address *it;

	vec_foreach(&fake->model.addresses, it) {
		const struct ip_prefix other = prefix_of(it);

		if (it->ifindex == address->ifindex && !it->temporary &&
		    address_cmp(it, address) != 0 &&
		    ip_prefix_equal(&prefix, &other))
			return true;
	}
	return false;
}

static bool has_connected(const struct fake *fake,
			  const struct address *address)
{
	bool v4 = address->local.family == AF_INET;

	if (address->ifindex == MACHINE_LO ||
	    !machine_is_up(fake, address->ifindex))
		return false;
	if (!v4)
		return true;
	return !address->temporary &&
	       (address->prefix_len < 32 ||
		!ip_addr_equal(&address->local, &address->peer));
}

/* Adds or removes what the kernel itself makes of an address. */
static void set_connected(struct fake *fake, const struct address *address,
			  bool there)
{
	bool v4 = address->local.family == AF_INET;
	struct next_hop hop = {.ifindex = address->ifindex};
	struct attrset set;
	struct machine_route change = {
		.how = MACHINE_APPEND,
		.prefix = prefix_of(address),
		.route = {.table = ROUTE_TABLE_MAIN,
			  .metric = v4 ? 0 : MACHINE_METRIC6,
			  .protocol = MACHINE_KERNEL},
		.set = &set,
	};

	attrset_init(&set, address->local.family, ATTRSET_UNICAST);
	if (v4) {
		set.scope = MACHINE_LINK;
		set.prefsrc = address->local;
	}
	attrset_add_hop(&set, &hop, NULL, 0);
	if (there)
		(void)machine_put_route(fake, &change, NULL);
	else
		(void)machine_delete_route(fake, &change);
	attrset_done(&set);
}

/* IPv6 says of no address who made it. */
static void tell_address(struct fake *fake, uint32_t port,
			 const struct address *address, bool deleted)
{
	struct kernel_event event = {
		.kind = KERNEL_ADDRESS,
		.deleted = deleted,
		.port = address->local.family == AF_INET ? port : 0,
		.address = *address,
	};

	machine_tell(fake, &event, MACHINE_NO_ATTRS);
}

static const struct address *find_address(const struct fake *fake,
					  const struct address *address)
{
	const struct address *it;

	vec_foreach(&fake->model.addresses, it)
		if (it->ifindex == address->ifindex &&
		    (it->prefix_len == address->prefix_len ||
		     it->local.family == AF_INET6) &&
		    ip_addr_equal(&it->local, &address->local))
			return it;
	return NULL;
}

/* IPv6 looks first whether somebody else has it; here that takes no time. */
static void tell_tested(struct fake *fake, const struct address *address)
{
	struct address tentative = *address;

	tentative.tentative = true;
	tell_address(fake, 0, &tentative, false);
	tell_address(fake, 0, address, false);
}

int machine_add_address(struct fake *fake, uint32_t port,
			const struct address *address)
{
	struct address added = *address;

	if (find_address(fake, address))
		return -EEXIST;
	if (machine_is_up(fake, address->ifindex) &&
	    !machine_carries(fake, address->ifindex, address->local.family))
		return -EACCES;
	if (added.local.family == AF_INET)
		added.temporary = has_primary(fake, &added);
	(void)model_put_address(&fake->model, &added);
	if (added.local.family == AF_INET)
		tell_address(fake, port, &added, false);
	if (has_connected(fake, &added))
		set_connected(fake, &added, true);
	if (added.local.family == AF_INET6)
		tell_tested(fake, &added);
	return 0;
}

static bool has_any4(const struct fake *fake, uint32_t ifindex)
{
	const struct address *it;

	vec_foreach(&fake->model.addresses, it)
		if (it->ifindex == ifindex && it->local.family == AF_INET)
			return true;
	return false;
}

static bool has_prefix6(const struct fake *fake, const struct address *address)
{
	const struct ip_prefix prefix = prefix_of(address);
	const struct address *it;

	vec_foreach(&fake->model.addresses, it) {
		const struct ip_prefix other = prefix_of(it);

		if (it->ifindex == address->ifindex &&
		    ip_prefix_equal(&prefix, &other))
			return true;
	}
	return false;
}

static void forget_address(struct fake *fake, uint32_t port,
			   const struct address *address)
{
	bool v4 = address->local.family == AF_INET;

	(void)model_remove_address(&fake->model, address);
	tell_address(fake, port, address, true);
	if (has_connected(fake, address) && (v4 || !has_prefix6(fake, address)))
		set_connected(fake, address, false);
	if (!machine_is_local(fake, &address->local))
		machine_fall_silent(fake, &address->local);
}

/* The secondary addresses of a primary one go before it. */
static void forget_secondaries(struct fake *fake, uint32_t port,
			       const struct address *primary)
{
	const struct ip_prefix prefix = prefix_of(primary);

	for (size_t i = fake->model.addresses.n; i-- > 0;) {
		const struct address it = fake->model.addresses.items[i];
		const struct ip_prefix other = prefix_of(&it);

		if (it.ifindex == primary->ifindex && it.temporary &&
		    ip_prefix_equal(&prefix, &other))
			forget_address(fake, port, &it);
	}
}

int machine_remove_address(struct fake *fake, uint32_t port,
			   const struct address *address)
{
	const struct address *found = find_address(fake, address);
	struct address gone;

	if (!found)
		return -EADDRNOTAVAIL;
	gone = *found;
	if (gone.local.family == AF_INET && !gone.temporary)
		forget_secondaries(fake, port, &gone);
	forget_address(fake, port, &gone);
	/* A link without any address routes nothing. */
	if (gone.local.family == AF_INET && !has_any4(fake, gone.ifindex)) {
		machine_drop_link4(fake, gone.ifindex);
		machine_drop_neighbours(fake, gone.ifindex, AF_INET);
	}
	return 0;
}

bool machine_is_local(const struct fake *fake, const struct ip_addr *addr)
{
	const struct address *it;

	if (ip_addr_is_loopback(addr))
		return true;
	vec_foreach(&fake->model.addresses, it)
		if (ip_addr_equal(&it->local, addr))
			return true;
	return false;
}

static void drop_addresses(struct fake *fake, uint32_t ifindex, uint8_t family)
{
	for (size_t i = fake->model.addresses.n; i-- > 0;) {
		const struct address it = fake->model.addresses.items[i];

		if (it.ifindex == ifindex && it.local.family == family)
			forget_address(fake, 0, &it);
	}
}

/* --- links --- */

static void tell_link(struct fake *fake, const struct link *link, bool deleted)
{
	struct kernel_event event = {
		.kind = KERNEL_LINK,
		.deleted = deleted,
		.link = *link,
	};

	machine_tell(fake, &event, MACHINE_NO_ATTRS);
}

static uint32_t peer_of(const struct fake *fake, uint32_t ifindex)
{
	const struct machine_pair *it;

	vec_foreach(&fake->pairs, it) {
		if (it->a == ifindex)
			return it->b;
		if (it->b == ifindex)
			return it->a;
	}
	return 0;
}

static uint32_t new_link(struct fake *fake, const char *name)
{
	struct link link = {.ifindex = ++fake->last_ifindex};

	(void)snprintf(link.name, sizeof(link.name), "%s", name);
	(void)model_put_link(&fake->model, &link);
	tell_link(fake, &link, false);
	return link.ifindex;
}

int machine_add_link(struct fake *fake, const char *name, const char *peer)
{
	struct machine_pair pair;

	if (model_link_by_name(&fake->model, name) ||
	    (peer && model_link_by_name(&fake->model, peer)))
		return -EEXIST;
	/* The other end comes first, as in the kernel. */
	pair.b = peer ? new_link(fake, peer) : 0;
	pair.a = new_link(fake, name);
	if (peer)
		vec_push(&fake->pairs, pair);
	return 0;
}

/* Carrier is there while both ends of the cable are up. */
static void update_carrier(struct fake *fake, uint32_t ifindex)
{
	const struct link *old = model_link(&fake->model, ifindex);
	uint32_t peer = peer_of(fake, ifindex);
	struct link link;

	if (!old)
		return;
	link = *old;
	link.carrier = link.up && (!peer || machine_is_up(fake, peer));
	if (link.carrier == old->carrier)
		return;
	(void)model_put_link(&fake->model, &link);
	tell_link(fake, &link, false);
	if (!link.carrier)
		machine_drop_neighbours(fake, ifindex, 0);
}

/* IPv4 loses its routes without a word, IPv6 its addresses with many. */
static void after_down(struct fake *fake, uint32_t ifindex)
{
	machine_fall_silent(fake, NULL);
	drop_addresses(fake, ifindex, AF_INET6);
	machine_drop_neighbours(fake, ifindex, 0);
}

static void add_link_local(struct fake *fake, uint32_t ifindex)
{
	struct address address = {
		.ifindex = ifindex,
		.local = {AF_INET6,
			  {0xfe, 0x80, [8] = 2, [15] = (uint8_t)ifindex}},
		.prefix_len = 64,
		.scope = MACHINE_LINK,
	};

	address.peer = address.local;
	if (ifindex != MACHINE_LO && machine_carries(fake, ifindex, AF_INET6))
		(void)machine_add_address(fake, 0, &address);
}

void fake_set_link_locals(struct fake *fake)
{
	const struct link_vec *links = &fake->model.links;

	fake->link_locals = true;
	for (size_t i = 0; i < links->n; i++)
		add_link_local(fake, links->items[i].ifindex);
}

/* Only the routes of IPv4 addresses come back, and a link-local address. */
static void after_up(struct fake *fake, uint32_t ifindex)
{
	for (size_t i = 0; i < fake->model.addresses.n; i++) {
		const struct address it = fake->model.addresses.items[i];

		if (it.ifindex == ifindex && has_connected(fake, &it))
			set_connected(fake, &it, true);
	}
	if (fake->link_locals)
		add_link_local(fake, ifindex);
}

/* Return: whether it was not so before. */
static bool set_one(struct fake *fake, uint32_t ifindex, bool up)
{
	struct link link = *model_link(&fake->model, ifindex);
	uint32_t peer = peer_of(fake, ifindex);

	if (link.up == up)
		return false;
	link.up = up;
	link.carrier = up && (!peer || machine_is_up(fake, peer));
	(void)model_put_link(&fake->model, &link);
	tell_link(fake, &link, false);
	if (up)
		after_up(fake, ifindex);
	else
		after_down(fake, ifindex);
	return true;
}

int machine_set_link(struct fake *fake, uint32_t ifindex, bool up)
{
	if (!model_link(&fake->model, ifindex))
		return -ENODEV;
	if (set_one(fake, ifindex, up))
		update_carrier(fake, peer_of(fake, ifindex));
	return 0;
}

/* Nobody is told of it; of what goes with it the routes are told first. */
int machine_set_ipv6(struct fake *fake, uint32_t ifindex, bool on)
{
	const struct link *old = model_link(&fake->model, ifindex);
	struct link link;

	if (!old)
		return -ENODEV;
	link = *old;
	if (link.no_ipv6 != on)
		return 0;
	link.no_ipv6 = !on;
	(void)model_put_link(&fake->model, &link);
	if (on) {
		add_link_local(fake, ifindex);
		return 0;
	}
	machine_drop_dead(fake);
	drop_addresses(fake, ifindex, AF_INET6);
	machine_drop_neighbours(fake, ifindex, AF_INET6);
	return 0;
}

static void remove_one(struct fake *fake, uint32_t ifindex)
{
	struct link gone = *model_link(&fake->model, ifindex);

	drop_addresses(fake, ifindex, AF_INET);
	drop_addresses(fake, ifindex, AF_INET6);
	machine_drop_legs6(fake, ifindex);
	(void)model_remove_link(&fake->model, ifindex);
	machine_drop_link4(fake, ifindex);
	tell_link(fake, &gone, true);
}

/* Both ends go at once; they are down before the first is gone. */
int machine_remove_link(struct fake *fake, uint32_t ifindex)
{
	uint32_t peer = peer_of(fake, ifindex);

	if (!model_link(&fake->model, ifindex) || ifindex == MACHINE_LO)
		return -ENODEV;
	(void)set_one(fake, ifindex, false);
	if (peer)
		(void)set_one(fake, peer, false);
	remove_one(fake, ifindex);
	if (peer)
		remove_one(fake, peer);
	for (size_t i = fake->pairs.n; i-- > 0;)
		if (fake->pairs.items[i].a == ifindex ||
		    fake->pairs.items[i].b == ifindex)
			vec_remove(&fake->pairs, i);
	return 0;
}
