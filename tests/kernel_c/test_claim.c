/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/claim.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/kernel_c/netns.h"

#define NAME	 "\0multihomed"
#define ASKERS	 32 /* more than may wait for an answer */
#define BUSY_MS	 200
#define FIRST_MS 20
#define NOBODY	 65534

static struct sockaddr_un address_of(socklen_t *ret_len)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	memcpy(address.sun_path, NAME, sizeof(NAME) - 1);
	*ret_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
			       sizeof(NAME) - 1);
	return address;
}

/* What somebody else does who takes the name. */
static int take_name(void)
{
	socklen_t len;
	struct sockaddr_un address = address_of(&len);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
	return fd;
}

/* As many as may wait; Return: how many those are. */
static size_t ask_and_wait(int fds[ASKERS])
{
	socklen_t len;
	struct sockaddr_un address = address_of(&len);
	size_t n = 0;

	for (;;) {
		int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

		assert_true(fd >= 0 && n < ASKERS);
		if (connect(fd, (struct sockaddr *)&address, len) < 0) {
			assert_int_equal(errno, EAGAIN);
			assert_int_equal(close(fd), 0);
			return n;
		}
		fds[n++] = fd;
	}
}

static void go_away(const int *fds, size_t n)
{
	for (size_t i = 0; i < n; i++)
		assert_int_equal(close(fds[i]), 0);
}

static void one_holds_it(void **state)
{
	pid_t holder = -1;
	int fd = claim_take(&holder);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(holder, -1);
	assert_int_equal(claim_take(&holder), -EBUSY);
	assert_int_equal(holder, getpid());
	claim_answer(fd);
	claim_answer(fd); /* nobody asks: it does not wait */
	assert_int_equal(close(fd), 0);
	fd = claim_take(&holder);
	assert_true(fd >= 0);
	assert_int_equal(close(fd), 0);
}

/* It starts, with a million routes, while others ask again and again. */
static void one_that_is_busy_holds_it(void **state)
{
	const struct timespec busy = {.tv_nsec = BUSY_MS * 1000000L};
	pid_t holder = -1;
	int fd = claim_take(&holder);
	int fds[ASKERS];
	size_t n;
	pid_t child;
	int status;

	(void)state;
	assert_true(fd >= 0);
	n = ask_and_wait(fds);
	assert_true(n > 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		(void)nanosleep(&busy, NULL);
		for (size_t i = 0; i < n; i++)
			claim_answer(fd);
		_exit(0);
	}
	assert_int_equal(claim_take(&holder), -EBUSY);
	assert_int_equal(holder, getpid());
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	go_away(fds, n);
	assert_int_equal(close(fd), 0);
}

static void one_that_never_answers_does_not(void **state)
{
	pid_t holder = -1;
	int fd = take_name();
	int fds[ASKERS];
	size_t n;

	(void)state;
	/* It does not even listen. */
	assert_int_equal(claim_take(&holder), -EPERM);
	assert_int_equal(listen(fd, 1), 0);
	n = ask_and_wait(fds);
	assert_int_equal(claim_take(&holder), -EPERM);
	assert_int_equal(holder, -1);
	go_away(fds, n);
	assert_int_equal(close(fd), 0);
}

/* Bound by a child that does not listen yet; what it does next is in @listens.
 */
static pid_t take_name_first(bool listens)
{
	const struct timespec pause_ms = {.tv_nsec = FIRST_MS * 1000000L};
	int pipes[2];
	pid_t child;
	char byte;
	int fd;

	assert_int_equal(pipe(pipes), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		fd = take_name();
		if (write(pipes[1], "", 1) != 1)
			_exit(1);
		(void)nanosleep(&pause_ms, NULL);
		if (listens && (listen(fd, 1) < 0 || pause() < 0))
			_exit(1);
		_exit(0);
	}
	assert_int_equal(read(pipes[0], &byte, 1), 1);
	assert_int_equal(close(pipes[0]), 0);
	assert_int_equal(close(pipes[1]), 0);
	return child;
}

/* Two that start at one time: the other is between bind() and listen(). */
static void one_that_was_first_holds_it(void **state)
{
	pid_t holder = -1;
	pid_t child = take_name_first(true);

	(void)state;
	assert_int_equal(claim_take(&holder), -EBUSY);
	assert_int_equal(holder, child);
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, NULL, 0), child);
}

/* It was there when we asked for the name, and is not when we ask for it. */
static void one_that_ends_leaves_it(void **state)
{
	pid_t holder = -1;
	pid_t child = take_name_first(false);
	int fd = claim_take(&holder);
	int status;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(close(fd), 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

/* A user namespace of one's own may know of oneself only. */
static bool has_other_users(void)
{
	pid_t child = fork();
	int status;

	if (child == 0)
		_exit(setuid(NOBODY) < 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	return status == 0;
}

/* Who listens counts, not who made the socket. */
static void somebody_who_cannot_route_does_not(void **state)
{
	pid_t holder = -1;
	int fd = take_name();
	int pipes[2];
	pid_t child;
	char byte;

	(void)state;
	if (!has_other_users()) {
		assert_int_equal(close(fd), 0);
		skip();
	}
	assert_int_equal(pipe(pipes), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		if (setuid(NOBODY) < 0 || listen(fd, 1) < 0 ||
		    write(pipes[1], "", 1) != 1)
			_exit(1);
		(void)pause();
	}
	assert_int_equal(read(pipes[0], &byte, 1), 1);
	assert_int_equal(claim_take(&holder), -EPERM);
	assert_int_equal(holder, child);
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_int_equal(close(fd), 0);
	assert_int_equal(close(pipes[0]), 0);
	assert_int_equal(close(pipes[1]), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_holds_it),
		cmocka_unit_test(one_that_is_busy_holds_it),
		cmocka_unit_test(one_that_was_first_holds_it),
		cmocka_unit_test(one_that_ends_leaves_it),
		cmocka_unit_test(one_that_never_answers_does_not),
		cmocka_unit_test(somebody_who_cannot_route_does_not),
	};

	if (!netns_enter())
		return NETNS_SKIP;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
