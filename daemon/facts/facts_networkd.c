/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether systemd-networkd runs in our network namespace, and what its files
 * say about what others made. The files are read in its own order: the first
 * networkd.conf there is, then the drop-ins by name, of each name the one in
 * the folder that stands first.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "facts/facts.h"

#define CGROUP	"system.slice/systemd-networkd.service/cgroup.procs"
#define COMM	"systemd-network" /* the name is cut at 15 */
#define DIR_END "systemd/networkd.conf.d"

enum {
	PATH_SIZE = 512,
	LINE_SIZE = 1024,
	LINES_MAX = 10000,
	ENTRIES_MAX = 100000, /* processes, or files of a folder */
};

static const char *const config_roots[] = {
	"/etc",
	"/run",
	"/usr/local/lib",
	"/usr/lib",
};

#define ROOTS (sizeof(config_roots) / sizeof(config_roots[0]))

/* Where systemd keeps its groups: alone, and beside those of version 1. */
static const char *const cgroup_roots[] = {
	"/sys/fs/cgroup",
	"/sys/fs/cgroup/systemd",
	"/sys/fs/cgroup/unified",
};

#define CGROUP_ROOTS (sizeof(cgroup_roots) / sizeof(cgroup_roots[0]))

/* --- does it run? --- */

enum place {
	PLACE_HERE, /* also where it may not be looked at */
	PLACE_ELSEWHERE,
	PLACE_GONE, /* it has ended, or it is hidden from us (hidepid) */
};

/* Where the network of a process is. */
static enum place place_of(const char *root, const char *pid)
{
	char path[PATH_SIZE];
	char own[64];
	char other[64];
	ssize_t n;
	ssize_t m;

	(void)snprintf(path, sizeof(path), "%s/proc/self/ns/net", root);
	n = readlink(path, own, sizeof(own));
	(void)snprintf(path, sizeof(path), "%s/proc/%s/ns/net", root, pid);
	m = readlink(path, other, sizeof(other));
	if (m < 0 && (errno == ENOENT || errno == ESRCH || errno == EINVAL))
		return PLACE_GONE;
	if (n < 0 || m < 0 || (n == m && memcmp(own, other, (size_t)n) == 0))
		return PLACE_HERE;
	return PLACE_ELSEWHERE;
}

/*
 * Of the service's own processes; how the host's systemd runs it. Who is listed
 * is alive, so one that is not to be seen is hidden: our unit's ProtectProc.
 * One of number 0 is outside of our own process namespace.
 */
static bool is_in_cgroup(const char *root, const char *cgroup)
{
	char path[PATH_SIZE];
	char pid[16];
	bool found = false;
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s%s/" CGROUP, root, cgroup);
	file = fopen(path, "re");
	if (!file)
		return false;
	while (!found && fscanf(file, "%15[0-9]\n", pid) == 1)
		found = strcmp(pid, "0") != 0 &&
			place_of(root, pid) != PLACE_ELSEWHERE;
	(void)fclose(file);
	return found;
}

static bool is_in_a_cgroup(const char *root)
{
	bool found = false;

	for (size_t i = 0; i < CGROUP_ROOTS && !found; i++)
		found = is_in_cgroup(root, cgroup_roots[i]);
	return found;
}

static bool is_networkd(const char *root, const char *pid)
{
	char path[PATH_SIZE];
	char comm[32] = "";
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/proc/%s/comm", root, pid);
	file = fopen(path, "re");
	if (!file)
		return false;
	if (!fgets(comm, sizeof(comm), file))
		comm[0] = '\0';
	(void)fclose(file);
	comm[strcspn(comm, "\n")] = '\0';
	return strcmp(comm, COMM) == 0 && place_of(root, pid) == PLACE_HERE;
}

static enum fact_networkd find_process(const char *root)
{
	enum fact_networkd found = NETWORKD_NOT_RUNNING;
	char path[PATH_SIZE];
	const struct dirent *entry;
	DIR *dir;

	(void)snprintf(path, sizeof(path), "%s/proc", root);
	dir = opendir(path);
	if (!dir)
		return NETWORKD_UNKNOWN;
	for (int n = 0; n < ENTRIES_MAX && found == NETWORKD_NOT_RUNNING &&
			(entry = readdir(dir));
	     n++) {
		size_t digits = strspn(entry->d_name, "0123456789");

		if (digits > 0 && entry->d_name[digits] == '\0' &&
		    is_networkd(root, entry->d_name))
			found = NETWORKD_RUNNING;
	}
	(void)closedir(dir);
	return found;
}

/* --- what do its files say? --- */

struct drop_in {
	char name[128];
	size_t dir; /* index into config_roots */
};

VEC(drop_in_vec, struct drop_in);

static bool parse_bool(const char *text, bool *ret)
{
	static const char *const words[] = {"yes", "true", "on", "1",
					    "y",   "t",	   "no", "false",
					    "off", "0",	   "n",	 "f"};
	const size_t n = sizeof(words) / sizeof(words[0]);

	for (size_t i = 0; i < n; i++) {
		if (strcasecmp(text, words[i]) != 0)
			continue;
		*ret = i < n / 2;
		return true;
	}
	return false;
}

static char *strip(char *text)
{
	char *end;

	text += strspn(text, " \t");
	end = text + strlen(text);
	while (end > text && strchr(" \t\r\n", end[-1]))
		end--;
	*end = '\0';
	return text;
}

static void take_setting(char *line, const char *path, struct facts *ret)
{
	struct fact_setting *setting = NULL;
	char *value = strchr(line, '=');
	const char *key;

	if (!value)
		return;
	*value++ = '\0';
	key = strip(line);
	if (strcmp(key, "ManageForeignRoutingPolicyRules") == 0)
		setting = &ret->networkd_rules;
	else if (strcmp(key, "ManageForeignRoutes") == 0)
		setting = &ret->networkd_routes;
	if (setting && parse_bool(strip(value), &setting->value))
		(void)snprintf(setting->file, sizeof(setting->file), "%s",
			       path);
}

/* @path is without @root. Return: whether there is such a file. */
static bool read_config(const char *root, const char *path, struct facts *ret)
{
	char line[LINE_SIZE];
	char full[PATH_SIZE];
	bool in_network = false;
	FILE *file;

	(void)snprintf(full, sizeof(full), "%s%s", root, path);
	file = fopen(full, "re");
	if (!file) {
		if (errno != ENOENT && errno != ENOTDIR)
			facts_add_gap(ret, "%s: %s", path, strerror(errno));
		return errno != ENOENT && errno != ENOTDIR;
	}
	for (int n = 0; n < LINES_MAX && fgets(line, sizeof(line), file); n++) {
		char *text = strip(line);

		if (text[0] == '[')
			in_network = strcmp(text, "[Network]") == 0;
		else if (in_network && !strchr("#;", text[0]))
			take_setting(text, path, ret);
	}
	(void)fclose(file);
	return true;
}

static bool is_drop_in(const char *name)
{
	size_t len = strlen(name);

	return len > 5 && len < sizeof(((struct drop_in *)NULL)->name) &&
	       strcmp(name + len - 5, ".conf") == 0;
}

static void add_drop_ins(const char *root, size_t at, struct drop_in_vec *ret)
{
	char path[PATH_SIZE];
	const struct dirent *entry;
	DIR *dir;

	(void)snprintf(path, sizeof(path), "%s%s/" DIR_END, root,
		       config_roots[at]);
	dir = opendir(path);
	for (int n = 0; dir && n < ENTRIES_MAX && (entry = readdir(dir)); n++) {
		struct drop_in found = {.dir = at};
		const struct drop_in *it;
		bool hidden = false;

		if (!is_drop_in(entry->d_name))
			continue;
		vec_foreach(ret, it)
			hidden |= strcmp(it->name, entry->d_name) == 0;
		(void)snprintf(found.name, sizeof(found.name), "%.127s",
			       entry->d_name);
		if (!hidden)
			vec_push(ret, found);
	}
	if (dir)
		(void)closedir(dir);
}

static int by_name(const void *a, const void *b)
{
	const struct drop_in *x = a;
	const struct drop_in *y = b;

	return strcmp(x->name, y->name);
}

static void read_configs(const char *root, struct facts *ret)
{
	struct drop_in_vec drop_ins = {0};
	const struct drop_in *it;
	char path[PATH_SIZE];
	bool found = false;

	for (size_t i = 0; i < ROOTS && !found; i++) {
		(void)snprintf(path, sizeof(path), "%s/systemd/networkd.conf",
			       config_roots[i]);
		found = read_config(root, path, ret);
	}
	for (size_t i = 0; i < ROOTS; i++)
		add_drop_ins(root, i, &drop_ins);
	if (drop_ins.n)
		qsort(drop_ins.items, drop_ins.n, sizeof(*drop_ins.items),
		      by_name);
	vec_foreach(&drop_ins, it) {
		(void)snprintf(path, sizeof(path), "%s/" DIR_END "/%s",
			       config_roots[it->dir], it->name);
		(void)read_config(root, path, ret);
	}
	vec_done(&drop_ins);
}

void facts_read_networkd(const char *root, struct facts *ret)
{
	ret->networkd =
		is_in_a_cgroup(root) ? NETWORKD_RUNNING : find_process(root);
	if (ret->networkd == NETWORKD_UNKNOWN)
		facts_add_gap(ret, "whether systemd-networkd runs: /proc "
				   "cannot be read");
	read_configs(root, ret);
}
