/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/patient.h"

#include <stddef.h>
#include <stdio.h>

#include "core/text.h"

enum {
	WORD_SIZE = 100,
	LINE_SIZE = 300,
	SCENE_SIZE = 4000,
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct {
	const char *name;
	size_t at;
	int healthy;
} settings[] = {
	{"rp_filter", offsetof(struct link_facts, rp_filter), 2},
	{"arp_ignore", offsetof(struct link_facts, arp_ignore), 0},
	{"arp_announce", offsetof(struct link_facts, arp_announce), 0},
	{"arp_filter", offsetof(struct link_facts, arp_filter), 0},
	{"linkdown4", offsetof(struct link_facts, ignore_linkdown4), 0},
	{"linkdown6", offsetof(struct link_facts, ignore_linkdown6), 0},
	{"forwarding6", offsetof(struct link_facts, forwarding6), 0},
	{"accept_ra", offsetof(struct link_facts, accept_ra), 1},
};

static void set(struct link_facts *link, size_t setting, int value)
{
	memcpy((char *)link + settings[setting].at, &value, sizeof(value));
}

static void add_link(struct facts *facts, uint32_t ifindex)
{
	struct link_facts link = {.ifindex = ifindex};

	for (size_t i = 0; i < COUNT(settings); i++)
		set(&link, i, settings[i].healthy);
	vec_push(&facts->links, link);
}

static void fail_line(const char *line)
{
	(void)fprintf(stderr, "facts: cannot read: %s\n", line);
	abort();
}

static uint32_t find_link(const struct patient *patient, const char *name,
			  const char *line)
{
	const struct link *link =
		model_link_by_name(&patient->scene.model, name);

	if (!link)
		fail_line(line);
	return link ? link->ifindex : 0;
}

static void link_line(struct patient *patient, const char *name,
		      const char *line)
{
	uint32_t ifindex =
		strcmp(name, "all") == 0 ? 0 : find_link(patient, name, line);
	struct link_facts *link = patient->facts.links.items;
	const char *at = line + strlen(name);
	char key[WORD_SIZE];
	int value;
	int len;

	while (link->ifindex != ifindex)
		link++;
	while (sscanf(at, " %99[a-z_0-9]=%d%n", key, &value, &len) == 2) {
		size_t i = 0;

		at += len;
		while (i < COUNT(settings) &&
		       strcmp(settings[i].name, key) != 0)
			i++;
		if (i < COUNT(settings))
			set(link, i, value);
		else if (strcmp(key, "local") == 0)
			link->local = value != 0;
		else
			fail_line(line);
	}
	if (*at)
		fail_line(line);
}

static bool router_line(struct patient *patient, const char *line)
{
	struct router_facts router = {.mac_len = 6};
	char addr[WORD_SIZE];
	char name[WORD_SIZE];
	char mac[7];

	if (sscanf(line, "router %99s dev %99s mac %6s", addr, name, mac) != 3)
		return false;
	router.ifindex = find_link(patient, name, line);
	router.addr = scene_addr(addr);
	memcpy(router.mac, mac, strlen(mac));
	vec_push(&patient->facts.routers, router);
	return true;
}

static bool lease_line(struct patient *patient, const char *line)
{
	struct lease_facts lease = {.file = "/run/lease"};
	char addr[WORD_SIZE];
	char name[WORD_SIZE];

	if (sscanf(line, "lease %99s dev %99s", addr, name) != 2)
		return false;
	lease.ifindex = find_link(patient, name, line);
	lease.router = scene_addr(addr);
	vec_push(&patient->facts.leases, lease);
	return true;
}

static bool other_line(struct facts *facts, const char *line)
{
	struct endpoint other = {.flags = ENDPOINT_SUBFLOW};
	char addr[WORD_SIZE];
	unsigned int id;
	unsigned int ifindex;

	if (sscanf(line, "other %99s id %u dev %u", addr, &id, &ifindex) != 3)
		return false;
	other.addr = scene_addr(addr);
	other.id = (uint8_t)id;
	other.ifindex = ifindex;
	vec_push(&facts->mptcp_others, other);
	return true;
}

static bool networkd_line(struct facts *facts, const char *line)
{
	struct fact_setting setting = {0};
	char key[WORD_SIZE];
	char word[WORD_SIZE];

	if (sscanf(line, "networkd%99s %99s %150s", key, word, setting.file) !=
	    3) {
		if (strcmp(line, "networkd running") == 0)
			facts->networkd = NETWORKD_RUNNING;
		else if (strcmp(line, "networkd unknown") == 0)
			facts->networkd = NETWORKD_UNKNOWN;
		else
			return false;
		return true;
	}
	setting.value = strcmp(word, "yes") == 0;
	if (strcmp(key, "-rules") == 0)
		facts->networkd_rules = setting;
	else
		facts->networkd_routes = setting;
	return true;
}

static void facts_line(struct patient *patient, const char *line)
{
	struct facts *facts = &patient->facts;
	char word[WORD_SIZE] = "";

	(void)sscanf(line, "%99s", word);
	if (strcmp(word, "forgets") == 0) {
		facts->mptcp_forgets = true;
		return;
	}
	if (strcmp(word, "networkmanager") == 0) {
		facts->network_manager = true;
		return;
	}
	if (router_line(patient, line) || lease_line(patient, line) ||
	    other_line(facts, line) || networkd_line(facts, line) ||
	    sscanf(line, "mptcp %d", &facts->mptcp_enabled) == 1 ||
	    sscanf(line, "manager %d", &facts->mptcp_manager) == 1 ||
	    sscanf(line, "limit %d", &facts->mptcp_subflows) == 1 ||
	    sscanf(line, "listener %u", &facts->mptcp_other) == 1 ||
	    sscanf(line, "compat %d", &facts->nexthop_compat_mode) == 1)
		return;
	link_line(patient, word, line);
}

static void read_facts(struct patient *patient, const char *text)
{
	const struct link *link;

	facts_init(&patient->facts);
	patient->facts.mptcp_enabled = 1;
	patient->facts.mptcp_manager = FACT_MANAGER_KERNEL;
	patient->facts.mptcp_subflows = 8;
	patient->facts.nexthop_compat_mode = 1;
	add_link(&patient->facts, 0);
	vec_foreach(&patient->scene.model.links, link)
		if (!link->loopback)
			add_link(&patient->facts, link->ifindex);
	while (*text) {
		size_t len = strcspn(text, "\n");
		char line[LINE_SIZE];

		(void)snprintf(line, sizeof(line), "%.*s", (int)len, text);
		if (len)
			facts_line(patient, line);
		text += len + (text[len] == '\n');
	}
}

void patient_examine(struct patient *patient, const char *scene,
		     const char *facts)
{
	const char *later = strstr(scene, "----\n");
	char before[SCENE_SIZE];
	struct view view;

	memset(patient, 0, sizeof(*patient));
	(void)snprintf(before, sizeof(before), "%.*s",
		       (int)(later ? later - scene : (ptrdiff_t)strlen(scene)),
		       scene);
	scene_make(&patient->scene, before);
	scene_steady(&patient->scene);
	if (later) {
		scene_read(&patient->scene, later + 5);
		scene_manage(&patient->scene);
		scene_steady(&patient->scene);
	}
	read_facts(patient, facts);
	view = scene_view(&patient->scene);
	doctor_examine(&view, &patient->facts, &patient->findings);
}

void patient_done(struct patient *patient)
{
	vec_done(&patient->findings);
	facts_done(&patient->facts);
	scene_done(&patient->scene);
}

const struct finding *patient_find(const struct patient *patient,
				   const char *id)
{
	const struct finding *it;

	vec_foreach(&patient->findings, it)
		if (strcmp(it->id, id) == 0)
			return it;
	return NULL;
}

const char *patient_text(const struct patient *patient, char *ret)
{
	static const char *const severities[] = {"error", "warning", "hint"};
	const struct finding *it;
	struct text text;

	text_init(&text, ret, PATIENT_TEXT_MAX);
	vec_foreach(&patient->findings, it)
		text_put(&text, "%s%s %s %s", text.len ? "; " : "", it->id,
			 severities[it->severity], it->subject);
	return ret;
}
