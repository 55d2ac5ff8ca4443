/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "trial.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "call.h"
#include "complain.h"
#include "control/field.h"
#include "control/interface.h"
#include "exit.h"
#include "follow.h"
#include "output.h"

enum {
	STATUS_MS = 5000, /* how long an answer may take meanwhile */
	TURN_MS = 1000,	  /* the clock that is shown */
	END_MS = 100,	  /* between two looks when the time is over */
	LATE_MS = 5000,	  /* the daemon is not later than that */
	SKEW_MS = 500,	  /* how exactly two looks agree about the end */
	MINUTE_MS = 60 * 1000,
};

enum outcome {
	OUTCOME_OPEN,
	OUTCOME_KEPT,
	OUTCOME_UNDONE,
	OUTCOME_OVER,
	OUTCOME_ELSEWHERE,
	OUTCOME_ANOTHER,
	OUTCOME_LEFT,
	OUTCOME_FAILED, /* and complained of */
};

static const struct {
	const char *words;
	int code;
} endings[] = {
	[OUTCOME_KEPT] = {"The new configuration stays.", EXIT_FINE},
	[OUTCOME_UNDONE] = {"The old configuration is back.", EXIT_BAD_NEWS},
	[OUTCOME_OVER] = {"Time is over: the old configuration is back.\n"
			  "The file still holds the new one, and a restart "
			  "takes that.",
			  EXIT_BAD_NEWS},
	[OUTCOME_ELSEWHERE] = {"Somebody else has ended the trial: see "
			       "'multihomectl status'.",
			       EXIT_BAD_NEWS},
	[OUTCOME_ANOTHER] = {"Somebody else has put another configuration on "
			     "trial.",
			     EXIT_BAD_NEWS},
	[OUTCOME_LEFT] = {"Not confirmed: the old configuration returns by "
			  "itself.",
			  EXIT_BAD_NEWS},
	[OUTCOME_FAILED] = {NULL, EXIT_NO_DAEMON},
};

struct trial {
	const char *socket;
	struct follow follow;
	struct output_line line;
	int64_t until_ms; /* when the old one returns, by our clock */
	int64_t late_ms;  /* when it should long have done so */
};

static int64_t now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static enum outcome fail(struct trial *trial, int err)
{
	output_line_clear(&trial->line);
	(void)complain_daemon(trial->socket, err);
	return OUTCOME_FAILED;
}

/* The daemon knows of no trial: why not? */
static enum outcome ended(const struct trial *trial)
{
	return now_ms() + SKEW_MS >= trial->until_ms ? OUTCOME_OVER
						     : OUTCOME_ELSEWHERE;
}

/* Is it on, and is it ours? Only the daemon knows. */
static enum outcome look(struct trial *trial)
{
	const struct varlink_call call = {.method = INTERFACE_STATUS};
	struct json_object *state;
	struct answer answer = {0};
	int64_t until_ms;
	int err;

	err = call_ask(trial->follow.client, &call, STATUS_MS, &answer);
	if (err)
		return fail(trial, err);
	state = field_get(answer.reply.parameters, "trial", json_type_object);
	until_ms = now_ms() +
		   (int64_t)(field_double(state, "seconds_left", 0) * 1000);
	answer_done(&answer);

	if (!state)
		return ended(trial);
	if (until_ms > trial->until_ms + SKEW_MS)
		return OUTCOME_ANOTHER;
	if (until_ms < trial->until_ms)
		trial->until_ms = until_ms;
	if (now_ms() > trial->late_ms)
		return fail(trial, -ETIMEDOUT);
	return OUTCOME_OPEN;
}

static enum outcome confirm(struct trial *trial, bool keep)
{
	struct varlink_call call = {
		.method = INTERFACE_CONFIRM,
		.parameters = json_object_new_object(),
	};
	enum outcome outcome = keep ? OUTCOME_KEPT : OUTCOME_UNDONE;
	struct answer answer = {0};
	int err;

	json_object_object_add(call.parameters, "keep",
			       json_object_new_boolean(keep));
	err = call_ask(trial->follow.client, &call, CALL_MS, &answer);
	json_object_put(call.parameters);
	if (err)
		return fail(trial, err);
	if (answer.reply.error &&
	    strcmp(answer.reply.error, INTERFACE_ERROR_NO_TRIAL) == 0) {
		outcome = ended(trial);
	} else if (answer.reply.error) {
		output_line_clear(&trial->line);
		(void)complain_error("reload", &answer.reply);
		outcome = OUTCOME_LEFT;
	}
	answer_done(&answer);
	return outcome;
}

/* About ours only: since the last look another one may have begun. */
static enum outcome decide(struct trial *trial, bool keep)
{
	enum outcome outcome = look(trial);

	return outcome == OUTCOME_OPEN ? confirm(trial, keep) : outcome;
}

static enum outcome take_key(struct trial *trial, int key)
{
	switch (key) {
	case '\n':
	case '\r':
		return decide(trial, true);
	case 'q':
	case 'Q':
		return decide(trial, false);
	case FOLLOW_HANGUP:
		return OUTCOME_LEFT;
	default:
		return OUTCOME_OPEN;
	}
}

static enum outcome take_event(struct trial *trial,
			       const struct follow_event *event)
{
	switch (event->kind) {
	case FOLLOW_KEY:
		return take_key(trial, event->value);
	case FOLLOW_SIGNAL:
		/* The others say that nobody is there any more. */
		return event->value == SIGINT ? decide(trial, false)
					      : OUTCOME_LEFT;
	case FOLLOW_UNREAD:
		return OUTCOME_LEFT;
	case FOLLOW_TIME:
		return look(trial);
	case FOLLOW_REPLY:
		return fail(trial, -EPROTO);
	}
	return OUTCOME_LEFT;
}

static void show_clock(struct trial *trial, int64_t left_ms)
{
	bool is_long = left_ms >= 2 * (int64_t)MINUTE_MS;
	int64_t unit_ms = is_long ? MINUTE_MS : 1000;

	if (left_ms < 0)
		left_ms = 0;
	output_line_show(&trial->line,
			 "Press Enter to keep it, Ctrl-C to go back "
			 "(%lld %s left) ",
			 (long long)((left_ms + unit_ms - 1) / unit_ms),
			 is_long ? "min" : "s");
}

/* To the next full second, or to the end. */
static int next_turn(int64_t left_ms)
{
	if (left_ms <= 0)
		return END_MS;
	return (int)(left_ms % TURN_MS ? left_ms % TURN_MS : TURN_MS);
}

static enum outcome follow_trial(struct trial *trial)
{
	enum outcome outcome = OUTCOME_OPEN;
	struct follow_event event = {0};
	int64_t left_ms;
	int err;

	while (outcome == OUTCOME_OPEN) {
		left_ms = trial->until_ms - now_ms();
		show_clock(trial, left_ms);
		err = follow_next(&trial->follow, next_turn(left_ms), &event);
		outcome = err ? fail(trial, err) : take_event(trial, &event);
		answer_done(&event.answer);
	}
	return outcome;
}

/* Keys count at once, and none that was pressed before the question. */
static bool open_keys(struct termios *ret_saved)
{
	struct termios keys;

	if (tcgetattr(STDIN_FILENO, ret_saved) < 0)
		return false;
	keys = *ret_saved;
	keys.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	keys.c_cc[VMIN] = 1;
	keys.c_cc[VTIME] = 0;
	return tcsetattr(STDIN_FILENO, TCSAFLUSH, &keys) == 0;
}

static int interact(struct trial *trial)
{
	struct termios saved;
	bool has_keys = open_keys(&saved);
	enum outcome outcome;

	trial->line.out = stdout;
	trial->follow.key_fd = STDIN_FILENO;
	trial->follow.watches_output = true;
	(void)puts("The new configuration runs.");
	outcome = follow_trial(trial);
	output_line_clear(&trial->line);
	if (has_keys)
		(void)tcsetattr(STDIN_FILENO, TCSADRAIN, &saved);
	if (endings[outcome].words)
		(void)puts(endings[outcome].words);
	return endings[outcome].code;
}

static void show_how_to_keep(const struct options *options)
{
	bool is_default = strcmp(options->socket, INTERFACE_SOCKET) == 0;

	(void)printf("The new configuration runs for %d s, then the old one "
		     "returns. To keep it:\n"
		     "multihomectl %s%s%sconfirm\n",
		     options->try_seconds, is_default ? "" : "-s ",
		     is_default ? "" : options->socket, is_default ? "" : " ");
}

static bool is_interactive(const struct options *options)
{
	return options->given & OPTION_TRY && !options->json &&
	       isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
}

static int show_reply(const struct command *command,
		      const struct options *options,
		      const struct answer *answer)
{
	if (answer->reply.error) {
		if (options->json)
			output_json(answer->message);
		return complain_error(command->name, &answer->reply);
	}
	if (options->json)
		output_json(answer->reply.parameters);
	else if (options->given & OPTION_TRY && !is_interactive(options))
		show_how_to_keep(options);
	return EXIT_FINE;
}

static int ask(struct trial *trial, const struct command *command,
	       const struct options *options)
{
	struct varlink_call call = {
		.method = command->method,
		.parameters = json_object_new_object(),
	};
	struct answer answer = {0};
	int code;
	int err;

	if (options->given & OPTION_TRY)
		json_object_object_add(
			call.parameters, "try_seconds",
			json_object_new_int(options->try_seconds));
	err = call_ask(trial->follow.client, &call, CALL_MS, &answer);
	json_object_put(call.parameters);
	if (err)
		return complain_daemon(options->socket, err);

	trial->until_ms = now_ms() + (int64_t)options->try_seconds * 1000;
	trial->late_ms = trial->until_ms + LATE_MS;
	code = show_reply(command, options, &answer);
	answer_done(&answer);
	if (code == EXIT_FINE && is_interactive(options))
		code = interact(trial);
	return code;
}

int trial_reload(const struct command *command, const struct options *options)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP, 0};
	struct trial trial = {
		.socket = options->socket,
		.follow = {.signal_fd = -1, .key_fd = -1},
	};
	int code;
	int err = client_open(options->socket, &trial.follow.client);

	if (err)
		return complain_daemon(options->socket, err);
	/* From here on Ctrl-C means to go back. */
	if (is_interactive(options))
		trial.follow.signal_fd = follow_signals(signals);
	code = ask(&trial, command, options);
	follow_done(&trial.follow);
	client_free(trial.follow.client);
	return output_end(code);
}
