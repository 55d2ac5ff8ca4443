/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The control socket in the file system: who may use it, and who owns it.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "control/interface.h"
#include "server_host.h"

static void second_server_is_refused(void **state)
{
	struct server_config config = server_host_config();
	struct server *second = NULL;
	int fd;

	(void)state;
	server_host_start(&config);
	assert_int_equal(server_new(host.loop, &config, server_host_methods,
				    &host, &second),
			 -EBUSY);
	expect_logged("another daemon");
	assert_null(second);
	fd = client_new();
	client_send(fd, STATUS);
	expect(fd, "{\"parameters\":{\"handled\":1}}");
	(void)close(fd);

	server_free(host.server);
	server_host_start(&config);
}

static void replaces_what_a_dead_daemon_left(void **state)
{
	struct server_config config = server_host_config();
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	char lock[128];
	char run[80];
	int fd;

	(void)state;
	(void)snprintf(run, sizeof(run), "%s/run", host.dir);
	(void)snprintf(lock, sizeof(lock), "%s.lock", host.path);
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s",
		       host.path);
	assert_int_equal(mkdir(run, 0755), 0);
	fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	(void)close(fd);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)),
			 0);
	(void)close(fd);
	assert_int_equal(client_connect(), -ECONNREFUSED);

	server_host_start(&config);
	fd = client_new();
	client_send(fd, STATUS);
	expect(fd, "{\"parameters\":{\"handled\":1}}");
	(void)close(fd);
}

static void leaves_alone_what_is_no_socket(void **state)
{
	struct server_config config = server_host_config();
	struct stat st;
	int fd;

	(void)state;
	config.path = host.dir;
	assert_int_equal(server_new(host.loop, &config, server_host_methods,
				    &host, &host.server),
			 -ENOTSOCK);

	(void)snprintf(host.path, sizeof(host.path), "%s/precious", host.dir);
	fd = open(host.path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	(void)close(fd);
	config.path = host.path;
	assert_int_equal(server_new(host.loop, &config, server_host_methods,
				    &host, &host.server),
			 -ENOTSOCK);
	assert_int_equal(stat(host.path, &st), 0);
	assert_true(S_ISREG(st.st_mode));
	expect_logged("precious");
}

static void says_when_the_path_cannot_be(void **state)
{
	struct server_config config = server_host_config();
	char path[200];

	(void)state;
	memset(path, 'x', sizeof(path));
	path[0] = '/';
	path[sizeof(path) - 1] = '\0';
	config.path = path;
	assert_int_equal(server_new(host.loop, &config, server_host_methods,
				    &host, &host.server),
			 -ENAMETOOLONG);
	config.path = "/nowhere/at/all/io.multihomed";
	assert_int_equal(server_new(host.loop, &config, server_host_methods,
				    &host, &host.server),
			 -ENOENT);
	expect_logged("/nowhere/at/all");
}

/* Instead of the C library's, which asks all name services. */
static unsigned int name_services_asked;

int getgrnam_r(const char *name, struct group *group, char *buffer, size_t size,
	       struct group **ret)
{
	(void)name;
	(void)group;
	(void)buffer;
	(void)size;
	name_services_asked++;
	*ret = NULL;
	return 0;
}

static void opens_the_socket_to_its_group_only(void **state)
{
	struct server_config config = server_host_config();
	struct group *group = getgrgid(getegid());
	mode_t before = umask(0077);
	char run[80];
	struct stat st;

	(void)state;
	(void)snprintf(run, sizeof(run), "%s/run", host.dir);
	assert_non_null(group);
	config.group = group->gr_name;
	name_services_asked = 0;
	server_host_start(&config);
	assert_int_equal(name_services_asked, 0);
	assert_int_equal(stat(host.path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0660);
	assert_int_equal(st.st_gid, getegid());
	assert_int_equal(stat(run, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
	assert_string_equal(host.log, "");
	server_free(host.server);

	config.group = NULL;
	(void)umask(0777);
	server_host_start(&config);
	(void)umask(before);
	assert_int_equal(stat(host.path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
}

static void missing_group_is_an_error_unless_default(void **state)
{
	struct server_config config = server_host_config();
	struct stat st;

	(void)state;
	config.group = "no-such-group-here";
	name_services_asked = 0;
	assert_int_equal(server_new(host.loop, &config, server_host_methods,
				    &host, &host.server),
			 -ESRCH);
	expect_logged("<3>control socket: there is no group no-such-group");
	assert_int_equal(access(host.path, F_OK), -1);
	assert_int_equal(name_services_asked, 1);

	host.log[0] = '\0';
	config.group_is_default = true;
	server_host_start(&config);
	expect_logged("<4>");
	expect_logged("there is no group no-such-group-here in /etc/group");
	assert_int_equal(name_services_asked, 1);
	assert_int_equal(stat(host.path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
}

/* In a child with that identity: exit 0 when the answer is @want. */
static void child_call(uid_t uid, gid_t gid, const char *want)
{
	char text[256] = "";
	size_t len = 0;
	int fd;

	if (setgroups(0, NULL) < 0 || setresgid(gid, gid, gid) < 0 ||
	    setresuid(uid, uid, uid) < 0)
		_exit(2);
	fd = client_connect();
	if (fd < 0)
		_exit(fd == -EACCES ? 3 : 4);
	if (send(fd, "{\"method\":\"test.Reload\"}",
		 sizeof("{\"method\":\"test.Reload\"}"), MSG_NOSIGNAL) < 0)
		_exit(5);
	while (len < sizeof(text) - 1 && recv(fd, text + len, 1, 0) == 1 &&
	       text[len] != '\0')
		len++;
	_exit(strcmp(text, want) == 0 ? 0 : 6);
}

static int run_child(uid_t uid, gid_t gid, const char *want)
{
	ev_tstamp since = ev_time();
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0)
		child_call(uid, gid, want);
	while (waitpid(pid, &status, WNOHANG) == 0)
		assert_true(server_host_turn(since));
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void only_admins_may_change_and_only_the_group_may_ask(void **state)
{
	static const char denied[] = "{\"error\":\"" INTERFACE_ERROR_PERMISSION
				     "\",\"parameters\":{}}";
	struct server_config config = server_host_config();
	struct passwd *nobody = getpwnam("nobody");
	struct group *group = getgrnam("daemon");

	(void)state;
	if (geteuid() != 0 || !nobody || !group) {
		skip();
		return;
	}
	config.group = group->gr_name;
	server_host_start(&config);
	assert_int_equal(run_child(0, 0, "{\"parameters\":{}}"), 0);
	assert_int_equal(host.handled, 1);
	assert_int_equal(run_child(nobody->pw_uid, group->gr_gid, denied), 0);
	assert_int_equal(host.handled, 1);
	expect_logged("may not call test.Reload");
	assert_int_equal(run_child(nobody->pw_uid, nobody->pw_gid, ""), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		server_host_test(second_server_is_refused),
		server_host_test(replaces_what_a_dead_daemon_left),
		server_host_test(leaves_alone_what_is_no_socket),
		server_host_test(says_when_the_path_cannot_be),
		server_host_test(opens_the_socket_to_its_group_only),
		server_host_test(missing_group_is_an_error_unless_default),
		server_host_test(
			only_admins_may_change_and_only_the_group_may_ask),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
