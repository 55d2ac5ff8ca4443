/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Leases of DHCP clients that leave them where others can read them.
 */
#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "facts/facts.h"

#define LINE_SIZE 1024
#define LINES_MAX 100000 /* of one file */
#define FILES_MAX 1000	 /* of one folder */

static const char *const dhclient_dirs[] = {
	"/var/lib/dhcp",	   /* Debian */
	"/var/lib/dhclient",	   /* Fedora */
	"/var/lib/NetworkManager", /* as a client of NetworkManager */
};

/* The first address of a list, which ends at a comma, a blank or ';'. */
static bool parse_first(const char *list, struct ip_addr *ret)
{
	char text[IP_TEXT_MAX];

	list += strspn(list, " \t");
	(void)snprintf(text, sizeof(text), "%.*s", (int)strcspn(list, ",; \t"),
		       list);
	return ip_addr_parse(text, ret) == 0;
}

/* --- one file for each link, by its number, of NAME=VALUE --- */

static const struct {
	const char *dir;
	const char *name; /* of the value that is a list of routers */
} by_link[] = {
	{"/run/systemd/netif/leases", "ROUTER="},
	{"/run/NetworkManager/devices", "dhcp4.routers="},
};

static void read_link_file(const char *path, const char *name,
			   struct lease_facts *lease, struct facts *ret)
{
	char line[LINE_SIZE];
	FILE *file = fopen(path, "re");

	if (!file) {
		if (errno != ENOENT && errno != ENOTDIR)
			facts_add_gap(ret, "%s: %s", path, strerror(errno));
		return;
	}
	for (int n = 0; n < LINES_MAX && fgets(line, sizeof(line), file); n++) {
		line[strcspn(line, "\n")] = '\0';
		if (strncmp(line, name, strlen(name)) != 0 ||
		    !parse_first(line + strlen(name), &lease->router))
			continue;
		vec_push(&ret->leases, *lease);
	}
	(void)fclose(file);
}

static void read_link_files(const char *root, uint32_t ifindex,
			    struct facts *ret)
{
	for (size_t i = 0; i < sizeof(by_link) / sizeof(by_link[0]); i++) {
		struct lease_facts lease = {.ifindex = ifindex};
		char path[2 * FACT_PATH_MAX];

		(void)snprintf(lease.file, sizeof(lease.file), "%s/%u",
			       by_link[i].dir, ifindex);
		(void)snprintf(path, sizeof(path), "%s%s", root, lease.file);
		read_link_file(path, by_link[i].name, &lease, ret);
	}
}

/* --- dhclient: "lease { interface "eth0"; option routers ...; }" --- */

/* What the lease that is being read says. */
struct reading {
	char link[LINK_NAME_MAX];
	struct ip_addr router;
};

static void take_line(const char *line, const struct model *model,
		      struct reading *reading, struct lease_facts *lease,
		      struct facts *ret)
{
	const struct link *link;

	line += strspn(line, " \t");
	if (strncmp(line, "lease ", 6) == 0)
		*reading = (struct reading){0};
	(void)sscanf(line, "interface \"%15[^\"]\"", reading->link);
	if (strncmp(line, "option routers ", 15) == 0)
		(void)parse_first(line + 15, &reading->router);
	if (line[0] != '}')
		return;
	link = model_link_by_name(model, reading->link);
	if (link && ip_addr_is_set(&reading->router)) {
		lease->ifindex = link->ifindex;
		lease->router = reading->router;
		vec_push(&ret->leases, *lease);
	}
	*reading = (struct reading){0};
}

static void read_dhclient_leases(const char *path, const struct model *model,
				 struct lease_facts *lease, struct facts *ret)
{
	struct reading reading = {0};
	char line[LINE_SIZE];
	FILE *file = fopen(path, "re");

	if (!file) {
		facts_add_gap(ret, "%s: %s", path, strerror(errno));
		return;
	}
	for (int n = 0; n < LINES_MAX && fgets(line, sizeof(line), file); n++) {
		line[strcspn(line, "\n")] = '\0';
		take_line(line, model, &reading, lease, ret);
	}
	(void)fclose(file);
}

static void read_dhclient_dir(const char *root, const char *dir,
			      const struct model *model, struct facts *ret)
{
	struct lease_facts lease = {0};
	char path[2 * FACT_PATH_MAX];
	const struct dirent *entry;
	DIR *open_dir;

	(void)snprintf(path, sizeof(path), "%s%s", root, dir);
	open_dir = opendir(path);
	if (!open_dir) {
		if (errno != ENOENT && errno != ENOTDIR)
			facts_add_gap(ret, "%s: %s", path, strerror(errno));
		return;
	}
	for (int n = 0; n < FILES_MAX && (entry = readdir(open_dir)); n++) {
		int len;

		if (fnmatch("dhclient*.lease*", entry->d_name, 0) != 0)
			continue;
		len = snprintf(lease.file, sizeof(lease.file), "%s/%s", dir,
			       entry->d_name);
		if (len < 0 || (size_t)len >= sizeof(lease.file))
			continue;
		(void)snprintf(path, sizeof(path), "%s%s", root, lease.file);
		read_dhclient_leases(path, model, &lease, ret);
	}
	(void)closedir(open_dir);
}

void facts_read_leases(const char *root, const struct model *model,
		       struct facts *ret)
{
	const size_t n = sizeof(dhclient_dirs) / sizeof(dhclient_dirs[0]);
	const struct link *link;

	for (size_t i = 0; i < n; i++)
		read_dhclient_dir(root, dhclient_dirs[i], model, ret);
	vec_foreach(&model->links, link)
		read_link_files(root, link->ifindex, ret);
}
