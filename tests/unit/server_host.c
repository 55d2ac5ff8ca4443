/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "server_host.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "control/interface.h"

struct server_host host;

static void on_cancel(struct server_call *call, void *user)
{
	unsigned int i;

	assert_ptr_equal(user, &host);
	host.cancelled++;
	for (i = 0; i < host.deferred; i++)
		if (host.calls[i] == call)
			host.calls[i] = NULL;
}

static void handle_status(struct server_call *call,
			  struct json_object *parameters, void *data)
{
	struct json_object *reply = json_object_new_object();

	(void)parameters;
	assert_ptr_equal(data, &host);
	json_object_object_add(reply, "handled",
			       json_object_new_int((int)++host.handled));
	server_call_reply(call, reply);
}

static void handle_wait(struct server_call *call,
			struct json_object *parameters, void *data)
{
	(void)parameters;
	(void)data;
	assert_true(host.deferred < CALLS_MAX);
	host.calls[host.deferred++] = call;
	server_call_defer(call, on_cancel, &host);
}

static void handle_reload(struct server_call *call,
			  struct json_object *parameters, void *data)
{
	(void)parameters;
	(void)data;
	host.handled++;
	server_call_reply(call, NULL);
}

static void handle_echo(struct server_call *call,
			struct json_object *parameters, void *data)
{
	(void)data;
	server_call_reply(call, json_object_get(parameters));
}

static void handle_wrong(struct server_call *call,
			 struct json_object *parameters, void *data)
{
	(void)call;
	(void)parameters;
	(void)data;
}

const struct server_method server_host_methods[] = {
	{INTERFACE_STATUS, false, handle_status},
	{INTERFACE_WAIT, false, handle_wait},
	{"test.Reload", true, handle_reload},
	{"test.Echo", false, handle_echo},
	{"test.Wrong", false, handle_wrong},
	{NULL, false, NULL},
};

static void on_log(int level, const char *text)
{
	size_t len = strlen(host.log);

	(void)snprintf(host.log + len, sizeof(host.log) - len, "<%d>%s\n",
		       level, text);
}

static void on_tick(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)loop;
	(void)timer;
	(void)events;
}

bool server_host_turn(ev_tstamp since)
{
	ev_run(host.loop, EVRUN_ONCE);
	return ev_time() - since < DEADLINE_S;
}

struct server_config server_host_config(void)
{
	return (struct server_config){
		.path = host.path,
		.version = "1.2.3",
		.log = on_log,
	};
}

void server_host_start(const struct server_config *config)
{
	struct server_config fallback = server_host_config();
	int err = server_new(host.loop, config ? config : &fallback,
			     server_host_methods, &host, &host.server);

	if (err)
		fail_msg("server: %s: %s", strerror(-err), host.log);
}

int client_connect(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s",
		       host.path);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		int err = -errno;

		(void)close(fd);
		return err;
	}
	return fd;
}

int client_new(void)
{
	unsigned int before = server_clients(host.server);
	ev_tstamp since = ev_time();
	int fd = client_connect();

	assert_true(fd >= 0);
	while (server_clients(host.server) == before)
		assert_true(server_host_turn(since));
	return fd;
}

void client_send_bytes(int fd, const void *bytes, size_t len)
{
	assert_int_equal(send(fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL),
			 len);
}

void client_send(int fd, const char *text)
{
	client_send_bytes(fd, text, strlen(text) + 1);
}

/* Run the loop until @fd has a byte; false when the server hung up. */
static bool read_byte(int fd, char *ret)
{
	ev_tstamp since = ev_time();
	ssize_t got;

	while ((got = recv(fd, ret, 1, MSG_DONTWAIT)) < 0 && errno == EAGAIN)
		if (!server_host_turn(since))
			fail_msg("no answer; log: %s", host.log);
	return got == 1;
}

const char *client_read(int fd)
{
	static char text[REPLY_MAX];
	size_t len;

	for (len = 0; len < sizeof(text); len++) {
		if (!read_byte(fd, text + len))
			return NULL;
		if (text[len] == '\0')
			return text;
	}
	fail_msg("an endless answer");
	return NULL;
}

void expect(int fd, const char *want)
{
	const char *text = client_read(fd);

	if (!text)
		fail_msg("hung up instead of %s; log: %s", want, host.log);
	assert_string_equal(text, want);
}

void expect_hangup(int fd)
{
	const char *text = client_read(fd);

	if (text)
		fail_msg("answered %s", text);
	(void)close(fd);
}

void wait_for(const unsigned int *value, unsigned int want)
{
	ev_tstamp since = ev_time();

	while (*value != want)
		assert_true(server_host_turn(since));
}

void wait_for_clients(unsigned int want)
{
	ev_tstamp since = ev_time();

	while (server_clients(host.server) != want)
		assert_true(server_host_turn(since));
}

void expect_logged(const char *part)
{
	if (!strstr(host.log, part))
		fail_msg("'%s' is not in the log: %s", part, host.log);
}

int server_host_setup(void **state)
{
	(void)state;
	memset(&host, 0, sizeof(host));
	host.loop = ev_loop_new(EVFLAG_AUTO);
	ev_timer_init(&host.tick, on_tick, 0.01, 0.01);
	ev_timer_start(host.loop, &host.tick);

	(void)snprintf(host.dir, sizeof(host.dir), "/tmp/test-server-XXXXXX");
	if (!mkdtemp(host.dir) || chmod(host.dir, 0711) < 0)
		return -1;
	(void)snprintf(host.path, sizeof(host.path), "%s/run/io.multihomed",
		       host.dir);
	return 0;
}

int server_host_teardown(void **state)
{
	char lock[128];
	char run[80];

	(void)state;
	server_free(host.server);
	ev_loop_destroy(host.loop);
	(void)snprintf(lock, sizeof(lock), "%s.lock", host.path);
	(void)snprintf(run, sizeof(run), "%s/run", host.dir);
	(void)unlink(host.path);
	(void)unlink(lock);
	(void)rmdir(run);
	return rmdir(host.dir);
}

struct json_object *big_object(size_t len)
{
	struct json_object *object = json_object_new_object();
	char *text = malloc(len + 1);

	assert_non_null(text);
	memset(text, 'x', len);
	text[len] = '\0';
	json_object_object_add(object, "text", json_object_new_string(text));
	free(text);
	return object;
}
