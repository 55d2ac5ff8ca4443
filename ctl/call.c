/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "call.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "complain.h"
#include "control/field.h"
#include "exit.h"
#include "follow.h"
#include "output.h"

enum {
	GRACE_MS = 10000, /* for the daemon's own timeout to reach us */
};

/* One command under way. */
struct run {
	const struct command *command;
	const struct options *options;
	struct follow follow;
	struct answer previous;
	struct output_line progress; /* on stderr; out is NULL: not shown */
};

void answer_done(struct answer *answer)
{
	json_object_put(answer->message);
	*answer = (struct answer){0};
}

int call_ask(struct client *client, const struct varlink_call *call,
	     int timeout_ms, struct answer *ret)
{
	struct answer answer = {0};
	int err = client_send(client, call);

	if (!err)
		err = client_receive(client, timeout_ms, &answer.reply,
				     &answer.message);
	if (!err)
		*ret = answer;
	return err;
}

static int timeout_of(const struct run *run)
{
	if (run->command->replies == REPLIES_ENDLESS)
		return FOLLOW_FOR_EVER;
	if (run->command->takes & OPTION_TIMEOUT)
		return run->options->timeout_ms + GRACE_MS;
	return CALL_MS;
}

static void show_progress(struct run *run, struct json_object *parameters)
{
	int64_t asked = field_int(parameters, "asked", 0);
	int64_t total = field_int(parameters, "total", 0);

	if (!run->progress.out || total <= 0)
		return;
	output_line_show(&run->progress, "%s: %lld %% (%lld of %lld)",
			 run->command->name, (long long)(100 * asked / total),
			 (long long)asked, (long long)total);
}

static void show_json(const struct run *run, struct json_object *object)
{
	if (run->command->replies == REPLIES_STREAM ||
	    run->command->replies == REPLIES_ENDLESS)
		output_json_line(object);
	else
		output_json(object);
}

static void show_text(const struct run *run, struct json_object *parameters)
{
	render_fn *render = command_render(run->command, run->options);
	struct text text = text_open(stdout);

	if (render)
		render(&text, parameters, run->previous.reply.parameters);
	else if (run->command->success)
		(void)puts(run->command->success);
}

/* Return: the exit status, if it is the last reply. */
static int show_reply(struct run *run, const struct answer *answer)
{
	const struct varlink_reply *reply = &answer->reply;

	output_line_clear(&run->progress);
	if (reply->error) {
		if (run->options->json)
			show_json(run, answer->message);
		return complain_error(run->command->name, reply);
	}
	if (run->options->json)
		show_json(run, reply->parameters);
	else
		show_text(run, reply->parameters);
	if (run->command->verdict)
		return run->command->verdict(reply->parameters);
	return EXIT_FINE;
}

/* Return: false when there is nothing to come. */
static bool take_reply(struct run *run, struct answer *answer, int *ret_code)
{
	bool goes_on = answer->reply.continues;
	int err;

	if (goes_on && run->command->replies == REPLIES_LAST) {
		show_progress(run, answer->reply.parameters);
		answer_done(answer);
		return true;
	}

	*ret_code = show_reply(run, answer);
	answer_done(&run->previous);
	run->previous = *answer;
	err = output_flush();
	if (err && err != -EPIPE)
		*ret_code = EXIT_BAD_NEWS;
	return goes_on && !err;
}

static int take_replies(struct run *run)
{
	struct follow_event event = {0};
	int code = EXIT_FINE;
	int err;

	do {
		err = follow_next(&run->follow, timeout_of(run), &event);
		if (!err && event.kind == FOLLOW_TIME)
			err = -ETIMEDOUT;
		if (err) {
			output_line_clear(&run->progress);
			return complain_daemon(run->options->socket, err);
		}
		/* An interrupt is how an endless one ends, as is a pager. */
		if (event.kind != FOLLOW_REPLY)
			break;
	} while (take_reply(run, &event.answer, &code));
	return code;
}

static int send_call(const struct run *run)
{
	const struct command *command = run->command;
	struct varlink_call call = {
		.method = command->method,
		.more = command->replies != REPLIES_ONE,
	};
	int err;

	if (command->parameters)
		call.parameters = command->parameters(run->options);
	err = client_send(run->follow.client, &call);
	json_object_put(call.parameters);
	return err;
}

static int ask_and_show(struct run *run)
{
	static const int signals[] = {SIGINT, 0};
	int err;

	if (run->command->replies == REPLIES_ENDLESS)
		run->follow.signal_fd = follow_signals(signals);
	if (isatty(STDERR_FILENO))
		run->progress.out = stderr;
	err = send_call(run);
	if (err)
		return complain_daemon(run->options->socket, err);
	return take_replies(run);
}

int call_run(const struct command *command, const struct options *options)
{
	struct run run = {
		.command = command,
		.options = options,
		.follow = {.signal_fd = -1, .key_fd = -1},
	};
	int code;
	int err;

	run.follow.watches_output = command->replies != REPLIES_ONE;
	err = client_open(options->socket, &run.follow.client);
	if (err)
		return complain_daemon(options->socket, err);
	code = ask_and_show(&run);
	answer_done(&run.previous);
	follow_done(&run.follow);
	client_free(run.follow.client);
	return code;
}
