/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What doctor reads of other programs: files of systemd-networkd and of DHCP
 * clients, in a tree made for the test.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "facts/facts.h"
#include "tests/unit/patient.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum {
	PATH_SIZE = 300,
	FILES_MAX = 6,
};

#define CONF	"/systemd/networkd.conf"
#define DROP_IN "/systemd/networkd.conf.d/"
#define RULES	"ManageForeignRoutingPolicyRules"
#define ROUTES	"ManageForeignRoutes"

static char root[] = "/tmp/multihomed-facts-XXXXXX";
static char made[sizeof(root)];

/* A file, or with "-> " in front of its text a symbolic link. */
struct file {
	const char *path; /* NULL ends a list */
	const char *text;
};

static int make_root(void **state)
{
	(void)state;
	memcpy(made, root, sizeof(root));
	return mkdtemp(made) ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *info, int flag,
		      struct FTW *walk)
{
	(void)info;
	(void)flag;
	(void)walk;
	return remove(path);
}

static int remove_root(void **state)
{
	(void)state;
	return nftw(made, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void write_file(const struct file *file)
{
	char path[PATH_SIZE];
	FILE *stream;

	(void)snprintf(path, sizeof(path), "%s%s", made, file->path);
	for (char *slash = path + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		(void)mkdir(path, 0755);
		*slash = '/';
	}
	if (strncmp(file->text, "-> ", 3) == 0) {
		assert_int_equal(symlink(file->text + 3, path), 0);
		return;
	}
	stream = fopen(path, "we");
	assert_non_null(stream);
	assert_true(fputs(file->text, stream) >= 0);
	assert_int_equal(fclose(stream), 0);
}

static void read_networkd(const struct file *files, struct facts *ret)
{
	assert_int_equal(make_root(NULL), 0);
	for (; files->path; files++)
		write_file(files);
	facts_init(ret);
	facts_read_networkd(made, ret);
	assert_int_equal(remove_root(NULL), 0);
}

static const struct {
	struct file files[FILES_MAX];
	bool rules;
	bool routes;
	const char *file; /* that decided about rules */
	const char *why;
} file_cases[] = {
	{{{NULL, NULL}}, true, true, "", "no file: the defaults"},
	{{{"/etc" CONF, "[Network]\n" RULES "=no\n"}},
	 false,
	 true,
	 "/etc" CONF,
	 "one setting"},
	{{{"/usr/lib" CONF, "[Network]\n" RULES "=no\n"}},
	 false,
	 true,
	 "/usr/lib" CONF,
	 "the distribution's"},
	{{{"/usr/lib" CONF, "[Network]\n" RULES "=no\n"},
	  {"/etc" CONF, "[Network]\n"}},
	 true,
	 true,
	 "",
	 "of the main file there is one"},
	{{{"/etc" CONF, "[Network]\n" RULES "=yes\n"},
	  {"/usr/lib" DROP_IN "10-x.conf", "[Network]\n" RULES "=0\n"}},
	 false,
	 true,
	 "/usr/lib" DROP_IN "10-x.conf",
	 "drop-ins come after it"},
	{{{"/etc" DROP_IN "10-a.conf", "[Network]\n" RULES "=no\n"},
	  {"/run" DROP_IN "20-b.conf", "[Network]\n" RULES "=yes\n"}},
	 true,
	 true,
	 "/run" DROP_IN "20-b.conf",
	 "by name, whatever the folder"},
	{{{"/run" DROP_IN "20-b.conf", "[Network]\n" RULES "=no\n"},
	  {"/etc" DROP_IN "20-b.conf", "-> /dev/null"}},
	 true,
	 true,
	 "",
	 "one that is masked"},
	{{{"/run" DROP_IN "20-b.conf", "[Network]\n" RULES "=no\n"},
	  {"/etc" DROP_IN "20-b.conf", "[Network]\n" ROUTES "=no\n"}},
	 true,
	 false,
	 "",
	 "of one name the folder that stands first"},
	{{{"/etc" DROP_IN "x.conf~", "[Network]\n" RULES "=no\n"}},
	 true,
	 true,
	 "",
	 "an editor's copy"},
	{{{"/etc" CONF, "[DHCPv4]\n" RULES "=no\n"}},
	 true,
	 true,
	 "",
	 "the wrong section"},
	{{{"/etc" CONF, "[Network]\n#" RULES "=no\n;" ROUTES "=no\n"}},
	 true,
	 true,
	 "",
	 "comments"},
	{{{"/etc" CONF, "  [Network]\n " RULES " = Off \n" ROUTES "=f"}},
	 false,
	 false,
	 "/etc" CONF,
	 "blanks, words, no newline"},
	{{{"/etc" CONF,
	   "[Network]\n" RULES "=no\n" RULES "=\n" RULES "=maybe\n"}},
	 false,
	 true,
	 "/etc" CONF,
	 "no value is no change"},
};

static void networkd_files_are_read_in_its_order(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(file_cases); i++) {
		struct facts facts;

		read_networkd(file_cases[i].files, &facts);
		if (facts.networkd_rules.value != file_cases[i].rules ||
		    facts.networkd_routes.value != file_cases[i].routes ||
		    strcmp(facts.networkd_rules.file, file_cases[i].file) != 0)
			fail_msg("%s: rules %d (%s), routes %d",
				 file_cases[i].why, facts.networkd_rules.value,
				 facts.networkd_rules.file,
				 facts.networkd_routes.value);
		facts_done(&facts);
	}
}

#define SELF                                                                   \
	{                                                                      \
		"/proc/self/ns/net", "-> net:[1]"                              \
	}
#define SERVICE "/system.slice/systemd-networkd.service/"
#define CGROUP	"/sys/fs/cgroup" SERVICE

static const struct {
	struct file files[FILES_MAX];
	enum fact_networkd running;
	const char *why;
} process_cases[] = {
	{{SELF}, NETWORKD_NOT_RUNNING, "no process"},
	{{{NULL, NULL}}, NETWORKD_UNKNOWN, "no /proc"},
	{{SELF,
	  {"/proc/7/comm", "systemd-network\n"},
	  {"/proc/7/ns/net", "-> net:[1]"}},
	 NETWORKD_RUNNING,
	 "a process of that name"},
	{{SELF,
	  {"/proc/7/comm", "systemd-network\n"},
	  {"/proc/7/ns/net", "-> net:[2]"}},
	 NETWORKD_NOT_RUNNING,
	 "in another namespace"},
	{{SELF,
	  {"/proc/7/comm", "systemd-network\n"},
	  {"/proc/7/ns", "-> ns"}}, /* any error but that it is gone */
	 NETWORKD_RUNNING,
	 "its namespace is not for us to see"},
	{{SELF, {"/proc/7/comm", "systemd-network\n"}},
	 NETWORKD_NOT_RUNNING,
	 "it has ended meanwhile"},
	{{SELF,
	  {"/proc/7/comm", "systemd-networx\n"},
	  {"/proc/7x/comm", "systemd-network\n"}},
	 NETWORKD_NOT_RUNNING,
	 "others"},
	{{SELF,
	  {CGROUP "cgroup.procs", "7\n8\n"},
	  {"/proc/7/ns/net", "-> net:[2]"},
	  {"/proc/8/ns/net", "-> net:[1]"}},
	 NETWORKD_RUNNING,
	 "the service has a process here"},
	{{SELF,
	  {CGROUP "cgroup.procs", "7\n"},
	  {"/proc/7/ns/net", "-> net:[2]"}},
	 NETWORKD_NOT_RUNNING,
	 "the host's own, seen from a container"},
	{{SELF, {CGROUP "cgroup.procs", "7\n"}},
	 NETWORKD_RUNNING,
	 "the service's process is hidden from us, as by our unit"},
	{{SELF, {CGROUP "cgroup.procs", "0\n"}},
	 NETWORKD_NOT_RUNNING,
	 "it is outside of our process namespace"},
	{{SELF,
	  {"/sys/fs/cgroup/systemd" SERVICE "cgroup.procs", "7\n"},
	  {"/proc/7/ns/net", "-> net:[1]"}},
	 NETWORKD_RUNNING,
	 "groups of version 1"},
	{{SELF,
	  {"/sys/fs/cgroup/unified" SERVICE "cgroup.procs", "7\n"},
	  {"/proc/7/ns/net", "-> net:[1]"}},
	 NETWORKD_RUNNING,
	 "groups of both versions"},
	{{SELF, {CGROUP "cgroup.procs", ""}},
	 NETWORKD_NOT_RUNNING,
	 "the service is stopped"},
};

static void networkd_is_looked_for_in_our_namespace(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(process_cases); i++) {
		struct facts facts;

		read_networkd(process_cases[i].files, &facts);
		if (facts.networkd != process_cases[i].running)
			fail_msg("%s: %d", process_cases[i].why,
				 facts.networkd);
		assert_int_equal(facts.gaps.n,
				 process_cases[i].running == NETWORKD_UNKNOWN);
		facts_done(&facts);
	}
}

#define LEASE(link, router)                                                    \
	"lease {\n  interface \"" link "\";\n  fixed-address 10.0.0.2;\n"      \
	"  option subnet-mask 255.255.255.0;\n" router                         \
	"  renew 1 2026/01/05 00:00:00;\n}\n"
#define OPTION(routers) "  option routers " routers ";\n"

static const struct {
	struct file files[FILES_MAX];
	const char *router; /* of link 3, called b; "none" */
	const char *why;
} lease_cases[] = {
	{{{NULL, NULL}}, "none", "no lease"},
	{{{"/run/systemd/netif/leases/3",
	   "# This is private data. Do not parse.\nADDRESS=10.0.0.2\n"
	   "NETMASK=255.255.255.0\nROUTER=10.0.0.1\nMTU=1500\n"}},
	 "10.0.0.1",
	 "networkd's"},
	{{{"/run/systemd/netif/leases/3", "ROUTER=10.0.0.7 10.0.0.1"}},
	 "10.0.0.7",
	 "the first of several"},
	{{{"/run/systemd/netif/leases/3", "ADDRESS=10.0.0.2\n"}},
	 "none",
	 "without a router"},
	{{{"/run/systemd/netif/leases/2", "ROUTER=10.0.0.1\n"}},
	 "none",
	 "of another link"},
	{{{"/run/systemd/netif/leases/3", "ROUTER=bogus\nROUTER=\n"}},
	 "none",
	 "nonsense"},
	{{{"/run/NetworkManager/devices/3",
	   "[device]\nmanaged=true\n\n[dhcp4]\n"
	   "dhcp4.ip_address=10.0.0.2\ndhcp4.routers=10.0.0.1\n"}},
	 "10.0.0.1",
	 "NetworkManager's"},
	{{{"/var/lib/dhcp/dhclient.leases", LEASE("b", OPTION("10.0.0.1"))}},
	 "10.0.0.1",
	 "dhclient's"},
	{{{"/var/lib/dhcp/dhclient.b.leases",
	   LEASE("b", OPTION("10.0.0.1"))
		   LEASE("b", OPTION("10.0.0.9,10.0.0.8"))}},
	 "10.0.0.9",
	 "the last one counts"},
	{{{"/var/lib/dhcp/dhclient.leases",
	   LEASE("a", OPTION("10.0.0.1")) LEASE("b", "")}},
	 "none",
	 "each for its own link"},
	{{{"/var/lib/dhcp/dhclient.leases", LEASE("b", OPTION("192.0.2.1"))}},
	 "none",
	 "an old one, of another network"},
	{{{"/var/lib/dhclient/dhclient--b.lease",
	   LEASE("b", OPTION("10.0.0.1"))}},
	 "10.0.0.1",
	 "elsewhere"},
	{{{"/var/lib/dhcp/dhclient.leases", "lease {\n interface \"b"}},
	 "none",
	 "half a file"},
};

static void read_leases(const struct file *files, struct scene *scene,
			struct facts *ret)
{
	assert_int_equal(make_root(NULL), 0);
	for (; files->path; files++)
		write_file(files);
	scene_make(scene, "link 2 a up\nlink 3 b up\n");
	facts_init(ret);
	facts_read_leases(made, &scene->model, ret);
	assert_int_equal(remove_root(NULL), 0);
}

static void leases_name_their_routers(void **state)
{
	struct ip_prefix prefix = scene_prefix("10.0.0.0/24");

	(void)state;
	for (size_t i = 0; i < COUNT(lease_cases); i++) {
		const struct lease_facts *lease;
		struct facts facts;
		struct scene scene;
		char text[IP_TEXT_MAX] = "none";

		read_leases(lease_cases[i].files, &scene, &facts);
		lease = facts_lease(&facts, 3, &prefix);
		if (lease)
			(void)ip_addr_format(&lease->router, text);
		if (strcmp(text, lease_cases[i].router) != 0)
			fail_msg("%s: %s", lease_cases[i].why, text);
		if (lease)
			assert_string_equal(lease->file,
					    lease_cases[i].files[0].path);
		assert_int_equal(facts.gaps.n, 0);
		facts_done(&facts);
		scene_done(&scene);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(networkd_files_are_read_in_its_order),
		cmocka_unit_test(networkd_is_looked_for_in_our_namespace),
		cmocka_unit_test(leases_name_their_routers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
